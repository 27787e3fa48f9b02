/**
 * Text as Go makes it, because the original service was written in Go and its events must come out the same: numbers,
 * nested JSON, trimming and lower case. Pure.
 */

import type { JsonRecord, JsonValue } from './payload.ts';

/** A value as the text of a property: null is empty, strings stay, objects and arrays are Go's JSON. */
export function stringify(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return isAsGoHasIt(value, 0) ? withoutHtml(JSON.stringify(value)) : goJson(value);
}

/** Nearly all that is nested is shallow and sorted already; the rest takes a way of its own, of twice the time. */
const SHALLOW = 10;

/** Whether JavaScript's text differs from Go's at most in the characters of HTML. */
function isAsGoHasIt(value: JsonValue, depth: number): boolean {
  if (typeof value === 'number') return !Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return true;
  if (depth > SHALLOW) return false;
  if (Array.isArray(value)) return value.every((one) => isAsGoHasIt(one, depth + 1));
  let last = '';
  for (const key in value) {
    if (key < last || BEYOND.test(key) || !isAsGoHasIt(value[key] as JsonValue, depth + 1)) return false;
    last = key;
  }
  return true;
}

/** Where the order of UTF-16 is not that of the bytes of UTF-8. */
const BEYOND = /[\ud800-\uffff]/;

/** strconv's `g` with the shortest digits: scientific below 1e-4 and from 1e6 on. */
function formatNumber(value: number): string {
  if (Number.isInteger(value) && value > -1e6 && value < 1e6 && !Object.is(value, -0)) return String(value);
  if (value === 0) return '-0';
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e6) return String(value);
  const [mantissa = '', exponentText = ''] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
}

/** What is still to be written: a value, or text that is ready. */
type Piece = { readonly value: JsonValue } | { readonly text: string };

/** Keys sorted bytewise, no spaces, HTML characters escaped. With a stack of its own: payloads may nest 10,000 deep. */
function goJson(root: JsonValue): string {
  let out = '';
  const stack: Piece[] = [{ value: root }];
  for (let piece = stack.pop(); piece !== undefined; piece = stack.pop()) {
    if ('text' in piece) out += piece.text;
    else if (typeof piece.value !== 'object' || piece.value === null) out += scalar(piece.value);
    else if (Array.isArray(piece.value)) pushArray(stack, piece.value);
    else pushRecord(stack, piece.value);
  }
  return out;
}

function pushArray(stack: Piece[], values: readonly JsonValue[]): void {
  stack.push({ text: ']' });
  for (let i = values.length - 1; i >= 0; i--) {
    stack.push({ value: values[i] as JsonValue });
    if (i > 0) stack.push({ text: ',' });
  }
  stack.push({ text: '[' });
}

function pushRecord(stack: Piece[], record: JsonRecord): void {
  const keys = sortBytewise(Object.keys(record));
  stack.push({ text: '}' });
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i] as string;
    stack.push({ value: record[key] as JsonValue }, { text: `${i > 0 ? ',' : ''}${quote(key)}:` });
  }
  stack.push({ text: '{' });
}

function scalar(value: null | boolean | number | string): string {
  if (typeof value === 'string') return quote(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

const ESCAPED: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function quote(text: string): string {
  return withoutHtml(JSON.stringify(text));
}

function withoutHtml(json: string): string {
  return HTML.test(json) ? json.replace(EACH_HTML, (c) => ESCAPED[c] as string) : json;
}

const HTML = /[<>&\u2028\u2029]/;
const EACH_HTML = /[<>&\u2028\u2029]/g;

/** In the order of their UTF-8 bytes, which is not that of UTF-16 when there are surrogates. */
function sortBytewise(keys: string[]): string[] {
  const beyond = keys.some((key) => BEYOND.test(key));
  return beyond ? keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))) : keys.sort();
}

/** Unicode White_Space: with U+0085, without U+FEFF; JavaScript's `trim` has it the other way round. */
const EDGES =
  /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

export function trim(text: string): string {
  return isInk(text.charCodeAt(0)) && isInk(text.charCodeAt(text.length - 1)) ? text : text.replace(EDGES, '');
}

function isInk(c: number): boolean {
  return c > 0x20 && c < 0x7f;
}

/** Rune by rune, without the context rules of JavaScript: `İ` is `i`, a final `Σ` is `σ`. */
export function lower(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  let out = '';
  for (const rune of text) out += rune === 'İ' ? 'i' : rune.toLowerCase();
  return out;
}
