/** Partitions by status, ids and days, page by page; a page that has looked far enough is short and says where to go on. */

import type { Asset } from '../../definitions/asset.ts';
import type { Activity, LastOutcome, PartitionStatus } from '../../definitions/sensor.ts';
import type { Engine } from '../../engine/engine.ts';
import { decodeState } from '../../engine/partition-reader.ts';
import { listRows, readRow } from '../../engine/reads/partitions.ts';
import { RequestInvalidError } from '../errors.ts';

export interface FoundPartition extends PartitionStatus {
  readonly key: string;
  readonly row: string;
  readonly column: number;
}

export interface PartitionQuery {
  /** Only these; undefined: all that ever had a state. */
  readonly rows?: readonly string[] | undefined;
  /** Columns, both included. */
  readonly from: number;
  readonly to: number;
  /** Last outcomes and activities; none: all that have a state. */
  readonly statuses: readonly (LastOutcome | Activity)[];
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Rows that one page looks at. */
const ROW_LIMIT = 5_000;
const BATCH = 1_000;

export async function searchPartitions(
  engine: Engine,
  asset: Asset,
  query: PartitionQuery,
): Promise<{ readonly items: readonly FoundPartition[]; readonly next: string | null }> {
  const items: FoundPartition[] = [];
  let place = query.after === undefined ? undefined : parsePlace(query.after);
  for (let looked = 0; looked < ROW_LIMIT;) {
    const rows = await nextRows(engine, asset, query.rows, place);
    const worth = await worthLooking(engine, asset, rows, query);
    for (const row of rows) {
      if (!worth.has(row)) {
        place = { row, column: query.to };
        continue;
      }
      const from = place?.row === row ? Math.max(query.from, place.column + 1) : query.from;
      for (const found of await inRow(engine, asset, row, from, query)) {
        if (items.length === query.limit) {
          const last = items.at(-1);
          return { items, next: last === undefined ? null : formatPlace(last) };
        }
        items.push(found);
      }
      place = { row, column: query.to };
    }
    looked += rows.length;
    if (rows.length < BATCH) return { items, next: null };
  }
  return { items, next: place === undefined ? null : formatPlace(place) };
}

const COUNTERS: Readonly<Record<string, string>> = {
  materialized: 'o1',
  failed: 'o2',
  skipped: 'o3',
  queued: 'a1',
  running: 'a2',
  cancelling: 'a3',
};

/** Rows whose counters say that something of the kind is in them; missing ones are not counted, so then all are. */
async function worthLooking(
  engine: Engine,
  asset: Asset,
  rows: readonly string[],
  query: PartitionQuery,
): Promise<ReadonlySet<string>> {
  const fields = query.statuses.map((status) => COUNTERS[status]);
  if (fields.length === 0 || fields.includes(undefined)) return new Set(rows);
  const pipeline = engine.redis.pipeline();
  for (const row of rows) pipeline.hmget(engine.keys.rowCounts(asset.key, row), ...(fields as string[]));
  const replies = rows.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return new Set(
    rows.filter((_row, i) => ((replies[i]?.[1] ?? []) as (string | null)[]).some((value) => Number(value ?? 0) > 0)),
  );
}

interface Place {
  readonly row: string;
  readonly column: number;
}

/** The row of the place first, because the page before may have ended in its middle. */
async function nextRows(
  engine: Engine,
  asset: Asset,
  only: readonly string[] | undefined,
  place: Place | undefined,
): Promise<readonly string[]> {
  if (only !== undefined) {
    const at = place === undefined ? 0 : Math.max(0, only.indexOf(place.row));
    return only.slice(at, at + BATCH);
  }
  if (place === undefined) return listRows(engine, asset, { limit: BATCH });
  const later = await listRows(engine, asset, { after: place.row, limit: BATCH });
  return later.length < BATCH ? [place.row, ...later] : [place.row, ...later.slice(0, BATCH - 1)];
}

async function inRow(
  engine: Engine,
  asset: Asset,
  row: string,
  from: number,
  query: PartitionQuery,
): Promise<FoundPartition[]> {
  if (from > query.to) return [];
  const wanted = new Set<string>(query.statuses);
  const cells = await readRow(engine, asset, row, from, query.to);
  const found: FoundPartition[] = [];
  for (let i = 0; i < cells.length && found.length <= query.limit; i++) {
    const nibble = cells[i] ?? 0;
    const state = decodeState(nibble);
    const matches =
      wanted.size === 0
        ? nibble !== 0
        : (state.activity === 'idle' && wanted.has(state.outcome)) ||
          (state.activity !== 'idle' && wanted.has(state.activity));
    if (!matches) continue;
    const value = asset.partitions.at({ row, column: from + i });
    if (value !== undefined) found.push({ key: asset.partitions.format(value), row, column: from + i, ...state });
  }
  return found;
}

function formatPlace({ row, column }: Place): string {
  return Buffer.from(JSON.stringify([row, column])).toString('base64url');
}

function parsePlace(text: string): Place {
  try {
    const [row, column] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if (typeof row === 'string' && Number.isSafeInteger(column)) return { row, column: column as number };
  } catch {
    // told below
  }
  throw new RequestInvalidError('query.after: is not a `next` of an earlier page.');
}
