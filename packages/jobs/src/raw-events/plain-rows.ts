/**
 * Rows as nearly all of them are, from their bytes to the bytes of their messages: neither texts nor objects are made on
 * the way, which takes less than half of the time. Whatever is unusual about a row, and all that there is to say of a row
 * that becomes no event, is left to `map-payload.ts`, which alone says what is right; a test holds the two together.
 */

import {
  AMPERSAND,
  BACKSLASH,
  COLON,
  DELETE,
  GREATER,
  HYPHEN,
  LESS,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  NEWLINE,
  OPENING_BRACE,
  QUOTE,
  SPACE,
  TAB,
  UPPER_A,
  UPPER_Z,
  ZERO,
  isClosing,
  isDigit,
  isOpening,
} from './ascii.ts';
import { frameOf, insideQuotes } from './event-text.ts';
import { stringify } from './go-text.ts';
import { BEDROCK, MODELING, type Profile, billableTokens, timesChannels } from './map-payload.ts';
import { type JsonValue, TEXT_FIELDS } from './payload.ts';
import {
  MAX_DEPTH,
  NOT_PLAIN,
  compareBytes,
  endOfPlainText,
  endOfPlainValue,
  isShortestNumber,
  startsWith,
} from './plain-json.ts';
import { ABSENT, FIELD, KEY, PlainPayload } from './plain-payload.ts';
import { OWN_NAMES, textOfValue } from './properties.ts';
import { reprintRfc3339 } from './rfc3339.ts';
import type { TextBytes } from './text-bytes.ts';
import type { RowContext } from './transform.ts';

/** Columns before the payload. */
const OTHER_COLUMNS = 4;
/** Larger rows are left to others. */
const MAX_BYTES = 65_536;
/** No byte of a payload becomes more: a `<` in nested JSON, which is escaped and then quoted. */
const MAX_GROWTH = 8;
/** What a message has beside the payload's own texts. */
const FIXED_BYTES = 2_048;
/** From here on a call costs less than a loop. */
const MANY = 96;
/** Of a count that is taken as it stands. */
const MAX_COUNT_DIGITS = 6;

/** What the mapping writes itself; `field` where that is a field as it is. */
const OWN = OWN_NAMES.map((name) => ({
  name: Buffer.from(name),
  opening: Buffer.from(`"${name}":"`),
  field: TEXT_FIELDS.some((field) => field === name) ? FIELD[name as (typeof TEXT_FIELDS)[number]] : undefined,
}));

/** From an upper case letter to its lower case one. */
const TO_LOWER = 32;

const METHOD_BEDROCK = Buffer.from(BEDROCK);
const METHOD_MODELING = Buffer.from(MODELING);
const VALUE = Buffer.from('value');
const WRAPPED = Buffer.from('{"value":');

/** Writes the rows of one tenant and environment. */
export class PlainRows {
  private readonly frame: Readonly<Record<keyof ReturnType<typeof frameOf>, Buffer>>;
  private readonly profile: Profile;
  private readonly payload = new PlainPayload();

  /** Of nested objects the last key at each depth. */
  private readonly lastKeyStarts = new Int32Array(MAX_DEPTH + 1);
  private readonly lastKeyEnds = new Int32Array(MAX_DEPTH + 1);

  private out: Buffer = Buffer.of();
  private at = 0;
  /** Where the names of the event begin in `out`, one after the other, and where the last one ends. */
  private provider = 0;
  private method = 0;
  private model = 0;
  private namesEnd = 0;

  constructor(row: RowContext, profile: Profile) {
    const frame = frameOf(row);
    const parts = Object.entries(frame).map(([part, text]) => [part, Buffer.from(text)]);
    this.frame = Object.fromEntries(parts) as Record<keyof typeof frame, Buffer>;
    this.profile = profile;
  }

  /**
   * Writes the event of the line that begins at `start`. Gives the start of the next line, or `NOT_PLAIN` when nothing was
   * written.
   * @param bytes whole lines of valid UTF-8
   */
  write(bytes: Buffer, start: number, texts: TextBytes): number {
    const opening = afterColumns(bytes, start);
    const end = opening < 0 ? NOT_PLAIN : this.payload.read(bytes, opening);
    if (end < 0 || (end < bytes.length && bytes[end] !== NEWLINE) || end - start > MAX_BYTES) return NOT_PLAIN;
    const room = texts.room(this.frame.eventName.length + FIXED_BYTES + (end - opening) * MAX_GROWTH);
    this.out = room.bytes;
    this.at = room.at;
    if (!this.writeEvent()) return NOT_PLAIN;
    texts.take(this.at);
    return end + 1;
  }

