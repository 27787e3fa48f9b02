/**
 * JSON as bytes, where it is plain: no escapes, no exponents, hardly nested. What is not plain may be JSON all the same;
 * `JSON.parse` decides. Pure, and it makes no texts: where a value begins and ends is all that is asked.
 */

import {
  BACKSLASH,
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COLON,
  COMMA,
  DOT,
  HYPHEN,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
  SPACE,
  ZERO,
  isDigit,
} from './ascii.ts';

/** Beyond it is looked at by those who know where nesting ends to be JSON. */
export const MAX_DEPTH = 10;
/** Fits a double, whatever the digits are. */
const MAX_DIGITS = 300;

export const NOT_PLAIN = -1;

/** @param at the byte after the opening quote; gives the closing quote, or `NOT_PLAIN` */
export function endOfPlainText(bytes: Uint8Array, at: number): number {
  for (let i = at; i < bytes.length; i++) {
    const c = bytes[i] as number;
    if (c === QUOTE) return i;
    if (c < SPACE || c === BACKSLASH) return NOT_PLAIN;
  }
  return NOT_PLAIN;
}

/** Where the next byte is that is no blank. */
export function afterBlanks(bytes: Uint8Array, at: number): number {
  let i = at;
  while (bytes[i] === SPACE) i++;
  return i;
}

/** Gives the byte after the value that begins at `at`, or `NOT_PLAIN`. */
export function endOfPlainValue(bytes: Uint8Array, at: number, depth = 0): number {
  switch (bytes[at]) {
    case QUOTE: {
      const end = endOfPlainText(bytes, at + 1);
      return end < 0 ? NOT_PLAIN : end + 1;
    }
    case OPENING_BRACE:
    case OPENING_BRACKET:
      return depth < MAX_DEPTH ? endOfPlainList(bytes, at, depth + 1) : NOT_PLAIN;
    case LOWER_T:
      return endOfWord(bytes, at, TRUE);
    case LOWER_F:
      return endOfWord(bytes, at, FALSE);
    case LOWER_N:
      return endOfWord(bytes, at, NULL);
    default:
      return endOfPlainNumber(bytes, at);
  }
}

/** Of an object or an array. */
function endOfPlainList(bytes: Uint8Array, opening: number, depth: number): number {
  const isObject = bytes[opening] === OPENING_BRACE;
  const closing = isObject ? CLOSING_BRACE : CLOSING_BRACKET;
  let at = afterBlanks(bytes, opening + 1);
  if (bytes[at] === closing) return at + 1;
  for (;;) {
    if (isObject) {
      at = afterPlainKey(bytes, at);
      if (at < 0) return NOT_PLAIN;
    }
    at = endOfPlainValue(bytes, at, depth);
    if (at < 0) return NOT_PLAIN;
    at = afterBlanks(bytes, at);
    if (bytes[at] === closing) return at + 1;
    if (bytes[at] !== COMMA) return NOT_PLAIN;
    at = afterBlanks(bytes, at + 1);
  }
}

function afterPlainKey(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return NOT_PLAIN;
  const quote = endOfPlainText(bytes, at + 1);
  return quote < 0 ? NOT_PLAIN : afterColon(bytes, quote + 1);
}

/** Where the value begins that follows a key, or `NOT_PLAIN`. */
export function afterColon(bytes: Uint8Array, at: number): number {
  const colon = afterBlanks(bytes, at);
  return bytes[colon] === COLON ? afterBlanks(bytes, colon + 1) : NOT_PLAIN;
}

function endOfPlainNumber(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === HYPHEN ? at + 1 : at;
  let i = afterDigits(bytes, first);
  if (i === first || (bytes[first] === ZERO && i > first + 1)) return NOT_PLAIN;
  if (bytes[i] === DOT) {
    const fraction = i + 1;
    i = afterDigits(bytes, fraction);
    if (i === fraction) return NOT_PLAIN;
  }
  // An exponent, in either case.
  if (((bytes[i] as number) | 32) === 101 || i - at > MAX_DIGITS) return NOT_PLAIN;
  return i;
}

function afterDigits(bytes: Uint8Array, at: number): number {
  let i = at;
  while (isDigit(bytes[i])) i++;
  return i;
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

function endOfWord(bytes: Uint8Array, at: number, word: Uint8Array): number {
  return startsWith(bytes, at, word) ? at + word.length : NOT_PLAIN;
}

export function startsWith(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

const MAX_EXACT_DIGITS = 15;
/** From here on Go writes exponents. */
const MAX_WHOLE_DIGITS = 6;
const MAX_LEADING_ZEROS = 3;

/**
 * Whether a plain number is written as Go writes it: the shortest digits, no exponent. A decimal of at most 15 digits
 * that does not end in a zero is the shortest one of its double.
 */
export function isShortestNumber(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] === HYPHEN ? start + 1 : start;
  const dot = afterDigits(bytes, first);
  if (dot - first > MAX_WHOLE_DIGITS) return false;
  if (dot === end) return bytes[first] !== ZERO || first === start;
  if (end - first > MAX_EXACT_DIGITS + 1 || bytes[end - 1] === ZERO) return false;
  if (bytes[first] !== ZERO) return true;
  let zeros = 0;
  while (bytes[dot + 1 + zeros] === ZERO) zeros++;
  return zeros <= MAX_LEADING_ZEROS;
}

/** Negative when the first comes before the second, byte by byte. */
export function compareBytes(
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
