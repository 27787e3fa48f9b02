/**
 * What a backfill covers, as arithmetic: a rectangle of ids and columns, enumerated by position, so that 100,000
 * partitions are planned without being written down. Column by column, and within a column id by id: every tenant
 * moves through time together, and none waits for another's ten years. Pure.
 */

import type { Asset } from '../definitions/asset.ts';
import { PartitionKeyInvalidError } from '../definitions/errors.ts';
import { expandRows } from '../definitions/partitions/partitions.ts';
import type { LastOutcome } from '../definitions/sensor.ts';

export interface BackfillRange {
  /** Rows, in the order in which they take turns; [''] for assets with a single row. */
  readonly rows: readonly string[];
  /** Columns, both included. */
  readonly from: number;
  readonly to: number;
  readonly order: 'oldest' | 'newest';
}

export interface BackfillSelection {
  /** Ids and ranges such as `7` or `1..50`; absent: every id that ever had a state. */
  readonly ids?: readonly string[];
  /** Column labels such as days; absent: the first column, or the last complete one. */
  readonly from?: string;
  readonly to?: string;
  /** Only partitions whose last outcome is one of these; absent: all that are idle. */
  readonly statuses?: readonly LastOutcome[];
  readonly order?: 'oldest' | 'newest';
}

/** Ids of one backfill. */
export const MAX_ROWS = 200_000;
const MAX_BACKFILL_PARTITIONS = 10_000_000;

/** @throws PartitionKeyInvalidError when ids or labels are malformed, or the rectangle is empty or absurd */
export function rangeOf(
  asset: Asset,
  selection: BackfillSelection,
  knownRows: readonly string[],
  now: Date,
): BackfillRange {
  const { partitions } = asset;
  const timed = partitions.columns.kind === 'time';
  const rows =
    partitions.kind === 'time_window'
      ? ['']
      : selection.ids
        ? expandRows(partitions, selection.ids, MAX_ROWS)
        : knownRows;
  const last = partitions.columns.lastComplete(now);
  const from = timed && selection.from !== undefined ? partitions.columns.column(selection.from) : 0;
  const to = timed ? (selection.to === undefined ? last : partitions.columns.column(selection.to)) : 0;
  if (from < 0)
    throw new PartitionKeyInvalidError(
      `--from lies before the first partition of ${asset.key}, ${partitions.columns.label(0)}.`,
    );
  if (rows.length === 0)
    throw new PartitionKeyInvalidError(`No ids: ${asset.key} has no partition yet. Name them with --ids.`);
  if (to < from) throw new PartitionKeyInvalidError('The range is empty: its end lies before its start.');
  const size = rows.length * (to - from + 1);
  if (size > MAX_BACKFILL_PARTITIONS)
    throw new PartitionKeyInvalidError(`A backfill takes at most ${MAX_BACKFILL_PARTITIONS} partitions, not ${size}.`);
  return { rows, from, to, order: selection.order ?? 'oldest' };
}

/** As the ledger has it. */
export function parseRange(text: string | null | undefined): BackfillRange {
  return JSON.parse(text ?? '{"rows":[],"from":0,"to":-1,"order":"oldest"}') as BackfillRange;
}

export function sizeOf(range: BackfillRange): number {
  return range.rows.length * (range.to - range.from + 1);
}

/** The key at a position 0 … size − 1; undefined where no partition can lie. */
export function keyAt(asset: Asset, range: BackfillRange, position: number): string | undefined {
  const step = Math.floor(position / range.rows.length);
  const row = range.rows[position % range.rows.length];
  if (row === undefined) return undefined;
  const column = range.order === 'oldest' ? range.from + step : range.to - step;
  const value = asset.partitions.at({ row, column });
  return value === undefined ? undefined : asset.partitions.format(value);
}
