/** Columns and their labels, for drawing and asking; the server decides what a label means. Pure. */

import type { PartitionsInfo } from '../../api/generated/client.ts';

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

export interface Columns {
  /** How many there are to look at: the complete ones, and the one under way. */
  readonly count: number;
  label(column: number): string;
  /** The start of a month or year, where a line of the axis stands. */
  isMonthStart(column: number): boolean;
  columnOf(label: string): number | undefined;
}

export function columnsOf(info: PartitionsInfo): Columns {
  const first = info.first_column;
  const count = Math.max(info.last_complete_column + 2, 1);
  if (info.column_kind === 'single' || !DAY.test(first)) {
    return {
      count: info.column_kind === 'single' ? 1 : count,
      label: (column) => (info.column_kind === 'single' ? '' : `#${column}`),
      isMonthStart: () => false,
      columnOf: () => undefined,
    };
  }
  const unitMs = info.grammar.includes('Monday') ? 7 * DAY_MS : DAY_MS;
  const origin = Date.parse(`${first}T00:00:00Z`);
  const label = (column: number) => new Date(origin + column * unitMs).toISOString().slice(0, 10);
  return {
    count,
    label,
    isMonthStart: (column) => label(column).endsWith('-01'),
    columnOf: (text) => (DAY.test(text) ? Math.round((Date.parse(`${text}T00:00:00Z`) - origin) / unitMs) : undefined),
  };
}
