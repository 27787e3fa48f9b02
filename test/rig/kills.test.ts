/** Workers and servers killed with SIGKILL, at random and at every named point: nothing lost, nothing twice, nothing stuck. */

import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { FAILPOINTS } from '../../packages/orchestrator/src/engine/failpoint.ts';
import { createClients } from './clients.ts';
import type { Entry } from './history.ts';
import { type Random, shareOut, strikes, testAttack } from './random.ts';
import { LEASES_OF_CROWDS, type Rig, openRig, report, until } from './rig.ts';

const WORKERS = 4;
const SERVERS = 3;
const KILLS = strikes('WORKER_KILLS', 100);
const SERVER_KILLS = strikes('SERVER_KILLS', 100);
const POINT_KILLS = strikes('FAILPOINT_KILLS', 105);
const DOOMED = strikes('DOOMED_RUNS', 20);

testAttack(`${KILLS} workers killed at random, each in the middle of something`, async (random) => {
  // Five items a kill: there is work under way until the last.
  const rig = await openRig({ size: { partitions: Math.max(200, KILLS * 5) }, env: LEASES_OF_CROWDS });
  const each = rig.size.partitions / rig.size.sensors;
  try {
    await Promise.all(Array.from({ length: WORKERS }, () => rig.start('worker')));
    await rig.begin(0);
    const starting: Promise<unknown>[] = [];
    let kills = 0;
    while (kills < KILLS && !random.timeIsUp()) {
      rig.history.available = Math.ceil((each * (kills + 1)) / KILLS);
      // An incident takes one of them, or most.
      const struck = await rig.victim((members) => random.some(members, Math.min(WORKERS - 1, KILLS - kills)));
      await pause(random.whole(0, 20));
      await Promise.all(struck.map((member) => rig.kill(member)));
      for (const _ of struck) starting.push(rig.start('worker'));
      kills += struck.length;
    }
    await Promise.all(starting);
    expect(await rig.judge()).toEqual([]);
    report('F1 workers killed', { kills, ...(await figures(rig, random)) });
  } finally {
    await rig.close();
  }
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

testAttack(`${SERVER_KILLS} servers killed while only servers pulse and people use the API`, async (random) => {
  const rig = await openRig({ size: { partitions: Math.max(200, SERVER_KILLS * 5), everyMs: 250 } });
  const each = rig.size.partitions / rig.size.sensors;
  const clients = createClients(rig.history, random);
  const begun = new Map<string, number>();
  const readTicks = async () => {
    const flat = await rig.engine.redis.zrevrange(rig.engine.keys.ticks('feed_0'), 0, 99, 'WITHSCORES');
    for (let i = 0; i < flat.length; i += 2) begun.set(flat[i] ?? '', Number(flat[i + 1]));
  };
  try {
    const idle = { SKEIN_PULSE_MS: '86400000' };
    await Promise.all([rig.start('worker', idle), rig.start('worker', idle)]);
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => rig.start('server')));
    await rig.begin(0);
    let over = false;
    const people = clients.work(
      () => servers[0]?.url ?? '',
      () => over,
    );
    const starting: Promise<unknown>[] = [];
    let kills = 0;
    for (; kills < SERVER_KILLS && !random.timeIsUp(); kills++) {
      rig.history.available = Math.ceil((each * (kills + 1)) / SERVER_KILLS);
      await pause(random.whole(0, 200));
      // One is always left, often alone until others are ready.
      await until(() => servers.length > 1, 'a second server');
      const [victim] = servers.splice(random.whole(0, servers.length - 1), 1);
      if (victim) await rig.kill(victim);
      starting.push(rig.start('server').then((server) => servers.push(server)));
      await readTicks();
    }
    await Promise.all(starting);
    over = true;
    await people;
    expect(await rig.judge({ endsAllowed: ['cancelled'] })).toEqual([]);
    const times = [...begun.values()].sort((a, b) => a - b);
    const gaps = times
      .slice(1)
      .map((at, i) => at - (times[i] ?? at))
      .sort((a, b) => a - b);
    const p99 = gaps[Math.floor(gaps.length * 0.99)] ?? 0;
    report('F2 servers killed', {
      kills,
      ...clients.asked,
      'ms p99 between ticks': p99,
      'ms at most': gaps.at(-1) ?? 0,
      seed: random.seed,
    });
    expect(gaps.length).toBeGreaterThan(0);
    // Of few gaps the 99th in a hundred is the longest, and on a busy machine that says nothing.
    if (gaps.length >= 1_000) expect(p99).toBeLessThanOrEqual(2_000 + rig.size.everyMs);
  } finally {
    await rig.close();
  }
});

/** Where people's requests pass; all others are passed by workers. */
const OF_SERVERS = /^(submit|cursor|cancel|backfill)\./;

