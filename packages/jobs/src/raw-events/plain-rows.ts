/**
 * Rows as nearly all of them are, from their bytes to the bytes of their messages: neither texts nor objects are made on
 * the way, which takes less than half of the time. Whatever is unusual about a row, and all that there is to say of a row
 * that becomes no event, is left to `map-payload.ts`, which alone says what is right; a test holds the two together.
 */

import {
  TAB,
  NEWLINE,
  SPACE,
  QUOTE,
  AMPERSAND,
  COMMA,
  HYPHEN,
  DOT,
  ZERO,
  COLON,
  LESS,
  GREATER,
  OPENING_BRACKET,
  BACKSLASH,
  CLOSING_BRACKET,
  OPENING_BRACE,
  CLOSING_BRACE,
  DELETE,
} from './ascii.ts';
import { insideQuotes } from './event-text.ts';
import { stringify } from './go-text.ts';
import { type Profile, timesChannels } from './map-payload.ts';
import { type JsonValue, TEXT_FIELDS, fieldOf } from './payload.ts';
import {
  MAX_DEPTH,
  NOT_PLAIN,
  afterBlanks,
  afterColon,
  endOfPlainText,
  endOfPlainValue,
  isDigit,
  isShortestNumber,
  startsWith,
} from './plain-json.ts';
import { OWN_NAMES, textOfValue } from './properties.ts';
import { reprintRfc3339 } from './rfc3339.ts';
import type { TextBytes } from './text-bytes.ts';
import { NOT_YET_INGESTED, type RowContext } from './transform.ts';

/** Columns before the payload. */
const OTHER_COLUMNS = 4;
/** Larger rows and larger `data` are left to others. */
const MAX_BYTES = 65_536;
const MAX_KEYS = 256;
/** No byte of a payload becomes more: a `<` in nested JSON, which is escaped and then quoted. */
const MAX_GROWTH = 8;
/** What a message has beside the payload's own texts. */
const FIXED_BYTES = 2_048;

const FIELDS = [...TEXT_FIELDS, 'byok', 'referenceCost', 'data'] as const;
type Field = (typeof FIELDS)[number];
const FIELD = Object.fromEntries(FIELDS.map((field, i) => [field, i])) as Record<Field, number>;
/** Of `data`, what the mapping looks at. */
const KEYS = ['modelName', 'numCharacters', 'durationMS', 'channels', 'promptTokens', 'cachedPromptTokens'] as const;
type Key = (typeof KEYS)[number];
const KEY = Object.fromEntries(KEYS.map((key, i) => [key, i])) as Record<Key, number>;
const ABSENT = -1;

/** Names by their length, because few share one. */
function byLength(names: readonly string[]): readonly (readonly { readonly index: number; readonly name: Buffer }[])[] {
  return Array.from({ length: Math.max(...names.map((name) => name.length)) + 1 }, (_, length) =>
    names.flatMap((name, index) => (name.length === length ? [{ index, name: Buffer.from(name) }] : [])),
  );
}
type Names = ReturnType<typeof byLength>;

function indexOf(names: Names, bytes: Uint8Array, start: number, end: number): number {
  const candidates = names[end - start];
  if (candidates === undefined) return ABSENT;
  for (const { index, name } of candidates) if (startsWith(bytes, start, name)) return index;
  return ABSENT;
}

const FIELD_NAMES = byLength(FIELDS);
const KEY_NAMES = byLength(KEYS);

const OWN = OWN_NAMES.map((name) => Buffer.from(name));
const OWN_OPENINGS = OWN_NAMES.map((name) => Buffer.from(`"${name}":"`));
/** Those of `OWN_NAMES` that are fields as they are. */
const OWN_FIELDS = OWN_NAMES.map((name) =>
  (TEXT_FIELDS as readonly string[]).includes(name) ? FIELD[name as Field] : ABSENT,
);

