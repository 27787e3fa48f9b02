/**
 * How far one Redis and two cores go: 10,000 sensors that tick on time, a million runs and a million partitions behind
 * the API's lists, counts and tiles, their backup, restore and way into history, and a hundred million partition states.
 * Each is measured at 1×, 10× and 100×, so that what grows faster than its size shows. The large ledgers are copies of
 * what one real run leaves.
 */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import {
  type Deployment,
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  dynamic,
  materialized,
  positiveInteger,
  request,
  skip,
} from '@skein/orchestrator';
import { z } from 'zod';

import { startServer } from '../packages/orchestrator/src/api/server.ts';
import { createClient } from '../packages/orchestrator/src/engine/client.ts';
import { type Engine, openEngine } from '../packages/orchestrator/src/engine/engine.ts';
import { archiveRuns } from '../packages/orchestrator/src/history/archive.ts';
import { createBackup } from '../packages/orchestrator/src/history/backup/backup.ts';
import { restoreBackup } from '../packages/orchestrator/src/history/backup/restore.ts';
import { startWorker } from '../packages/orchestrator/src/worker/worker.ts';
import { type Bench, type BenchOptions, type BenchRow, median, row } from './bench.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const EVERY_MS = 30_000;
const DAYS = 3_650;
const noop = defineAsset({
  key: 'noop',
  description: 'Nothing.',
  partitions: composite({ id: dynamic('id', positiveInteger), day: daily({ start: '2015-01-01' }) }),
  config: z.object({}),
  materialize: async () => materialized({ rows: 1 }),
});
const job = defineJob({ name: 'noop_job', assets: [noop] });

const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function withEngine<T>(deployment: Deployment, work: (engine: Engine, dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'skein-bench-scale-'));
  const engine = await openEngine(deployment, {
    env: {
      ...process.env,
      SKEIN_HISTORY_URL: pathToFileURL(dir).href,
      SKEIN_REDIS_PREFIX: `{scale-${randomBytes(4).toString('hex')}}`,
      SKEIN_REQUESTS_PER_MINUTE: '1000000',
    },
  });
  try {
    return await work(engine, dir);
  } finally {
    await engine.redis.flushdb();
    await engine.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function redisMegabytes(engine: Engine): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await engine.redis.info('memory'))?.[1] ?? 0) / 2 ** 20;
}

/** 99 of 100 ticks are late by no more than this, in ms; one in a hundred ticks asks for a run. */
async function tickLag(sensors: number, note: (line: string) => void): Promise<number> {
  const deployment = defineDeployment({
    definitions: {
      jobs: [job],
      sensors: Array.from({ length: sensors }, (_, i) =>
        defineSensor({
          name: `s${i}`,
          description: 'Asks once in a hundred ticks.',
          job,
          every: `${EVERY_MS}ms`,
          defaultStatus: 'RUNNING',
          cursor: z.object({ next: z.number().default(i % 100) }),
          evaluate: async ({ cursor }) =>
            cursor.next % 100 === 0
              ? request([{ partitions: [`${i + 1}_2024-01-01`] }], { cursor: { next: cursor.next + 1 } })
              : skip('not now', { cursor: { next: cursor.next + 1 } }),
        }),
      ),
    },
  });
  return withEngine(deployment, async (engine) => {
    const worker = await startWorker(engine, { log: SILENT, concurrency: 20, tickConcurrency: 50 });
    await pause(2.5 * EVERY_MS);
    await worker.stop(5_000);
    const lags: number[] = [];
    for (let at = 0; at < sensors; at += 500) {
      const pipeline = engine.redis.pipeline();
      const names = Array.from({ length: Math.min(500, sensors - at) }, (_, i) => `s${at + i}`);
      for (const name of names) pipeline.zrange(engine.keys.ticks(name), 0, '-1', 'WITHSCORES');
      for (const [, reply] of (await pipeline.exec()) ?? []) {
        const starts = (reply as string[]).filter((_, i) => i % 2 === 1).map(Number);
        for (let i = 1; i < starts.length; i++) lags.push((starts[i] ?? 0) - (starts[i - 1] ?? 0) - EVERY_MS);
      }
    }
    const rss = process.memoryUsage().rss / 2 ** 20;
    note(
      `${sensors} sensors: ${lags.length} intervals, lag median ${Math.round(median(lags))} ms, p99 ${Math.round(percentile(lags, 0.99))} ms; this process ${Math.round(rss)} MB, Redis ${Math.round(await redisMegabytes(engine))} MB`,
    );
    if (lags.length < sensors) throw new RangeError(`Only ${lags.length} intervals of ${sensors} sensors were seen.`);
    return percentile(lags, 0.99);
  });
}

