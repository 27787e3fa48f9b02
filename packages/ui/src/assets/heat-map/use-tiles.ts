/** The states that the window needs, in tiles: asked for once, kept, read anew when something changes. */

import { useQueries } from '@tanstack/react-query';

import { send } from '../../api/operation.ts';
import type { Columns } from './columns.ts';
import { type Extent, type Size, type View, seen, stepOf } from './view.ts';

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
  columns: Columns,
  view: View,
  size: Size,
  extent: Extent,
): { tiles: readonly Tile[]; isLoading: boolean; error: unknown } {
  const step = stepOf(view.zoom);
  const span = TILE_CELLS_WIDE * step;
  const { firstRow, lastRow, firstColumn, lastColumn } = seen(view, size, extent);
  const rowsOfTiles = new Set(extent.pinned > 0 ? [0] : []);
  for (let row = firstTile(firstRow, TILE_ROWS); row <= lastRow; row += TILE_ROWS) rowsOfTiles.add(row);
  const wanted: { row: number; column: number }[] = [];
  for (const row of rowsOfTiles) {
    for (let column = firstTile(firstColumn, span); column <= lastColumn; column += span) wanted.push({ row, column });
  }
  const queries = useQueries({
    queries: wanted.map(({ row, column }) => {
      const rows = ids.slice(row, row + TILE_ROWS);
      const where = placesOf(columns, column, Math.min(column + span, extent.columns), step);
      return {
        queryKey: ['tiles', asset, rows, columns.fold, column, where.to, step],
        enabled: size.width > 0 && rows.length > 0,
        queryFn: ({ signal }: { signal: AbortSignal }) => readTile(asset, { rows, ...where }, signal),
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

const firstTile = (at: number, size: number) => Math.floor(at / size) * size;

interface Places {
  readonly from: number;
  readonly to: number;
  readonly step?: number;
  readonly starts?: readonly number[];
}

/** Columns of the map as the server has them. @param end the first one after the tile */
function placesOf(columns: Columns, column: number, end: number, step: number): Places {
  const [from, to] = [columns.start(column), columns.start(end) - 1];
  if (columns.fold === undefined) return { from, to, step };
  const starts: number[] = [];
  for (let at = column; at < end; at += step) starts.push(columns.start(at));
  return { from, to, starts };
}

/** Binary, because a cell is a byte. */
async function readTile(asset: string, body: Places & { readonly rows: readonly string[] }, signal: AbortSignal) {
  const reply = await send(`/api/v1/assets/${encodeURIComponent(asset)}/partitions/tiles`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, format: 'binary' }),
    signal,
  });
  const cells = new Uint8Array(await reply.arrayBuffer());
  return { width: Number(reply.headers.get('x-skein-width')) || Math.floor(cells.length / body.rows.length), cells };
}

export function cellAt(tiles: readonly Tile[], row: number, column: number): number | undefined {
  for (const tile of tiles) {
    const y = row - tile.firstRow;
    const x = Math.floor((column - tile.firstColumn) / tile.step);
    if (y >= 0 && y < tile.rows && x >= 0 && x < tile.width) return tile.cells[y * tile.width + x];
  }
  return undefined;
}
