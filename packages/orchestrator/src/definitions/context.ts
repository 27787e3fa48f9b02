/**
 * What user code is handed: logging, progress, checkpoints, cancellation and the fencing epoch. The engine makes the
 * real one, `testing/` an in-memory one; code that gets a context cannot tell them apart.
 */

import type { Json } from './json.ts';
import type { PartitionOutcome } from './outcome.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** Messages are constant text, what varies goes into fields; known secrets are scrubbed on the way. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface Checkpoint {
  /** What the last attempt saved, or undefined. Validate it: it may come from an older version of the code. */
  load(): Json | undefined;
  /** Durable when it resolves; the next attempt of the same step or task resumes from it. ≤ 64 KB as JSON. */
  save(value: Json): Promise<void>;
}

export interface RunInfo {
  /** ULID. */
  readonly id: string;
  readonly job: string;
  readonly tags: Readonly<Record<string, string>>;
  /** 1 for the first attempt of this step or task. */
  readonly attempt: number;
}

export interface PartitionRef<P> {
  readonly key: string;
  readonly value: P;
}

/** Common to `materialize`, `plan`, `run` and `settle`. */
export interface StepContext<P, C, R> {
  readonly run: RunInfo;
  /** The partitions of this run; for `run` those that its task settles. */
  readonly partitions: readonly PartitionRef<P>[];
  /** Parsed by the asset's schema, defaults filled in. */
  readonly config: C;
  readonly resources: R;
  readonly log: Logger;
  /** Aborts on cancellation, timeout and loss of the lease; pass it to every query. */
  readonly signal: AbortSignal;
  /** Fencing token: grows with every attempt of the same step or task; sinks refuse an older one. */
  readonly epoch: number;
  readonly checkpoint: Checkpoint;
  /** Cheap; sent at most a few times a second. */
  progress(done: number, total: number, note?: string): void;
  /** A named part of the work: shown in the timeline, logged with its duration; gives what `work` gives. */
  phase<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** An event with a name such as `duckling_export_success`, kept with the run. */
  event(name: string, fields?: LogFields): void;
  /** Adds to a Prometheus counter of that name. Labels are few and bounded: never partition keys or run ids. */
  count(metric: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Settles one partition of a run over many, at once and for good. @throws LeaseLostError when the lease is lost */
  settlePartition(key: string, outcome: PartitionOutcome): Promise<void>;
  now(): Date;
}

/** For an asset that makes one partition at a time. */
export interface MaterializeContext<P, C, R> extends StepContext<P, C, R> {
  readonly partition: P;
  readonly partitionKey: string;
}
