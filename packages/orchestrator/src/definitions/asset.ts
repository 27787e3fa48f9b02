/**
 * Assets: a thing that a piece of code produces, partition by partition. An asset either `materialize`s one partition
 * at a time, or fans out: `plan` names tasks, `run` does one, `settle` sums up.
 */

import type { z } from 'zod';

import type { Check } from './check.ts';
import type { MaterializeContext, StepContext } from './context.ts';
import { type Duration, parseDurationMs } from './duration.ts';
import { DefinitionInvalidError } from './errors.ts';
import { type Freshness, type FreshnessSpec, parseFreshness } from './freshness.ts';
import type { Json } from './json.ts';
import type { Metadata, Outcome } from './outcome.ts';
import type { PartitionsDefinition } from './partitions/partitions.ts';
import type { Opened, ResourceMap } from './resource.ts';
import { NO_RETRY, type RetryPolicy } from './retry.ts';

/** `inline` runs in the worker's own loop; the others in a thread or child process with a memory limit. */
export type Isolation = 'inline' | 'thread' | 'process';

/** One slice of a step that fans out. */
export interface Task<I extends Json = Json> {
  /** Unique in the step and stable over re-planning: `[a-z0-9][a-z0-9_-]*`, ≤ 100 characters. */
  readonly id: string;
  /** The partition keys that this task settles; empty when only `settle` settles them. */
  readonly partitions: readonly string[];
  /** ≤ 64 KB as JSON. */
  readonly input: I;
}

