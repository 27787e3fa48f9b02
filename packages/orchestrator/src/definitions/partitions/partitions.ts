/**
 * The contract of a partitions definition: which keys exist, what value a key means, and in which cell (row, column)
 * of the packed state its nibble lies. Pure: `now` is an argument wherever time matters.
 */

import { PartitionKeyInvalidError } from '../errors.ts';
import type { Day } from './day.ts';

/** Where a partition's state is kept: one packed string a row, one nibble a column. */
export interface Cell {
  /** The first dimension's id, or '' where there is only one row. */
  readonly row: string;
  /** 0-based. */
  readonly column: number;
}

export type PartitionsKind = 'single' | 'static' | 'dynamic' | 'time_window' | 'composite';

export interface PartitionsDefinition<P> {
  readonly kind: PartitionsKind;
  /** One sentence for people on what a key looks like. */
  readonly grammar: string;
  /** @throws PartitionKeyInvalidError with one clear rule; a key that parses formats back to the same text */
  parse(key: string): P;
  format(value: P): string;
  cell(value: P): Cell;
  /** The value of a cell; undefined when no partition can lie there. */
  at(cell: Cell): P | undefined;
  /** The columns' dimension for display: days for a composite, windows for a time window, one column otherwise. */
  readonly columns: Columns;
  /** Keys meant by a range such as `1..50_2024-01-01..2024-03-31`; a plain key gives itself. Throws when malformed. */
  expand(range: string): string[];
  /** Rows meant by an id, or by a range of ids such as `1..50`. Throws when malformed, or where there are no ids. */
  rows(ids: string): string[];
}

export interface Columns {
  readonly kind: 'single' | 'time';
  /** Text of a column, such as `2024-01-15`. */
  label(column: number): string;
  /** Column of a label. @throws PartitionKeyInvalidError */
  column(label: string): number;
  /** The last column whose window has ended at `now`; -1 when none. */
  lastComplete(now: Date): number;
}

/** Ranges larger than this are refused: backfills, which expand lazily, are made for them. */
export const MAX_EXPANDED_KEYS = 100_000;

/** Every row that ids and ranges of them mean, once, as they were named. @throws PartitionKeyInvalidError */
export function expandRows(
  partitions: Pick<PartitionsDefinition<unknown>, 'rows'>,
  ids: readonly string[],
  limit: number,
): string[] {
  const rows = new Set<string>();
  for (const text of ids) {
    for (const row of partitions.rows(text)) rows.add(row);
    if (rows.size > limit) throw new PartitionKeyInvalidError(`These are more than ${limit} ids: name fewer at once.`);
  }
  return [...rows];
}

const MAX_KEY_BYTES = 512;

/** The rules every key follows, whatever its definition. @throws PartitionKeyInvalidError */
export function checkKeyText(key: string): void {
  const shown = () => JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
  if (key === '') throw new PartitionKeyInvalidError('Invalid partition key format: the key is empty.');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new PartitionKeyInvalidError(`Partition key ${shown()} is longer than ${MAX_KEY_BYTES} bytes.`);
  }
  if (/[\u0000-\u001f\u007f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(key) || !key.isWellFormed()) {
    throw new PartitionKeyInvalidError(`Partition key ${shown()} holds a control or invisible character.`);
  }
  if (key !== key.normalize('NFC')) {
    throw new PartitionKeyInvalidError(`Partition key ${shown()} is not in Unicode normal form C.`);
  }
}

export const SINGLE_COLUMN: Columns = {
  kind: 'single',
  label: () => '',
  column: () => 0,
  lastComplete: () => 0,
};

export type DayColumns = Columns & { readonly start: Day };
