import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import type { ClickHouse, Publisher } from '@skein/jobs';
import { type Json, ServiceError } from '@skein/orchestrator';
import { build } from 'esbuild';

import { NODE_MODULES, bundleProcess } from '../../../../test/rig/bundle.ts';
import { type ChildOrder, attempt } from './run-in-child.ts';
import { type World, DAY, NOW, WHOLE_DAY, openWorld } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `evt-${String(i).padStart(5, '0')}`,
    external_customer_id: `org-${i % 7}`,
  }));
const idsOf = (messages: readonly { value: Record<string, unknown> }[]) =>
  messages.map(({ value }) => value.id as string);

/** ClickHouse that fails in the given query of rows, after its first block. */
function failingIn(query: number, clickhouse: ClickHouse): ClickHouse {
  let queries = 0;
  return {
    ...clickhouse,
    async *lines(sql, options) {
      if (++queries === query) throw new ServiceError('clickhouse', 'ClickHouse does not answer: connection reset.');
      yield* clickhouse.lines(sql, options);
    },
  };
}

test('P12 ClickHouse fails on page 2: what was sent is remembered, the next attempt goes on there', async () => {
  await world.insert(many(25));
  const checkpoints = new Map<string, Json>();
  const config = { ...WHOLE_DAY, batch_size: 10 };
  const first = await world.run(config, { clickhouse: failingIn(2, world.clickhouse), rowsPerQuery: 10, checkpoints });
  expect(first.status).toBe('FAILURE');
  expect(first.tasks[0]?.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(await world.received()).toHaveLength(10);
  const second = await world.run(config, { rowsPerQuery: 10, checkpoints, attempt: 2 });
  expect(second.result).toMatchObject({ total_events_found: 25, total_events_published: 25, processed_batches: 3 });
  expect(idsOf(await world.received()).sort()).toEqual(many(25).map(({ id }) => id));
  const third = await world.run(config, { checkpoints, attempt: 3 });
  expect(third.result).toMatchObject({ total_events_found: 25, processed_batches: 3 });
  expect(await world.received()).toHaveLength(25);
});

test('Kafka away fails the day, counts nothing of the page, and loses nothing', async () => {
  await world.insert(many(25));
  const checkpoints = new Map<string, Json>();
  const config = { ...WHOLE_DAY, batch_size: 10 };
  let pages = 0;
  const kafka: Publisher = {
    ...world.publisher,
    async publishEach(topic, messages, options) {
      if (++pages === 2) throw new ServiceError('kafka', 'Kafka does not take messages.');
      return (await world.publisher.publishEach?.(topic, messages, options)) ?? [];
    },
  };
  const first = await world.run(config, { kafka, checkpoints });
  expect(first.partitions.get(`t1_${DAY}`)?.kind).toBe('failed');
  expect(await world.received()).toHaveLength(10);
  const second = await world.run(config, { checkpoints, attempt: 2 });
  expect(second.result).toMatchObject({ total_events_found: 25, total_events_published: 25, processed_batches: 3 });
  expect(idsOf(await world.received()).sort()).toEqual(many(25).map(({ id }) => id));
});

test('a topic that does not exist fails the run and is not tried again', async () => {
  await world.insert([{ id: '1' }]);
  const run = await world.run(WHOLE_DAY, { settings: { output_topic: `${world.output}-none` } });
  expect(run.tasks[0]?.error).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    message: expect.stringContaining(`${world.output}-none`) as string,
  });
});

test('a checkpoint that this version does not understand starts the day anew', async () => {
  await world.insert([{ id: '1' }]);
  const run = await world.run(WHOLE_DAY, { checkpoints: new Map<string, Json>([[`day-${DAY}`, { version: 99 }]]) });
  expect(run.result).toMatchObject({ total_events_found: 1 });
});

