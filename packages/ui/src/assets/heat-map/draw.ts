/** Draws the map onto its canvas: tiles as pictures that are scaled, then lines, hatching, labels and the selection. */

import { stateOf } from './cell-state.ts';
import { type Palette, paint } from './cells.ts';
import type { Columns } from './columns.ts';
import type { Total } from './totals.ts';
import type { Tile } from './use-tiles.ts';
import {
  type Extent,
  type Place,
  type Rectangle,
  type Size,
  type View,
  AXIS_PX,
  GUTTER_PX,
  LABELS_PX,
  rowHeight,
} from './view.ts';

export interface Scene {
  readonly view: View;
  readonly size: Size;
  readonly extent: Extent;
  readonly tiles: readonly Tile[];
  readonly ids: readonly string[];
  readonly columns: Columns;
  readonly palette: Palette;
  readonly cursor: Place | undefined;
  readonly selection: Rectangle | undefined;
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
}

export interface Values {
  readonly min: number;
  readonly max: number;
  /** By `row column`. */
  readonly cells: ReadonlyMap<string, number>;
}

/** A painted tile by its cells, so that a frame of panning only copies pictures. */
export type Pictures = WeakMap<Uint8Array, { readonly palette: Palette; readonly canvas: OffscreenCanvas }>;

const GRID_FROM_PX = 6;
const HATCH_FROM_PX = 7;
const LABEL_EVERY_PX = 74;

export function draw(context: CanvasRenderingContext2D, scene: Scene, pictures: Pictures): void {
  const { size, palette } = scene;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, size.width, size.height);
  context.save();
  context.beginPath();
  context.rect(GUTTER_PX, AXIS_PX, size.width - GUTTER_PX, size.height - AXIS_PX);
  context.clip();
  for (const tile of scene.tiles) drawTile(context, scene, tile, pictures);
  if (scene.values) drawValues(context, scene, scene.values);
  drawGrid(context, scene);
  if (scene.selection) outline(context, scene, scene.selection, 2, true);
  if (scene.cursor) outline(context, scene, { from: scene.cursor, to: scene.cursor }, 2, false);
  context.restore();
  drawRows(context, scene);
  drawAxis(context, scene);
  drawColumnTotals(context, scene);
}

const xOf = ({ view }: Scene, column: number) => GUTTER_PX + (column - view.col) * view.zoom;
const yOf = ({ view, extent }: Scene, row: number) => AXIS_PX + (row - view.top) * rowHeight(extent.rows);

function drawTile(context: CanvasRenderingContext2D, scene: Scene, tile: Tile, pictures: Pictures): void {
  const { palette, view, extent } = scene;
  let picture = pictures.get(tile.cells);
  if (!picture || picture.palette !== palette) {
    const canvas = new OffscreenCanvas(tile.width, Math.max(tile.rows, 1));
    canvas.getContext('2d')?.putImageData(paint(tile.cells, tile.width, Math.max(tile.rows, 1), palette), 0, 0);
    picture = { palette, canvas };
    pictures.set(tile.cells, picture);
  }
  context.imageSmoothingEnabled = false;
  const width = tile.width * tile.step * view.zoom;
  context.drawImage(
    picture.canvas,
    xOf(scene, tile.firstColumn),
    yOf(scene, tile.firstRow),
    width,
    tile.rows * rowHeight(extent.rows),
  );
  if (view.zoom >= HATCH_FROM_PX) hatchFailed(context, scene, tile);
}

/** A number as a shade: the larger the darker on light grounds, the lighter on dark ones. */
function drawValues(context: CanvasRenderingContext2D, scene: Scene, { min, max, cells }: Values): void {
  const { palette, view, extent } = scene;
  const height = rowHeight(extent.rows);
  context.fillStyle = palette.background;
  context.globalAlpha = 0.8;
  context.fillRect(GUTTER_PX, AXIS_PX, scene.size.width, scene.size.height);
  context.fillStyle = palette.accent;
  for (const [place, value] of cells) {
    const [row = 0, column = 0] = place.split(' ').map(Number);
    context.globalAlpha = shadeOf(value, min, max);
    context.fillRect(xOf(scene, column), yOf(scene, row), view.zoom, height);
  }
  context.globalAlpha = 1;
}