  /** Of the event that was written last. */
  id(): string {
    return this.payload.text(this.payload.start(FIELD.id), this.payload.end(FIELD.id));
  }

  /** Of the event that was written last; the same text again where it is the one before. */
  customerId(before: string | undefined): string {
    const { bytes } = this.payload;
    const start = this.payload.start(FIELD.orgId);
    const end = this.payload.end(FIELD.orgId);
    if (before?.length === end - start) {
      let i = 0;
      while (i < before.length && before.charCodeAt(i) === bytes[start + i]) i++;
      if (i === before.length) return before;
    }
    return this.payload.text(start, end);
  }

  /** @returns false when the row is not plain after all, or no event */
  private writeEvent(): boolean {
    const { payload, frame } = this;
    if (payload.isEmpty(FIELD.orgId) || payload.isEmpty(FIELD.id) || payload.isEmpty(FIELD.createdAt)) return false;
    this.put(frame.id);
    this.putField(FIELD.id);
    this.put(frame.eventName);
    if (!this.writeNames()) return false;
    this.put(frame.properties);
    this.writeProperties();
    this.put(frame.source);
    this.putField(FIELD.targetItemId);
    this.put(frame.timestamp);
    const timestamp = reprintRfc3339(payload.text(payload.start(FIELD.createdAt), payload.end(FIELD.createdAt)));
    if (!timestamp?.isSerializable) return false;
    this.putLiteral(timestamp.text);
    this.put(frame.customerId);
    this.putField(FIELD.orgId);
    this.put(frame.end);
    return true;
  }

  private writeNames(): boolean {
    const { payload } = this;
    this.provider = this.at;
    const provider = payload.isEmpty(FIELD.providerName) ? FIELD.serviceName : FIELD.providerName;
    if (!this.putLower(payload.start(provider), payload.end(provider))) return false;
    this.method = this.at;
    if (!this.writeMethod()) return false;
    this.model = this.at;
    if (!this.writeModel()) return false;
    this.namesEnd = this.at;
    return true;
  }

  private writeMethod(): boolean {
    const { bytes } = this.payload;
    const start = this.payload.start(FIELD.methodName);
    const end = this.payload.end(FIELD.methodName);
    if (end - start === METHOD_BEDROCK.length && startsWith(bytes, start, METHOD_BEDROCK)) {
      this.put(METHOD_MODELING);
      return true;
    }
    this.out[this.at++] = HYPHEN;
    return this.putLower(start, end);
  }

  private writeModel(): boolean {
    const { bytes, valueStarts, valueEnds } = this.payload;
    const key = this.payload.keyOf(KEY.modelName);
    if (key === ABSENT) return this.profile !== 'seed';
    const start = valueStarts[key] as number;
    if (bytes[start] !== QUOTE) return false;
    this.out[this.at++] = HYPHEN;
    return this.putLower(start + 1, (valueEnds[key] as number) - 1);
  }

  private writeProperties(): void {
    const { payload } = this;
    let next = 0;
    for (let key = 0; key < payload.keys; key++) {
      let order = 1;
      for (; next < OWN.length; next++) {
        order = payload.compareKey(key, (OWN[next] as (typeof OWN)[number]).name);
        if (order <= 0) break;
        this.writeOwn(next);
      }
      if (order === 0 && this.writeOwn(next++)) continue;
      this.out[this.at++] = QUOTE;
      this.copy(payload.keyStarts[key] as number, payload.keyEnds[key] as number);
      this.putLiteral('":"');
      this.writeData(key);
      this.putLiteral('",');
    }
    for (; next < OWN.length; next++) this.writeOwn(next);
    // The last comma.
    this.at--;
  }

  /** @returns false when there is no such text; nothing is written then */
  private writeOwn(index: number): boolean {
    const { opening, field } = OWN[index] as (typeof OWN)[number];
    const before = this.at;
    this.put(opening);
    const isWritten = field === undefined ? this.writeMade(index) : this.putField(field);
    if (isWritten) this.putLiteral('",');
    else this.at = before;
    return isWritten;
  }