const BEDROCK = Buffer.from('BEDROCK_LLM');
const MODELING = Buffer.from('-modeling');
const VALUE = Buffer.from('value');
const WRAPPED = Buffer.from('{"value":');

/** Writes the rows of one tenant and environment. */
export class PlainRows {
  private readonly opening: Buffer = Buffer.from('{"id":"');
  private readonly context: Buffer;
  private readonly source: Buffer = Buffer.from('},"source":"');
  private readonly timestamp: Buffer = Buffer.from('","timestamp":"');
  private readonly customer: Buffer = Buffer.from(
    `","ingested_at":"${NOT_YET_INGESTED}","customer_id":"","external_customer_id":"`,
  );
  private readonly profile: Profile;

  private bytes: Buffer = Buffer.of();
  /** Of each field and key the value's first byte and the one after its last; a text without its quotes. */
  private readonly starts = new Int32Array(FIELDS.length);
  private readonly ends = new Int32Array(FIELDS.length);
  private keys = 0;
  private readonly keyStarts = new Int32Array(MAX_KEYS);
  private readonly keyEnds = new Int32Array(MAX_KEYS);
  private readonly valueStarts = new Int32Array(MAX_KEYS);
  private readonly valueEnds = new Int32Array(MAX_KEYS);
  /** Of `KEYS` where each is among the keys of `data`, or `ABSENT`. */
  private readonly known = new Int32Array(KEYS.length);

  /** Of nested objects the last key at each depth. */
  private readonly lastKeyStarts = new Int32Array(MAX_DEPTH + 1);
  private readonly lastKeyEnds = new Int32Array(MAX_DEPTH + 1);

  private out: Buffer = Buffer.of();
  private at = 0;

  constructor(row: RowContext, profile: Profile) {
    this.profile = profile;
    const ids = [row.tenant_id, row.environment_id].map((id) => JSON.stringify(id));
    this.context = Buffer.from(`","tenant_id":${ids[0]},"environment_id":${ids[1]},"event_name":"`);
  }

  /**
   * Writes the event of the line that begins at `start`. Gives the start of the next line, or `NOT_PLAIN` when nothing was
   * written.
   * @param bytes whole lines of valid UTF-8
   */
  write(bytes: Buffer, start: number, texts: TextBytes): number {
    this.bytes = bytes;
    const payload = this.afterColumns(start);
    const end = payload < 0 ? NOT_PLAIN : this.readPayload(payload);
    if (end < 0 || (end < bytes.length && bytes[end] !== NEWLINE) || end - start > MAX_BYTES) return NOT_PLAIN;
    const room = texts.room(this.context.length + FIXED_BYTES + (end - payload) * MAX_GROWTH);
    this.out = room.bytes;
    this.at = room.at;
    if (!this.writeEvent()) return NOT_PLAIN;
    texts.take(this.at);
    return end + 1;
  }

  /** Of the event that was written last. */
  id(): string {
    return this.textOf(this.start('id'), this.end('id'));
  }

  /** Of the event that was written last; the same text again where it is the one before. */
  customerId(before: string): string {
    const start = this.start('orgId');
    const end = this.end('orgId');
    if (before.length === end - start) {
      let i = 0;
      while (i < before.length && before.charCodeAt(i) === this.bytes[start + i]) i++;
      if (i === before.length) return before;
    }
    return this.textOf(start, end);
  }

  private textOf(start: number, end: number): string {
    return this.bytes.toString('utf8', start, end);
  }

  private start(field: Field): number {
    return this.starts[FIELD[field]] as number;
  }

  private end(field: Field): number {
    return this.ends[FIELD[field]] as number;
  }

  private isEmpty(field: Field): boolean {
    return this.start(field) === this.end(field);
  }

