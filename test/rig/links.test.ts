/** The network between workers and the systems that they write to made ill; writes whose answer is lost. */

import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { serviceIsAvailable, testDatabase } from '../../infra/embedded/test-services/index.ts';
import { openClickHouse } from '../../packages/jobs/src/resources/clickhouse.ts';
import { createPool, inTransaction } from '../../packages/jobs/src/resources/postgres.ts';
import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { TOXICS, type Toxic, openProxy } from './proxy.ts';
import { type Random, attack, createRandom, strikes } from './random.ts';
import { openRig, report, until } from './rig.ts';
import { type SinkName, sinkOf } from './sinks.ts';
import { SILENCE_MS, SYSTEMS, openSystems } from './systems.ts';

const FAULTS = strikes('LINK_FAULTS', 72);
const LONGEST_MS = strikes('LINK_MS', SILENCE_MS + 1_500);
const UNHEARD = strikes('UNHEARD', 20);
const LONG = 24 * 3_600_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const withSystems = SYSTEMS.length > 0 ? test : test.skip;

const ILLNESSES: Readonly<Record<string, Toxic>> = { ...TOXICS, forget: { kind: 'forget' } };

/**
 * These break nothing while a client still waits, so every second time they outlast its silence. The others strike at
 * once, or go on after the network has healed.
 */
const SLOW: ReadonlySet<Toxic['kind']> = new Set<Toxic['kind']>(['cut', 'latency', 'bandwidth']);
const BRIEF_MS = [300, 1_500] as const;

/** The weather of one link: every illness before any comes again, in an order and for times of its own. */
function* weather(random: Random): Generator<{ toxic: Toxic; ms: number }> {
  for (let round = 0; ; round++) {
    const deck = Object.values(ILLNESSES);
    while (deck.length > 0) {
      const [toxic] = deck.splice(random.whole(0, deck.length - 1), 1);
      if (toxic === undefined) return;
      const outlasts = round % 2 === 1 && SLOW.has(toxic.kind);
      const [from, to] = outlasts ? [SILENCE_MS, Math.max(SILENCE_MS, LONGEST_MS)] : BRIEF_MS;
      yield { toxic, ms: random.whole(from, to) };
    }
  }
}

withSystems(
  `${FAULTS} faults on the links to ${SYSTEMS.join(', ')}, each with its own weather: all that was committed lies there, and who is cut off stops`,
  () =>
    attack(async (random) => {
      const lanes = SYSTEMS.map((name) => ({ name, chance: createRandom(random.whole(0, 2 ** 31)) }));
      const systems = await openSystems(() => random.next());
      const rig = await openRig({
        size: { partitions: Math.max(200, FAULTS * 10), workMs: 100, flakyOneIn: 0, sinks: [...systems.names] },
        env: { ...systems.env, SKEIN_LEASE_MS: '12000' },
      });
      const each = rig.size.partitions / rig.size.sensors;
      const isBoundFor = (name: SinkName) => () =>
        [...rig.history.inside()].some((what) => sinkOf(systems.names, what) === name);
      let faults = 0;
      const lane = async ({ name, chance }: (typeof lanes)[number]) => {
        const proxy = systems.proxies[name];
        for (const { toxic, ms } of weather(chance)) {
          if (faults >= FAULTS || random.timeIsUp()) return;
          rig.history.available = Math.ceil((each * ++faults) / FAULTS);
          // Where an illness of the other links holds all that was released, there is nothing to break for a while.
          await until(isBoundFor(name), 'a deed that goes there', IDLE_MS).catch(() => {});
          proxy?.infect(toxic);
          await pause(ms);
          proxy?.heal();
          await pause(chance.whole(100, 700));
        }
      };
      try {
        await Promise.all([1, 2].map(() => rig.start('worker', { RIG_CONCURRENCY: '20' })));
        await rig.begin(0);
        await Promise.all(lanes.map(lane));
        expect(await rig.judge(async () => ({ effects: await systems.read() }))).toEqual([]);
        const seen = await figures(rig);
        report('F8 links', { faults, ...seen, seed: random.seed });
        expect(seen['attempts that left none']).toBeGreaterThan(0);
      } finally {
        await rig.close();
        await systems.close();
      }
    }),
  LONG,
);

/** A strike waits so long for something to break. */
const IDLE_MS = 3_000;

