/** The states that the window needs, in tiles: asked for once, kept, read anew when something changes. */

import { useQueries } from '@tanstack/react-query';

import { send } from '../../api/operation.ts';
import { type Extent, type Size, type View, AXIS_PX, GUTTER_PX, rowHeight, stepOf } from './view.ts';

export interface Tile {
  readonly firstRow: number;
  readonly rows: number;
  readonly firstColumn: number;
  readonly step: number;
  /** Cells a row. */
  readonly width: number;
  readonly cells: Uint8Array;
  /** Changes with the content. */
  readonly version: number;
}

const TILE_ROWS = 512;
const TILE_CELLS_WIDE = 512;

export function useTiles(
  asset: string,
  ids: readonly string[],
  view: View,
  size: Size,
  extent: Extent,
): { tiles: readonly Tile[]; isLoading: boolean; error: unknown } {
  const step = stepOf(view.zoom);
  const span = TILE_CELLS_WIDE * step;
  const lastColumn = Math.min(extent.columns - 1, Math.floor(view.col + (size.width - GUTTER_PX) / view.zoom));
  const lastRow = Math.min(extent.rows - 1, Math.floor(view.top + (size.height - AXIS_PX) / rowHeight(extent.rows)));
  const wanted: { row: number; column: number }[] = [];
  for (let row = Math.floor(view.top / TILE_ROWS) * TILE_ROWS; row <= lastRow; row += TILE_ROWS) {
    for (let column = Math.floor(view.col / span) * span; column <= lastColumn; column += span)
      wanted.push({ row, column });
  }
  const queries = useQueries({
    queries: wanted.map(({ row, column }) => {
      const rows = ids.slice(row, row + TILE_ROWS);
      const to = Math.min(column + span - 1, extent.columns - 1);
      return {
        queryKey: ['tiles', asset, rows, column, to, step],
        enabled: size.width > 0 && rows.length > 0,
        queryFn: ({ signal }: { signal: AbortSignal }) => readTile(asset, rows, column, to, step, signal),
        // Cells are not compared one by one; a new answer is a new tile.
        structuralSharing: false,
      };
    }),
  });
  const tiles = queries.flatMap((query, i) => {
    const at = wanted[i];
    if (!query.data || !at) return [];
    const { width, cells } = query.data;
    return [
      {
        firstRow: at.row,
        rows: Math.floor(cells.length / width),
        firstColumn: at.column,
        step,
        width,
        cells,
        version: query.dataUpdatedAt,
      },
    ];
  });
  return {
    tiles,
    isLoading: queries.some((query) => query.isPending),
    error: queries.find((query) => query.error)?.error,
  };
}

/** Binary, because a cell is a byte. */
async function readTile(
  asset: string,
  rows: readonly string[],
  from: number,
  to: number,
  step: number,
  signal: AbortSignal,
) {
  const reply = await send(`/api/v1/assets/${encodeURIComponent(asset)}/partitions/tiles`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rows, from, to, step, format: 'binary' }),
    signal,
  });
  const cells = new Uint8Array(await reply.arrayBuffer());
  return { width: Number(reply.headers.get('x-skein-width')) || Math.ceil((to - from + 1) / step), cells };
}

export function cellAt(tiles: readonly Tile[], row: number, column: number): number | undefined {
  for (const tile of tiles) {
    const y = row - tile.firstRow;
    const x = Math.floor((column - tile.firstColumn) / tile.step);
    if (y >= 0 && y < tile.rows && x >= 0 && x < tile.width) return tile.cells[y * tile.width + x];
  }
  return undefined;
}
