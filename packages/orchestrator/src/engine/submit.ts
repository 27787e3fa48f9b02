/**
 * Submit: checks a request against the definitions and writes the run. Partition keys are parsed, the config goes
 * through the assets' schemas, and one script writes run, indexes, claims, first units and first event.
 */

import { createHash } from 'node:crypto';

import type { Asset } from '../definitions/asset.ts';
import type { SubmitRequest } from '../definitions/client.ts';
import { configOf, parseConfig } from '../definitions/config.ts';
import { lookUp } from '../definitions/deployment.ts';
import { ConfigInvalidError, PartitionKeyInvalidError, RefusedError } from '../definitions/errors.ts';
import type { Job } from '../definitions/job.ts';
import type { JsonObject } from '../definitions/json.ts';
import { type RetryPolicy, backoffMs } from '../definitions/retry.ts';
import { SINGLE_KEY } from '../definitions/partitions/static.ts';
import { limitsOf } from '../definitions/tag-limit.ts';
import type { TraceParent } from '../telemetry/tracing.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { newId } from './new-id.ts';

/** More belong into a backfill, which expands lazily and can be paused. */
export const MAX_PARTITIONS_PER_RUN = 10_000;

/** Key, row, column. */
export type Part = readonly [key: string, row: string, column: number];

/** What the script takes; see lua/include/submit.lua. */
export interface SubmitSpec {
  readonly id: string;
  readonly job: string;
  readonly config: string;
  readonly tags: string;
  readonly priority: number;
  readonly cause: string;
  readonly lane: string;
  readonly parts: readonly Part[];
  readonly steps: readonly SubmitStep[];
  readonly on_busy: string;
  /** JSON of [slot, rule] pairs; see lua/include/limits.lua. */
  readonly limits?: string;
  readonly rehearsal: boolean;
  readonly run_key?: string;
  readonly auto_key?: string;
  readonly key_scope?: string;
  readonly backfill?: string;
  /** Of the runs that its job's policy makes of one request, the first being 1. */
  readonly nth?: number;
  /** Where a failure is followed by another run: so many milliseconds after its end. */
  readonly retry_after_ms?: number;
  /** Of what launched it, where that is traced. */
  readonly trace?: TraceParent;
  /** What an earlier run made and this one does not make again: `asset|key`, outcome, record. */
  readonly carried?: readonly CarriedPartition[];
}

interface SubmitStep {
  readonly asset: string;
  readonly pool: string;
  readonly fan: boolean;
  /** Of several steps: what it is made from of those before it, partition by partition or as a whole. */
  readonly needs?: readonly (readonly [asset: string, of: 'key' | 'all'])[];
}

export type CarriedPartition = readonly [field: string, outcome: 'materialized' | 'skipped', record: string];

export interface KeyScope {
  /** The sensor or schedule whose run keys these are; people's requests share the scope `launch`. */
  readonly scope: string;
  /** Of the cursor; absent: no key is made by the engine. */
  readonly generation?: number;
}

/** @throws RefusedError when a partition is taken and the job refuses, RequestError when the request is wrong */
export async function submit(
  engine: Engine,
  request: SubmitRequest,
  carried: readonly CarriedPartition[] = [],
  nth = 1,
): Promise<{ readonly runId: string; readonly isNew: boolean }> {
  const plan = planSubmit(engine, request, new Date(), { scope: 'launch' }, { nth });
  const spec = { ...plan, ...traceHere(engine), ...(carried.length === 0 ? {} : { carried }) };
  failpoint('submit.before');
  const [runId, verdict, key] = await engine.submit(JSON.stringify(spec));
  failpoint('submit.after');
  if (verdict === 'refused') {
    throw new RefusedError(
      `Partition ${key} is taken by run ${runId}, and ${request.job} refuses a second run at once.`,
      {
        details: { partition: key, run_id: runId },
      },
    );
  }
  engine.dispatcher.kick();
  return { runId, isNew: verdict === 'new' };
}

/** What a tick or a request launches belongs to its trace. */
export function traceHere({ tracing }: Engine): Pick<SubmitSpec, 'trace'> {
  const trace = tracing?.here();
  return trace === undefined ? {} : { trace };
}

