/** The margins of the map: ids with their totals, the axis with the labels of columns and what each comes to. */

import { type Scene, xOf, yOf } from './scene.ts';
import { AXIS_PX, GUTTER_PX, LABELS_PX, rowHeight } from './view.ts';

const LABEL_EVERY_PX = 74;

/** Below the labels: how much of each column is made, and from below whether any of it failed. */
export function drawColumnTotals(context: CanvasRenderingContext2D, scene: Scene): void {
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

export function drawRows(context: CanvasRenderingContext2D, scene: Scene): void {
  const { view, size, extent, ids, palette, cursor, selection } = scene;
  const height = rowHeight(extent.rows);
  context.font = `${Math.min(12, Math.max(9, height - 4))}px ui-monospace, Menlo, Consolas, monospace`;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const every = Math.max(1, Math.ceil(12 / height));
  for (let row = Math.floor(view.top); row < extent.rows; row++) {
    const y = yOf(scene, row) + height / 2;
    if (y > size.height) break;
    if (row % every !== 0) continue;
    const chosen = selection?.rectangle;
    const isMarked = cursor?.row === row || (chosen && row >= chosen.from.row && row <= chosen.to.row);
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
  const text =
    total.lag ?? (total.failed > 0 ? `${total.failed.toLocaleString('en')} ✕` : total.made.toLocaleString('en'));
  context.textAlign = 'right';
  context.fillStyle = total.failed > 0 && total.lag === undefined ? palette.bad : palette.dim;
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

export function drawAxis(context: CanvasRenderingContext2D, scene: Scene): void {
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
