/** Rows of an asset (the ids of its first dimension) with their totals, paged by name or by number of failures. */

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../../engine/engine.ts';
import { type PartitionCounts, toCounts } from '../../engine/reads/partitions.ts';
import { RequestInvalidError } from '../errors.ts';

interface Row {
  readonly id: string;
  readonly counts: PartitionCounts;
}

export interface RowPage {
  readonly items: readonly Row[];
  readonly next: string | null;
}

export interface RowQuery {
  readonly sort: 'name' | 'failed' | 'active';
  /** Prefix of the id. */
  readonly q?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Sorting by counters looks at every row; above this only the first ones by name are sorted. */
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

async function sortedIds(engine: Engine, asset: Asset, query: RowQuery): Promise<string[]> {
  const fields = SORT_FIELDS[query.sort === 'active' ? 'active' : 'failed'];
  const rows: { id: string; n: number }[] = [];
  for (let after: string | undefined; rows.length < SORT_LIMIT;) {
    const ids = await idsByName(engine, asset, query.q, after, BATCH);
    const pipeline = engine.redis.pipeline();
    for (const id of ids) pipeline.hmget(engine.keys.rowCounts(asset.key, id), ...fields);
    const replies = ids.length === 0 ? [] : ((await pipeline.exec()) ?? []);
    ids.forEach((id, i) => {
      const values = (replies[i]?.[1] ?? []) as (string | null)[];
      rows.push({ id, n: values.reduce((sum, value) => sum + Number(value ?? 0), 0) });
    });
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
  const replies = (await pipeline.exec()) ?? [];
  return ids.map((id, i) => ({ id, counts: toCounts((replies[i]?.[1] ?? {}) as Record<string, string>) }));
}