  private writeMade(index: number): boolean {
    const { payload } = this;
    switch (OWN_NAMES[index]) {
      case 'billablePromptTokens':
        return this.writeBillableTokens();
      case 'billable_unit':
        if (payload.keyOf(KEY.numCharacters) !== ABSENT) this.putLiteral('characters');
        else if (payload.keyOf(KEY.durationMS) !== ABSENT) this.putLiteral('milliseconds');
        return true;
      case 'billable_value':
        this.writeBillableValue();
        return true;
      case 'byok':
        return this.writeOptional(FIELD.byok);
      case 'referenceCost':
        return this.writeOptional(FIELD.referenceCost);
      case 'resolvedMethodName':
        return this.repeat(this.method, this.model);
      case 'resolvedModelName':
        return this.repeat(this.model, this.namesEnd);
      default:
        return this.repeat(this.provider, this.method);
    }
  }

  private writeBillableTokens(): boolean {
    const all = this.payload.keyOf(KEY.promptTokens);
    if (this.profile !== 'current' || all === ABSENT) return false;
    const cached = this.payload.keyOf(KEY.cachedPromptTokens);
    const count = this.countOf(all);
    const fromCache = cached === ABSENT ? 0 : this.countOf(cached);
    if (count >= 0 && fromCache >= 0) this.putLiteral(String(count - fromCache));
    else this.putLiteral(billableTokens(this.textOfKey(all), cached === ABSENT ? undefined : this.textOfKey(cached)));
    return true;
  }

  private writeBillableValue(): void {
    const characters = this.payload.keyOf(KEY.numCharacters);
    const value = characters === ABSENT ? this.payload.keyOf(KEY.durationMS) : characters;
    const channels = this.payload.keyOf(KEY.channels);
    if (value === ABSENT) return;
    if (channels === ABSENT) return this.writeData(value);
    const [amount, factor] = [this.countOf(value), this.countOf(channels)];
    if (amount > 0 && factor > 0) this.putLiteral(`${amount * factor}.000000`);
    else this.putInside(timesChannels(this.textOfKey(value), this.textOfKey(channels)));
  }

  private textOfKey(key: number): string {
    return textOfValue(this.parsed(this.payload.valueStarts[key] as number, this.payload.valueEnds[key] as number));
  }

  private parsed(start: number, end: number): JsonValue {
    return JSON.parse(this.payload.text(start, end)) as JsonValue;
  }

  /** The whole number that a key's value is, as text or not; -1 for others, and for long ones. */
  private countOf(key: number): number {
    const { bytes, valueStarts, valueEnds } = this.payload;
    const quotes = bytes[valueStarts[key] as number] === QUOTE ? 1 : 0;
    const start = (valueStarts[key] as number) + quotes;
    const end = (valueEnds[key] as number) - quotes;
    if (end <= start || end - start > MAX_COUNT_DIGITS) return -1;
    let count = 0;
    for (let i = start; i < end; i++) {
      const c = bytes[i] as number;
      if (!isDigit(c)) return -1;
      count = count * 10 + c - ZERO;
    }
    return count;
  }

  /** Of those that have no text when they are null. */
  private writeOptional(field: number): boolean {
    const { payload } = this;
    const start = payload.start(field);
    if (payload.isEmpty(field) || payload.bytes[start] === LOWER_N) return false;
    this.writeValue(start, payload.end(field), stringify);
    return true;
  }

  private writeData(key: number): void {
    const { bytes } = this.payload;
    const start = this.payload.valueStarts[key] as number;
    const end = this.payload.valueEnds[key] as number;
    // The value of an object that has nothing else is its text.
    if (bytes[start] === OPENING_BRACE && startsWith(bytes, start, WRAPPED)) {
      const value = start + WRAPPED.length;
      if (!isOpening(bytes[value]) && endOfPlainValue(bytes, value) === end - 1)
        return this.writeValue(value, end - 1, stringify);
    }
    this.writeValue(start, end, textOfValue);
  }

  /** @param text what makes a text of it where its own is another one */
  private writeValue(start: number, end: number, text: (value: JsonValue) => string): void {
    const { bytes } = this.payload;
    const first = bytes[start];
    if (first === QUOTE) this.copy(start + 1, end - 1);
    else if (first === LOWER_T || first === LOWER_F) this.copy(start, end);
    else if (isOpening(first)) {
      if (!this.copyNested(start, end)) this.putInside(text(this.parsed(start, end)));
    } else if (first === LOWER_N) return;
    else if (isShortestNumber(bytes, start, end)) this.copy(start, end);
    else this.putLiteral(text(Number(this.payload.text(start, end))));
  }

