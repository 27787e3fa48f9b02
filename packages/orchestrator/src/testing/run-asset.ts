/**
 * Runs an asset in a test, without Redis and without a worker: the same calls in the same order as the engine makes
 * them, with everything that the asset said kept for assertions.
 */

import type { z } from 'zod';

import type { Asset, Task, TaskResult, TypedAsset } from '../definitions/asset.ts';
import { runChecks } from '../definitions/check.ts';
import { parseConfig } from '../definitions/config.ts';
import type { Checkpoint, LogFields, LogLevel, Logger, PartitionRef, StepContext } from '../definitions/context.ts';
import {
  AssetFailedError,
  CheckFailedError,
  FencedError,
  PartitionKeyInvalidError,
  SkeinError,
} from '../definitions/errors.ts';
import type { Json, JsonObject } from '../definitions/json.ts';
import type { Metadata, PartitionOutcome } from '../definitions/outcome.ts';
import type { Opened, ResourceMap } from '../definitions/resource.ts';

export interface RunAssetOptions<R extends ResourceMap> {
  /** One key, or several for assets that fan out. Empty: the config names the scope. */
  readonly partition?: string;
  readonly partitions?: readonly string[];
  readonly config?: JsonObject;
  readonly resources: Opened<R>;
  readonly now?: Date;
  readonly runId?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly attempt?: number;
  readonly epoch?: number;
  /** Saved checkpoints by task id ('' for `materialize`); kept up to date, so a second call resumes. */
  readonly checkpoints?: Map<string, Json>;
  /** Aborting it is a cancellation; `failpoint` style tests abort from a fake resource. */
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface AssetRun {
  readonly status: 'SUCCESS' | 'FAILURE';
  readonly partitions: ReadonlyMap<string, PartitionOutcome>;
  /** What `settle` returned, or the single partition's metadata. */
  readonly result: Metadata | undefined;
  readonly error: unknown;
  readonly logs: readonly LogLine[];
  readonly events: readonly { readonly name: string; readonly fields: LogFields }[];
  readonly phases: readonly string[];
  readonly counters: ReadonlyMap<string, number>;
  readonly tasks: readonly TaskResult[];
}

export async function runAsset<P, S extends z.ZodType, R extends ResourceMap>(
  asset: TypedAsset<P, S, R>,
  options: RunAssetOptions<R>,
): Promise<AssetRun> {
  const untyped: Asset = asset;
  const now = options.now ?? new Date();
  const config = parseConfig(untyped, options.config ?? {});
  const keys = options.partitions ?? (options.partition === undefined ? [] : [options.partition]);
  const known = keys.length > 0 ? keys : (untyped.partitionsOf?.(config, now) ?? []);
  const refs = known.map((key) => ({ key, value: untyped.partitions.parse(key) }));
  const bound = untyped.bindConfig(
    config,
    refs.map((ref) => ref.value),
  );

  // Of a rehearsal nothing is checked: it has made nothing.
  const checks = untyped.isRehearsal(config) ? [] : untyped.checks;

  const logs: LogLine[] = [];
  const events: { name: string; fields: LogFields }[] = [];
  const phases: string[] = [];
  const counters = new Map<string, number>();
  const outcomes = new Map<string, PartitionOutcome>();
  const checkpoints = options.checkpoints ?? new Map<string, Json>();
  const tasks: TaskResult[] = [];
  const signal = options.signal ?? new AbortController().signal;

  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      void logs.push({ level, message, fields });
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const checkpoint = (slot: string): Checkpoint => ({
    load: () => checkpoints.get(slot),
    save: async (value) => void checkpoints.set(slot, structuredClone(value)),
  });
  const context = (
    slot: string,
    partitions: readonly PartitionRef<unknown>[],
  ): StepContext<unknown, unknown, unknown> => ({
    run: {
      id: options.runId ?? '01TESTRUN00000000000000000',
      job: `${untyped.key}_job`,
      tags: options.tags ?? {},
      attempt: options.attempt ?? 1,
    },
    partitions,
    config: bound,
    resources: options.resources,
    log: logger,
    signal,
    epoch: options.epoch ?? 1,
    checkpoint: checkpoint(slot),
    progress: () => {},
    phase: async (name, work) => {
      phases.push(name);
      return work();
    },
    event: (name, fields = {}) => void events.push({ name, fields }),
    count: (metric, value) => void counters.set(metric, (counters.get(metric) ?? 0) + value),
    settlePartition: async (key, outcome) => {
      if (outcomes.has(key)) throw new FencedError(`Partition ${key} is already settled.`);
      outcomes.set(key, outcome);
    },
    now: () => now,
  });

  const done = (result: Metadata | undefined, error: unknown): AssetRun => {
    const failed = error !== undefined || [...outcomes.values()].some((outcome) => outcome.kind === 'failed');
    return {
      status: failed ? 'FAILURE' : 'SUCCESS',
      partitions: outcomes,
      result,
      error,
      logs,
      events,
      phases,
      counters,
      tasks,
    };
  };

  try {
    if (untyped.materialize) {
      const [ref] = refs;
      if (!ref || refs.length > 1)
        throw new PartitionKeyInvalidError(`${untyped.key} makes one partition at a time; give one.`);
      const step = { ...context('', refs), partition: ref.value, partitionKey: ref.key };
      const outcome = await untyped.materialize(step);
      if (outcome.kind === 'materialized') await runChecks(checks, step, outcome.metadata);
      outcomes.set(ref.key, outcome);
      return done(outcome.metadata, undefined);
    }
    return done(await fanOut(untyped, checks, context, refs, outcomes, tasks), undefined);
  } catch (error) {
    for (const ref of refs)
      if (!outcomes.has(ref.key)) outcomes.set(ref.key, { kind: 'failed', error: describe(error), metadata: {} });
    return done(undefined, error);
  }
}

type ContextOf = (slot: string, partitions: readonly PartitionRef<unknown>[]) => StepContext<unknown, unknown, unknown>;

async function fanOut(
  asset: Asset,
  checks: Asset['checks'],
  context: ContextOf,
  refs: readonly PartitionRef<unknown>[],
  outcomes: Map<string, PartitionOutcome>,
  results: TaskResult[],
): Promise<Metadata> {
  const fan = asset.tasks;
  if (!fan) throw new AssetFailedError(`${asset.key} has neither materialize nor tasks.`);
  const planned = await fan.plan(context('plan', refs));
  const all = [...new Set([...refs.map((ref) => ref.key), ...planned.flatMap((task) => task.partitions)])];
  for (const task of planned) results.push(await runTask(asset, context, task, outcomes));
  const allRefs = all.map((key) => ({ key, value: asset.partitions.parse(key) }));
  const result = await fan.settle({ ...context('settle', allRefs), results });
  for (const key of all) if (!outcomes.has(key)) outcomes.set(key, { kind: 'materialized', metadata: {} });
  for (const { key, value } of allRefs) {
    const made = outcomes.get(key);
    if (made?.kind !== 'materialized') continue;
    try {
      const step = { ...context('settle', allRefs), partition: value, partitionKey: key };
      await runChecks(checks, step, made.metadata);
    } catch (error) {
      if (!(error instanceof CheckFailedError)) throw error;
      outcomes.set(key, { kind: 'failed', error: describe(error), metadata: made.metadata });
    }
  }
  return result;
}

async function runTask(
  asset: Asset,
  context: ContextOf,
  task: Task,
  outcomes: Map<string, PartitionOutcome>,
): Promise<TaskResult> {
  const refs = task.partitions.map((key) => ({ key, value: asset.partitions.parse(key) }));
  const settle = (outcome: PartitionOutcome) => {
    for (const key of task.partitions) if (!outcomes.has(key)) outcomes.set(key, outcome);
  };
  try {
    const result = await asset.tasks?.run({ ...context(task.id, refs), task });
    settle({ kind: 'materialized', metadata: {} });
    return { task: task.id, result, error: undefined };
  } catch (error) {
    settle({ kind: 'failed', error: describe(error), metadata: {} });
    return { task: task.id, result: undefined, error: describe(error) };
  }
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof SkeinError) return { code: error.code, message: error.message };
  return { code: 'ASSET_FAILED', message: error instanceof Error ? error.message : String(error) };
}
