/** How text is laid out for people: columns, times, sizes; colours only where the stream is a terminal. */

import { createInterface } from 'node:readline/promises';

import { createColors } from 'picocolors';

const colourful = (stream: NodeJS.WriteStream) =>
  stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';

/** Of what is printed to stdout. */
export const paint = createColors(colourful(process.stdout));
/** Of what is printed to stderr. */
export const paintNote = createColors(colourful(process.stderr));

export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Columns padded to their widest cell, two blanks between them; the header is dim on a terminal. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [paint.dim(line(header)), ...rows.map(line)];
}

/** `name  value` pairs, one a line; what is not known is left out. */
export function pairs(entries: readonly (readonly [name: string, value: string | null | undefined])[]): string[] {
  const known = entries.filter((entry): entry is readonly [string, string] => typeof entry[1] === 'string');
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${paint.dim(name.padEnd(width))}  ${value}`);
}

/** `2026-11-24 19:30:05`, UTC; a dash for what has not happened. */
export function time(at: Date | string | null | undefined): string {
  const text = at instanceof Date ? at.toISOString() : at;
  return text ? text.slice(0, 19).replace('T', ' ') : '–';
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60];
  const parts =
    hours > 0 ? [[hours, 'h'] as const, [minutes, 'min'] as const] : [[minutes, 'min'] as const, [rest, 's'] as const];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** Cuts text that would not fit its place. */
export function shorten(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

/** Asks on a terminal; true without one, so that scripts are asked nothing. */
export async function confirm(question: string): Promise<boolean> {
  if (!isInteractive()) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
