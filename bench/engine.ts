/**
 * The engine beside its own queue: empty runs all the way (submit, admit, ring, begin, work, settle, events) against
 * raw BullMQ jobs on the same Redis with the same concurrency; and the latency of one run on an idle machine.
 */

import { randomBytes } from 'node:crypto';

import { Queue, Worker } from 'bullmq';
import {
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  dayFromNumber,
  dynamic,
  materialized,
  positiveInteger,
  request,
  dayNumber,
} from '@skein/orchestrator';
import { z } from 'zod';

import { createBackfill, planBackfill, readBackfill } from '../packages/orchestrator/src/engine/backfill.ts';
import { createClient } from '../packages/orchestrator/src/engine/client.ts';
import { type Engine, openEngine } from '../packages/orchestrator/src/engine/engine.ts';
import { submit } from '../packages/orchestrator/src/engine/submit.ts';
import { evaluateTick, openTick } from '../packages/orchestrator/src/engine/tick.ts';
import { connectBlocking, connectRedis } from '../packages/orchestrator/src/store/redis.ts';
import { startWorker } from '../packages/orchestrator/src/worker/worker.ts';
import { type Bench, type BenchOptions, type BenchRow, median, row } from './bench.ts';

const CONCURRENCY = 50;
const BACKFILL_IDS = 1_000;
const BACKFILL_ACTIVE = 20;
const FIRST_DAY = dayNumber('2015-01-01');
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const teamDays = composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2015-01-01' }) });
const noop = defineAsset({
  key: 'noop',
  description: 'Nothing.',
  partitions: teamDays,
  config: z.object({}),
  materialize: async () => materialized(),
});
const fan = defineAsset({
  key: 'fan',
  description: 'Nothing, in tasks.',
  partitions: teamDays,
  config: z.object({ tasks: z.number() }),
  partitionsOf: () => null,
  tasks: {
    plan: async ({ config }) =>
      Array.from({ length: config.tasks }, (_, i) => ({ id: `t${i}`, partitions: [], input: null })),
    run: async () => null,
    settle: async ({ results }) => ({ tasks: results.length }),
  },
});
const keyOf = (i: number) => `${(i % 50) + 1}_${dayFromNumber(FIRST_DAY + Math.floor(i / 50))}`;

const noopJob = defineJob({ name: 'noop_job', assets: [noop] });
let asked = 0;
const asking = defineSensor({
  name: 'asking',
  description: 'Asks for as many runs as it is to.',
  job: noopJob,
  every: '1h',
  cursor: z.object({ asked: z.number().default(0) }),
  evaluate: async () =>
    request(
      Array.from({ length: asked }, (_, i) => ({ partitions: [keyOf(i)] })),
      { cursor: { asked } },
    ),
});
const deployment = defineDeployment({
  definitions: { jobs: [noopJob, defineJob({ name: 'fan_job', assets: [fan] })], sensors: [asking] },
});

async function withEngine<T>(work: (engine: Engine) => Promise<T>, worker: boolean): Promise<T> {
  const engine = await openEngine(deployment, {
    env: { ...process.env, SKEIN_REDIS_PREFIX: `{bench-${randomBytes(4).toString('hex')}}` },
  });
  const running = worker ? await startWorker(engine, { concurrency: CONCURRENCY, log: SILENT }) : undefined;
  try {
    return await work(engine);
  } finally {
    await running?.stop(1_000);
    const keys = await engine.redis.keys(`${engine.keys.prefix}:*`);
    for (let i = 0; i < keys.length; i += 1_000) await engine.redis.del(...keys.slice(i, i + 1_000));
    await engine.close();
  }
}

/** Runs a second, from the first submission to the last settlement. */
export async function emptyRuns(count: number): Promise<number> {
  return withEngine(async (engine) => {
    const began = performance.now();
    // Submitters of their own pace, as sensors, people and programs are; 200 submissions are under way at any time.
    let next = 0;
    const submitter = async () => {
      for (let i = next++; i < count; i = next++) {
        await submit(engine, { job: 'noop_job', partitions: [keyOf(i)], cause: 'bench' });
      }
    };
    await Promise.all(Array.from({ length: 200 }, submitter));
    while ((await engine.redis.zcard(engine.keys.runsByStatus('SUCCESS'))) < count)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return count / ((performance.now() - began) / 1_000);
  }, true);
}

export async function tasksOfOneRun(count: number): Promise<number> {
  return withEngine(async (engine) => {
    const client = createClient(engine);
    const began = performance.now();
    const { runId } = await client.submit({ job: 'fan_job', config: { tasks: count }, cause: 'bench' });
    await client.wait(runId);
    return count / ((performance.now() - began) / 1_000);
  }, true);
}

export async function rawJobs(count: number): Promise<number> {
  const url = process.env.SKEIN_REDIS_URL ?? '';
  const redis = await connectRedis(url);
  const blocking = connectBlocking(url);
  const prefix = `{raw-${randomBytes(4).toString('hex')}}`;
  const queue = new Queue('work', { connection: redis, prefix });
  let done = 0;
  const worker = new Worker('work', async () => void done++, {
    connection: blocking,
    prefix,
    concurrency: CONCURRENCY,
  });
  await worker.waitUntilReady();
  const began = performance.now();
  for (let i = 0; i < count; i += 200) {
    await queue.addBulk(
      Array.from({ length: Math.min(200, count - i) }, (_, j) => ({
        name: 'job',
        data: {},
        opts: { jobId: `j.${i + j}`, removeOnComplete: true },
      })),
    );
  }
  while (done < count) await new Promise((resolve) => setTimeout(resolve, 5));
  const rate = count / ((performance.now() - began) / 1_000);
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  blocking.disconnect();
  redis.disconnect();
  return rate;
}

