/**
 * Work with a known answer: sensors with a deterministic feed each, whose partitions are made one run each or by tasks
 * of a run of several. Every attempt tells the history when it begins, does its effect and ends. Some fail by
 * themselves the first time, some ticks too, so that those ways are gone as well.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import {
  type Deployment,
  FencedError,
  type Opened,
  addDays,
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  definePool,
  defineSensor,
  dynamic,
  exponential,
  materialized,
  positiveInteger,
  request,
  skip,
} from '@skein/orchestrator';

import type { Target } from './history.ts';
import { SinkName, sinkOf, sinks, sinksBinding } from './sinks.ts';

export const WorkloadSize = z.object({
  sensors: z.number().default(10),
  /** In all. */
  partitions: z.number().default(2_000),
  /** Of one tick. */
  batch: z.number().default(5),
  everyMs: z.number().default(200),
  workMs: z.number().default(20),
  /** One in so many attempts and ticks fails by itself; 0: none. */
  flakyOneIn: z.number().default(10),
  pool: z.number().default(50),
  /** Systems that effects are left in, each in one of them. */
  sinks: z.array(SinkName).default([]),
  /** One in so many first attempts fails, or dies with its worker, when its effect is there and nobody knows; 0: none. */
  unheardOneIn: z.number().default(0),
});
export type WorkloadSize = z.infer<typeof WorkloadSize>;

const IDS = 20;
const START = '2024-01-01';
/** Every fifth sensor asks for runs of several partitions, which fan out. */
const fansOut = (sensor: number) => sensor % 5 === 4;

/** The whole feed of each sensor: the answer that the checker knows. */
export function feeds(size: WorkloadSize): Record<string, string[]> {
  const each = Math.floor(size.partitions / size.sensors);
  return Object.fromEntries(
    Array.from({ length: size.sensors }, (_, sensor) => [
      `feed_${sensor}`,
      Array.from(
        { length: each },
        (_item, at) => `${sensor * 100 + (at % IDS) + 1}_${addDays(START, Math.floor(at / IDS))}`,
      ),
    ]),
  );
}

interface Context {
  readonly run: { readonly id: string; readonly attempt: number };
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly resources: Opened<typeof RESOURCES>;
}

const RESOURCES = { sinks };

