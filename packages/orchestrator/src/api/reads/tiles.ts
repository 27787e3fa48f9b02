/**
 * Rectangles of partition states, one byte a cell, made from the packed strings in one round trip. With a step, or with
 * the starts of weeks or months, a cell stands for several columns and shows the worst of them, so that one failure is
 * never averaged away.
 */

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../../engine/engine.ts';

export interface Rectangle {
  readonly rows: readonly string[];
  /** Columns, both included. */
  readonly from: number;
  readonly to: number;
  /** Columns a cell. */
  readonly step: number;
  /** First column of each cell, ascending, the first one `from`: instead of a step, where cells differ in width. */
  readonly starts?: readonly number[] | undefined;
}

/** Cells that one answer may hold. */
export const MAX_TILE_CELLS = 4_000_000;
/** Partitions that one answer may look at, with a step. */
export const MAX_TILE_COLUMNS = 40_000_000;
const ROWS_PER_PIPELINE = 1_000;

export function widthOf({ from, to, step, starts }: Rectangle): number {
  return starts?.length ?? Math.ceil((to - from + 1) / step);
}

export function areStarts(starts: readonly number[], { from, to }: Pick<Rectangle, 'from' | 'to'>): boolean {
  return (
    starts[0] === from && (starts.at(-1) ?? 0) <= to && starts.every((start, i) => start > (starts[i - 1] ?? from - 1))
  );
}

/** Row by row; a cell is `outcome * 4 + activity`, 0…15. */
export async function readTile(engine: Engine, asset: Asset, rectangle: Rectangle): Promise<Buffer> {
  const { rows, from, to, step, starts } = rectangle;
  const width = widthOf(rectangle);
  const startOf = starts ? (cell: number) => starts[cell] ?? to + 1 : (cell: number) => from + cell * step;
  const cells = Buffer.alloc(rows.length * width);
  for (let first = 0; first < rows.length; first += ROWS_PER_PIPELINE) {
    const part = rows.slice(first, first + ROWS_PER_PIPELINE);
    const pipeline = engine.redis.pipeline();
    for (const row of part) pipeline.getrangeBuffer(engine.keys.states(asset.key, row), from >> 1, to >> 1);
    const replies = (await pipeline.exec()) ?? [];
    replies.forEach(([error, reply], i) => {
      if (error) throw error;
      const target = cells.subarray((first + i) * width, (first + i + 1) * width);
      if (step === 1 && !starts) unpack(reply as Buffer, from, to, target);
      else unpackWorst(reply as Buffer, from, to, startOf, target);
    });
  }
  return cells;
}

function unpack(packed: Buffer, from: number, to: number, target: Buffer): void {
  const base = from >> 1;
  for (let column = from; column <= to; column++) {
    const byte = packed[(column >> 1) - base];
    if (byte === undefined) return; // the string ends here: everything after it is missing
    target[column - from] = (column & 1) === 0 ? byte >> 4 : byte & 15;
  }
}

/** How bad each of the 16 states is: failed, then what is under way, then missing, skipped, materialized. */
const BADNESS = Array.from({ length: 16 }, (_, nibble) => {
  const [outcome, activity] = [nibble >> 2, nibble & 3];
  if (outcome === 2) return 100 + activity;
  if (activity !== 0) return 50 + activity;
  return [30, 10, 0, 20][outcome] ?? 0;
});

function unpackWorst(
  packed: Buffer,
  from: number,
  to: number,
  startOf: (cell: number) => number,
  target: Buffer,
): void {
  const base = from >> 1;
  for (let cell = 0; cell < target.length; cell++) {
    let worst = -1;
    let shown = 0;
    const end = Math.min(to + 1, startOf(cell + 1));
    for (let column = startOf(cell); column < end; column++) {
      const byte = packed[(column >> 1) - base] ?? 0;
      const nibble = (column & 1) === 0 ? byte >> 4 : byte & 15;
      const badness = BADNESS[nibble] ?? 0;
      if (badness > worst) [worst, shown] = [badness, nibble];
    }
    target[cell] = shown;
  }
}
