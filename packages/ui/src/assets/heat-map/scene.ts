/** What is drawn, and where its rows and columns lie on the canvas. */

import type { Palette } from './cells.ts';
import type { Columns } from './columns.ts';
import type { Selection } from './selection.ts';
import type { Total } from './totals.ts';
import type { Tile } from './use-tiles.ts';
import { type Extent, type Place, type Size, type View, AXIS_PX, GUTTER_PX, rowHeight } from './view.ts';

export interface Scene {
  readonly view: View;
  readonly size: Size;
  readonly extent: Extent;
  readonly tiles: readonly Tile[];
  readonly ids: readonly string[];
  readonly columns: Columns;
  readonly palette: Palette;
  readonly cursor: Place | undefined;
  readonly selection: Selection | undefined;
  readonly totals: readonly RowTotal[];
  readonly columnTotals: ReadonlyMap<number, Total>;
  /** Columns that share a cell. */
  readonly step: number;
  /** Numbers to colour by, instead of states. */
  readonly values: Values | undefined;
}

export interface RowTotal {
  readonly made: number;
  readonly failed: number;
  /** How far behind it is, where rows are sorted by it: shown instead. */
  readonly lag?: string | undefined;
}

export interface Values {
  readonly min: number;
  readonly max: number;
  /** By `row column`. */
  readonly cells: ReadonlyMap<string, number>;
}

export const xOf = ({ view }: Scene, column: number) => GUTTER_PX + (column - view.col) * view.zoom;
export const yOf = ({ view, extent }: Scene, row: number) => AXIS_PX + (row - view.top) * rowHeight(extent.rows);