/** From this ratio on, orders of magnitude are told apart instead of amounts. */
const WIDE = 20;

function shadeOf(value: number, min: number, max: number): number {
  if (max <= min) return 0.7;
  const share =
    min >= 0 && max > WIDE * Math.max(min, 1)
      ? Math.log((value + 1) / (min + 1)) / Math.log((max + 1) / (min + 1))
      : (value - min) / (max - min);
  return 0.1 + 0.9 * Math.max(0, Math.min(1, share));
}

/** Below the labels: how much of each column is made, and from below whether any of it failed. */
function drawColumnTotals(context: CanvasRenderingContext2D, scene: Scene): void {
  const { view, size, palette, columnTotals, step } = scene;
  const [top, height] = [LABELS_PX + 2, AXIS_PX - LABELS_PX - 5];
  context.save();
  context.beginPath();
  context.rect(GUTTER_PX, top, size.width - GUTTER_PX, height);
  context.clip();
  const gap = view.zoom * step > 5 ? 2 : 0;
  for (const [column, { made, failed, all }] of columnTotals) {
    const x = xOf(scene, column);
    if (x > size.width || x + view.zoom * step < GUTTER_PX) continue;
    const width = Math.max(1, view.zoom * step - gap);
    context.fillStyle = palette.line;
    context.fillRect(x, top, width, height);
    context.fillStyle = palette.good;
    context.fillRect(x, top + height * (1 - made / all), width, (height * made) / all);
    if (failed === 0) continue;
    context.fillStyle = palette.bad;
    context.fillRect(x, top, width, Math.max(3, (height * failed) / all));
  }
  context.restore();
  context.fillStyle = palette.dim;
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'right';
  context.fillText('made', GUTTER_PX - 8, top + height / 2);
  context.textAlign = 'left';
}

/** Failed cells carry strokes too: colour is never the only sign. */
function hatchFailed(context: CanvasRenderingContext2D, scene: Scene, tile: Tile): void {
  const { view, extent, size } = scene;
  const height = rowHeight(extent.rows);
  context.strokeStyle = 'rgb(255 255 255 / 75%)';
  context.lineWidth = 1.2;
  context.beginPath();
  const first = Math.max(0, Math.floor(view.col - tile.firstColumn));
  const last = Math.min(tile.width, Math.ceil(view.col - tile.firstColumn + size.width / view.zoom));
  for (let row = 0; row < tile.rows; row++) {
    const y = yOf(scene, tile.firstRow + row);
    if (y > size.height || y + height < AXIS_PX) continue;
    for (let column = first; column < last; column++) {
      if (stateOf(tile.cells[row * tile.width + column] ?? 0) !== 'failed') continue;
      const x = xOf(scene, tile.firstColumn + column);
      context.moveTo(x + 3, y + 3);
      context.lineTo(x + view.zoom - 4, y + height - 4);
      context.moveTo(x + view.zoom - 4, y + 3);
      context.lineTo(x + 3, y + height - 4);
    }
  }
  context.stroke();
}

function drawGrid(context: CanvasRenderingContext2D, scene: Scene): void {
  const { view, size, palette, extent, columns } = scene;
  const height = rowHeight(extent.rows);
  context.fillStyle = palette.background;
  if (height >= GRID_FROM_PX) {
    for (let row = Math.floor(view.top); row <= extent.rows; row++) {
      const y = Math.round(yOf(scene, row));
      if (y > size.height) break;
      context.fillRect(GUTTER_PX, y - 1, size.width, height > 12 ? 2 : 1);
    }
  }
  if (view.zoom < GRID_FROM_PX) return;
  for (let column = Math.floor(view.col); column <= extent.columns; column++) {
    const x = Math.round(xOf(scene, column));
    if (x > size.width) break;
    context.fillRect(x - 1, AXIS_PX, columns.isMonthStart(column) ? 3 : view.zoom > 12 ? 2 : 1, size.height);
  }
}

