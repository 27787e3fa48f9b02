/**
 * Looks at JSON text that `JSON.parse` has accepted, for what its result no longer shows: repeated keys, numbers that
 * overflow a double, lone surrogates, nesting. Walks the text once, without regular expressions over the whole of it.
 */

import { BACKSLASH, COLON, COMMA, QUOTE, isClosing, isDigit, isOpening } from './ascii.ts';

/** Go's decoder refuses deeper nesting. */
const MAX_DEPTH = 10_000;

export type Scan =
  | { readonly kind: 'plain'; readonly topLevelKeys: number }
  /** Numbers that may not fit a double: look closer. */
  | { readonly kind: 'unusual' }
  | { readonly kind: 'too_deep' };

const UNUSUAL: Scan = { kind: 'unusual' };
const TOO_DEEP: Scan = { kind: 'too_deep' };

export function scanObject(text: string): Scan {
  let depth = 0;
  let topLevelKeys = 0;
  let unusual = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i);
    else if (c === COLON) topLevelKeys += depth === 1 ? 1 : 0;
    else if (isOpening(c)) {
      if (++depth > MAX_DEPTH) return TOO_DEEP;
    } else if (isClosing(c)) depth--;
    else if (isDigit(c)) {
      const start = i;
      while (isDigit(text.charCodeAt(i + 1))) i++;
      const next = text.charCodeAt(i + 1) | 0x20;
      if (next === 0x65 || i - start >= 300) unusual = true;
    }
  }
  return unusual ? UNUSUAL : { kind: 'plain', topLevelKeys };
}

/** The entries of the outermost object in document order, repeated keys included; values as their text. */
export function entriesOf(text: string): { readonly key: string; readonly value: string }[] {
  const entries: { key: string; value: string }[] = [];
  let depth = 0;
  let key = '';
  let keyStart = -1;
  let valueStart = -1;
  const close = (end: number) => {
    if (valueStart >= 0) entries.push({ key, value: text.slice(valueStart, end) });
    valueStart = -1;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const end = endOfString(text, i);
      if (depth === 1 && valueStart < 0) {
        keyStart = i;
        key = JSON.parse(text.slice(keyStart, end + 1)) as string;
      }
      i = end;
    } else if (c === COLON && depth === 1) valueStart = i + 1;
    else if (c === COMMA && depth === 1) close(i);
    else if (isOpening(c)) depth++;
    else if (isClosing(c) && --depth === 0) close(i);
  }
  return entries;
}

/** True when a number anywhere in the text is too large for a double. */
export function hasOverflow(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i);
    else if (isDigit(c)) {
      const start = i;
      while (isNumberPart(text.charCodeAt(i + 1))) i++;
      if (!Number.isFinite(Number(text.slice(start, i + 1)))) return true;
    }
  }
  return false;
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
const ESCAPE = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|u[dD][c-fC-F][0-9a-fA-F]{2}|[^])/g;

/** The text with every lone surrogate, raw or escaped, as U+FFFD, which is what Go makes of them. */
export function withoutLoneSurrogates(text: string): string {
  const raw = text.isWellFormed() ? text : text.toWellFormed();
  if (!raw.includes('\\u') || !SURROGATE_ESCAPE.test(raw)) return raw;
  return raw.replace(ESCAPE, (escape, low: string | undefined) =>
    low === undefined && /^\\u[dD][89a-fA-F]/.test(escape) ? '\\ufffd' : escape,
  );
}

/** @param quote index of the opening quote; gives that of the closing one */
function endOfString(text: string, quote: number): number {
  for (let end = text.indexOf('"', quote + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function isNumberPart(c: number): boolean {
  return isDigit(c) || c === 43 || c === 45 || c === 46 || c === 69 || c === 101;
}
