/** Draws the map onto its canvas: tiles as pictures that are scaled, then lines, hatching and the selection. */

import { stateOf } from './cell-state.ts';
import { type Palette, paint } from './cells.ts';
import { drawAxis, drawColumnTotals, drawRows } from './draw-margins.ts';
import { type Scene, type Values, xOf, yOf } from './scene.ts';
import type { Selection } from './selection.ts';
import type { Tile } from './use-tiles.ts';
import { type Rectangle, AXIS_PX, GUTTER_PX, bandBottom, rowHeight } from './view.ts';

/** A painted tile by its cells, so that a frame of panning only copies pictures. */
export type Pictures = WeakMap<Uint8Array, { readonly palette: Palette; readonly canvas: OffscreenCanvas }>;

const GRID_FROM_PX = 6;
const HATCH_FROM_PX = 7;

export function draw(context: CanvasRenderingContext2D, scene: Scene, pictures: Pictures): void {
  const { size, palette, view, extent } = scene;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, size.width, size.height);
  const band = bandBottom(extent);
  drawPart(context, scene, pictures, { top: band, bottom: size.height });
  if (extent.pinned > 0) {
    drawPart(context, { ...scene, view: { ...view, top: 0 } }, pictures, { top: AXIS_PX, bottom: band });
    context.fillStyle = palette.dim;
    context.fillRect(0, band - 1, size.width, 1);
  }
  drawAxis(context, scene);
  drawColumnTotals(context, scene);
}

/** Some of the rows with their labels: what pans, or what is pinned above it. */
function drawPart(
  context: CanvasRenderingContext2D,
  scene: Scene,
  pictures: Pictures,
  { top, bottom }: { readonly top: number; readonly bottom: number },
): void {
  const { size, selection, cursor } = scene;
  context.save();
  context.beginPath();
  context.rect(GUTTER_PX, top, size.width - GUTTER_PX, bottom - top);
  context.clip();
  for (const tile of scene.tiles) drawTile(context, scene, tile, pictures);
  if (scene.values) drawValues(context, scene, scene.values);
  drawGrid(context, scene);
  if (selection) {
    if (selection.of.length > 0) fadeOthers(context, scene, selection);
    outline(context, scene, selection.rectangle, 2, true);
  }
  if (cursor) outline(context, scene, { from: cursor, to: cursor }, 2, false);
  context.restore();
  context.save();
  context.beginPath();
  context.rect(0, top, GUTTER_PX, bottom - top);
  context.clip();
  drawRows(context, scene);
  context.restore();
}

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

/** Inside a selection of some states, what is in another one. */
function fadeOthers(context: CanvasRenderingContext2D, scene: Scene, { rectangle: { from, to }, of }: Selection): void {
  const { palette, view, extent, step, tiles } = scene;
  // Where several partitions share a cell, it shows only the worst of them.
  if (step > 1 || scene.columns.fold !== undefined) return;
  const wanted = new Set<string>(of);
  const height = rowHeight(extent.rows);
  context.fillStyle = palette.background;
  context.globalAlpha = 0.7;
  for (const { firstRow, rows, firstColumn, width, cells } of tiles) {
    for (let row = Math.max(from.row, firstRow); row <= Math.min(to.row, firstRow + rows - 1); row++) {
      for (let at = Math.max(from.column, firstColumn); at <= Math.min(to.column, firstColumn + width - 1); at++) {
        const cell = cells[(row - firstRow) * width + at - firstColumn] ?? 0;
        if (!wanted.has(stateOf(cell))) context.fillRect(xOf(scene, at), yOf(scene, row), view.zoom, height);
      }
    }
  }
  context.globalAlpha = 1;
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
