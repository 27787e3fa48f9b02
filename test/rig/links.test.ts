/** The network between workers and the systems that they write to made ill; writes whose answer is lost. */

import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { serviceIsAvailable, testDatabase } from '../../infra/embedded/test-services/index.ts';
import { openClickHouse } from '../../packages/jobs/src/resources/clickhouse.ts';
import { createPool, inTransaction } from '../../packages/jobs/src/resources/postgres.ts';
import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { TOXICS, type Toxic, openProxy } from './proxy.ts';
import { attack, strikes } from './random.ts';
import { openRig, report, until } from './rig.ts';
import { SYSTEMS, openSystems } from './systems.ts';

const FAULTS = strikes('LINK_FAULTS', 8);
const LONGEST_MS = strikes('LINK_MS', 3_500);
const UNHEARD = strikes('UNHEARD', 20);
const LONG = 24 * 3_600_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const withSystems = SYSTEMS.length > 0 ? test : test.skip;

const ILLNESSES: Readonly<Record<string, Toxic>> = { ...TOXICS, forget: { kind: 'forget' } };

withSystems(
  `${FAULTS} faults on the links to ${SYSTEMS.join(', ')}: all that was committed lies there, and who is cut off stops`,
  () =>
    attack(async (random) => {
      const systems = await openSystems(() => random.next());
      const rig = await openRig({
        size: { partitions: Math.max(200, FAULTS * 20), workMs: 100, flakyOneIn: 0, sinks: [...systems.names] },
        env: { ...systems.env, SKEIN_LEASE_MS: '12000' },
      });
      const each = rig.size.partitions / rig.size.sensors;
      // Every illness at every link before any comes again.
      const deck: (readonly [string, string])[] = [];
      const draw = () => {
        if (deck.length === 0)
          for (const name of systems.names) for (const illness in ILLNESSES) deck.push([name, illness]);
        return deck.splice(random.whole(0, deck.length - 1), 1)[0] ?? ['', ''];
      };
      try {
        await Promise.all([1, 2].map(() => rig.start('worker', { RIG_CONCURRENCY: '20' })));
        await rig.begin(0);
        let faults = 0;
        for (; faults < FAULTS && !random.timeIsUp(); faults++) {
          rig.history.available = Math.ceil((each * (faults + 1)) / FAULTS);
          await rig.victim((members) => random.pick(members));
          const [name, illness] = draw();
          const proxy = systems.proxies[name as keyof typeof systems.proxies];
          proxy?.infect(ILLNESSES[illness] ?? { kind: 'cut' });
          await pause(random.whole(500, LONGEST_MS));
          proxy?.heal();
        }
        expect(await rig.judge(async () => ({ effects: await systems.read() }))).toEqual([]);
        report('F8 links', { faults, ...(await figures(rig)), seed: random.seed });
      } finally {
        await rig.close();
        await systems.close();
      }
    }),
  LONG,
);

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
  let asked = 0;
  const server = http.createServer((request, response) => {
    const nth = ++asked;
    request.resume().on('end', () => {
      if (request.url?.includes('KILL') === true) response.end();
      // All connections of the client fail at once, and what waits for them begins in the same moment.
      else if (nth <= CONNECTIONS)
        setTimeout(() => response.writeHead(400, REFUSAL).end('Code: 62. DB::Exception: no. (SYNTAX_ERROR)'), 50);
      else if (request.url?.includes('INSERT') === false) response.write('{"n":1}\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clickhouse = openClickHouse(`http://127.0.0.1:${port}/?request_timeout=1000`);
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