/** Copies a hash and its places in indexes under other ids; one call makes some thousand. */
const COPY_RUNS = `
local fields = redis.call('HGETALL', KEYS[1])
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local id = string.format('%s%016d', ARGV[3], i)
  local key = string.gsub(KEYS[1], ARGV[4], id)
  redis.call('HSET', key, unpack(fields))
  redis.call('HSET', key, 'id', id, 'created', 1700000000000 + i)
  for index = 2, #KEYS do redis.call('ZADD', KEYS[index], 1700000000000 + i, id) end
end`;

async function fillLedger(engine: Engine, runs: number): Promise<void> {
  const worker = await startWorker(engine, { log: SILENT });
  const client = createClient(engine);
  const { runId } = await client.submit({ job: 'noop_job', partitions: ['1_2015-01-01'], cause: 'bench' });
  await client.wait(runId);
  await worker.stop(1_000);
  const { redis, keys } = engine;
  const indexes = [keys.runs, keys.runsOfJob('noop_job'), keys.runsByStatus('SUCCESS')];
  for (let at = 0; at < runs; at += 5_000)
    await redis.eval(
      COPY_RUNS,
      4,
      keys.run(runId),
      ...indexes,
      at,
      Math.min(runs, at + 5_000) - 1,
      runId.slice(0, 10),
      runId,
    );
  await fillStates(engine, Math.ceil(runs / DAYS));
}

/** Every day of so many ids is materialized: state 4 in each half of a byte. */
async function fillStates(engine: Engine, ids: number): Promise<void> {
  const { redis, keys } = engine;
  const states = Buffer.alloc(DAYS / 2, 0x44);
  for (let at = 1; at <= ids; at += 1_000) {
    const pipeline = redis.pipeline();
    for (let id = at; id < Math.min(ids + 1, at + 1_000); id++) {
      pipeline.set(keys.states('noop', String(id)), states);
      pipeline.zadd(keys.rows('noop'), 0, String(id));
      pipeline.hset(keys.rowCounts('noop', String(id)), 'o1', DAYS);
    }
    await pipeline.exec();
  }
  await redis.hset(keys.counts('noop'), 'o1', ids * DAYS);
}

const TILES = { rows: Array.from({ length: 100 }, (_, i) => String(i + 1)), from: 0, to: 364 };
const ASKED: readonly (readonly [string, string, object?])[] = [
  ['newest runs', '/runs?limit=50'],
  ['runs by status', '/runs?status=SUCCESS&limit=50'],
  ['runs by job', '/runs?job=noop_job&limit=50'],
  ['count of runs', '/runs/count?q=status:success'],
  ['overview', '/overview'],
  ['assets', '/assets'],
  ['partition counts', '/assets/noop/partitions/counts'],
  ['partition rows', '/assets/noop/partitions/rows?limit=100'],
  ['tiles', '/assets/noop/partitions/tiles', TILES],
];
const QUESTIONS = 40;

