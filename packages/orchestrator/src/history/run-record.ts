/**
 * A run as history keeps it: one row with its partitions, events and log lines inside, so that a run is in a file
 * wholly or not at all. The same shape is read from the ledger and from Parquet.
 */

import type { StreamEntry } from '../engine/reads/run-events.ts';
import { toRunEvent } from '../engine/reads/run-events.ts';

/** JSON of one row; times are milliseconds since 1970, JSON values are text. */
export interface RunRecord {
  readonly id: string;
  readonly job: string;
  readonly status: string;
  readonly cause: string;
  readonly config: string;
  readonly tags: string;
  readonly priority: number;
  readonly backfill: string | null;
  readonly run_key: string | null;
  readonly created_ms: number;
  readonly started_ms: number | null;
  readonly ended_ms: number | null;
  readonly end_reason: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly total: number;
  readonly materialized: number;
  readonly failed: number;
  readonly skipped: number;
  readonly result: string | null;
  /** What else the run's hash holds, so that nothing is lost by leaving the ledger. */
  readonly record: string;
  readonly partitions: readonly PartitionRecord[];
  readonly events: readonly EventRecord[];
}

export interface PartitionRecord {
  readonly asset: string;
  readonly key: string;
  readonly outcome: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly reason: string | null;
  readonly metadata: string;
}

/** Log lines are events of type `log`. */
export interface EventRecord {
  readonly id: string;
  readonly type: string;
  readonly at_ms: number;
  readonly level: string | null;
  readonly message: string | null;
  readonly attempt: string | null;
  readonly fields: string;
}

/** The same shape for DuckDB, so that it guesses no type. */
export const RUN_COLUMNS = {
  id: 'VARCHAR',
  job: 'VARCHAR',
  status: 'VARCHAR',
  cause: 'VARCHAR',
  config: 'VARCHAR',
  tags: 'VARCHAR',
  priority: 'INTEGER',
  backfill: 'VARCHAR',
  run_key: 'VARCHAR',
  created_ms: 'BIGINT',
  started_ms: 'BIGINT',
  ended_ms: 'BIGINT',
  end_reason: 'VARCHAR',
  error_code: 'VARCHAR',
  error_message: 'VARCHAR',
  total: 'INTEGER',
  materialized: 'INTEGER',
  failed: 'INTEGER',
  skipped: 'INTEGER',
  result: 'VARCHAR',
  record: 'VARCHAR',
  partitions:
    'STRUCT(asset VARCHAR, "key" VARCHAR, outcome VARCHAR, error_code VARCHAR, error_message VARCHAR, reason VARCHAR, metadata VARCHAR)[]',
  events:
    'STRUCT(id VARCHAR, "type" VARCHAR, at_ms BIGINT, "level" VARCHAR, message VARCHAR, attempt VARCHAR, fields VARCHAR)[]',
} as const satisfies Record<keyof RunRecord, string>;

type Fields = Readonly<Record<string, string>>;

/** Fields of the run's hash that have a column here or stand in `partitions`. */
const IN_COLUMNS = new Set(
  (
    'id job status cause config tags priority backfill run_key created started ended end_reason error total ' +
    'n_mat n_fail n_skip result parts part'
  ).split(' '),
);

export function toRunRecord(
  fields: Fields,
  parts: Fields,
  events: readonly StreamEntry[],
  log: readonly StreamEntry[],
): RunRecord {
  const error = jsonOf<{ code?: string; message?: string }>(fields.error);
  return {
    id: fields.id ?? '',
    job: fields.job ?? '',
    status: fields.status ?? '',
    cause: fields.cause ?? '',
    config: fields.config ?? '{}',
    tags: fields.tags ?? '{}',
    priority: Number(fields.priority ?? 0),
    backfill: fields.backfill ?? null,
    run_key: fields.run_key ?? null,
    created_ms: Number(fields.created ?? 0),
    started_ms: numberOf(fields.started),
    ended_ms: numberOf(fields.ended),
    end_reason: fields.end_reason ?? null,
    error_code: error?.code ?? null,
    error_message: error?.message ?? null,
    total: Number(fields.total ?? 0),
    materialized: Number(fields.n_mat ?? 0),
    failed: Number(fields.n_fail ?? 0),
    skipped: Number(fields.n_skip ?? 0),
    result: fields.result ?? null,
    record: JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([name]) => !IN_COLUMNS.has(name)))),
    partitions: partitionsOf(fields, parts),
    events: [...events, ...log].map(toEventRecord),
  };
}

/** The usual run of one partition keeps that one's record in its own field `part`. */
function partitionsOf(fields: Fields, parts: Fields): PartitionRecord[] {
  const steps = listOf<{ readonly asset: string }>(fields.steps);
  const keys = listOf<readonly [string]>(fields.parts).map(([key]) => key);
  return steps.flatMap(({ asset }) =>
    keys.map((key) => toPartitionRecord(asset, key, fields.part ?? parts[`${asset}|${key}`])),
  );
}

function toPartitionRecord(asset: string, key: string, text: string | undefined): PartitionRecord {
  const record = jsonOf<{
    readonly o?: string;
    readonly e?: { readonly code?: string; readonly message?: string };
    readonly m?: unknown;
    readonly reason?: string;
  }>(text);
  return {
    asset,
    key,
    outcome: record?.o ?? null,
    error_code: record?.e?.code ?? null,
    error_message: record?.e?.message ?? null,
    reason: record?.reason ?? null,
    metadata: JSON.stringify(record?.m ?? {}),
  };
}

function toEventRecord(entry: StreamEntry): EventRecord {
  const { id, type, at, fields } = toRunEvent(entry);
  const { level, message, attempt, ...rest } = fields;
  const isLog = type === 'log';
  return {
    id,
    type,
    at_ms: at.getTime(),
    level: isLog ? textOf(level) : null,
    message: isLog ? textOf(message) : null,
    attempt: textOf(attempt),
    fields: JSON.stringify(isLog ? (rest.fields ?? {}) : fields),
  };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const numberOf = (text: string | undefined): number | null => (text === undefined ? null : Number(text));
const jsonOf = <T>(text: string | undefined): T | undefined =>
  text === undefined || text === '' ? undefined : (JSON.parse(text) as T);

/** Lua's JSON writes an empty list as `{}`. */
function listOf<T>(text: string | undefined): T[] {
  const value = JSON.parse(text ?? '[]') as T[] | object;
  return Array.isArray(value) ? value : [];
}