/** The request, checked and made ready for the script; touches nothing. @throws RequestError */
export function planSubmit(
  engine: Engine,
  request: SubmitRequest,
  now: Date,
  keys: KeyScope,
  { backfill, nth = 1 }: { readonly backfill?: string; readonly nth?: number } = {},
): SubmitSpec {
  const job = lookUp('job', engine.deployment.jobs, request.job);
  const config = withDryRun(job, request.config ?? {}, request.dryRun ?? false);
  const configs = job.assets.map((asset) => ({ asset, config: parseConfig(asset, configOf(job, asset, config)) }));
  const [first] = configs;
  if (!first) throw new ConfigInvalidError(`Job ${job.name} has no assets.`);
  const partitionKeys = scopeOf(first.asset, first.config, request.partitions ?? [], now);
  const values = partitionKeys.map((key) => first.asset.partitions.parse(key));
  for (const { asset, config: parsed } of configs) asset.bindConfig(parsed, values);
  const parts = values.map((value): Part => {
    const cell = first.asset.partitions.cell(value);
    return [first.asset.partitions.format(value), cell.row, cell.column];
  });
  const distinct = [...new Map(parts.map((part) => [part[0], part])).values()];
  if (distinct.length > MAX_PARTITIONS_PER_RUN) {
    throw new PartitionKeyInvalidError(
      `One run takes at most ${MAX_PARTITIONS_PER_RUN} partitions, not ${distinct.length}: use “skein backfill”.`,
    );
  }
  const tags = { ...job.tags, ...request.tags };
  const limits = limitsOf(job, tags, engine.deployment.tagLimits);
  return {
    id: newId(),
    job: job.name,
    config: JSON.stringify(config),
    tags: JSON.stringify(tags),
    priority: request.priority ?? job.priority,
    cause: request.cause,
    lane: `${job.name}|${distinct[0]?.[1] ?? ''}`,
    parts: distinct,
    steps: stepsOf(job),
    on_busy: job.onBusy,
    rehearsal: configs.some(({ asset, config: parsed }) => asset.isRehearsal(parsed)),
    key_scope: keys.scope,
    ...(limits.length === 0 ? {} : { limits: JSON.stringify(limits) }),
    ...(request.runKey === undefined ? {} : { run_key: request.runKey }),
    ...(keys.generation === undefined ? {} : { auto_key: autoKey(keys.generation, distinct, config) }),
    ...(backfill === undefined ? again(job.retries, nth) : { backfill }),
  };
}

/** What follows a failure of the nth run. */
function again({ attempts, backoff }: RetryPolicy, nth: number): Pick<SubmitSpec, 'nth' | 'retry_after_ms'> {
  if (nth < attempts) return { nth, retry_after_ms: backoffMs(backoff, nth + 1) };
  return nth === 1 ? {} : { nth };
}

function stepsOf({ assets }: Job): SubmitStep[] {
  return assets.map((asset, i) => {
    const step = { asset: asset.key, pool: asset.pool ?? '', fan: asset.tasks !== undefined };
    if (assets.length === 1) return step;
    const before = asset.dependsOn.filter((one) => assets.slice(0, i).some(({ key }) => key === one.asset));
    // Assets of one job have the same partitions, so that the windows which overlap one are that one.
    return { ...step, needs: before.map((one) => [one.asset, one.mapping === 'all' ? 'all' : 'key'] as const) };
  });
}

function withDryRun(job: Job, config: JsonObject, dryRun: boolean): JsonObject {
  if (!dryRun) return config;
  const able = job.assets.filter((asset) => 'shape' in asset.config && 'dry_run' in (asset.config.shape as object));
  if (able.length < job.assets.length) {
    throw new ConfigInvalidError(
      `${job.name} cannot be rehearsed: its config has no dry_run. Launch it without --dry-run.`,
    );
  }
  if (job.assets.length === 1) return { ...config, dry_run: true };
  return Object.fromEntries(job.assets.map((asset) => [asset.key, { ...configOf(job, asset, config), dry_run: true }]));
}

function scopeOf(asset: Asset, config: unknown, given: readonly string[], now: Date): readonly string[] {
  if (given.length > 0) return given;
  if (asset.partitions.kind === 'single') return [SINGLE_KEY];
  const named = asset.partitionsOf?.(config, now);
  if (named === undefined) {
    throw new PartitionKeyInvalidError(
      `${asset.key} needs a partition: ${asset.partitions.grammar}. Give one with --partition.`,
    );
  }
  if (named === null && asset.tasks === undefined)
    throw new PartitionKeyInvalidError(`${asset.key} needs a partition.`);
  return named ?? [];
}

function autoKey(generation: number, parts: readonly Part[], config: JsonObject): string {
  const what = parts.length > 0 ? parts.map((part) => part[0]).join('\n') : JSON.stringify(config);
  const short = what.length <= 200 && parts.length === 1 ? what : createHash('sha256').update(what).digest('base64url');
  return `g${generation}|${short}`;
}