withSystems(
  `${UNHEARD} effects in ${SYSTEMS.join(', ')} that nobody hears of, for one in ten their worker dies: made again, and again when they are gone`,
  () =>
    attack(async (random) => {
      const systems = await openSystems(() => random.next());
      const rig = await openRig({
        size: {
          ...{ sensors: 1, partitions: 0, workMs: 0, flakyOneIn: 0 },
          ...{ sinks: [...systems.names], unheardOneIn: 1 },
        },
        env: { ...systems.env, SKEIN_LEASE_MS: '5000' },
      });
      const client = createClient(rig.engine);
      const { redis, keys } = rig.engine;
      let over = false;
      let deaths = 0;
      const keepUp = async () => {
        while (!over) {
          const worker = await rig.start('worker');
          if (over) return;
          await worker.ended;
          if (!over) deaths++;
        }
      };
      const makeAll = async (rounds: number) => {
        for (let i = 0; i < UNHEARD; i++) {
          const partitions = [`${Math.floor(i / 10) + 1}_2024-01-${String((i % 10) + 1).padStart(2, '0')}`];
          await client.submit({ job: 'deed_job', partitions, cause: 'rig' });
        }
        await until(
          async () => (await redis.zcard(keys.runsByStatus('SUCCESS'))) === rounds * UNHEARD,
          'all of them',
          60_000 + UNHEARD * 1_000,
        );
      };
      const workers = [keepUp(), keepUp()];
      try {
        await makeAll(1);
        const first = await systems.read();
        await systems.empty();
        await makeAll(2);
        expect(await rig.judge(async () => ({ effects: [...first, ...(await systems.read())] }))).toEqual([]);
        report('F21 unheard effects', { ...(await figures(rig)), deaths, seed: random.seed });
        expect(deaths).toBeGreaterThan(0);
      } finally {
        over = true;
        for (const member of rig.members) await rig.kill(member);
        await Promise.all(workers);
        await rig.close();
        await systems.close();
      }
    }),
  LONG,
);

test('ClickHouse: a call that is queued behind one that fails is given up after its silence, and so is a stream', async () => {
  const first: http.ServerResponse[] = [];
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url?.includes('KILL') === true) response.end();
      // All connections of the client fail at once, and what waits for them begins in the same moment.
      else if (first.length < CONNECTIONS) {
        if (first.push(response) === CONNECTIONS)
          for (const one of first) one.writeHead(400, REFUSAL).end('Code: 62. DB::Exception: no. (SYNTAX_ERROR)');
      } else if (request.url?.includes('INSERT') === false) response.write('{"n":1}\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clickhouse = openClickHouse(`http://127.0.0.1:${port}/?request_timeout=3000`);
  const insert = (signal?: AbortSignal) => clickhouse.insert('t', [{ n: 1 }], signal === undefined ? {} : { signal });
  const stream = async (signal?: AbortSignal) => {
    const rows: unknown[] = [];
    for await (const block of clickhouse.stream('SELECT n', signal === undefined ? {} : { signal }))
      rows.push(...block);
    return rows;
  };
  try {
    const calls = Array.from({ length: 2 * CONNECTIONS }, () => insert().catch((error: unknown) => error));
    const ends = await Promise.all(calls);
    expect(ends.slice(0, CONNECTIONS)).toEqual(eachOf({ retryable: false }));
    expect(ends.slice(CONNECTIONS)).toEqual(eachOf({ retryable: true }));
    await expect(stream()).rejects.toMatchObject({ retryable: true });
    const controller = new AbortController();
    const streaming = stream(controller.signal);
    setTimeout(() => controller.abort(new TypeError('no longer')), 100);
    await expect(streaming).rejects.toThrow('no longer');
  } finally {
    await clickhouse.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** That the client opens at most. */
const CONNECTIONS = 20;
const eachOf = (one: object) => Array.from({ length: CONNECTIONS }, () => expect.objectContaining(one) as object);
const REFUSAL = { 'x-clickhouse-exception-code': '62' };

(serviceIsAvailable('postgres') ? test : test.skip)(
  'PostgreSQL: a connection that was forgotten on the way is not used again, and its session lets go of its locks',
  async () => {
    const database = await testDatabase('empty');
    const url = new URL(database.url);
    const proxy = await openProxy(Number(url.port), () => 0.5);
    url.port = String(proxy.port);
    url.searchParams.set('query_timeout', '1000');
    const pool = createPool(url.href);
    const forget = () => proxy.infect({ kind: 'forget' });
    const count = (signal: AbortSignal, meanwhile = () => {}) =>
      inTransaction(pool, signal, async (client) => {
        await client.query('UPDATE counter SET n = n + 1');
        meanwhile();
        await client.query('SELECT 1');
      });
    // Far sooner than the server itself ends a transaction in which nothing happens, after two minutes.
    const again = () =>
      until(
        () =>
          count(NEVER).then(
            () => true,
            () => false,
          ),
        'a transaction over another connection',
        30_000,
      );
    try {
      await pool.query('CREATE TABLE counter AS SELECT 0 AS n');
      forget();
      await expect(count(NEVER)).rejects.toMatchObject({ retryable: true });
      await again();
      await expect(count(NEVER, forget)).rejects.toMatchObject({ retryable: true });
      await again();
      const controller = new AbortController();
      const lost = () => {
        forget();
        setTimeout(() => controller.abort(new TypeError('lost')), 100);
      };
      await expect(count(controller.signal, lost)).rejects.toThrow('lost');
      await again();
    } finally {
      await pool.end();
      await proxy.close();
      await database.drop();
    }
  },
);

const NEVER = new AbortController().signal;

type Rig = Awaited<ReturnType<typeof openRig>>;

async function figures(rig: Rig): Promise<Record<string, number>> {
  const entered = rig.history.entries.filter(({ kind }) => kind === 'enter').length;
  const done = rig.history.entries.filter(({ kind }) => kind === 'effect').length;
  return { effects: done, 'attempts that left none': entered - done };
}
