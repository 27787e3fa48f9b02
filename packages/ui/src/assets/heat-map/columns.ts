/**
 * Columns of the map: their labels, for drawing and asking, and folded into weeks or months. The server decides what a
 * label means. Pure.
 */

import type { PartitionsInfo } from '../../api/generated/client.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const FOLDS = ['week', 'month'] as const;
export type Fold = (typeof FOLDS)[number];
export type Unit = 'single' | 'hour' | 'day' | 'week' | 'month';

export interface Columns {
  /** How many there are to look at: the complete ones, and the one under way. */
  readonly count: number;
  /** Of what the asset is partitioned by. */
  readonly unit: Unit;
  /** Undefined: a column of the map is one of the asset. */
  readonly fold: Fold | undefined;
  /** What stands on the axis. */
  label(column: number): string;
  /** The first and the last partition of a column, by their labels: what the server is asked for. */
  from(column: number): string;
  to(column: number): string;
  /** The first column of the asset that a column of the map begins with. */
  start(column: number): number;
  /** The column of the map in which a column of the asset lies. */
  holding(start: number): number;
  /** The start of a month, where a line of the axis stands. */
  isMonthStart(column: number): boolean;
  columnOf(label: string): number | undefined;
}

interface Scale {
  readonly unit: Unit;
  label(column: number): string;
  columnOf(label: string): number | undefined;
}

export function columnsOf(info: PartitionsInfo, fold?: Fold): Columns {
  const scale = scaleOf(info);
  const count = scale.unit === 'single' ? 1 : Math.max(info.last_complete_column + 2, 1);
  return fold !== undefined && canFold(scale.unit) ? folded(scale, count, fold) : plain(scale, count);
}

export const canFold = (unit: Unit): boolean => unit === 'day';

function plain({ unit, label, columnOf }: Scale, count: number): Columns {
  const same = (column: number) => column;
  return {
    ...{ count, unit, fold: undefined, label, from: label, to: label, start: same, holding: same, columnOf },
    isMonthStart: (column) => /-01(T00.*)?$/.test(label(column)),
  };
}

function folded({ unit, label, columnOf }: Scale, days: number, fold: Fold): Columns {
  const starts: number[] = [];
  for (let day = 0; day < days; day++) if (day === 0 || beginsFold(label(day), fold)) starts.push(day);
  const start = (column: number) => starts[column] ?? days;
  const holding = (day: number) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (start(middle) <= day) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    count: starts.length,
    unit,
    fold,
    label: (column) => (fold === 'month' ? label(start(column)).slice(0, 7) : label(start(column))),
    from: (column) => label(start(column)),
    to: (column) => label(start(column + 1) - 1),
    start,
    holding,
    isMonthStart: (column) => fold === 'month' && label(start(column)).slice(5, 7) === '01',
    columnOf: (text) => {
      const day = columnOf(text);
      return day === undefined ? undefined : holding(day);
    },
  };
}

function beginsFold(day: string, fold: Fold): boolean {
  return fold === 'month' ? day.endsWith('-01') : new Date(`${day}T00:00:00Z`).getUTCDay() === 1;
}

function scaleOf(info: PartitionsInfo): Scale {
  const first = info.first_column;
  if (info.column_kind === 'single') return { unit: 'single', label: () => '', columnOf: () => undefined };
  if (/^\d{4}-\d\d$/.test(first)) return months(first);
  if (first.endsWith(':00Z')) return even('hour', first, HOUR_MS, (at) => `${at.slice(0, 13)}:00Z`);
  return info.grammar.includes('Monday')
    ? even('week', first, 7 * DAY_MS, (at) => at.slice(0, 10))
    : even('day', first, DAY_MS, (at) => at.slice(0, 10));
}

/** Windows of the same length. @param write what an instant is called */
function even(unit: Unit, first: string, unitMs: number, write: (iso: string) => string): Scale {
  const origin = Date.parse(first);
  return {
    unit,
    label: (column) => write(new Date(origin + column * unitMs).toISOString()),
    columnOf: (text) => {
      const at = Date.parse(text);
      return Number.isNaN(at) || write(new Date(at).toISOString()) !== text
        ? undefined
        : Math.floor((at - origin) / unitMs);
    },
  };
}

function months(first: string): Scale {
  const index = (text: string) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7)) - 1;
  const origin = index(first);
  return {
    unit: 'month',
    label: (column) => {
      const at = origin + column;
      return `${String(Math.floor(at / 12)).padStart(4, '0')}-${String((at % 12) + 1).padStart(2, '0')}`;
    },
    columnOf: (text) => (/^\d{4}-(0[1-9]|1[0-2])$/.test(text) ? index(text) - origin : undefined),
  };
}
