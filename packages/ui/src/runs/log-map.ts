/** Where in a log its errors and hits are, as marks on a strip from the first line to the last. Pure. */

import type { Found, Stretch } from './use-find.ts';

export interface Mark {
  /** Of the whole, 0 to 1. */
  readonly at: number;
  /** The line that one comes to there. */
  readonly id: string;
}

/** As many as a strip of a screen's height tells apart. */
const ROWS = 240;

export function marksOf(found: Found, total: number): readonly Mark[] {
  const rows = new Map<number, Mark>();
  const rowOf = (line: number) => Math.min(ROWS - 1, Math.floor((ROWS * line) / Math.max(total, 1)));
  const add = (row: number, id: string) => {
    if (!rows.has(row)) rows.set(row, { at: row / ROWS, id });
  };
  let [line, next] = [0, 0];
  for (const stretch of found.stretches) {
    const end = line + stretch.lines;
    const first = next;
    while ((found.items[next]?.line ?? Infinity) <= end) next++;
    if (next - first >= stretch.hits) {
      for (const hit of found.items.slice(first, next)) add(rowOf(hit.line - 1), hit.id);
    } else {
      // More than are known one by one: all of the stretch is dense with them.
      for (let row = rowOf(line); row <= rowOf(end - 1); row++) add(row, stretch.last);
    }
    line = end;
  }
  return [...rows.values()];
}

/** How far down a line lies, by its id; undefined before that is known. */
export function placeOf(id: string, stretches: readonly Stretch[], total: number): number | undefined {
  if (stretches.length < 2) return undefined;
  let line = 0;
  for (const stretch of stretches) {
    if (compareIds(id, stretch.last) <= 0) return line / Math.max(total, 1);
    line += stretch.lines;
  }
  return undefined;
}

/** The line that one comes to at a place; undefined is the first. */
export function lineAt(at: number, stretches: readonly Stretch[], total: number): string | undefined {
  let line = 0;
  let before: string | undefined;
  for (const stretch of stretches) {
    if (at * total < line + stretch.lines) return before;
    line += stretch.lines;
    before = stretch.last;
  }
  return before;
}

export function compareIds(a: string, b: string): number {
  const [aMs = '0', aSequence = '0'] = a.split('-');
  const [bMs = '0', bSequence = '0'] = b.split('-');
  return Number(aMs) - Number(bMs) || Number(aSequence) - Number(bSequence);
}