/** 95 of 100 answers take no longer than this, in ms; of the slowest question. */
async function answers(engine: Engine, asked: typeof ASKED, note: (line: string) => void): Promise<number> {
  const server = await startServer(engine, { log: SILENT, port: 0, pulse: false });
  const slowest: number[] = [];
  try {
    for (const [name, path, body] of asked) {
      const times: number[] = [];
      for (let i = 0; i < QUESTIONS; i++) {
        const began = performance.now();
        const answer = await fetch(`${server.url}/api/v1${path}`, {
          method: body === undefined ? 'GET' : 'POST',
          ...(body === undefined
            ? {}
            : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        });
        await answer.arrayBuffer();
        if (!answer.ok) throw new RangeError(`${path}: ${answer.status}`);
        times.push(performance.now() - began);
      }
      note(`  ${name}: median ${median(times).toFixed(1)} ms, p95 ${percentile(times, 0.95).toFixed(1)} ms`);
      slowest.push(percentile(times, 0.95));
    }
  } finally {
    await server.close();
  }
  return Math.max(...slowest);
}

interface Departure {
  /** How long writes of everybody waited. */
  readonly pauseMs: number;
  readonly restoreSeconds: number;
  /** Redis does one thing at a time: the longest that one command held everybody up while runs left for history. */
  readonly heldMs: number;
}

/** Writes may wait for a minute: how long they do is what is measured. */
const MAX_PAUSE_MS = 60_000;
const SLOW_US = 500;
const PASS_RUNS = 10_000;

/** A ledger is backed up, restored over itself, and all of its runs leave for history. */
async function depart(engine: Engine, dir: string, note: (line: string) => void): Promise<Departure> {
  const file = path.join(dir, 'backup.jsonl.gz');
  let began = performance.now();
  const { pauseMs, bytes } = await createBackup(engine, file, { maxPauseMs: MAX_PAUSE_MS });
  const backupSeconds = (performance.now() - began) / 1_000;
  began = performance.now();
  await restoreBackup(engine, file, { force: true });
  const restoreSeconds = (performance.now() - began) / 1_000;
  await engine.redis.config('SET', 'slowlog-log-slower-than', SLOW_US);
  await engine.redis.config('SET', 'slowlog-max-len', 100_000);
  await engine.redis.slowlog('RESET');
  began = performance.now();
  // Pass by pass, as the archiver does it.
  let archived = 0;
  for (let last = PASS_RUNS; last === PASS_RUNS; archived += last)
    last = (await archiveRuns(engine, { olderThanMs: 0, limit: PASS_RUNS })).archived;
  const archiveSeconds = (performance.now() - began) / 1_000;
  const slow = (await engine.redis.slowlog('GET', 100_000)) as [id: number, at: number, microseconds: number][];
  const heldMs = Math.max(SLOW_US, ...slow.map(([, , microseconds]) => microseconds)) / 1_000;
  note(
    `  backup ${backupSeconds.toFixed(1)} s, ${Math.round(bytes / 2 ** 20)} MB, writes waited ${pauseMs} ms; restore ${restoreSeconds.toFixed(1)} s`,
  );
  note(
    `  ${archived.toLocaleString('en-US')} runs into history: ${archiveSeconds.toFixed(1)} s, the longest command ${heldMs.toFixed(1)} ms`,
  );
  return { pauseMs, restoreSeconds, heldMs };
}

async function atSize<T>(
  size: number,
  asked: typeof ASKED,
  fill: (engine: Engine) => Promise<void>,
  note: (line: string) => void,
  after: (engine: Engine, dir: string) => Promise<T>,
): Promise<{ p95: number; megabytes: number; after: T }> {
  return withEngine(defineDeployment({ definitions: { jobs: [job] } }), async (engine, dir) => {
    const empty = await redisMegabytes(engine);
    await fill(engine);
    const megabytes = (await redisMegabytes(engine)) - empty;
    note(
      `${size.toLocaleString('en-US')}: Redis ${Math.round(megabytes)} MB, this process ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`,
    );
    return { p95: await answers(engine, asked, note), megabytes, after: await after(engine, dir) };
  });
}

export const bench: Bench = {
  name: 'scale',
  summary: '10,000 sensors, a million runs and partitions, a hundred million states: growth from 1 to 100 times',
  async run({ scale, note }: BenchOptions): Promise<readonly BenchRow[]> {
    const rows: BenchRow[] = [];
    const grow = (work: string, unit: string, small: number, large: number, limit: number) =>
      rows.push({
        ...row(work, [large], [small], { otherIs: 'at a hundredth', unit }),
        target: `≤ ${limit} ${unit}`,
        met: large <= limit,
      });
    const lags: number[] = [];
    for (const sensors of [100, 1_000, 10_000]) lags.push(await tickLag(Math.round(sensors * scale), note));
    grow('tick lag p99 of 10,000 sensors', 'ms', lags[0] ?? 0, lags[2] ?? 0, 5_000);

    const sizes: { p95: number; megabytes: number; after: Departure }[] = [];
    for (const runs of [10_000, 100_000, 1_000_000].map((n) => Math.round(n * scale)))
      sizes.push(
        await atSize(
          runs,
          ASKED,
          (engine) => fillLedger(engine, runs),
          note,
          (engine, dir) => depart(engine, dir, note),
        ),
      );
    const growOf = (work: string, unit: string, limit: number, value: (one: Departure) => number) =>
      grow(work, unit, ...([sizes[0], sizes[2]].map((one) => (one ? value(one.after) : 0)) as [number, number]), limit);
    grow(
      'p95 of the slowest list, count or tile at 1,000,000 runs and partitions',
      'ms',
      sizes[0]?.p95 ?? 0,
      sizes[2]?.p95 ?? 0,
      200,
    );

    growOf('writes wait while 1,000,000 runs are backed up', 'ms', 9_900, (one) => one.pauseMs);
    growOf('restore of 1,000,000 runs', 's', 600, (one) => one.restoreSeconds);
    growOf('longest command while 1,000,000 runs leave for history', 'ms', 100, (one) => one.heldMs);

    const counts = ASKED.filter(([name]) => name === 'partition counts' || name === 'tiles');
    const cells: { p95: number; megabytes: number }[] = [];
    for (const states of [1_000_000, 10_000_000, 100_000_000].map((n) => Math.round(n * scale)))
      cells.push(
        await atSize(
          states,
          counts,
          (engine) => fillStates(engine, Math.ceil(states / DAYS)),
          note,
          async () => {},
        ),
      );
    grow('p95 of counts and tiles at 100,000,000 partition states', 'ms', cells[0]?.p95 ?? 0, cells[2]?.p95 ?? 0, 50);
    grow('memory of 100,000,000 partition states', 'MB', cells[0]?.megabytes ?? 0, cells[2]?.megabytes ?? 0, 100);
    return rows;
  },
};