  /** Where the payload begins. */
  private afterColumns(start: number): number {
    let at = start;
    for (let tabs = 0; tabs < OTHER_COLUMNS; at++) {
      const c = this.bytes[at];
      if (c === TAB) tabs++;
      else if (c === undefined || c === NEWLINE) return NOT_PLAIN;
    }
    return at;
  }

  /** Gives the byte after it. */
  private readPayload(opening: number): number {
    const { bytes } = this;
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
        if (fieldOf(this.textOf(at + 1, name)) !== undefined) return NOT_PLAIN;
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
    const isText = this.bytes[value] === QUOTE;
    if (field < TEXT_FIELDS.length && !isText) return NOT_PLAIN;
    const end = endOfPlainValue(this.bytes, value);
    const quotes = field < TEXT_FIELDS.length ? 1 : 0;
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

  private isSorted(key: number): boolean {
    const start = this.keyStarts[key - 1] as number;
    return this.compareKey(key, this.bytes, start, this.keyEnds[key - 1] as number) > 0;
  }

  /** Negative when the key of `data` comes before the name. */
  private compareKey(key: number, name: Uint8Array, nameStart: number, nameEnd: number): number {
    return compare(this.bytes, this.keyStarts[key] as number, this.keyEnds[key] as number, name, nameStart, nameEnd);
  }

  /** @returns false when the row is not plain after all, or no event */
  private writeEvent(): boolean {
    if (this.isEmpty('orgId') || this.isEmpty('id') || this.isEmpty('createdAt') || this.isEmpty('methodName'))
      return false;
    const model = this.known[KEY.modelName] as number;
    if (model === ABSENT ? this.profile === 'seed' : !this.isTextWithInk(model)) return false;
    this.put(this.opening);
    this.copy(this.start('id'), this.end('id'));
    this.put(this.context);
    if (!this.writeProvider() || !this.writeMethod() || !this.writeModel()) return false;
    this.putLiteral('","properties":{');
    if (!this.writeProperties()) return false;
    this.put(this.source);
    this.copy(this.start('targetItemId'), this.end('targetItemId'));
    this.put(this.timestamp);
    if (!this.writeTimestamp()) return false;
    this.put(this.customer);
    this.copy(this.start('orgId'), this.end('orgId'));
    this.putLiteral('"}');
    return true;
  }

  private isTextWithInk(key: number): boolean {
    const start = this.valueStarts[key] as number;
    return this.bytes[start] === QUOTE && (this.valueEnds[key] as number) - start > 2;
  }

  private writeProvider(): boolean {
    const field = this.isEmpty('providerName') ? 'serviceName' : 'providerName';
    return this.writeLower(this.start(field), this.end(field));
  }

  private writeMethod(): boolean {
    const start = this.start('methodName');
    const end = this.end('methodName');
    if (end - start === BEDROCK.length && startsWith(this.bytes, start, BEDROCK)) {
      this.put(MODELING);
      return true;
    }
    this.out[this.at++] = HYPHEN;
    return this.writeLower(start, end);
  }

  private writeModel(): boolean {
    const key = this.known[KEY.modelName] as number;
    if (key === ABSENT) return true;
    this.out[this.at++] = HYPHEN;
    return this.writeLower((this.valueStarts[key] as number) + 1, (this.valueEnds[key] as number) - 1);
  }

  /** ASCII that begins and ends with ink, so that there is nothing to trim. */
  private writeLower(start: number, end: number): boolean {
    const { bytes, out } = this;
    if (end <= start || bytes[start] === SPACE || bytes[end - 1] === SPACE) return false;
    let { at } = this;
    for (let i = start; i < end; i++) {
      const c = bytes[i] as number;
      if (c >= DELETE) return false;
      out[at++] = c >= 65 && c <= 90 ? c + 32 : c;
    }
    this.at = at;
    return true;
  }

  private writeProperties(): boolean {
    let next = 0;
    for (let key = 0; key < this.keys; key++) {
      let order = 1;
      const first = this.bytes[this.keyStarts[key] as number] as number;
      for (; next < OWN.length; next++) {
        const name = OWN[next] as Buffer;
        order = first - (name[0] as number) || this.compareKey(key, name, 0, name.length);
        if (order <= 0) break;
        if (!this.writeOwn(next)) return false;
      }
      if (order === 0) {
        const before = this.at;
        if (!this.writeOwn(next++)) return false;
        if (this.at > before) continue;
      }
      this.out[this.at++] = QUOTE;
      this.copy(this.keyStarts[key] as number, this.keyEnds[key] as number);
      this.putLiteral('":"');
      this.writeData(key);
      this.putLiteral('",');
    }
    for (; next < OWN.length; next++) if (!this.writeOwn(next)) return false;
    // The last comma.
    this.at--;
    return true;
  }

  /** Writes nothing where there is no such text. @returns false when it cannot be told here */
  private writeOwn(index: number): boolean {
    const before = this.at;
    this.put(OWN_OPENINGS[index] as Buffer);
    const field = OWN_FIELDS[index] as number;
    const wasWritten = field === ABSENT ? this.writeMade(index) : this.writeField(field);
    if (wasWritten === undefined) return false;
    if (wasWritten) this.putLiteral('",');
    else this.at = before;
    return true;
  }

  private writeField(field: number): boolean {
    const start = this.starts[field] as number;
    const end = this.ends[field] as number;
    this.copy(start, end);
    return end > start;
  }

  /** undefined when it cannot be told here. */
  private writeMade(index: number): boolean | undefined {
    switch (OWN_NAMES[index]) {
      case 'billablePromptTokens':
        return this.writeBillableTokens();
      case 'billable_unit':
        if (this.known[KEY.numCharacters] !== ABSENT) this.putLiteral('characters');
        else if (this.known[KEY.durationMS] !== ABSENT) this.putLiteral('milliseconds');
        return true;
      case 'billable_value':
        this.writeBillableValue();
        return true;
      case 'byok':
        return this.writeOptional('byok');
      case 'referenceCost':
        return this.writeOptional('referenceCost');
      case 'resolvedMethodName':
        return this.writeMethod();
      case 'resolvedModelName':
        return this.writeModel();
      default:
        return this.writeProvider();
    }
  }

  private writeBillableTokens(): boolean | undefined {
    const key = this.known[KEY.promptTokens] as number;
    if (this.profile !== 'current' || key === ABSENT) return false;
    const cached = this.known[KEY.cachedPromptTokens] as number;
    const all = this.countOf(key);
    const fromCache = cached === ABSENT ? 0 : this.countOf(cached);
    if (all < 0 || fromCache < 0) return undefined;
    this.putLiteral(String(all - fromCache));
    return true;
  }

  private writeBillableValue(): void {
    const characters = this.known[KEY.numCharacters] as number;
    const value = characters === ABSENT ? (this.known[KEY.durationMS] as number) : characters;
    const channels = this.known[KEY.channels] as number;
    if (value === ABSENT) return;
    if (channels === ABSENT) return this.writeData(value);
    const [amount, factor] = [this.countOf(value), this.countOf(channels)];
    if (amount > 0 && factor > 0) this.putLiteral(`${amount * factor}.000000`);
    else this.putInside(timesChannels(this.textOfKey(value), this.textOfKey(channels)));
  }

  private textOfKey(key: number): string {
    return textOfValue(this.parsed(this.valueStarts[key] as number, this.valueEnds[key] as number));
  }

  private parsed(start: number, end: number): JsonValue {
    return JSON.parse(this.textOf(start, end)) as JsonValue;
  }

  /** The whole number that a key's value is, as text or not, of at most six digits; otherwise -1. */
  private countOf(key: number): number {
    const { bytes } = this;
    let start = this.valueStarts[key] as number;
    let end = this.valueEnds[key] as number;
    if (bytes[start] === QUOTE) {
      start++;
      end--;
    }
    if (end <= start || end - start > 6) return -1;
    let count = 0;
    for (let i = start; i < end; i++) {
      const c = bytes[i];
      if (!isDigit(c)) return -1;
      count = count * 10 + (c as number) - ZERO;
    }
    return count;
  }

  /** Of `byok` and `referenceCost`, which have no text when they are null. */
  private writeOptional(field: 'byok' | 'referenceCost'): boolean {
    const start = this.start(field);
    const end = this.end(field);
    if (end === 0 || this.bytes[start] === 110) return false;
    this.writeValue(start, end, stringify);
    return true;
  }

  private writeData(key: number): void {
    const start = this.valueStarts[key] as number;
    const end = this.valueEnds[key] as number;
    const { bytes } = this;
    // The value of an object that has nothing else is its text.
    if (bytes[start] === OPENING_BRACE && startsWith(bytes, start, WRAPPED)) {
      const value = start + WRAPPED.length;
      const first = bytes[value];
      if (first !== OPENING_BRACE && first !== OPENING_BRACKET && endOfPlainValue(bytes, value) === end - 1)
        return this.writeValue(value, end - 1, stringify);
    }
    this.writeValue(start, end, textOfValue);
  }

  /** @param text what makes a text of it where its own is another one */
  private writeValue(start: number, end: number, text: (value: JsonValue) => string): void {
    const first = this.bytes[start];
    if (first === QUOTE) this.copy(start + 1, end - 1);
    else if (first === 116 || first === 102) this.copy(start, end);
    else if (first === OPENING_BRACE || first === OPENING_BRACKET) {
      if (!this.copyNested(start, end)) this.putInside(text(this.parsed(start, end)));
    } else if (first === 110) return;
    else if (isShortestNumber(this.bytes, start, end)) this.copy(start, end);
    else this.putLiteral(text(Number(this.textOf(start, end))));
  }

  /**
   * Nested JSON in the quotes of a text, where Go would write it as it stands: keys sorted, no blanks, nothing of HTML.
   * @returns false when it would not, or when it is an object of which only `value` counts; nothing is written then
   */
  private copyNested(start: number, end: number): boolean {
    const { bytes, out } = this;
    let { at } = this;
    let depth = 0;
    for (let i = start; i < end; i++) {
      const c = bytes[i] as number;
      if (c === SPACE) return false;
      if (c === QUOTE) {
        const close = endOfPlainText(bytes, i + 1);
        if (bytes[close + 1] === COLON && !this.isNextKey(depth, i + 1, close)) return false;
        out[at++] = BACKSLASH;
        out[at++] = QUOTE;
        for (i++; i < close; i++) {
          const inside = bytes[i] as number;
          if (inside === LESS || inside === GREATER || inside === AMPERSAND || inside >= DELETE) return false;
          out[at++] = inside;
        }
        out[at++] = BACKSLASH;
        out[at++] = QUOTE;
        continue;
      }
      if (c === HYPHEN || isDigit(c)) {
        const after = endOfPlainValue(bytes, i);
        if (!isShortestNumber(bytes, i, after)) return false;
        for (; i < after; i++) out[at++] = bytes[i] as number;
        i--;
        continue;
      }
      if (c === OPENING_BRACE || c === OPENING_BRACKET) {
        depth++;
        this.lastKeyStarts[depth] = this.lastKeyEnds[depth] = 0;
      } else if (c === CLOSING_BRACE || c === CLOSING_BRACKET) depth--;
      out[at++] = c;
    }
    this.at = at;
    return true;
  }

  /** Whether a key comes after the one before it in its object, and is not the `value` of the outermost. */
  private isNextKey(depth: number, start: number, end: number): boolean {
    const { bytes } = this;
    if (depth === 1 && end - start === VALUE.length && startsWith(bytes, start, VALUE)) return false;
    const before = this.lastKeyStarts[depth] as number;
    const isNext = before === 0 || compare(bytes, start, end, bytes, before, this.lastKeyEnds[depth] as number) > 0;
    this.lastKeyStarts[depth] = start;
    this.lastKeyEnds[depth] = end;
    return isNext;
  }

  private writeTimestamp(): boolean {
    const start = this.start('createdAt');
    const end = this.end('createdAt');
    const digits = endOfUsualTime(this.bytes, start, end);
    if (digits !== NOT_PLAIN) {
      this.copy(start, digits);
      this.out[this.at++] = UTC;
    } else {
      const printed = reprintRfc3339(this.textOf(start, end));
      if (!printed?.isSerializable) return false;
      this.putLiteral(printed.text);
    }
    return true;
  }

  private copy(start: number, end: number): void {
    const { bytes, out } = this;
    let { at } = this;
    if (end - start >= MANY) {
      out.set(bytes.subarray(start, end), at);
      at += end - start;
    } else for (let i = start; i < end; i++) out[at++] = bytes[i] as number;
    this.at = at;
  }

  private put(constant: Uint8Array): void {
    const { out } = this;
    let { at } = this;
    for (let i = 0; i < constant.length; i++) out[at++] = constant[i] as number;
    this.at = at;
  }

  /** Text of ASCII that needs no escapes. */
  private putLiteral(text: string): void {
    const { out } = this;
    let { at } = this;
    for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
    this.at = at;
  }

  private putInside(text: string): void {
    this.at += this.out.write(insideQuotes(text), this.at);
  }
}

/** `Z`. */
const UTC = 90;
/** From here on a call costs less than a loop. */
const MANY = 96;

const TIME_SHAPE = Buffer.from('0000-00-00T00:00:00');

/**
 * Of a time in UTC, on a day that every month has, with a fraction of at most nine digits: where that ends which is printed
 * before the zone, without the zeros at the end of the fraction. `NOT_PLAIN` for others.
 */
function endOfUsualTime(bytes: Uint8Array, start: number, end: number): number {
  const zone = end - 1;
  const seconds = start + TIME_SHAPE.length;
  if (zone < seconds || zone > seconds + 10 || bytes[zone] !== UTC) return NOT_PLAIN;
  for (let i = 0; i < TIME_SHAPE.length; i++) {
    const c = bytes[start + i] as number;
    const shape = TIME_SHAPE[i] as number;
    if (shape === ZERO ? !isDigit(c) : c !== shape) return NOT_PLAIN;
  }
  const [month, day] = [twoDigits(bytes, start + 5), twoDigits(bytes, start + 8)];
  if (month < 1 || month > 12 || day < 1 || day > 28 || twoDigits(bytes, start + 11) > 23) return NOT_PLAIN;
  if (twoDigits(bytes, start + 14) > 59 || twoDigits(bytes, start + 17) > 59) return NOT_PLAIN;
  if (zone === seconds) return seconds;
  if (bytes[seconds] !== DOT || zone === seconds + 1) return NOT_PLAIN;
  let last = seconds;
  for (let i = seconds + 1; i < zone; i++) {
    if (!isDigit(bytes[i])) return NOT_PLAIN;
    if (bytes[i] !== ZERO) last = i + 1;
  }
  return last;
}

function twoDigits(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) - ZERO) * 10 + (bytes[at + 1] as number) - ZERO;
}

/** Negative when the first comes before the second, byte by byte. */
function compare(
  first: Uint8Array,
  firstStart: number,
  firstEnd: number,
  second: Uint8Array,
  secondStart: number,
  secondEnd: number,
): number {
  const length = firstEnd - firstStart;
  const secondLength = secondEnd - secondStart;
  for (let i = 0; i < length && i < secondLength; i++) {
    const difference = (first[firstStart + i] as number) - (second[secondStart + i] as number);
    if (difference !== 0) return difference;
  }
  return length - secondLength;
}
