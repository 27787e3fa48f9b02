/**
 * Hours of mixed faults, in seasons: faults and people for a while, then quiet, the judge, and what ended leaves for
 * history. Two processes stay from the beginning to the end. What they hold when all is quiet, and how many keys Redis
 * has then, must not grow.
 */

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { archiveRuns } from '../../packages/orchestrator/src/history/archive.ts';
import { check } from './checker.ts';
import { createClients } from './clients.ts';
import type { Gauges } from './gauges.ts';
import { type Growth, growsFasterThan, growth } from './growth.ts';
import { readLedger, untilQuiet } from './ledger.ts';
import { TOXICS, openProxy } from './proxy.ts';
import { type Random, attack, strikes } from './random.ts';
import { type Member, type Rig, openRig, report, until } from './rig.ts';
import { feeds } from './workload.ts';

/** Without it: every fault once, and nothing is said of growth. */
const MINUTES = Number(process.env.SKEIN_SOAK_MINUTES ?? 0);
const SEASON_MS = strikes('SEASON_MS', 120_000);
/** Until caches are full, old ticks go, and V8 has compiled all that is used. */
const WARM_UP_HOURS = 1 / 3;
/** Less than this says too little of hours. */
const JUDGED_FROM_HOURS = 1;
const PERCENT_PER_HOUR = 2;
const LONG = 24 * 3_600_000;
/** Of each feed, for each fault. */
const ITEMS = 2;
/** That people ask for. */
const PEOPLES_IDS = 200;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test(
  MINUTES > 0
    ? `mixed faults for ${MINUTES} minutes: all is as it was promised, and nothing grows`
    : 'mixed faults, every kind once: each is survived',
  () =>
    attack(async (random) => {
      const soak = await openSoak(random);
      try {
        const ends = performance.now() + MINUTES * 60_000;
        do await soak.season();
        while (performance.now() < ends && !random.timeIsUp());
        const lines = soak.growths();
        report('F13 soak', { ...soak.figures(), ...printed(lines), seed: random.seed });
        if (soak.hours() < JUDGED_FROM_HOURS) return;
        expect(Object.entries(lines).filter(([, line]) => growsFasterThan(PERCENT_PER_HOUR, line))).toEqual([]);
      } finally {
        await soak.close();
      }
    }),
  LONG,
);

type Soak = Awaited<ReturnType<typeof openSoak>>;