function drawRows(context: CanvasRenderingContext2D, scene: Scene): void {
  const { view, size, extent, ids, palette, cursor, selection } = scene;
  const height = rowHeight(extent.rows);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, GUTTER_PX, size.height);
  context.font = `${Math.min(12, Math.max(9, height - 4))}px ui-monospace, Menlo, Consolas, monospace`;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const every = Math.max(1, Math.ceil(12 / height));
  for (let row = Math.floor(view.top); row < extent.rows; row++) {
    const y = yOf(scene, row) + height / 2;
    if (y > size.height) break;
    if (y < AXIS_PX || row % every !== 0) continue;
    const isMarked = cursor?.row === row || (selection && row >= selection.from.row && row <= selection.to.row);
    context.fillStyle = isMarked ? palette.accent : palette.text;
    const room = drawTotal(context, scene, row, y);
    context.fillText(shorten(context, ids[row] ?? '', room - 10), 4, y);
  }
}

/** At the end of the gutter: what failed, otherwise what is made. @returns the room that is left */
function drawTotal(context: CanvasRenderingContext2D, { totals, palette }: Scene, row: number, y: number): number {
  const total = totals[row];
  if (!total) return GUTTER_PX;
  const style = context.fillStyle;
  const text = total.failed > 0 ? `${total.failed.toLocaleString('en')} ✕` : total.made.toLocaleString('en');
  context.textAlign = 'right';
  context.fillStyle = total.failed > 0 ? palette.bad : palette.dim;
  context.fillText(text, GUTTER_PX - 8, y);
  context.textAlign = 'left';
  context.fillStyle = style;
  return GUTTER_PX - 8 - context.measureText(text).width;
}

function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  const shown = text.replaceAll(/\s/g, ' ');
  if (context.measureText(shown).width <= width) return shown;
  let letters = [...shown].slice(0, 40);
  while (letters.length > 1 && context.measureText(`${letters.join('')}…`).width > width)
    letters = letters.slice(0, -1);
  return `${letters.join('')}…`;
}

function drawAxis(context: CanvasRenderingContext2D, scene: Scene): void {
  const { view, size, extent, columns, palette } = scene;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, size.width, AXIS_PX);
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const every = niceStep(LABEL_EVERY_PX / view.zoom);
  const last = Math.min(extent.columns, view.col + (size.width - GUTTER_PX) / view.zoom);
  for (let column = Math.ceil(view.col / every) * every; column < last; column += every) {
    const x = xOf(scene, column);
    if (x + LABEL_EVERY_PX - 8 > size.width && column > view.col + every) break;
    context.fillStyle = palette.line;
    context.fillRect(Math.round(x), LABELS_PX - 7, 1, 7);
    context.fillStyle = palette.dim;
    context.fillText(columns.label(column), x + 3, LABELS_PX / 2 - 2);
  }
}

function niceStep(least: number): number {
  const steps = [1, 2, 5, 7, 14, 28, 56, 91, 182, 365, 730, 1_460];
  return steps.find((step) => step >= least) ?? Math.ceil(least);
}

function outline(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { from, to }: Rectangle,
  width: number,
  isFilled: boolean,
): void {
  const { palette, view, extent } = scene;
  const [x, y] = [xOf(scene, from.column), yOf(scene, from.row)];
  const [w, h] = [(to.column - from.column + 1) * view.zoom, (to.row - from.row + 1) * rowHeight(extent.rows)];
  if (isFilled) {
    context.globalAlpha = 0.14;
    context.fillStyle = palette.accent;
    context.fillRect(x, y, w, h);
    context.globalAlpha = 1;
  }
  context.strokeStyle = isFilled ? palette.accent : palette.text;
  context.lineWidth = width;
  context.strokeRect(x, y, Math.max(w, 2), h);
}
