/** The colours of cells, by what they say. */

import { type CellState, stateOf } from './cell-state.ts';

export interface Palette {
  /** RGBA as one little-endian number, by cell. */
  readonly colours: Uint32Array;
  readonly background: string;
  readonly text: string;
  readonly dim: string;
  readonly line: string;
  readonly accent: string;
  readonly good: string;
  readonly bad: string;
}

const TONES: Readonly<Record<CellState, string>> = {
  missing: '--none-fill',
  materialized: '--good-fill',
  failed: '--bad-fill',
  skipped: '--calm-fill',
  queued: '--wait-fill',
  running: '--busy-fill',
  cancelling: '--warn-fill',
};

const CELLS = 16;
/** Of what the legend hides. */
const FADED_ALPHA = 0.13;

/** @param only states that are shown in full; empty shows all */
export function paletteOf(style: CSSStyleDeclaration, only: ReadonlySet<string>): Palette {
  const colours = new Uint32Array(CELLS);
  for (let cell = 0; cell < CELLS; cell++) {
    const state = stateOf(cell);
    const shown = only.size === 0 || only.has(state) || state === 'missing';
    colours[cell] = packed(style.getPropertyValue(TONES[state]).trim(), shown ? 1 : FADED_ALPHA);
  }
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    colours,
    background: of('--surface'),
    text: of('--text'),
    dim: of('--dim'),
    line: of('--line'),
    accent: of('--accent'),
    good: of('--good-fill'),
    bad: of('--bad-fill'),
  };
}

function packed(hex: string, alpha: number): number {
  const full = hex.length === 4 ? hex.replaceAll(/[0-9a-f]/gi, '$&$&') : hex;
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(full.slice(at, at + 2), 16));
  return ((Math.round(alpha * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** Colours a tile: one pixel a cell. */
export function paint(cells: Uint8Array, width: number, rows: number, palette: Palette): ImageData {
  const image = new ImageData(width, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < cells.length && i < pixels.length; i++) pixels[i] = palette.colours[(cells[i] ?? 0) & 15] ?? 0;
  return image;
}
