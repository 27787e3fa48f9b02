/** Partitions of an asset as people look at them: counts, rows, states of a rectangle of ids and columns. */

import type { Asset } from '../../definitions/asset.ts';
import type { Activity, LastOutcome, PartitionStatus } from '../../definitions/sensor.ts';
import type { Engine } from '../engine.ts';
import { decodeState } from '../partition-reader.ts';

export interface PartitionCounts {
  readonly materialized: number;
  readonly failed: number;
  readonly skipped: number;
  readonly queued: number;
  readonly running: number;
  readonly cancelling: number;
}

export function toCounts(fields: Readonly<Record<string, string | number | undefined>>): PartitionCounts {
  const n = (field: string) => Number(fields[field] ?? 0);
  return {
    materialized: n('o1'),
    failed: n('o2'),
    skipped: n('o3'),
    queued: n('a1'),
    running: n('a2'),
    cancelling: n('a3'),
  };
}

export async function readCounts(engine: Engine, asset: Asset, row?: string): Promise<PartitionCounts> {
  return toCounts(
    await engine.redis.hgetall(
      row === undefined ? engine.keys.counts(asset.key) : engine.keys.rowCounts(asset.key, row),
    ),
  );
}

/** Of several rows together. */
export async function sumCounts(engine: Engine, asset: Asset, rows: readonly string[]): Promise<PartitionCounts> {
  const each = await Promise.all(rows.map((row) => readCounts(engine, asset, row)));
  return each.reduce(
    (sum, one) => ({
      materialized: sum.materialized + one.materialized,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
      queued: sum.queued + one.queued,
      running: sum.running + one.running,
      cancelling: sum.cancelling + one.cancelling,
    }),
    toCounts({}),
  );
}

/** Rows that ever had a state, in text order, after `after`. */
export async function listRows(
  engine: Engine,
  asset: Asset,
  options: { readonly after?: string; readonly limit: number },
): Promise<string[]> {
  return engine.redis.zrangebylex(
    engine.keys.rows(asset.key),
    options.after === undefined ? '-' : `(${options.after}`,
    '+',
    'LIMIT',
    0,
    options.limit,
  );
}

/** One row's packed states from column `from` to `to`, both included, one number 0…15 a cell. */
export async function readRow(
  engine: Engine,
  asset: Asset,
  row: string,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const cells = new Uint8Array(Math.max(0, to - from + 1));
  const bytes = await engine.redis.getrangeBuffer(engine.keys.states(asset.key, row), from >> 1, to >> 1);
  for (let column = from; column <= to; column++) {
    const byte = bytes[(column >> 1) - (from >> 1)] ?? 0;
    cells[column - from] = column % 2 === 0 ? byte >> 4 : byte & 15;
  }
  return cells;
}

export interface ListedPartition extends PartitionStatus {
  readonly key: string;
}

export interface ListFilter {
  readonly rows?: readonly string[];
  /** Column labels such as days, both included. */
  readonly from?: string;
  readonly to?: string;
  readonly statuses?: readonly (LastOutcome | Activity)[];
  readonly limit: number;
}

/** Partitions that have a state (or, with rows and days given and `missing` wanted, that could have one). */
export async function listPartitions(engine: Engine, asset: Asset, filter: ListFilter): Promise<ListedPartition[]> {
  const { columns } = asset.partitions;
  const wanted = new Set<string>(filter.statuses ?? []);
  const found: ListedPartition[] = [];
  const from = filter.from === undefined ? 0 : Math.max(0, columns.column(filter.from));
  const visit = async (row: string) => {
    const length = (await engine.redis.strlen(engine.keys.states(asset.key, row))) * 2;
    const last =
      filter.to === undefined
        ? length - 1
        : wanted.has('missing')
          ? columns.column(filter.to)
          : Math.min(length - 1, columns.column(filter.to));
    if (last < from) return;
    const cells = await readRow(engine, asset, row, from, last);
    for (let i = 0; i < cells.length && found.length < filter.limit; i++) {
      const nibble = cells[i] ?? 0;
      const state = decodeState(nibble);
      const matches =
        wanted.size === 0
          ? nibble !== 0
          : wanted.has(state.outcome) || (state.activity !== 'idle' && wanted.has(state.activity));
      const value = matches ? asset.partitions.at({ row, column: from + i }) : undefined;
      if (value !== undefined) found.push({ key: asset.partitions.format(value), ...state });
    }
  };
  if (filter.rows) {
    for (const row of filter.rows) await visit(row);
    return found;
  }
  for (let after: string | undefined; found.length < filter.limit;) {
    const rows = await listRows(engine, asset, { limit: 500, ...(after === undefined ? {} : { after }) });
    for (const row of rows) await visit(row);
    after = rows.at(-1);
    if (after === undefined) break;
  }
  return found;
}
