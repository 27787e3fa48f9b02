/** Runs as they travel: snake_case, times as text, absent values as null. */

import { z } from 'zod';

import type { RunDetail, RunEvent, RunPartition as EnginePartition, RunSummary } from '../../definitions/client.ts';
import { maskSecrets } from '../mask.ts';
import { ErrorFact, Facts, TagMap, Time, iso, named, pageOf } from '../schema.ts';
import { RUN_STATUSES } from '../reads/run-list.ts';

export const RunStatus = named('RunStatus', z.enum(RUN_STATUSES));

export const Run = named(
  'Run',
  z.object({
    id: z.string(),
    job: z.string(),
    status: RunStatus,
    tags: TagMap,
    cause: z
      .string()
      .describe('Who or what asked: `sensor:NAME:TICK`, `api:NAME`, `cli:NAME`, `backfill:ID`, `retry:ID`.'),
    priority: z.number(),
    first_partition: z.string().nullable().describe('Of its partitions; null where the config names the scope.'),
    created_at: Time,
    started_at: Time.nullable(),
    ended_at: Time.nullable(),
    end_reason: z.string().nullable(),
    error: ErrorFact.nullable(),
    blocked: z.string().nullable().describe('What a queued run waits for, in words.'),
    counts: z.object({
      total: z.number(),
      materialized: z.number(),
      failed: z.number(),
      skipped: z.number(),
    }),
    progress: z.object({ done: z.number(), total: z.number(), note: z.string() }).nullable(),
  }),
);

export const RunPartition = named(
  'RunPartition',
  z.object({
    asset: z.string(),
    key: z.string(),
    outcome: z.enum(['materialized', 'failed', 'skipped']).nullable(),
    error: ErrorFact.nullable(),
    metadata: Facts,
    from_run: z.string().nullable().describe('The earlier run that made it, where this one went on from its failure.'),
  }),
);

export const RunWithPartitions = named(
  'RunWithPartitions',
  Run.extend({
    config: Facts.describe('Values of secret fields are masked.'),
    result: Facts.nullable(),
    worker: z.string().nullable().describe('Who began it.'),
    code_version: z.string().nullable().describe('Of the asset’s code that settled the last of its steps.'),
    partitions: z.array(RunPartition).describe('The first 100; the rest by /runs/{id}/partitions.'),
    partitions_total: z.number(),
  }),
);

export const RunPage = pageOf(Run).extend({
  total: z.number().nullable().describe('How many there are in all, where an index tells.'),
});
export const RunPartitionPage = pageOf(RunPartition);

export const RunCancelled = z.object({ status: RunStatus });
export const RunRetried = z.object({
  run_id: z.string(),
  partitions: z.number(),
  carried: z.number().describe('Steps of partitions that were taken over.'),
});
export const RunLaunched = z.object({ run_id: z.string(), is_new: z.boolean() });

export const RunEventItem = named('RunEvent', z.object({ id: z.string(), type: z.string(), at: Time, fields: Facts }));
export const RunEventPage = pageOf(RunEventItem);

export const LogLine = named(
  'LogLine',
  z.object({
    id: z.string(),
    at: Time,
    level: z.string(),
    message: z.string(),
    fields: Facts,
    attempt: z.string().describe('`<run>.<step>.<unit>.<number>`'),
  }),
);
export const LogPage = pageOf(LogLine);

const orNull = <T>(value: T | undefined): T | null => value ?? null;

export function toRun(run: RunSummary): z.input<typeof Run> {
  return {
    id: run.id,
    job: run.job,
    status: run.status,
    tags: { ...run.tags },
    cause: run.cause,
    priority: run.priority,
    first_partition: orNull(run.firstPartition),
    created_at: run.createdAt.toISOString(),
    started_at: iso(run.startedAt),
    ended_at: iso(run.endedAt),
    end_reason: orNull(run.endReason),
    error: orNull(run.error),
    blocked: orNull(run.blocked),
    counts: { ...run.counts },
    progress: orNull(run.progress),
  };
}

export function toPartition(part: EnginePartition): z.input<typeof RunPartition> {
  const { asset, key, outcome, error, metadata, fromRun } = part;
  return { asset, key, outcome, error, metadata: { ...metadata }, from_run: fromRun ?? null };
}

const FIRST_PARTITIONS = 100;

export function toRunWithPartitions(run: RunDetail): z.input<typeof RunWithPartitions> {
  return {
    ...toRun(run),
    config: maskSecrets(run.config) as Record<string, unknown>,
    result: run.result === undefined ? null : { ...run.result },
    worker: orNull(run.worker),
    code_version: orNull(run.codeVersion),
    partitions: run.partitions.slice(0, FIRST_PARTITIONS).map(toPartition),
    partitions_total: run.partitions.length,
  };
}

export function toEvent(event: RunEvent): z.input<typeof RunEventItem> {
  return { id: event.id, type: event.type, at: event.at.toISOString(), fields: { ...event.fields } };
}

export function toLogLine(event: RunEvent): z.input<typeof LogLine> {
  const { level, message, fields, attempt } = event.fields;
  return {
    id: event.id,
    at: event.at.toISOString(),
    level: typeof level === 'string' ? level : 'info',
    message: typeof message === 'string' ? message : '',
    fields: typeof fields === 'object' && fields !== null ? { ...(fields as Record<string, unknown>) } : {},
    attempt: typeof attempt === 'string' ? attempt : '',
  };
}
