/** What a line may hold: at most 64 KB, and on a terminal nothing that moves, clears, links or reorders. Pure. */

import type { LogFields } from '../definitions/context.ts';

const MAX_LINE_BYTES = 65_536;
/** Of what is cut, this much is kept free for the notice. */
const NOTICE_BYTES = 100;

/** At most 64 KB, which say how much is missing; characters stay whole. */
export function capLine(text: string): string {
  if (text.length * 3 <= MAX_LINE_BYTES) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_LINE_BYTES) return text;
  let end = MAX_LINE_BYTES - NOTICE_BYTES;
  // Bytes 10xxxxxx go on with a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  const kept = bytes.subarray(0, end).toString();
  return `${kept}… (${bytes.length - end} bytes cut)`;
}

/** Colours are harmless; whatever else a terminal obeys, and what turns text round, is shown as its code. */
const ON_TERMINAL =
  /(\u001b\[[0-9;]{0,16}m)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

export function printable(text: string): string {
  return text.replace(ON_TERMINAL, (found, colour: string | undefined) => colour ?? codeOf(found));
}

/** For one line: nothing in it begins another. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', codeOf('\n'));
}

function codeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** JSON of fields as they come: bigints as text, errors as their message, circles cut. */
export function fieldsToJson(fields: LogFields): string {
  const seen = new WeakSet<object>();
  return JSON.stringify(fields, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Error) return value.message;
    if (typeof value === 'object' && value !== null) {
      if (seen.has(value)) return '[circular]';
      seen.add(value);
    }
    return value;
  });
}
