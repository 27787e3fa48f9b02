/** Rows of an asset (the ids of its first dimension) with their totals, paged by name, failures, activity or lag. */

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../../engine/engine.ts';
import { decodeState } from '../../engine/partition-reader.ts';
import { type PartitionCounts, toCounts } from '../../engine/reads/partitions.ts';
import { RequestInvalidError } from '../errors.ts';

interface Row {
  readonly id: string;
  readonly counts: PartitionCounts;
  /** Complete columns after the last one that is made or skipped, at most MAX_LAG; null without time. */
  readonly lag: number | null;
}

export interface RowPage {
  readonly items: readonly Row[];
  readonly next: string | null;
}

export interface RowQuery {
  readonly sort: 'name' | 'failed' | 'active' | 'lag';
  /** Prefix of the id. */
  readonly q?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A lag is looked for in as many columns, so that a row costs the same however long its history is. */
export const MAX_LAG = 512;
/** Sorting looks at every row; above this only the first ones by name are sorted. */
const SORT_LIMIT = 50_000;
const BATCH = 5_000;

export async function pageOfRows(engine: Engine, asset: Asset, query: RowQuery): Promise<RowPage> {
  if (query.sort === 'name') {
    const after = query.after === undefined ? undefined : Buffer.from(query.after, 'base64url').toString();
    const ids = await idsByName(engine, asset, query.q, after, query.limit + 1);
    const shown = ids.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      items: await withCounts(engine, asset, shown),
      next: ids.length > query.limit && last !== undefined ? Buffer.from(last).toString('base64url') : null,
    };
  }
  const offset = Number(query.after ?? 0);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new RequestInvalidError('query.after: is not a `next` of an earlier page.');
  const end = offset + query.limit;
  if (query.sort === 'failed' && query.q === undefined) return pageByFailures(engine, asset, offset, end);
  const sorted = await sortedIds(engine, asset, query);
  return {
    items: await withCounts(engine, asset, sorted.slice(offset, end)),
    next: end < sorted.length ? String(end) : null,
  };
}

/** Redis sorts by itself: 50,000 rows in one command instead of a question for each. */
async function pageByFailures(engine: Engine, asset: Asset, offset: number, end: number): Promise<RowPage> {
  const ids = (await engine.redis.sort(
    engine.keys.rows(asset.key),
    'BY',
    `${engine.keys.rowCounts(asset.key, '*')}->o2`,
    'LIMIT',
    offset,
    end - offset + 1,
    'DESC',
  )) as string[];
  const shown = ids.slice(0, end - offset);
  return { items: await withCounts(engine, asset, shown), next: ids.length > shown.length ? String(end) : null };
}

/** Fields of a row's counters that a sort adds up. */
const SORT_FIELDS = { failed: ['o2'], active: ['a1', 'a2', 'a3'] } as const;

type Score = (ids: readonly string[]) => Promise<number[]>;

function scoreOf(engine: Engine, asset: Asset, sort: RowQuery['sort']): Score {
  if (sort === 'lag') return async (ids) => (await readLags(engine, asset, ids)).map((lag) => lag ?? 0);
  const fields = SORT_FIELDS[sort === 'active' ? 'active' : 'failed'];
  return async (ids) => {
    const pipeline = engine.redis.pipeline();
    for (const id of ids) pipeline.hmget(engine.keys.rowCounts(asset.key, id), ...fields);
    return ((await pipeline.exec()) ?? []).map(([, values]) =>
      (values as (string | null)[]).reduce((sum, value) => sum + Number(value ?? 0), 0),
    );
  };
}

async function sortedIds(engine: Engine, asset: Asset, query: RowQuery): Promise<string[]> {
  const score = scoreOf(engine, asset, query.sort);
  const rows: { id: string; n: number }[] = [];
  for (let after: string | undefined; rows.length < SORT_LIMIT;) {
    const ids = await idsByName(engine, asset, query.q, after, BATCH);
    const scores = ids.length === 0 ? [] : await score(ids);
    ids.forEach((id, i) => rows.push({ id, n: scores[i] ?? 0 }));
    after = ids.at(-1);
    if (ids.length < BATCH) break;
  }
  // By name they came already, and sorting keeps the order of equals.
  return rows.sort((x, y) => y.n - x.n).map(({ id }) => id);
}

function idsByName(
  engine: Engine,
  asset: Asset,
  prefix: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  const min = after !== undefined ? `(${after}` : prefix === undefined ? '-' : `[${prefix}`;
  const max = prefix === undefined ? '+' : `[${prefix}\xff`;
  return engine.redis.zrangebylex(engine.keys.rows(asset.key), min, max, 'LIMIT', 0, limit);
}

async function withCounts(engine: Engine, asset: Asset, ids: readonly string[]): Promise<Row[]> {
  if (ids.length === 0) return [];
  const pipeline = engine.redis.pipeline();
  for (const id of ids) pipeline.hgetall(engine.keys.rowCounts(asset.key, id));
  const [replies, lags] = await Promise.all([pipeline.exec(), readLags(engine, asset, ids)]);
  return ids.map((id, i) => ({
    id,
    counts: toCounts((replies?.[i]?.[1] ?? {}) as Record<string, string>),
    lag: lags[i] ?? null,
  }));
}

async function readLags(engine: Engine, asset: Asset, ids: readonly string[]): Promise<(number | null)[]> {
  const { columns } = asset.partitions;
  if (columns.kind !== 'time') return ids.map(() => null);
  const last = columns.lastComplete(new Date());
  if (last < 0) return ids.map(() => 0);
  const from = Math.max(0, last + 1 - MAX_LAG);
  const pipeline = engine.redis.pipeline();
  for (const id of ids) pipeline.getrangeBuffer(engine.keys.states(asset.key, id), from >> 1, last >> 1);
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return lagOf(reply as Buffer, from, last);
  });
}

function lagOf(packed: Buffer, from: number, last: number): number {
  for (let column = last; column >= from; column--) {
    const byte = packed[(column >> 1) - (from >> 1)] ?? 0;
    const { outcome } = decodeState((column & 1) === 0 ? byte >> 4 : byte & 15);
    if (outcome === 'materialized' || outcome === 'skipped') return last - column;
  }
  return last + 1 - from;
}