/** Milliseconds from submit to success, one run after another. */
async function latencies(count: number): Promise<number[]> {
  return withEngine(async (engine) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      const { runId } = await submit(engine, { job: 'noop_job', partitions: [keyOf(i)], cause: 'bench' });
      while ((await engine.redis.hget(engine.keys.run(runId), 'status')) !== 'SUCCESS');
      times.push(performance.now() - began);
    }
    return times;
  }, true);
}

/** Milliseconds of a tick that asks for so many runs: its code, every request checked, everything committed. */
async function wholeTick(count: number): Promise<number> {
  return withEngine(async (engine) => {
    const ports = { engine, worker: 'bench', openResources: async () => ({}), describe: String, log: SILENT };
    asked = count;
    const began = performance.now();
    const tick = await openTick(engine, asking.name, 'bench');
    if (tick === undefined || (await evaluateTick(ports, tick)) !== 'requested')
      throw new TypeError('the tick asked for nothing');
    return performance.now() - began;
  }, false);
}

/** Runs a second of a backfill, from its request to its end. */
async function backfillRuns(count: number): Promise<number> {
  return withEngine(async (engine) => {
    const days = Math.ceil(count / BACKFILL_IDS);
    const began = performance.now();
    const { id } = await createBackfill(
      engine,
      {
        job: 'noop_job',
        ids: [`1..${BACKFILL_IDS}`],
        from: '2020-01-01',
        to: dayFromNumber(dayNumber('2020-01-01') + days - 1),
        maxActive: BACKFILL_ACTIVE,
      },
      'bench',
    );
    while ((await readBackfill(engine, id)).status === 'IN_PROGRESS')
      await new Promise((resolve) => setTimeout(resolve, 20));
    return (days * BACKFILL_IDS) / ((performance.now() - began) / 1_000);
  }, true);
}

async function backfillPlanned(count: number): Promise<number> {
  return withEngine(async (engine) => {
    const request = {
      job: 'noop_job',
      ids: [`1..${count / 1_000}`],
      from: '2020-01-01',
      to: dayFromNumber(dayNumber('2020-01-01') + 999),
    };
    const began = performance.now();
    const plan = await planBackfill(engine, request);
    const { id } = await createBackfill(engine, request, 'bench');
    const took = performance.now() - began;
    if (plan.total !== count || (await readBackfill(engine, id)).total !== count)
      throw new TypeError('the plan is not exact');
    return took;
  }, false);
}

export const bench: Bench = {
  name: 'engine',
  summary: 'empty runs through the whole way beside raw BullMQ jobs',
  async run({ scale, rounds, note }: BenchOptions): Promise<BenchRow[]> {
    const count = Math.round(10_000 * scale);
    const [ours, tasks, raw]: [number[], number[], number[]] = [[], [], []];
    await emptyRuns(1_000); // warm up both code paths once
    await rawJobs(1_000);
    for (let i = 0; i < rounds; i++) {
      raw.push(await rawJobs(count));
      ours.push(await emptyRuns(count));
      tasks.push(await tasksOfOneRun(Math.min(5_000, count)));
      note(
        `round ${i + 1}: ${Math.round(ours.at(-1) ?? 0)} runs/s, ${Math.round(tasks.at(-1) ?? 0)} tasks/s, ${Math.round(raw.at(-1) ?? 0)} raw jobs/s`,
      );
    }
    const latency = await latencies(200);
    const sorted = [...latency].sort((a, b) => a - b);
    note(
      `latency of one run: p50 ${median(latency).toFixed(1)} ms, p99 ${(sorted[Math.floor(sorted.length * 0.99)] ?? 0).toFixed(1)} ms`,
    );
    const ticks100 = await repeat(rounds, () => wholeTick(100));
    const ticks10k = await repeat(rounds, () => wholeTick(10_000));
    const planned = await repeat(rounds, () => backfillPlanned(100_000));
    const backfilled = await repeat(rounds, () => backfillRuns(count));
    return [
      row('empty runs, submitted, worked and settled', ours, raw, {
        otherIs: 'raw BullMQ jobs',
        unit: '/s',
        target: '≥ 0.4',
      }),
      row('tasks inside one run', tasks, raw, { otherIs: 'raw BullMQ jobs', unit: '/s', target: '≥ 0.5' }),
      row('latency of one run, submit to success', latency, [20], { otherIs: 'the target', unit: 'ms', target: '≤ 1' }),
      row('a tick that requests 100 runs, from its opening to its commit', ticks100, [30], {
        otherIs: 'the target',
        unit: 'ms',
        target: '≤ 1',
      }),
      row('a tick that requests 10,000 runs, from its opening to its commit', ticks10k, [1_000], {
        otherIs: 'the target',
        unit: 'ms',
        target: '≤ 1',
      }),
      row(`a backfill of ${count} partitions, ${BACKFILL_ACTIVE} at once, to its end`, backfilled, ours, {
        otherIs: 'runs submitted one by one',
        unit: '/s',
      }),
      row('a backfill of 100,000 partitions, planned exactly', planned, [3_000], {
        otherIs: 'the target',
        unit: 'ms',
        target: '≤ 1',
      }),
    ];
  },
};

async function repeat(rounds: number, work: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await work());
  return times;
}
