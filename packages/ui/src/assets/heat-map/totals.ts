/** What rows and columns come to, from the tiles that are loaded: for the margins of the map. Pure. */

import { stateOf } from './cell-state.ts';

/** The part of a tile that counts. */
interface Counted {
  readonly cells: Uint8Array;
  readonly width: number;
  readonly rows: number;
  readonly firstColumn: number;
  readonly step: number;
}

export interface Total {
  made: number;
  failed: number;
  all: number;
}

/** Of a tile, by its own columns; a tile never changes, so it is counted once. */
const counted = new WeakMap<Uint8Array, readonly Total[]>();

function totalsOf({ cells, width, rows }: Counted): readonly Total[] {
  const known = counted.get(cells);
  if (known) return known;
  const totals = Array.from({ length: width }, (): Total => ({ made: 0, failed: 0, all: rows }));
  for (let i = 0; i < rows * width; i++) {
    const total = totals[i % width];
    const state = stateOf(cells[i] ?? 0);
    if (total && state === 'materialized') total.made++;
    if (total && state === 'failed') total.failed++;
  }
  counted.set(cells, totals);
  return totals;
}

/** By column, over all rows of the tiles. Where several columns share a cell, of its first one. */
export function columnTotals(tiles: readonly Counted[]): ReadonlyMap<number, Total> {
  const sums = new Map<number, Total>();
  for (const tile of tiles) {
    totalsOf(tile).forEach((one, x) => {
      const column = tile.firstColumn + x * tile.step;
      const sum = sums.get(column);
      if (!sum) return void sums.set(column, { ...one });
      sum.made += one.made;
      sum.failed += one.failed;
      sum.all += one.all;
    });
  }
  return sums;
}