async function openSoak(random: Random) {
  const archive = mkdtempSync(path.join(tmpdir(), 'skein-soak-'));
  const rig = await openRig({
    size: { partitions: 10 * ITEMS * Math.max(20, MINUTES * 60) },
    env: { SKEIN_HISTORY_URL: `file://${archive}` },
  });
  const proxies = await Promise.all([1, 2, 3].map(() => openProxy(rig.redis.port, () => random.next())));
  const throughNth = (nth: number) => ({ SKEIN_REDIS_URL: `redis://127.0.0.1:${proxies[nth]?.port}/0` });
  const clients = createClients(rig.history, random, PEOPLES_IDS);
  const [server, worker] = await Promise.all([rig.start('server', throughNth(0)), rig.start('worker', throughNth(1))]);
  const mortals: Member[] = await Promise.all(
    (['server', 'worker', 'worker'] as const).map((role) => rig.start(role, throughNth(2))),
  );
  await rig.begin(0);
  const replace = async (old: Member, signal: NodeJS.Signals) => {
    const starting = rig.start(old.role, throughNth(2));
    if (signal === 'SIGTERM') await starting; // as an upgrade goes
    await rig.kill(old, signal);
    mortals.splice(mortals.indexOf(old), 1, await starting);
  };
  const mortal = (role: Member['role']) => random.pick(mortals.filter((one) => one.role === role));
  const faults: Readonly<Record<string, () => Promise<void>>> = {
    'worker killed': () => replace(mortal('worker'), 'SIGKILL'),
    'server killed': () => replace(mortal('server'), 'SIGKILL'),
    'rolling restart': async () => {
      for (const old of [...mortals]) await replace(old, 'SIGTERM');
    },
    'worker stopped': async () => {
      const { child } = random.pick([worker, mortal('worker')]);
      child.kill('SIGSTOP');
      await pause(random.whole(3_200, 5_000));
      child.kill('SIGCONT');
    },
    'Redis killed': async () => {
      await rig.redis.kill(random.pick(['SIGKILL', 'SIGTERM']));
      await rig.redis.start();
    },
    network: async () => {
      const ill = random.pick(proxies);
      ill.infect(random.pick(Object.values(TOXICS)));
      await pause(random.whole(500, 5_000));
      ill.heal();
    },
    clock: async () => {
      const one = mortal('worker');
      one.tell(`skew ${random.pick([-1, 1]) * 3_600_000}`);
      await pause(random.whole(300, 1_000));
      one.tell('skew 0');
    },
    'odd calls': () => askOddly(server.url),
    'streams dropped': () => dropStreams(server.url, random),
  };

  const began = performance.now();
  const hours = () => (performance.now() - began) / 3_600_000;
  const measured: { readonly hours: number; readonly values: Readonly<Record<string, number>> }[] = [];
  const counts: Record<string, number> = Object.fromEntries(Object.keys(faults).map((fault) => [fault, 0]));
  let runs = 0;
  let asked: Readonly<Record<string, number>> = {};

  const strikeAll = async () => {
    const deck = Object.keys(faults);
    while (deck.length > 0) {
      const [fault = ''] = deck.splice(random.whole(0, deck.length - 1), 1);
      rig.history.available += ITEMS;
      await faults[fault]?.();
      counts[fault] = (counts[fault] ?? 0) + 1;
      const from = rig.history.entries.length;
      await until(
        () => rig.history.entries.slice(from).some(({ kind }) => kind === 'effect'),
        `work goes on after ${fault}`,
        180_000,
      );
    }
  };
  const cursorsOf = (ledger: { readonly cursors: Readonly<Record<string, number>> }) =>
    Object.values(ledger.cursors).reduce((sum, next) => sum + next, 0);

  /** Faults, quiet, the judge on what this season was asked for, then it leaves for history. */
  const season = async () => {
    const fromEntry = rig.history.entries.length;
    const fromItem = rig.history.available;
    let over = false;
    const people = clients.work(
      () => server.url,
      () => over,
    );
    const ends = performance.now() + (MINUTES > 0 ? SEASON_MS : 0);
    try {
      do await strikeAll();
      while (performance.now() < ends);
    } finally {
      over = true;
    }
    await people;
    await untilQuiet(rig.engine, rig.allRequested);
    const ledger = await readLedger(rig.engine);
    const whole = feeds(rig.size);
    const feed = Object.fromEntries(
      Object.entries(whole).map(([name, keys]) => [name, keys.slice(fromItem, rig.history.available)]),
    );
    const cursors = Object.fromEntries(Object.entries(ledger.cursors).map(([name, next]) => [name, next - fromItem]));
    expect(
      check(
        rig.history.entries.slice(fromEntry),
        { ...ledger, cursors },
        { feed, staleAllowed: true, endsAllowed: ['cancelled'] },
      ),
    ).toEqual([]);
    // Nothing of an earlier season is asked for again: its runs have left, so the judge does not see it.
    const known = new Set(Object.values(feed).flat());
    const strays = ledger.runs
      .filter(({ cause }) => cause.startsWith('sensor:'))
      .flatMap(({ partitions }) => partitions.filter(({ key }) => !known.has(key)));
    expect(strays).toEqual([]);
    expect(cursorsOf(ledger)).toBeGreaterThan(0);
    runs += ledger.runs.length;
    asked = { ...clients.asked };
    await archiveAll(rig);
    await measure();
  };

  const measure = async () => {
    const gauges = await Promise.all(
      [server, worker].map(async (one) => JSON.parse(await one.ask('gauges', 'gauges')) as Gauges),
    );
    const info = String(await rig.redis.command('INFO', 'memory'));
    const kinds = await kindsOfKeys(rig);
    const { bf = 0, ...others } = kinds;
    const values: Record<string, number> = {
      keys: Object.values(others).reduce((sum, count) => sum + count, 0),
      'keys of backfills': bf,
      'memory of Redis': Number(/used_memory:(\d+)/.exec(info)?.[1]),
    };
    for (const [i, name] of ['server', 'worker'].entries())
      for (const [what, value] of Object.entries(gauges[i] ?? {})) values[`${what} of the ${name}`] = value;
    measured.push({ hours: hours(), values });
    const file = process.env.SKEIN_SOAK_FIGURES;
    if (file !== undefined)
      appendFileSync(file, `${JSON.stringify({ hours: hours(), runs, ...counts, ...values, kinds })}\n`);
  };

  return {
    season,
    hours,
    figures: () => ({ minutes: Math.round(hours() * 60), seasons: measured.length, runs, ...counts, ...asked }),
    growths(): Readonly<Record<string, Growth>> {
      const warm = measured.filter((one) => one.hours >= WARM_UP_HOURS);
      return Object.fromEntries(
        Object.keys(measured[0]?.values ?? {})
          .filter((name) => !BY_DESIGN.has(name))
          .map((name) => [name, growth(warm.map((one) => ({ hours: one.hours, value: one.values[name] ?? 0 })))]),
      );
    },
    async close() {
      await rig.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
      rmSync(archive, { recursive: true, force: true });
    },
  };
}

