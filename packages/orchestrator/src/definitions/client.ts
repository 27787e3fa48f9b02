/** What commands, routes and programs may ask of the ledger: the engine's verbs behind one narrow interface. */

import type { Json, JsonObject } from './json.ts';
import type { Metadata } from './outcome.ts';
import type { LastOutcome, LastRun, PartitionStatus, RunStatus } from './sensor.ts';

export interface SubmitRequest {
  readonly job: string;
  readonly partitions?: readonly string[];
  readonly config?: JsonObject;
  readonly tags?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly runKey?: string;
  readonly dryRun?: boolean;
  /** Who or what asked, such as `cli:ana`, `sensor:NAME`. */
  readonly cause: string;
}

export interface RunPartition {
  readonly asset: string;
  readonly key: string;
  readonly outcome: 'materialized' | 'failed' | 'skipped' | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly metadata: Metadata;
  /** The earlier run that made it, when this one went on where that one had failed. */
  readonly fromRun?: string | undefined;
}

export interface RunSummary {
  readonly id: string;
  readonly job: string;
  readonly status: RunStatus;
  readonly tags: Readonly<Record<string, string>>;
  readonly config: JsonObject;
  readonly cause: string;
  readonly priority: number;
  /** Of its partitions; undefined where the config names the scope. */
  readonly firstPartition: string | undefined;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** Machine reason of an unsuccessful end. */
  readonly endReason: string | undefined;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  readonly counts: {
    readonly total: number;
    readonly materialized: number;
    readonly failed: number;
    readonly skipped: number;
  };
  /** What a queued run waits for, in words. */
  readonly blocked: string | undefined;
  readonly progress: { readonly done: number; readonly total: number; readonly note: string } | undefined;
}

export interface RunDetail extends RunSummary {
  /** Who began it; undefined before that. */
  readonly worker: string | undefined;
  /** Of the asset's code that settled the last of its steps; undefined where the asset has none. */
  readonly codeVersion: string | undefined;
  readonly partitions: readonly RunPartition[];
  readonly result: Metadata | undefined;
}

export interface SkeinClient {
  /** @throws RequestError when the job, a partition or the config is wrong */
  submit(request: SubmitRequest): Promise<{ readonly runId: string; readonly isNew: boolean }>;
  /** @throws NotFoundError */
  run(id: string): Promise<RunDetail>;
  /** Newest first. */
  runs(filter: {
    readonly job?: string;
    readonly status?: RunStatus;
    readonly limit?: number;
  }): Promise<readonly RunSummary[]>;
  cancel(runId: string, by: string): Promise<void>;
  /** Resolves when the run has ended; `onEvent` sees its events as they come. */
  wait(
    runId: string,
    options?: { readonly onEvent?: (event: RunEvent) => void; readonly signal?: AbortSignal },
  ): Promise<RunDetail>;
  partitionStatus(asset: string, keys: readonly string[]): Promise<ReadonlyMap<string, PartitionStatus>>;
  lastRuns(asset: string, keys: readonly string[]): Promise<ReadonlyMap<string, LastRun>>;
  /** Forgets states of idle partitions; gives how many. */
  forgetPartitions(
    asset: string,
    selection: { readonly keys?: readonly string[]; readonly row?: string },
    by: string,
  ): Promise<number>;
  markPartitions(
    asset: string,
    keys: readonly string[],
    as: Exclude<LastOutcome, 'failed'>,
    by: string,
  ): Promise<number>;
  cursor(sensor: string): Promise<{ readonly cursor: Json; readonly version: number }>;
  /** @throws ConflictError when `ifVersion` is not the current one; ConfigInvalidError when the schema refuses it */
  setCursor(
    sensor: string,
    cursor: Json,
    options: { readonly by: string; readonly reason?: string; readonly ifVersion?: number },
  ): Promise<{ readonly version: number }>;
  resetCursor(
    sensor: string,
    options: { readonly by: string; readonly reason?: string },
  ): Promise<{ readonly version: number }>;
}

export interface RunEvent {
  /** Position in the run's stream. */
  readonly id: string;
  /** `run.started`, `partition.materialized`, `log`, … */
  readonly type: string;
  readonly at: Date;
  readonly fields: JsonObject;
}
