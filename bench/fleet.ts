/**
 * What a process costs Redis while nothing happens, and what a run costs it: CPU time that Redis itself counts, so that
 * other load on the machine does not matter. From these figures one knows how many workers and runs one Redis carries.
 */

import { randomBytes } from 'node:crypto';

import {
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  dynamic,
  materialized,
  positiveInteger,
} from '@skein/orchestrator';
import type { Redis } from 'ioredis';
import { z } from 'zod';

import { beginAttempt, renewLeases } from '../packages/orchestrator/src/engine/attempt.ts';
import { type Engine, openEngine } from '../packages/orchestrator/src/engine/engine.ts';
import { pulseOnce } from '../packages/orchestrator/src/engine/pulse.ts';
import { submit } from '../packages/orchestrator/src/engine/submit.ts';
import { type Bench, type BenchOptions, type BenchRow, row } from './bench.ts';
import { emptyRuns, rawJobs } from './engine.ts';

const DAY = '2024-01-15';
/** What a worker of the default size holds when it is full. */
const LEASES = 10;
const HEARTBEATS_PER_SECOND = 0.5;

const waiting = defineAsset({
  key: 'waiting',
  description: 'Waits for a place in a pool of one.',
  partitions: composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2024-01-01' }) }),
  config: z.object({}),
  pool: 'narrow',
  materialize: async () => materialized(),
});
const deployment = defineDeployment({
  definitions: { jobs: [defineJob({ name: 'waiting_job', assets: [waiting] })], pools: { narrow: LEASES } },
});

export const bench: Bench = {
  name: 'fleet',
  summary: 'what a worker and a run cost Redis: how many of them one Redis carries',
  async run({ scale, rounds, note }: BenchOptions): Promise<BenchRow[]> {
    const tenants = Math.round(10_000 * scale);
    const runs = Math.round(5_000 * scale);
    const figures = { idle: [] as number[], full: [] as number[], run: [] as number[], raw: [] as number[] };
    for (let i = 0; i < rounds; i++) {
      figures.idle.push(await costOfProcess(0));
      figures.full.push(await costOfProcess(tenants));
      figures.run.push(await withCpu((redis) => cpuOf(redis, runs, () => emptyRuns(runs))));
      figures.raw.push(await withCpu((redis) => cpuOf(redis, runs, () => rawJobs(runs))));
      note(
        `round ${i + 1}: ${Object.entries(figures)
          .map(([name, all]) => `${name} ${Math.round(all.at(-1) ?? 0)} µs`)
          .join(', ')}`,
      );
    }
    const second = { otherIs: 'one core of Redis', unit: 'ms/s' };
    // A thousand processes at so many microseconds a second each are so many milliseconds a second.
    return [
      row('1,000 workers, nothing to do', figures.idle, [1_000], second),
      row(`1,000 workers, ${tenants.toLocaleString('en-US')} tenants waiting`, figures.full, [1_000], second),
      row('one empty run', figures.run, figures.raw, { otherIs: 'raw BullMQ job', unit: 'µs of Redis' }),
    ];
  },
};

/** Microseconds of Redis a second for one process: its pulse, its heartbeat, the renewal of its leases. */
async function costOfProcess(tenants: number): Promise<number> {
  return withEngine(async (engine) => {
    for (let team = 1; team <= tenants; team++) {
      await submit(engine, { job: 'waiting_job', partitions: [`${team}_${DAY}`], cause: 'bench' });
    }
    await pulseOnce(engine);
    const out = await engine.redis.zrange(engine.keys.outbox, '0', '-1');
    const begun = await Promise.all(out.map((attempt) => beginAttempt(engine, attempt, 'bench')));
    const attempts = begun.filter((one) => one !== undefined);
    if (attempts.length !== Math.min(LEASES, tenants)) throw new TypeError(`${attempts.length} attempts were begun`);
    const pulse = await cpuOf(engine.redis, 200, () => times(200, () => pulseOnce(engine)));
    const beat = await cpuOf(engine.redis, 200, () =>
      times(200, () => engine.script('beat', 'bench', '{"concurrency":10}', 10_000)),
    );
    const renewals = 1_000 / engine.settings.renewMs;
    const renewal =
      attempts.length === 0 ? 0 : await cpuOf(engine.redis, 200, () => times(200, () => renewLeases(engine, attempts)));
    const watch = await cpuOf(engine.redis, 200, () =>
      times(200, () => engine.redis.smismember(engine.keys.cancelling, 'a', 'b', 'c')),
    );
    return (1_000 / engine.settings.pulseMs) * pulse + HEARTBEATS_PER_SECOND * beat + renewals * renewal + watch;
  });
}

async function times(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work();
}

/** Microseconds of Redis's CPU for each of `count`. */
async function cpuOf(redis: Redis, count: number, work: () => Promise<unknown>): Promise<number> {
  const before = await cpuSeconds(redis);
  await work();
  return ((await cpuSeconds(redis)) - before) * (1_000_000 / count);
}

async function cpuSeconds(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const field = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return field('used_cpu_sys') + field('used_cpu_user');
}

async function withEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openEngine(deployment, {
    env: { ...process.env, SKEIN_REDIS_PREFIX: `{bench-${randomBytes(4).toString('hex')}}` },
  });
  try {
    return await work(engine);
  } finally {
    const keys = await engine.redis.keys(`${engine.keys.prefix}:*`);
    for (let i = 0; i < keys.length; i += 1_000) await engine.redis.del(...keys.slice(i, i + 1_000));
    await engine.close();
  }
}

async function withCpu<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
  return withEngine((engine) => work(engine.redis));
}