  /**
   * Nested JSON in the quotes of a text, where Go would write it as it stands: keys sorted, no blanks, nothing of HTML.
   * @returns false when it would not, or when it is an object of which only `value` counts; nothing is written then
   */
  private copyNested(start: number, end: number): boolean {
    const { bytes } = this.payload;
    const before = this.at;
    let depth = 0;
    for (let i = start; i < end;) {
      const c = bytes[i] as number;
      let after = i + 1;
      if (c === QUOTE) {
        after = this.copyText(i, depth);
      } else if (c === HYPHEN || isDigit(c)) {
        after = endOfPlainValue(bytes, i);
        if (isShortestNumber(bytes, i, after)) this.copy(i, after);
        else after = NOT_PLAIN;
      } else {
        if (isOpening(c)) this.lastKeyEnds[++depth] = 0;
        else if (isClosing(c)) depth--;
        else if (c === SPACE) after = NOT_PLAIN;
        this.out[this.at++] = c;
      }
      if (after === NOT_PLAIN) {
        this.at = before;
        return false;
      }
      i = after;
    }
    return true;
  }

  /** Of nested JSON a text, its quotes escaped. Gives the byte after it, or `NOT_PLAIN`. */
  private copyText(quote: number, depth: number): number {
    const { bytes } = this.payload;
    const close = endOfPlainText(bytes, quote + 1);
    if (bytes[close + 1] === COLON && !this.isNextKey(depth, quote + 1, close)) return NOT_PLAIN;
    const { out } = this;
    let { at } = this;
    out[at++] = BACKSLASH;
    out[at++] = QUOTE;
    for (let i = quote + 1; i < close; i++) {
      const c = bytes[i] as number;
      if (c === LESS || c === GREATER || c === AMPERSAND || c >= DELETE) return NOT_PLAIN;
      out[at++] = c;
    }
    out[at++] = BACKSLASH;
    out[at++] = QUOTE;
    this.at = at;
    return close + 1;
  }

  /** Whether a key comes after the one before it in its object, and is not the `value` of the outermost. */
  private isNextKey(depth: number, start: number, end: number): boolean {
    const { bytes } = this.payload;
    if (depth === 1 && compareBytes(bytes, start, end, VALUE, 0, VALUE.length) === 0) return false;
    const [beforeStart, beforeEnd] = [this.lastKeyStarts[depth] as number, this.lastKeyEnds[depth] as number];
    this.lastKeyStarts[depth] = start;
    this.lastKeyEnds[depth] = end;
    return beforeEnd === 0 || compareBytes(bytes, start, end, bytes, beforeStart, beforeEnd) > 0;
  }

  /** @returns false when there is nothing in it */
  private putField(field: number): boolean {
    this.copy(this.payload.start(field), this.payload.end(field));
    return !this.payload.isEmpty(field);
  }

  /** ASCII that begins and ends with ink, so that there is nothing to trim. @returns false when it is not, or empty */
  private putLower(start: number, end: number): boolean {
    const { out } = this;
    const { bytes } = this.payload;
    if (end <= start || bytes[start] === SPACE || bytes[end - 1] === SPACE) return false;
    let { at } = this;
    for (let i = start; i < end; i++) {
      const c = bytes[i] as number;
      if (c >= DELETE) return false;
      out[at++] = c >= UPPER_A && c <= UPPER_Z ? c + TO_LOWER : c;
    }
    this.at = at;
    return true;
  }

  /** Of what was written. */
  private repeat(start: number, end: number): true {
    this.copyFrom(this.out, start, end);
    return true;
  }

  private copy(start: number, end: number): void {
    this.copyFrom(this.payload.bytes, start, end);
  }

  private copyFrom(bytes: Uint8Array, start: number, end: number): void {
    const { out } = this;
    let { at } = this;
    if (end - start >= MANY) {
      out.set(bytes.subarray(start, end), at);
      at += end - start;
    } else for (let i = start; i < end; i++) out[at++] = bytes[i] as number;
    this.at = at;
  }

  private put(constant: Uint8Array): void {
    this.copyFrom(constant, 0, constant.length);
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

/** Where the payload of a line begins. */
function afterColumns(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let tabs = 0; tabs < OTHER_COLUMNS; at++) {
    const c = bytes[at];
    if (c === TAB) tabs++;
    else if (c === undefined || c === NEWLINE) return NOT_PLAIN;
  }
  return at;
}
