/** The window onto the map: which rows and columns are to be seen, how large, and what lies under a point. Pure. */

export interface View {
  /** First column and row, with fractions while panning. */
  readonly col: number;
  readonly top: number;
  /** Pixels a column; below one, several columns share a cell. */
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Extent {
  readonly rows: number;
  readonly columns: number;
  /** The first rows, which stay where they are while the others pan. */
  readonly pinned: number;
}

/** Ids and their totals. */
export const GUTTER_PX = 164;
/** Labels of columns. */
export const LABELS_PX = 26;
/** Above the first row: labels, and what each column comes to. */
export const AXIS_PX = 46;
const MIN_CELL_PX = 3;
const MAX_ZOOM = 40;
const MIN_ZOOM = 0.05;
const ROW_PX = { few: 22, some: 16, many: 9 };

export const rowHeight = (rows: number): number => (rows <= 24 ? ROW_PX.few : rows <= 200 ? ROW_PX.some : ROW_PX.many);

/** Columns that share a cell, so that a cell is not smaller than what can be seen. */
export const stepOf = (zoom: number): number =>
  zoom >= MIN_CELL_PX ? 1 : Math.min(366, Math.ceil(MIN_CELL_PX / zoom));

export function mapHeight(rows: number): number {
  return AXIS_PX + Math.min(Math.max(rows, 1) * rowHeight(rows), 560);
}

export function clampView(view: View, size: Size, extent: Extent): View {
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, view.zoom));
  const visibleColumns = (size.width - GUTTER_PX) / zoom;
  const visibleRows = (size.height - AXIS_PX) / rowHeight(extent.rows);
  const clamp = (value: number, most: number) => Math.max(0, Math.min(value, Math.max(0, most)));
  return {
    zoom,
    col: clamp(view.col, extent.columns - visibleColumns),
    top: clamp(view.top, extent.rows - visibleRows),
  };
}

/** Around a point, so that what is under the pointer stays there. */
export function zoomAt(view: View, factor: number, x: number): View {
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, view.zoom * factor));
  const under = view.col + Math.max(0, x - GUTTER_PX) / view.zoom;
  return { ...view, zoom, col: under - Math.max(0, x - GUTTER_PX) / zoom };
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

/** Where the rows begin that pan. */
export const bandBottom = (extent: Extent): number => AXIS_PX + extent.pinned * rowHeight(extent.rows);

/** A cell, or the label of a row or a column. */
export type HitKind = 'cells' | 'rows' | 'columns';

export function hitAt(
  view: View,
  x: number,
  y: number,
  extent: Extent,
): { readonly kind: HitKind; readonly place: Place } | undefined {
  const top = y < bandBottom(extent) ? 0 : view.top;
  const column = Math.floor(view.col + (x - GUTTER_PX) / view.zoom);
  const row = Math.floor(top + (y - AXIS_PX) / rowHeight(extent.rows));
  const isRow = row >= 0 && row < extent.rows && y >= AXIS_PX;
  const isColumn = column >= 0 && column < extent.columns && x >= GUTTER_PX;
  if (isRow && isColumn) return { kind: 'cells', place: { row, column } };
  if (isRow && x < GUTTER_PX) return { kind: 'rows', place: { row, column: 0 } };
  if (isColumn && y < AXIS_PX) return { kind: 'columns', place: { row: 0, column } };
  return undefined;
}

/** What is to be seen: the pinned rows, and from which row to which the others; columns, both included. */
export function seen(view: View, size: Size, extent: Extent) {
  const last = Math.ceil(view.top + (size.height - AXIS_PX) / rowHeight(extent.rows)) - 1;
  return {
    firstRow: Math.floor(view.top) + extent.pinned,
    lastRow: Math.min(extent.rows - 1, last),
    firstColumn: Math.max(0, Math.floor(view.col)),
    lastColumn: Math.min(extent.columns - 1, Math.floor(view.col + (size.width - GUTTER_PX) / view.zoom)),
  };
}

/** Moves the window just as far as needed to show the place. */
export function reveal(view: View, place: Place, size: Size, extent: Extent): View {
  const columns = (size.width - GUTTER_PX) / view.zoom;
  const rows = (size.height - bandBottom(extent)) / rowHeight(extent.rows);
  const into = (start: number, at: number, span: number) =>
    at < start ? at : at + 1 > start + span ? at + 1 - span : start;
  const top = place.row < extent.pinned ? view.top : into(view.top, place.row - extent.pinned, rows);
  return { ...view, col: into(view.col, place.column, columns), top };
}

export interface Rectangle {
  readonly from: Place;
  readonly to: Place;
}

/** Between two places; of two labels of rows or columns, over all that they name. */
export function spanOf(kind: HitKind, a: Place, b: Place, extent: Extent): Rectangle {
  const { from, to } = rectangleOf(a, b);
  if (kind === 'rows') return { from: { ...from, column: 0 }, to: { ...to, column: extent.columns - 1 } };
  if (kind === 'columns') return { from: { ...from, row: 0 }, to: { ...to, row: extent.rows - 1 } };
  return { from, to };
}

export function rectangleOf(a: Place, b: Place): Rectangle {
  return {
    from: { row: Math.min(a.row, b.row), column: Math.min(a.column, b.column) },
    to: { row: Math.max(a.row, b.row), column: Math.max(a.column, b.column) },
  };
}
