/**
 * What of a map is chosen, as it stands in the address: a rectangle by its corners, narrowed to states, rows that are
 * kept at the top, the place of a card. Ids are opaque, so lists of them are JSON. Pure.
 */

import type { Columns } from './columns.ts';
import type { Place, Rectangle } from './view.ts';

export const OUTCOMES = ['missing', 'failed', 'materialized', 'skipped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** As many as leave room for the rows below them. */
export const MAX_PINS = 10;

export interface Selection {
  readonly rectangle: Rectangle;
  /** Only partitions whose outcome is one of these; none: all of them. */
  readonly of: readonly Outcome[];
}

export interface SelectionSearch {
  readonly rows?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly of?: string | undefined;
}

/** Undefined where nothing is selected, or what is selected is not on the map. */
export function selectionOf(search: SelectionSearch, ids: readonly string[], columns: Columns): Selection | undefined {
  if (search.rows === undefined || search.from === undefined || search.to === undefined) return undefined;
  const [first, last] = idsOf(search.rows).map((id) => ids.indexOf(id));
  const [from, to] = [columns.columnOf(search.from), columns.columnOf(search.to)];
  if (first === undefined || last === undefined || from === undefined || to === undefined) return undefined;
  const fits = Math.min(first, last, from) >= 0 && to >= from && to < columns.count;
  if (!fits) return undefined;
  const rectangle = {
    from: { row: Math.min(first, last), column: from },
    to: { row: Math.max(first, last), column: to },
  };
  return { rectangle, of: outcomesOf(search.of) };
}

/** Its inverse; undefined clears it. */
export function searchOf(
  selection: Selection | undefined,
  ids: readonly string[],
  columns: Columns,
): { [K in keyof SelectionSearch]-?: string | undefined } {
  if (selection === undefined) return { rows: undefined, from: undefined, to: undefined, of: undefined };
  const { rectangle, of } = selection;
  return {
    rows: JSON.stringify([ids[rectangle.from.row], ids[rectangle.to.row]]),
    from: columns.from(rectangle.from.column),
    to: columns.to(rectangle.to.column),
    of: of.join(',') || undefined,
  };
}

export function outcomesOf(text: string | undefined): readonly Outcome[] {
  const named = new Set(text?.split(','));
  return OUTCOMES.filter((outcome) => named.has(outcome));
}

/** A list of ids out of the address; what is none gives nothing. */
export function idsOf(text: string | undefined): readonly string[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list.filter((id): id is string => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

/** Puts a row to the pinned ones, or takes it from them. @returns as it stands in the address */
export function togglePin(pins: readonly string[], id: string): string | undefined {
  const next = pins.includes(id) ? pins.filter((one) => one !== id) : [...pins, id].slice(-MAX_PINS);
  return next.length === 0 ? undefined : JSON.stringify(next);
}

/** A label holds no bar; a row may. */
export function parseAt(at: string): { readonly label: string; readonly row: string } {
  const bar = at.indexOf('|');
  return bar < 0 ? { label: at, row: '' } : { label: at.slice(0, bar), row: at.slice(bar + 1) };
}

export function placeOf(at: string, ids: readonly string[], columns: Columns): Place | undefined {
  const { label, row } = parseAt(at);
  const [index, column] = [ids.indexOf(row), columns.columnOf(label)];
  return index < 0 || column === undefined ? undefined : { row: index, column };
}
