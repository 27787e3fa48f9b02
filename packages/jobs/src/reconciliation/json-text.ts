/**
 * JSON as text: numbers of persons' properties never pass through a double, so values stay the raw text they came as.
 * Owns splitting an object into its members, joining them again, equality of JSON values (key order ignored,
 * 1 = 1.0 = 10e-1, 0 = -0, true ≠ 1, "5" ≠ 5), and cleaning text that PostgreSQL cannot hold.
 */

import { LosslessNumber, parse } from 'lossless-json';

/** Key → raw JSON text of its value. */
export type Members = ReadonlyMap<string, string>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The members of a JSON object, in order; of a key that stands twice the first counts, as in ClickHouse.
 * Anything but a well-formed object has no members.
 */
export function splitMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = skipBlank(text, 0);
  if (text[at] !== '{') return new Map();
  at = skipBlank(text, at + 1);
  if (text[at] === '}') return members;
  for (;;) {
    if (text.charCodeAt(at) !== QUOTE) return new Map();
    const keyEnd = endOfString(text, at);
    if (keyEnd < 0) return new Map();
    const colon = skipBlank(text, keyEnd);
    if (text[colon] !== ':') return new Map();
    const from = skipBlank(text, colon + 1);
    const to = endOfValue(text, from);
    if (to <= from) return new Map();
    const key = decodeKey(text, at, keyEnd);
    if (key === undefined) return new Map();
    if (!members.has(key)) members.set(key, text.slice(from, to));
    at = skipBlank(text, to);
    if (text[at] === '}') return members;
    if (text[at] !== ',') return new Map();
    at = skipBlank(text, at + 1);
  }
}

export function joinMembers(members: Members): string {
  const parts: string[] = [];
  for (const [key, raw] of members) parts.push(`${JSON.stringify(key)}:${raw}`);
  return `{${parts.join(',')}}`;
}

/** Whether two raw values mean the same. */
export function equalJson(a: string, b: string): boolean {
  // Most values are texts without escapes, which mean what they are.
  return a === b || (!(isPlainText(a) && isPlainText(b)) && canonicalJson(a) === canonicalJson(b));
}

function isPlainText(raw: string): boolean {
  return raw.charCodeAt(0) === QUOTE && raw.charCodeAt(raw.length - 1) === QUOTE && !raw.includes('\\');
}

/** One text for all texts of the same value; text that is not JSON stands for itself. */
export function canonicalJson(raw: string): string {
  try {
    return canonical(parse(raw, undefined, { onDuplicateKey: ({ newValue }) => newValue }));
  } catch {
    return `not json: ${raw}`;
  }
}

function canonical(value: unknown): string {
  if (value instanceof LosslessNumber) return canonicalNumber(value.value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Exact: sign, significant digits without zeros at either end, power of ten. */
function canonicalNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  const significant = digits.replace(/0+$/, '');
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

/** A raw value as PostgreSQL can store it: U+0000 and halves of surrogate pairs become U+FFFD. */
export function storableJson(raw: string): string {
  const whole = raw.includes('\\u0000')
    ? raw.replace(/\\(?:u0000|[^])/g, (escape) => (escape === '\\u0000' ? '\\ufffd' : escape))
    : raw;
  return storableText(whole);
}

export function storableText(text: string): string {
  return (text.includes('\u0000') ? text.replaceAll('\u0000', '\ufffd') : text).toWellFormed();
}

function decodeKey(text: string, from: number, to: number): string | undefined {
  const inner = text.slice(from + 1, to - 1);
  if (!inner.includes('\\')) return inner;
  try {
    return JSON.parse(text.slice(from, to)) as string;
  } catch {
    return undefined;
  }
}

function skipBlank(text: string, from: number): number {
  let at = from;
  for (
    let code = text.charCodeAt(at);
    code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
    code = text.charCodeAt(at)
  )
    at++;
  return at;
}

/** The position after the closing quote; -1 when there is none. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return -1;
}

/** The position after the value; `from` when there is none. */
function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first !== '{' && first !== '[') {
    let at = from;
    while (at < text.length && !',}] \n\r\t'.includes(text.charAt(at))) at++;
    return at;
  }
  let depth = 0;
  for (let at = from; at < text.length;) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      if (at < 0) return -1;
      continue;
    }
    if (char === '{' || char === '[') depth++;
    if (char === '}' || char === ']') depth--;
    at++;
    if (depth === 0) return at;
  }
  return -1;
}