testAttack(`${POINT_KILLS} processes killed, at each of ${FAILPOINTS.length} named points`, async (random) => {
  // Much fails by itself, for the points where a failure passes.
  const rig = await openRig({
    size: { partitions: Math.max(200, POINT_KILLS * 2), flakyOneIn: 4 },
    env: LEASES_OF_CROWDS,
  });
  const each = rig.size.partitions / rig.size.sensors;
  const clients = createClients(rig.history, random);
  try {
    // One of each is sound, so that there is work for those that will die.
    const [server] = await Promise.all([rig.start('server'), rig.start('worker')]);
    await rig.begin(0);
    let over = false;
    const people = [1, 2].map(() =>
      clients.work(
        () => server.url,
        () => over,
      ),
    );
    const kills = await shareOut(random, POINT_KILLS, 3, async (nth) => {
      const point = FAILPOINTS[nth % FAILPOINTS.length] ?? 'submit.before';
      rig.history.available = Math.ceil((each * (nth + 1)) / POINT_KILLS);
      const role = OF_SERVERS.test(point) ? 'server' : 'worker';
      const pass = point.startsWith('register') ? 1 : random.whole(1, 3);
      const member = await rig.start(role, { SKEIN_FAILPOINT: `${point}:${pass}` });
      let dead = false;
      void member.ended.then(() => (dead = true));
      if (role === 'server' && member.url !== '')
        people.push(
          clients.work(
            () => member.url,
            () => over || dead,
          ),
        );
      await until(() => dead, `a process passes ${point} for the ${pass}. time`, 120_000);
      expect({ point, end: await member.ended }).toEqual({ point, end: 'SIGKILL' });
    });
    over = true;
    await Promise.all(people);
    expect(await rig.judge({ endsAllowed: ['cancelled'] })).toEqual([]);
    report('F3 named points', {
      points: FAILPOINTS.length,
      kills,
      ...clients.asked,
      seed: random.seed,
    });
  } finally {
    await rig.close();
  }
});

testAttack(`${DOOMED} runs that kill their worker one to five times: made, or lost with the reason`, async (random) => {
  const rig = await openRig({ size: { sensors: 1, partitions: 1, flakyOneIn: 0 }, env: { SKEIN_MAX_LOST: '3' } });
  const client = createClient(rig.engine);
  try {
    const runs: { id: string; deaths: number }[] = [];
    for (let i = 0; i < DOOMED && !random.timeIsUp(); i++) {
      const deaths = (i % 5) + 1;
      const config = { deaths };
      const { runId } = await client.submit({
        job: 'deed_job',
        partitions: [`${i + 1000}_2024-01-01`],
        config,
        cause: 'rig',
      });
      runs.push({ id: runId, deaths });
    }
    await rig.begin();
    let over = false;
    let kills = 0;
    // One attempt at a time in each, so that a run kills nobody else's.
    const keepers = Array.from({ length: WORKERS }, async () => {
      while (!over) {
        await (
          await rig.start('worker', { RIG_CONCURRENCY: '1' })
        ).ended;
        if (!over) kills++;
      }
    });
    await until(
      async () =>
        (await client.runs({ status: 'QUEUED' })).length === 0 &&
        (await rig.engine.redis.scard(rig.engine.keys.openRuns('deed_job'))) === 0,
      'every run has ended',
      600_000 + DOOMED * 20_000,
    );
    const violations = await rig.judge({ endsAllowed: ['worker_lost'] });
    over = true;
    await Promise.all([...rig.members].map((member) => rig.kill(member)));
    await Promise.all(keepers);
    expect(violations).toEqual([]);
    for (const { id, deaths } of runs) {
      const { status, endReason, error } = await client.run(id);
      const expected =
        deaths < 3
          ? { status: 'SUCCESS', reason: undefined, code: undefined }
          : { status: 'FAILURE', reason: 'worker_lost', code: 'WORKER_LOST' };
      expect({ id, deaths, status, reason: endReason, code: error?.code }).toEqual({ id, deaths, ...expected });
    }
    report('F4 runs that kill their worker', {
      runs: DOOMED,
      kills,
      seed: random.seed,
    });
  } finally {
    await rig.close();
  }
});

/** From the death of who was inside to the effect that made up for it. */
function recoveries(entries: readonly Entry[]): number[] {
  const inside = new Map<string, { pid: number; what: string }>();
  const owed = new Map<string, number>();
  const found: number[] = [];
  for (const entry of entries) {
    if (entry.kind === 'death') {
      for (const [id, { pid, what }] of inside) {
        if (pid !== entry.pid) continue;
        inside.delete(id);
        owed.set(what, entry.atMs);
      }
    }
    if (entry.kind !== 'enter' && entry.kind !== 'effect' && entry.kind !== 'leave') continue;
    const what = `${entry.run}|${entry.key}`;
    const id = `${what}|${entry.epoch}`;
    if (entry.kind === 'enter') inside.set(id, { pid: entry.pid, what });
    if (entry.kind === 'leave') inside.delete(id);
    const since = owed.get(what);
    if (entry.kind !== 'effect' || since === undefined) continue;
    found.push(entry.atMs - since);
    owed.delete(what);
  }
  return found.sort((a, b) => a - b);
}

async function figures(rig: Rig, random: Random): Promise<Record<string, string | number>> {
  const times = recoveries(rig.history.entries);
  const at = (share: number) => `${((times[Math.floor(times.length * share)] ?? 0) / 1_000).toFixed(1)} s`;
  return {
    runs: await rig.engine.redis.zcard(rig.engine.keys.runs),
    'attempts interrupted': times.length,
    'median recovery': at(0.5),
    'p99 recovery': at(0.99),
    seed: random.seed,
  };
}
