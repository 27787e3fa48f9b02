/** Raw rows, as lines of TabSeparated have them. Pure. */

import { NEWLINE } from './ascii.ts';
import type { RawRow } from './sql.ts';

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', 0: '\0' };

/** Where the newline is, or would be. */
export function endOfLine(block: Uint8Array, start: number): number {
  const end = block.indexOf(NEWLINE, start);
  return end < 0 ? block.length : end;
}

export function textOfLine(block: Uint8Array, start: number, end: number): string {
  return Buffer.from(block.buffer, block.byteOffset + start, end - start).toString();
}

/** Of whole lines, the last of which need not have its end. */
export function linesOf(block: Uint8Array): string[] {
  const text = textOfLine(block, 0, block.length);
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

/** The line nearly always is the values themselves. undefined when it is no row. */
export function parseRow(line: string): RawRow | undefined {
  const a = line.indexOf('\t');
  const b = line.indexOf('\t', a + 1);
  const c = line.indexOf('\t', b + 1);
  const d = line.indexOf('\t', c + 1);
  if (a < 0 || b < 0 || c < 0 || d < 0) return undefined;
  return {
    timestamp_ms: line.slice(0, a),
    id: unescaped(line.slice(a + 1, b)),
    external_customer_id: unescaped(line.slice(b + 1, c)),
    event_name: unescaped(line.slice(c + 1, d)),
    payload: unescaped(line.slice(d + 1)),
  };
}

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, (_, c: string) => ESCAPED[c] ?? c) : text;
}
