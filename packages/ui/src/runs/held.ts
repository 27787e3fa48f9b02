/** Rows that stay where they are while someone looks at them: what is new waits until it is asked for. */

import { useState } from 'react';

export interface Held<Row> {
  readonly rows: readonly Row[];
  /** Rows that wait. */
  readonly fresh: number;
}

/**
 * Pure. Rows that were shown keep their places, with what is known of them by now. One that is gone from between others
 * matches no longer and goes; those at the end were only pushed beyond the page. What comes after them is the next page.
 *
 * @param base as they were when the list was first shown
 */
export function hold<Row>(base: readonly Row[], items: readonly Row[], keyOf: (row: Row) => string): Held<Row> {
  const known = new Map(items.map((row, i) => [keyOf(row), { row, i }]));
  const places = base.map((row) => known.get(keyOf(row)));
  const lastKept = places.findLastIndex((place) => place !== undefined);
  const end = places[lastKept]?.i ?? items.length;
  const later = items.slice(end + 1);
  const kept = base.flatMap((row, i) => places[i]?.row ?? (i > lastKept && later.length === 0 ? [row] : []));
  const shown = new Set(base.map(keyOf));
  const fresh = items.slice(0, end + 1).filter((row) => !shown.has(keyOf(row))).length;
  return { rows: [...kept, ...later], fresh };
}

interface Source<Row> {
  readonly items: readonly Row[];
  /** What is shown is still that of the list before. */
  readonly isPlaceholderData: boolean;
}

/**
 * @param list what the rows are of: another list begins anew
 * @returns the rows as they stand, how many wait, and what lets those in
 */
export function useHeld<Row>(
  { items, isPlaceholderData }: Source<Row>,
  list: string,
  keyOf: (row: Row) => string,
): Held<Row> & { readonly letIn: () => void } {
  const [base, setBase] = useState<{ readonly list: string; readonly rows: readonly Row[] }>();
  const begin = () => setBase({ list, rows: items });
  if (base?.list !== list && !isPlaceholderData && items.length > 0) begin();
  const held = base?.list === list ? hold(base.rows, items, keyOf) : { rows: items, fresh: 0 };
  return { ...held, letIn: begin };
}
