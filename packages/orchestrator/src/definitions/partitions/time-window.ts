/** Time windows: hourly, daily, weekly (from Monday) and monthly, all UTC; the key is the window's start. */

import { PartitionKeyInvalidError } from '../errors.ts';
import { type Day, dayFromNumber, dayNumber, parseDay } from './day.ts';
import { type Columns, MAX_EXPANDED_KEYS, type PartitionsDefinition, checkKeyText } from './partitions.ts';

export type WindowUnit = 'hour' | 'day' | 'week' | 'month';

/** Half-open: start ≤ t < end. */
export interface TimeWindow {
  readonly start: Date;
  readonly end: Date;
}

export interface TimeWindowPartitions extends PartitionsDefinition<TimeWindow> {
  readonly kind: 'time_window';
  readonly unit: WindowUnit;
  /** First window's first day. */
  readonly start: Day;
}

/** Daily windows can also be the day of a composite. */
export interface DailyDimension extends TimeWindowPartitions {
  readonly unit: 'day';
}

interface Grid {
  readonly grammar: string;
  index(instant: Date): number;
  start(index: number): Date;
  label(index: number): string;
  parse(key: string): Date | undefined;
}

const HOUR_MS = 3_600_000;

const utc = (text: string): Date | undefined => {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
};
const days = (step: number, offset: number): Pick<Grid, 'index' | 'start'> => ({
  index: (instant) => Math.floor((instant.getTime() / (24 * HOUR_MS) - offset) / step),
  start: (index) => new Date((index * step + offset) * 24 * HOUR_MS),
});
const dayLabel = (grid: Pick<Grid, 'start'>) => (index: number) => grid.start(index).toISOString().slice(0, 10);
const parseDayKey = (key: string) => (/^\d{4}-\d{2}-\d{2}$/.test(key) ? utc(`${key}T00:00:00Z`) : undefined);

const daily_ = days(1, 0);
// 1970-01-05 was a Monday: day number 4.
const weekly_ = days(7, 4);

const GRIDS: Readonly<Record<WindowUnit, Grid>> = {
  hour: {
    grammar: 'YYYY-MM-DDTHH:00Z',
    index: (instant) => Math.floor(instant.getTime() / HOUR_MS),
    start: (index) => new Date(index * HOUR_MS),
    label: (index) => `${new Date(index * HOUR_MS).toISOString().slice(0, 13)}:00Z`,
    parse: (key) => (/^\d{4}-\d{2}-\d{2}T\d{2}:00Z$/.test(key) ? utc(key.replace('Z', ':00Z')) : undefined),
  },
  day: { grammar: 'YYYY-MM-DD', ...daily_, label: dayLabel(daily_), parse: parseDayKey },
  week: { grammar: 'YYYY-MM-DD, a Monday', ...weekly_, label: dayLabel(weekly_), parse: parseDayKey },
  month: {
    grammar: 'YYYY-MM',
    index: (instant) => (instant.getUTCFullYear() - 1970) * 12 + instant.getUTCMonth(),
    start: (index) => new Date(Date.UTC(1970, index, 1)),
    label: (index) => new Date(Date.UTC(1970, index, 1)).toISOString().slice(0, 7),
    parse: (key) => (/^\d{4}-\d{2}$/.test(key) ? utc(`${key}-01T00:00:00Z`) : undefined),
  },
};

export function timeWindows<U extends WindowUnit>(
  unit: U,
  options: { readonly start: Day },
): TimeWindowPartitions & { readonly unit: U } {
  const grid = GRIDS[unit];
  const start = parseDay(options.start);
  const first = grid.index(new Date(`${start}T00:00:00Z`));

  const indexOf = (key: string): number => {
    checkKeyText(key);
    const instant = grid.parse(key);
    const index = instant === undefined ? Number.NaN : grid.index(instant);
    if (Number.isNaN(index) || grid.label(index) !== key) {
      throw new PartitionKeyInvalidError(`Invalid date “${key}”: write ${grid.grammar}.`);
    }
    if (index < first)
      throw new PartitionKeyInvalidError(
        `Invalid date “${key}”: the first window of this asset is ${grid.label(first)}.`,
      );
    return index;
  };
  const windowAt = (index: number): TimeWindow => ({ start: grid.start(index), end: grid.start(index + 1) });
  const columns: Columns = {
    kind: 'time',
    label: (column) => grid.label(first + column),
    column: (label) => indexOf(label) - first,
    lastComplete: (now) => grid.index(now) - 1 - first,
  };

  return {
    kind: 'time_window',
    unit,
    start,
    grammar: grid.grammar,
    parse: (key) => windowAt(indexOf(key)),
    format: (value) => grid.label(grid.index(value.start)),
    cell: (value) => ({ row: '', column: grid.index(value.start) - first }),
    at: (cell) => (cell.column < 0 ? undefined : windowAt(first + cell.column)),
    columns,
    expand(range) {
      const [from, to, ...rest] = range.split('..');
      if (from === undefined || to === undefined || rest.length > 0) return [grid.label(indexOf(range))];
      const [a, b] = [indexOf(from), indexOf(to)];
      if (b < a) throw new PartitionKeyInvalidError(`The range “${range}” is empty: its end lies before its start.`);
      if (b - a >= MAX_EXPANDED_KEYS) {
        throw new PartitionKeyInvalidError(
          `The range “${range}” has more than ${MAX_EXPANDED_KEYS} partitions: use “skein backfill”.`,
        );
      }
      return Array.from({ length: b - a + 1 }, (_, i) => grid.label(a + i));
    },
    rows: () => {
      throw new PartitionKeyInvalidError(`There are no ids: a partition is ${grid.grammar}.`);
    },
  };
}

export const hourly = (options: { readonly start: Day }) => timeWindows('hour', options);
export const daily = (options: { readonly start: Day }): DailyDimension => timeWindows('day', options);
export const weekly = (options: { readonly start: Day }) => timeWindows('week', options);
export const monthly = (options: { readonly start: Day }) => timeWindows('month', options);

/** The first day of a window, as a key of a daily definition. */
export function firstDay(window: TimeWindow): Day {
  return dayFromNumber(dayNumber(window.start.toISOString().slice(0, 10)));
}
