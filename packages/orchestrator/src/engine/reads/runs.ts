/** Runs as records: one with its partitions, lists newest first. Read by index, never by scan. */

import type { RunDetail, RunPartition, RunSummary } from '../../definitions/client.ts';
import { NotFoundError } from '../../definitions/errors.ts';
import type { JsonObject } from '../../definitions/json.ts';
import type { Metadata } from '../../definitions/outcome.ts';
import type { RunStatus } from '../../definitions/sensor.ts';
import type { Engine } from '../engine.ts';

/** @throws NotFoundError */
export async function readRun(engine: Engine, id: string): Promise<RunDetail> {
  const [fields, parts] = await Promise.all([
    engine.redis.hgetall(engine.keys.run(id)),
    engine.redis.hgetall(engine.keys.runParts(id)),
  ]);
  if (fields.id === undefined) throw new NotFoundError(`No run has the id ${id.slice(0, 60)}.`);
  const steps = JSON.parse(fields.steps ?? '[]') as { asset: string }[];
  const keys = listOf<[string]>(fields.parts).map(([key]) => key);
  const partitions = steps.flatMap(({ asset }) =>
    keys.map((key) => toPartition(asset, key, fields.part ?? parts[`${asset}|${key}`])),
  );
  const result = fields.result === undefined ? undefined : (JSON.parse(fields.result) as Metadata);
  const { worker, version: codeVersion } = fields;
  return { ...toSummary(fields), worker, codeVersion, partitions, result };
}

export interface RunsFilter {
  readonly job?: string;
  readonly status?: RunStatus;
  readonly limit?: number;
  /** Only runs older than this id, for paging. */
  readonly before?: string;
}

/** Newest first, at most `limit` (default 100). */
export async function listRuns(engine: Engine, filter: RunsFilter): Promise<RunSummary[]> {
  const limit = filter.limit ?? 100;
  const index =
    filter.status !== undefined
      ? engine.keys.runsByStatus(indexOf(filter.status))
      : filter.job !== undefined
        ? engine.keys.runsOfJob(filter.job)
        : engine.keys.runs;
  const found: RunSummary[] = [];
  let max = filter.before === undefined ? '+inf' : `(${(await engine.redis.zscore(index, filter.before)) ?? '+inf'}`;
  if (max === '(+inf') max = '+inf';
  for (let offset = 0; found.length < limit; offset += limit) {
    const ids = await engine.redis.zrevrangebyscore(index, max, '-inf', 'LIMIT', offset, limit);
    if (ids.length === 0) break;
    const summaries = await readSummaries(engine, ids);
    found.push(
      ...summaries.filter(
        (run) =>
          (filter.job === undefined || run.job === filter.job) &&
          (filter.status === undefined || run.status === filter.status),
      ),
    );
  }
  return found.slice(0, limit);
}

/** Runs under way share one index. */
function indexOf(status: RunStatus): string {
  return status === 'STARTING' || status === 'STARTED' || status === 'CANCELING' ? 'ACTIVE' : status;
}

/** In the order of the ids; those that are gone are left out. */
export async function readSummaries(engine: Engine, ids: readonly string[]): Promise<RunSummary[]> {
  const pipeline = engine.redis.pipeline();
  for (const id of ids) pipeline.hgetall(engine.keys.run(id));
  const replies = (await pipeline.exec()) ?? [];
  return replies.flatMap(([, reply]) => {
    const fields = reply as Record<string, string>;
    return fields.id === undefined ? [] : [toSummary(fields)];
  });
}

/** Lua's JSON writes an empty list as `{}`. */
function listOf<T>(text: string | undefined): T[] {
  const value = JSON.parse(text ?? '[]') as T[] | object;
  return Array.isArray(value) ? value : [];
}

/** Of the list as it is kept, without reading all of it: a run may have ten thousand. */
function firstKey(parts: string | undefined): string | undefined {
  const found = /^\[\[("(?:[^"\\]|\\.)*")/.exec(parts ?? '')?.[1];
  return found === undefined ? undefined : (JSON.parse(found) as string);
}

const dateOf = (text: string | undefined) => (text === undefined ? undefined : new Date(Number(text)));
const jsonOf = <T>(text: string | undefined): T | undefined =>
  text === undefined || text === '' ? undefined : (JSON.parse(text) as T);

function toSummary(fields: Record<string, string>): RunSummary {
  return {
    id: fields.id ?? '',
    job: fields.job ?? '',
    status: (fields.status ?? 'QUEUED') as RunStatus,
    tags: jsonOf<Record<string, string>>(fields.tags) ?? {},
    config: jsonOf<JsonObject>(fields.config) ?? {},
    cause: fields.cause ?? '',
    priority: Number(fields.priority ?? 0),
    firstPartition: firstKey(fields.parts),
    createdAt: new Date(Number(fields.created)),
    startedAt: dateOf(fields.started),
    endedAt: dateOf(fields.ended),
    endReason: fields.end_reason,
    error: jsonOf<{ code: string; message: string }>(fields.error),
    blocked: fields.blocked,
    counts: {
      total: Number(fields.total ?? 0),
      materialized: Number(fields.n_mat ?? 0),
      failed: Number(fields.n_fail ?? 0),
      skipped: Number(fields.n_skip ?? 0),
    },
    progress: jsonOf<{ done: number; total: number; note: string }>(fields.progress),
  };
}

function toPartition(asset: string, key: string, text: string | undefined): RunPartition {
  const record = jsonOf<{
    o: 'materialized' | 'failed' | 'skipped';
    e?: { code: string; message: string };
    m?: Metadata;
    reason?: string;
    from?: string;
  }>(text);
  return {
    asset,
    key,
    outcome: record?.o ?? null,
    error: record?.e ?? null,
    metadata: record?.reason === undefined ? (record?.m ?? {}) : { ...record.m, reason: record.reason },
    fromRun: record?.from,
  };
}