export interface TaskResult {
  readonly task: string;
  /** What `run` returned; undefined when the task failed for good. */
  readonly result: Json | undefined;
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export interface FanOut<P, C, R, I extends Json> {
  /** Pure of effects where it can be; may read resources to find partitions (a run submitted with a scope). */
  plan(context: StepContext<P, C, R>): Promise<readonly Task<I>[]>;
  /** Does one task; may settle partitions one by one. Those it leaves unsettled are materialized when it returns. */
  run(context: StepContext<P, C, R> & { readonly task: Task<I> }): Promise<Json>;
  /** Called once after every task has ended; returns the run's result. */
  settle(context: StepContext<P, C, R> & { readonly results: readonly TaskResult[] }): Promise<Metadata>;
  /** Tasks of one run at once, over all workers. Default: no limit of its own. */
  maxConcurrent?(config: C): number;
}

export interface Destroyed {
  /** Short, for a person to type: `events`. */
  readonly name: string;
  /** In a few words: `the table x, all days of it`. */
  readonly what: string;
}

export interface AssetSpec<P, S extends z.ZodType, R extends ResourceMap, I extends Json = Json> {
  /** `[a-z][a-z0-9_]*` */
  readonly key: string;
  readonly description: string;
  readonly group?: string;
  readonly partitions: PartitionsDefinition<P>;
  /** A zod object; unknown keys are refused. Its `dry_run` field, where there is one, is what `--dry-run` sets. */
  readonly config: S;
  readonly resources?: R;
  /** Assets whose partitions this one reads. */
  readonly dependsOn?: readonly Dependency[];
  /**
   * Changed by hand when what the code makes has changed: partitions made by another version are stale.
   * `[A-Za-z0-9._-]`, at most 40 characters.
   */
  readonly codeVersion?: string;
  /** How soon the data must be there; whether they are is shown. */
  readonly freshness?: FreshnessSpec;
  /** Concurrency limit shared with whatever names the same pool. */
  readonly pool?: string;
  readonly retries?: RetryPolicy;
  /** Of one attempt. */
  readonly timeout?: Duration;
  readonly isolation?: Isolation;
  readonly memoryLimitMb?: number;
  readonly checks?: readonly Check<NoInfer<P>, z.output<NoInfer<S>>, Opened<NoInfer<R>>>[];
  /**
   * The partition keys that a config alone names, for a run that is launched without partitions; null when only `plan`
   * can find them. Absent: such a run is refused.
   */
  readonly partitionsOf?: (config: z.output<S>, now: Date) => readonly string[] | null;
  /**
   * Fills in or checks config from the partitions, such as `team_id` from the key; pure.
   * @throws ConfigInvalidError when they contradict each other
   */
  readonly bindConfig?: (config: z.output<S>, partitions: readonly P[]) => z.output<S>;
  /** True when a run with this config leaves partition states as they are (dry run, sample, part of a day). */
  readonly isRehearsal?: (config: z.output<S>) => boolean;
  /**
   * What a config destroys beyond the partitions it is launched for; undefined: nothing. Over HTTP only an administrator
   * may launch with it, and the dashboard has its name typed first.
   */
  readonly destroys?: (config: z.output<S>) => Destroyed | undefined;
  readonly materialize?: (context: MaterializeContext<P, z.output<S>, Opened<R>>) => Promise<Outcome>;
  readonly tasks?: FanOut<P, z.output<S>, Opened<R>, I>;
}

export interface Dependency {
  readonly asset: string;
  /** `identity`: the same key; `all`: every partition; `time_window`: the windows that overlap this one's. */
  readonly mapping: 'identity' | 'all' | 'time_window';
}

/** What the engine works with: the specification with its types erased and its defaults filled in. */
export interface Asset {
  readonly key: string;
  readonly description: string;
  readonly group: string;
  readonly partitions: PartitionsDefinition<unknown>;
  readonly config: z.ZodType;
  readonly resources: ResourceMap;
  readonly dependsOn: readonly Dependency[];
  readonly codeVersion: string | undefined;
  readonly freshness: Freshness | undefined;
  readonly pool: string | undefined;
  readonly retries: RetryPolicy;
  readonly timeoutMs: number | undefined;
  readonly isolation: Isolation;
  readonly memoryLimitMb: number | undefined;
  readonly checks: readonly Check<unknown, unknown, unknown>[];
  readonly partitionsOf: ((config: unknown, now: Date) => readonly string[] | null) | undefined;
  readonly bindConfig: (config: unknown, partitions: readonly unknown[]) => unknown;
  readonly isRehearsal: (config: unknown) => boolean;
  readonly destroys: (config: unknown) => Destroyed | undefined;
  readonly materialize: ((context: MaterializeContext<unknown, unknown, unknown>) => Promise<Outcome>) | undefined;
  readonly tasks: FanOut<unknown, unknown, unknown, Json> | undefined;
}

/** An asset that remembers its types, for tests and for those who launch it from code. */
export interface TypedAsset<P, S extends z.ZodType, R extends ResourceMap> extends Asset {
  readonly types?: { readonly partition: P; readonly config: S; readonly resources: R };
}

/** @throws DefinitionInvalidError when the specification contradicts itself */
export function defineAsset<
  P,
  S extends z.ZodType,
  R extends ResourceMap = Record<never, never>,
  I extends Json = Json,
>(spec: AssetSpec<P, S, R, I>): TypedAsset<P, S, R> {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(spec.key)) {
    throw new DefinitionInvalidError(
      `Asset key “${spec.key}”: use lower-case letters, digits and underscores, a letter first.`,
    );
  }
  if ((spec.materialize === undefined) === (spec.tasks === undefined)) {
    throw new DefinitionInvalidError(`Asset “${spec.key}” needs either materialize or tasks.`);
  }
  if (spec.codeVersion !== undefined && !/^[A-Za-z0-9._-]{1,40}$/.test(spec.codeVersion)) {
    throw new DefinitionInvalidError(
      `Asset “${spec.key}”: its code version “${spec.codeVersion.slice(0, 60)}” may hold letters, digits, “.”, “_” and “-”, at most 40.`,
    );
  }
  const asset: AssetSpec<P, S, R, I> & Pick<Asset, 'group' | 'dependsOn' | 'isolation'> = {
    group: 'default',
    dependsOn: [],
    isolation: 'inline',
    ...spec,
  };
  // The types of one asset are tied together by its specification; the engine hands every part only its own values.
  return {
    ...asset,
    resources: spec.resources ?? {},
    codeVersion: spec.codeVersion,
    freshness: spec.freshness === undefined ? undefined : parseFreshness(spec.freshness, spec.key),
    pool: spec.pool,
    retries: spec.retries ?? NO_RETRY,
    timeoutMs: spec.timeout === undefined ? undefined : parseDurationMs(spec.timeout),
    memoryLimitMb: spec.memoryLimitMb,
    checks: spec.checks ?? [],
    partitionsOf: spec.partitionsOf,
    bindConfig: spec.bindConfig ?? ((config: unknown) => config),
    isRehearsal: spec.isRehearsal ?? hasDryRun,
    destroys: spec.destroys ?? (() => undefined),
    materialize: spec.materialize,
    tasks: spec.tasks,
  } as unknown as TypedAsset<P, S, R>;
}

function hasDryRun(config: unknown): boolean {
  return typeof config === 'object' && config !== null && 'dry_run' in config && config.dry_run === true;
}