export function createWorkload(size: WorkloadSize, { tell, available }: Target): Deployment {
  const partitions = composite({ id: dynamic('id', positiveInteger), day: daily({ start: START }) });
  const config = z.object({
    /** The worker is to die in the middle of the first so many attempts. */
    deaths: z.number().default(0),
    /** The loop is to be blocked for so long in the first attempt. */
    block_ms: z.number().default(0),
    work_ms: z.number().default(size.workMs),
    dry_run: z.boolean().default(false),
  });
  const patient = size.sinks.length > 0;
  const retries = patient
    ? { attempts: 1_000, backoff: exponential('100ms', { max: '2s' }) }
    : { attempts: 5, backoff: exponential('20ms') };
  const common = { partitions, config, pool: 'deeds', retries, ...(patient && { timeout: '6s' as const }) };
  const first = (context: Context, key: string, oneIn: number) =>
    oneIn > 0 && context.run.attempt === 1 && [...key].reduce((n, c) => n + c.charCodeAt(0), 0) % oneIn === 0;

  const leave = async (context: Context, key: string) => {
    const id = `${context.run.id}|${key}`;
    const name = sinkOf(size.sinks, id);
    if (name === undefined) return;
    await context.resources.sinks.get(name)?.write({ id, epoch: context.epoch }, context.signal);
    if (!first(context, key, size.unheardOneIn)) return;
    if (key.endsWith('1')) process.kill(process.pid, 'SIGKILL');
    throw new RangeError('nobody hears that it was done');
  };

  const make = async (context: Context, key: string, todo: z.infer<typeof config>, save?: () => Promise<void>) => {
    const deed = { run: context.run.id, key, attempt: context.run.attempt, epoch: context.epoch };
    await tell({ kind: 'enter', ...deed });
    try {
      if (context.run.attempt <= todo.deaths) process.kill(process.pid, 'SIGKILL');
      await sleep(todo.work_ms, undefined, { signal: context.signal });
      if (first(context, key, size.flakyOneIn)) throw new RangeError('this fails the first time');
      await save?.();
      context.signal.throwIfAborted();
      await leave(context, key);
      context.signal.throwIfAborted();
      if (!(await tell({ kind: 'effect', ...deed }))) throw new FencedError('The target has seen a newer epoch.');
      return materialized({ epoch: context.epoch });
    } finally {
      await tell({ kind: 'leave', ...deed });
    }
  };

  const deed = defineAsset({
    key: 'deed',
    description: 'Leaves one effect.',
    ...common,
    resources: RESOURCES,
    async materialize(context) {
      const { block_ms } = context.config;
      const made = await make(context, context.partitionKey, context.config, () =>
        context.checkpoint.save({ reached: 'effect' }),
      );
      // The deed is done and the loop stands still until after the lease: what comes next is the commit.
      if (block_ms > 0 && context.run.attempt === 1)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block_ms);
      return made;
    },
  });
  const pieces = defineAsset({
    key: 'pieces',
    description: 'Leaves an effect for each partition, two in a task.',
    ...common,
    resources: RESOURCES,
    tasks: {
      plan: async ({ partitions: refs }) =>
        Array.from({ length: Math.ceil(refs.length / 2) }, (_, i) => ({
          id: `pair-${i}`,
          partitions: refs.slice(2 * i, 2 * i + 2).map(({ key }) => key),
          input: null,
        })),
      async run(context) {
        const before = context.checkpoint.load() as string[] | undefined;
        const done = [...(before ?? [])];
        for (const key of context.task.partitions.filter((one) => !done.includes(one))) {
          await context.settlePartition(key, await make(context, key, context.config));
          done.push(key);
          await context.checkpoint.save(done);
        }
        return { done: done.length };
      },
      settle: async ({ results }) => ({ tasks: results.length }),
    },
  });
  const deedJob = defineJob({ name: 'deed_job', assets: [deed] });
  const piecesJob = defineJob({ name: 'pieces_job', assets: [pieces] });
  const sensors = Object.entries(feeds(size)).map(([name, feed], n) =>
    defineSensor({
      name,
      description: 'Asks for the next of its feed.',
      job: fansOut(n) ? piecesJob : deedJob,
      every: `${size.everyMs}ms`,
      timeout: '2s',
      defaultStatus: 'STOPPED',
      cursor: z.object({ next: z.number().default(0) }),
      async evaluate({ cursor }) {
        if (size.flakyOneIn > 0 && Math.random() * 3 * size.flakyOneIn < 1) throw new RangeError('a tick that fails');
        const keys = feed.slice(cursor.next, Math.min(cursor.next + size.batch, await available()));
        if (keys.length === 0) return skip('nothing new in the feed');
        const requests = fansOut(n) ? [{ partitions: keys }] : keys.map((key) => ({ partitions: [key] }));
        return request(requests, { cursor: { next: cursor.next + keys.length } });
      },
    }),
  );
  /** Of people, not of the feed: its cursor is written by clients. */
  const spare = defineSensor({
    name: 'spare',
    description: 'Asks for nothing.',
    job: deedJob,
    every: '1h',
    defaultStatus: 'STOPPED',
    cursor: z.object({ next: z.number().default(0) }),
    evaluate: async () => skip('nothing is asked for'),
  });
  /** Nobody's, but looked at. */
  const watched = definePool({
    limit: 10,
    every: '500ms',
    probe: async () => ({ limit: 10, reason: 'as ever' }),
  });
  return defineDeployment({
    definitions: { jobs: [deedJob, piecesJob], sensors: [...sensors, spare], pools: { deeds: size.pool, watched } },
    resources: [sinksBinding(size.sinks)],
  });
}