/** What became of every partition and what people asked for is kept for ever; feeds and people go on. */
const BY_DESIGN: ReadonlySet<string> = new Set(['memory of Redis', 'keys of backfills']);

async function archiveAll({ engine }: Rig): Promise<void> {
  const { redis, keys } = engine;
  await until(async () => {
    await archiveRuns(engine, { olderThanMs: 0, limit: 100_000 });
    return (await redis.zcard(keys.runs)) === 0;
  }, 'every ended run is in history');
}

/** How many keys there are of each kind, so that what grows has a name. */
async function kindsOfKeys({ engine: { redis, keys } }: Rig): Promise<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for (const key of await redis.keys(`${keys.prefix}:*`)) {
    const kind = /^(bull:)?[a-z_]+/.exec(key.slice(keys.prefix.length + 1))?.[0] ?? key;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

/** What a server answers with a reason, whatever it is asked; and pages that people open. */
const ODD: readonly (readonly [method: string, path: string, body?: string])[] = [
  ['GET', '/runs'],
  ['GET', '/overview'],
  ['GET', '/assets'],
  ['GET', '/system'],
  ['GET', '/sensors/feed_0/ticks'],
  ['GET', '/assets/deed/partitions/counts'],
  ['GET', '/runs?limit=-1'],
  ['GET', `/runs?cursor=${'x'.repeat(2_000)}`],
  ['GET', '/runs/..%2f..%2fetc'],
  ['GET', '/search?q=%00%ff'],
  ['POST', '/launch', '{"job":"deed_job","partitions":["no such key"]}'],
  ['POST', '/launch', '{"job":"__proto__","partitions":[]}'],
  ['POST', '/launch', `{"job":"deed_job","partitions":["1_2024-01-01"],"config":{"work_ms":"${'9'.repeat(400)}"}}`],
  ['POST', '/launch', '{"job":'],
  ['PUT', '/sensors/spare/cursor', '{"cursor":{"next":"text"},"reason":"odd"}'],
  ['POST', '/backfills', '{"job":"deed_job","ids":["5..1"],"from":"2024-02-30","to":"2023-01-01"}'],
  ['DELETE', '/runs'],
];

async function askOddly(url: string): Promise<void> {
  const answers = await Promise.all(
    ODD.map(async ([method, where, body]) => {
      const answer = await fetch(`${url}/api/v1${where}`, {
        method,
        headers: { 'content-type': 'application/json', 'if-match': '*' },
        ...(body === undefined ? {} : { body }),
      });
      await answer.text();
      return { method, where, status: answer.status };
    }),
  );
  // 503: Redis is ill, and it says so.
  expect(answers.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
}

async function dropStreams(url: string, random: Random): Promise<void> {
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const controller = new AbortController();
      const answer = await fetch(`${url}/api/v1/events`, { signal: controller.signal });
      await pause(random.whole(0, 300));
      controller.abort();
      await answer.text().catch(() => {});
    }),
  );
}

function printed(lines: ReturnType<Soak['growths']>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(lines).map(([name, { percentPerHour, error }]) => [
      `%/h ± ${error.toFixed(1)} ${name}`,
      percentPerHour.toFixed(1),
    ]),
  );
}
