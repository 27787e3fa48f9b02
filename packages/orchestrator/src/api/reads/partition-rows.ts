/** Rows of an asset (the ids of its first dimension) with their totals, paged by name or by number of failures. */

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../../engine/engine.ts';
import { type PartitionCounts, toCounts } from '../../engine/reads/partitions.ts';
import { RequestInvalidError } from '../errors.ts';

export interface Row {
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
  const rows = await allRows(engine, asset, query.q);
  const of = (row: Row) =>
    query.sort === 'failed' ? row.counts.failed : row.counts.queued + row.counts.running + row.counts.cancelling;
  rows.sort((a, b) => of(b) - of(a) || (a.id < b.id ? -1 : 1));
  const end = offset + query.limit;
  return { items: rows.slice(offset, end), next: end < rows.length ? String(end) : null };
}

async function allRows(engine: Engine, asset: Asset, q: string | undefined): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after: string | undefined; rows.length < SORT_LIMIT;) {
    const ids = await idsByName(engine, asset, q, after, BATCH);
    rows.push(...(await withCounts(engine, asset, ids)));
    after = ids.at(-1);
    if (ids.length < BATCH) break;
  }
  return rows;
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
