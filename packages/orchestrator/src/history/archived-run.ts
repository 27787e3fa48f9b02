/** Rows of history as the runs and events that the ledger's readers give. Pure. */

import type { RunDetail, RunEvent, RunPartition, RunSummary } from '../definitions/client.ts';
import type { JsonObject } from '../definitions/json.ts';
import type { Metadata } from '../definitions/outcome.ts';
import type { RunStatus } from '../definitions/sensor.ts';
import type { EventRecord, PartitionRecord, RunRecord } from './run-record.ts';

type Times = 'created_ms' | 'started_ms' | 'ended_ms';

/** Of a record what lists and pages show; 64-bit integers come as text. */
export interface RunRow extends Omit<RunRecord, Times | 'backfill' | 'run_key' | 'events'> {
  readonly created_ms: string;
  readonly started_ms: string | null;
  readonly ended_ms: string | null;
}

export const RUN_SELECT = `id, job, status, cause, config, tags, priority, created_ms, started_ms, ended_ms, end_reason,
  error_code, error_message, total, materialized, failed, skipped, result, record`;

export interface EventRow extends Omit<EventRecord, 'at_ms'> {
  readonly at_ms: string;
}

export function toSummary(row: RunRow): RunSummary {
  const { progress } = JSON.parse(row.record) as { progress?: string };
  return {
    id: row.id,
    job: row.job,
    status: row.status as RunStatus,
    tags: JSON.parse(row.tags) as Record<string, string>,
    config: JSON.parse(row.config) as JsonObject,
    cause: row.cause,
    priority: row.priority,
    firstPartition: row.partitions[0]?.key,
    createdAt: new Date(Number(row.created_ms)),
    startedAt: dateOf(row.started_ms),
    endedAt: dateOf(row.ended_ms),
    endReason: row.end_reason ?? undefined,
    error: row.error_code === null ? undefined : { code: row.error_code, message: row.error_message ?? '' },
    blocked: undefined,
    counts: { total: row.total, materialized: row.materialized, failed: row.failed, skipped: row.skipped },
    progress: progress === undefined ? undefined : (JSON.parse(progress) as RunSummary['progress']),
  };
}

export function toDetail(row: RunRow): RunDetail {
  const { worker, version: codeVersion } = JSON.parse(row.record) as { worker?: string; version?: string };
  return {
    ...toSummary(row),
    worker,
    codeVersion,
    partitions: row.partitions.map(toPartition),
    result: row.result === null || row.result === '' ? undefined : (JSON.parse(row.result) as Metadata),
  };
}

function toPartition(part: PartitionRecord): RunPartition {
  const metadata = JSON.parse(part.metadata) as Metadata;
  return {
    asset: part.asset,
    key: part.key,
    outcome: part.outcome as RunPartition['outcome'],
    error: part.error_code === null ? null : { code: part.error_code, message: part.error_message ?? '' },
    metadata: part.reason === null ? metadata : { ...metadata, reason: part.reason },
  };
}

export function toEvent(row: EventRow): RunEvent {
  const fields = JSON.parse(row.fields) as JsonObject;
  const attempt = row.attempt === null ? {} : { attempt: row.attempt };
  const told =
    row.type === 'log'
      ? { level: row.level ?? 'info', message: row.message ?? '', fields, ...attempt }
      : { ...fields, ...attempt };
  return { id: row.id, type: row.type, at: new Date(Number(row.at_ms)), fields: told };
}

const dateOf = (ms: string | null) => (ms === null ? undefined : new Date(Number(ms)));