test('rows that come and merges that happen between pages: every row of the beginning once', async () => {
  const before = many(60);
  await world.insert(before.slice(0, 30));
  await world.insert(before.slice(20));
  let queries = 0;
  const clickhouse: ClickHouse = {
    ...world.clickhouse,
    async *lines(sql, options) {
      queries++;
      if (queries === 2) await world.clickhouse.command('OPTIMIZE TABLE raw_events FINAL');
      // Before what was read, between, and after it.
      if (queries === 3)
        await world.insert(['org-0', 'org-3', 'org-9'].map((c) => ({ id: `late-${c}`, external_customer_id: c })));
      if (queries === 4) await world.insert(before);
      yield* world.clickhouse.lines(sql, options);
    },
  };
  const run = await world.run({ ...WHOLE_DAY, batch_size: 10 }, { clickhouse, rowsPerQuery: 10 });
  const ids = idsOf(await world.received());
  expect(queries).toBeGreaterThan(5);
  expect(ids.filter((id) => id.startsWith('evt-')).sort()).toEqual(before.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain('late-org-9');
  expect(run.result?.total_events_found).toBe(ids.length);
});

const PAGE = 50;

let folder: string;
let childFile: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'raw-events-kills-'));
  childFile = await bundleProcess(folder, join(__dirname, 'run-in-child.ts'));
  // The thread that the process starts, beside it.
  await build({
    entryPoints: [join(__dirname, '../../src/raw-events/row-mapper-thread.ts')],
    outfile: join(dirname(childFile), 'row-mapper-thread.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs an attempt in a child and kills it a little after it says the n-th of these lines; gives what ended it. */
async function killedAt(order: ChildOrder, isCounted: (line: string) => boolean, times: number, afterMs = 0) {
  const child = spawn(process.execPath, [childFile, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', NODE_PATH: NODE_MODULES },
  });
  const ended = new Promise<string | null>((done) => child.on('exit', (_code, signal) => done(signal)));
  let seen = 0;
  createInterface({ input: child.stdout }).on('line', (said) => {
    if (!isCounted(said) || ++seen !== times) return;
    if (afterMs === 0) child.kill('SIGKILL');
    else setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  return ended;
}

test.each([
  ['sending', 1],
  ['sending', 3],
  ['sent', 2],
  ['saved', 2],
])('kill -9 at “%s” number %i: only the page in flight may come twice', async (line, times) => {
  const rows = many(400);
  await world.insert(rows);
  const order: ChildOrder = {
    clickhouseUrl: world.clickhouseUrl,
    brokers: world.brokers,
    output: world.output,
    checkpointFile: join(folder, `${line}-${times}.json`),
    config: { ...WHOLE_DAY, batch_size: PAGE },
    rowsPerQuery: PAGE,
    now: NOW.toISOString(),
  };
  expect(await killedAt(order, (said) => said === line, times)).toBe('SIGKILL');
  const before = new Set(idsOf(await world.received())).size;
  const result = await attempt(order, () => {});

  expect(result).toMatchObject({ total_events_found: 400, total_events_published: 400, processed_batches: 8 });
  const received = await world.received();
  expect([...new Set(idsOf(received))].sort()).toEqual(rows.map(({ id }) => id));
  // Twice at most, one page at most, and the same event, so that the final table holds it once.
  expect(received.length).toBeLessThanOrEqual(400 + PAGE);
  expect(received.length - 400).toBeLessThanOrEqual(before);
  expect(new Set(received.map(({ value }) => JSON.stringify(value))).size).toBe(400);
});

/** With `npm run chaos` many more. */
const KILLS = Number(process.env.SKEIN_TEST_KILLS ?? 3);

test(
  `kill -9 at ${KILLS} random moments, the dead of one pass after another: nothing is lost, a page a death comes twice`,
  async () => {
    const rows = many(600);
    await world.insert(rows);
    const moments: string[] = [];
    let passes = 0;
    while (moments.length < KILLS) {
      const order: ChildOrder = {
        clickhouseUrl: world.clickhouseUrl,
        brokers: world.brokers,
        output: world.output,
        checkpointFile: join(folder, `pass-${passes++}.json`),
        config: { ...WHOLE_DAY, batch_size: PAGE },
        rowsPerQuery: PAGE,
        now: NOW.toISOString(),
      };
      for (let ended: string | null = 'SIGKILL'; ended !== null && moments.length < KILLS;) {
        const [lines, afterMs] = [1 + Math.floor(Math.random() * 12), Math.random() * 8];
        ended = await killedAt(order, () => true, lines, afterMs);
        if (ended !== null) moments.push(`${lines} lines and ${afterMs.toFixed(1)} ms`);
      }
      const result = await attempt(order, () => {});
      expect(result).toMatchObject({ total_events_found: 600, total_events_published: 600, processed_batches: 12 });
    }
    const received = await world.received();
    const times = new Map<string, number>();
    for (const id of idsOf(received)) times.set(id, (times.get(id) ?? 0) + 1);
    expect({ moments, ids: times.size, fewest: Math.min(...times.values()) }).toEqual({
      moments,
      ids: 600,
      fewest: passes,
    });
    expect(received.length).toBeLessThanOrEqual(passes * 600 + KILLS * PAGE);
    expect(new Set(received.map(({ value }) => JSON.stringify(value))).size).toBe(600);
  },
  60_000 * (1 + KILLS),
);
