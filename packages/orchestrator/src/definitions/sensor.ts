/**
 * Sensors: code that decides, tick by tick, what to launch. A sensor keeps a JSON cursor with a zod schema; `{}` parsed
 * by the schema is the initial cursor, which a reset restores. `evaluate` has no side effects of its own: what it
 * returns is committed together with the new cursor, or not at all, so it can be previewed on a virtual clock.
 */

import type { z } from 'zod';

import type { Logger } from './context.ts';
import { type Duration, parseDurationMs } from './duration.ts';
import { DefinitionInvalidError } from './errors.ts';
import type { Job } from './job.ts';
import type { Json, JsonObject } from './json.ts';
import type { Opened, ResourceMap } from './resource.ts';

export type LastOutcome = 'missing' | 'materialized' | 'failed' | 'skipped';
export type Activity = 'idle' | 'queued' | 'running' | 'cancelling';
export type RunStatus = 'QUEUED' | 'STARTING' | 'STARTED' | 'SUCCESS' | 'FAILURE' | 'CANCELING' | 'CANCELED';

export interface PartitionStatus {
  readonly outcome: LastOutcome;
  readonly activity: Activity;
}

/** The last run of a partition, for those that ever ran. */
export interface LastRun {
  readonly runId: string;
  readonly status: RunStatus;
  /** Undefined while it is active. */
  readonly endedAt: Date | undefined;
  /** Runs of this partition that ended unsuccessfully since its last success. */
  readonly failures: number;
}

/** A narrow view of the ledger; in a preview the requests of earlier virtual ticks are already in it. */
export interface PartitionReader {
  /** States of these keys of an asset (default: the job's first). Keys that never ran are `missing`, `idle`. */
  status(keys: readonly string[], asset?: string): Promise<ReadonlyMap<string, PartitionStatus>>;
  lastRuns(keys: readonly string[], asset?: string): Promise<ReadonlyMap<string, LastRun>>;
}

export interface RunReader {
  /** Runs that are queued or active, whoever launched them. */
  countActive(filter: { readonly job?: string; readonly tags?: Readonly<Record<string, string>> }): Promise<number>;
  /**
   * Outcomes counted over the ended runs with these tags that the ledger holds: those that ended within SKEIN_RETENTION.
   * What is older is history’s, and a sensor that needs it keeps its own count in the cursor.
   */
  countEnded(filter: { readonly job?: string; readonly tags?: Readonly<Record<string, string>> }): Promise<{
    readonly succeeded: number;
    readonly failed: number;
  }>;
}

export interface EvaluateContext<C, R> {
  readonly cursor: C;
  readonly now: Date;
  readonly partitions: PartitionReader;
  readonly runs: RunReader;
  readonly resources: R;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Of this tick; return early with the cursor where you are when it runs out. */
  readonly budget: { remainingMs(): number };
}

export interface RunRequest {
  /** Keys as text; one run covers all of them. Empty or absent: the config names the scope. */
  readonly partitions?: readonly string[];
  readonly config?: JsonObject;
  readonly tags?: Readonly<Record<string, string>>;
  /** Default: made of sensor, partitions, cursor generation and the partition's try number. */
  readonly runKey?: string;
  readonly priority?: number;
}

export interface AfterTick<C> {
  /** The next one; absent: unchanged. */
  readonly cursor?: C;
  /**
   * How much of the source this tick has left beyond the cursor, in whatever unit grows with it: rows, days, seconds. A
   * lag that grows over several intervals while the cursor stands is told to the operator.
   */
  readonly lag?: number;
}

export interface RequestTick<C> {
  readonly kind: 'request';
  readonly requests: readonly RunRequest[];
  readonly cursor: C | undefined;
  readonly lag: number | undefined;
}

export interface SkipTick<C> {
  readonly kind: 'skip';
  /** For people: `every team is complete up to 2026-11-21`. */
  readonly reason: string;
  readonly cursor: C | undefined;
  readonly lag: number | undefined;
}

export type TickResult<C> = RequestTick<C> | SkipTick<C>;

/** Ask for runs. */
export function request<C = never>(requests: readonly RunRequest[], options: AfterTick<C> = {}): RequestTick<C> {
  return { kind: 'request', requests, cursor: options.cursor, lag: options.lag };
}

export function skip<C = never>(reason: string, options: AfterTick<C> = {}): SkipTick<C> {
  return { kind: 'skip', reason, cursor: options.cursor, lag: options.lag };
}

export type SensorStatus = 'RUNNING' | 'STOPPED';

export interface SensorSpec<S extends z.ZodType, R extends ResourceMap> {
  readonly name: string;
  readonly description: string;
  readonly job: Job;
  readonly every: Duration;
  readonly defaultStatus?: SensorStatus;
  readonly cursor: S;
  /**
   * Turns a stored cursor of an older version of the code into one that the schema takes, and gives one of this version
   * as it is; pure. When it fails at a tick, the sensor is paused and the cursor stays as it is stored.
   */
  readonly migrate?: (stored: Json) => Json;
  readonly resources?: R;
  /** Of one tick; default 60 s. */
  readonly timeout?: Duration;
  readonly evaluate: (context: EvaluateContext<z.output<S>, Opened<R>>) => Promise<TickResult<z.input<S>>>;
}

export interface Sensor {
  readonly name: string;
  readonly description: string;
  readonly job: Job;
  readonly everyMs: number;
  readonly defaultStatus: SensorStatus;
  readonly cursor: z.ZodType;
  readonly migrate: ((stored: Json) => Json) | undefined;
  readonly resources: ResourceMap;
  readonly timeoutMs: number;
  readonly evaluate: (context: EvaluateContext<unknown, unknown>) => Promise<TickResult<unknown>>;
}

/** @throws DefinitionInvalidError when the name is malformed or the schema refuses `{}` and has no way to be empty */
export function defineSensor<S extends z.ZodType, R extends ResourceMap = Record<never, never>>(
  spec: SensorSpec<S, R>,
): Sensor {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(spec.name)) {
    throw new DefinitionInvalidError(
      `Sensor name “${spec.name}”: use lower-case letters, digits and underscores, a letter first.`,
    );
  }
  return {
    name: spec.name,
    description: spec.description,
    job: spec.job,
    everyMs: parseDurationMs(spec.every),
    defaultStatus: spec.defaultStatus ?? 'STOPPED',
    cursor: spec.cursor,
    migrate: spec.migrate,
    resources: spec.resources ?? {},
    timeoutMs: parseDurationMs(spec.timeout ?? '60s'),
    // One sensor's types are tied together by its specification; the engine hands it only its own cursor and resources.
    evaluate: spec.evaluate as unknown as Sensor['evaluate'],
  };
}
