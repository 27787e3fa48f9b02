/**
 * A payload as nearly all of them are, read where its bytes lie: no text and no object is made. It says where each field and
 * each key of `data` begins and ends, or that the payload is unusual: `payload.ts` then reads it as the original did.
 */

import { BACKSLASH, CLOSING_BRACE, COMMA, DELETE, OPENING_BRACE, QUOTE, SPACE } from './ascii.ts';
import { TEXT_FIELDS, fieldOf } from './payload.ts';
import { NOT_PLAIN, afterBlanks, afterColon, compareBytes, endOfPlainValue, startsWith } from './plain-json.ts';

/** More keys of `data` are left to others. */
const MAX_KEYS = 256;

const FIELDS = [...TEXT_FIELDS, 'byok', 'referenceCost', 'data'] as const;
/** By number, for names would be looked up for each row. */
export const FIELD = Object.fromEntries(FIELDS.map((field, i) => [field, i])) as Record<
  (typeof FIELDS)[number],
  number
>;
/** Of `data`, what the mapping looks at. */
const KEYS = ['modelName', 'numCharacters', 'durationMS', 'channels', 'promptTokens', 'cachedPromptTokens'] as const;
export const KEY = Object.fromEntries(KEYS.map((key, i) => [key, i])) as Record<(typeof KEYS)[number], number>;
export const ABSENT = -1;

/** Names by their length, because few share one. */
function byLength(names: readonly string[]): readonly (readonly { readonly index: number; readonly name: Buffer }[])[] {
  return Array.from({ length: Math.max(...names.map((name) => name.length)) + 1 }, (_, length) =>
    names.flatMap((name, index) => (name.length === length ? [{ index, name: Buffer.from(name) }] : [])),
  );
}

const FIELD_NAMES = byLength(FIELDS);
const KEY_NAMES = byLength(KEYS);

function indexOf(names: ReturnType<typeof byLength>, bytes: Uint8Array, start: number, end: number): number {
  const candidates = names[end - start];
  if (candidates === undefined) return ABSENT;
  for (const { index, name } of candidates) if (startsWith(bytes, start, name)) return index;
  return ABSENT;
}

/** The one that was read last. All numbers are places in `bytes`: of the first byte, and of the one after the last. */
export class PlainPayload {
  bytes: Buffer = Buffer.of();
  /** Of `data`: how many keys, each without its quotes and with its value; sorted. */
  keys = 0;
  readonly keyStarts = new Int32Array(MAX_KEYS);
  readonly keyEnds = new Int32Array(MAX_KEYS);
  readonly valueStarts = new Int32Array(MAX_KEYS);
  readonly valueEnds = new Int32Array(MAX_KEYS);

  private readonly starts = new Int32Array(FIELDS.length);
  private readonly ends = new Int32Array(FIELDS.length);
  private readonly known = new Int32Array(KEYS.length);

  /** Of a `FIELD`; a text without its quotes, nothing where the field is absent or it is `data`. */
  start(field: number): number {
    return this.starts[field] as number;
  }

  end(field: number): number {
    return this.ends[field] as number;
  }

  isEmpty(field: number): boolean {
    return this.start(field) === this.end(field);
  }

  /** Where a `KEY` is among those of `data`, or `ABSENT`. */
  keyOf(key: number): number {
    return this.known[key] as number;
  }

  text(start: number, end: number): string {
    return this.bytes.toString('utf8', start, end);
  }

  /** Negative when a key of `data` comes before the name. */
  compareKey(key: number, name: Uint8Array, start = 0, end = name.length): number {
    return compareBytes(this.bytes, this.keyStarts[key] as number, this.keyEnds[key] as number, name, start, end);
  }

  /** Gives the byte after the payload that begins at `opening`, or `NOT_PLAIN`. */
  read(bytes: Buffer, opening: number): number {
    this.bytes = bytes;
    // By hand: for so few, calls cost more.
    for (let field = 0; field < FIELDS.length; field++) this.starts[field] = this.ends[field] = 0;
    for (let key = 0; key < KEYS.length; key++) this.known[key] = ABSENT;
    this.keys = 0;
    if (bytes[opening] !== OPENING_BRACE) return NOT_PLAIN;
    let seen = 0;
    let at = opening + 1;
    for (;;) {
      at = afterBlanks(bytes, at);
      const name = this.plainKey(at);
      const value = name < 0 ? NOT_PLAIN : afterColon(bytes, name + 1);
      if (value < 0) return NOT_PLAIN;
      const field = indexOf(FIELD_NAMES, bytes, at + 1, name);
      if (field === ABSENT) {
        // A field in another spelling.
        if (fieldOf(this.text(at + 1, name)) !== undefined) return NOT_PLAIN;
        at = endOfPlainValue(bytes, value);
      } else {
        if (seen & (1 << field)) return NOT_PLAIN;
        seen |= 1 << field;
        at = this.readField(field, value);
      }
      if (at < 0) return NOT_PLAIN;
      at = afterBlanks(bytes, at);
      if (bytes[at] === CLOSING_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return NOT_PLAIN;
      at++;
    }
  }

  private readField(field: number, value: number): number {
    if (field === FIELD.data) return this.readData(value);
    const isText = field < TEXT_FIELDS.length;
    if (isText && this.bytes[value] !== QUOTE) return NOT_PLAIN;
    const end = endOfPlainValue(this.bytes, value);
    const quotes = isText ? 1 : 0;
    this.starts[field] = value + quotes;
    this.ends[field] = end - quotes;
    return end;
  }

  /** Keys must come sorted, so that each comes once. */
  private readData(opening: number): number {
    const { bytes } = this;
    if (bytes[opening] !== OPENING_BRACE) return NOT_PLAIN;
    let at = afterBlanks(bytes, opening + 1);
    if (bytes[at] === CLOSING_BRACE) return at + 1;
    for (;;) {
      const name = this.plainKey(at);
      const value = name < 0 ? NOT_PLAIN : afterColon(bytes, name + 1);
      const end = value < 0 ? NOT_PLAIN : endOfPlainValue(bytes, value);
      const key = this.keys;
      if (end < 0 || key >= MAX_KEYS) return NOT_PLAIN;
      this.keyStarts[key] = at + 1;
      this.keyEnds[key] = name;
      this.valueStarts[key] = value;
      this.valueEnds[key] = end;
      if (key > 0 && !this.isSorted(key)) return NOT_PLAIN;
      this.keys++;
      const known = indexOf(KEY_NAMES, bytes, at + 1, name);
      if (known !== ABSENT) this.known[known] = key;
      at = afterBlanks(bytes, end);
      if (bytes[at] === CLOSING_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return NOT_PLAIN;
      at = afterBlanks(bytes, at + 1);
    }
  }

  private isSorted(key: number): boolean {
    return this.compareKey(key, this.bytes, this.keyStarts[key - 1], this.keyEnds[key - 1]) > 0;
  }

  /** @param at its opening quote; gives the closing one. Plain is ASCII: the order of others is not that of their bytes */
  private plainKey(at: number): number {
    const { bytes } = this;
    if (bytes[at] !== QUOTE) return NOT_PLAIN;
    for (let i = at + 1; i < bytes.length; i++) {
      const c = bytes[i] as number;
      if (c === QUOTE) return i;
      if (c < SPACE || c === BACKSLASH || c >= DELETE) return NOT_PLAIN;
    }
    return NOT_PLAIN;
  }
}
