/** Characters as bytes. */

export const TAB = 9;
export const NEWLINE = 10;
export const SPACE = 32;
export const QUOTE = 34;
export const AMPERSAND = 38;
export const COMMA = 44;
export const HYPHEN = 45;
export const DOT = 46;
export const ZERO = 48;
const NINE = 57;
export const COLON = 58;
export const LESS = 60;
export const GREATER = 62;
export const UPPER_A = 65;
export const UPPER_Z = 90;
export const OPENING_BRACKET = 91;
export const BACKSLASH = 92;
export const CLOSING_BRACKET = 93;
/** That `false`, `null` and `true` begin with. */
export const LOWER_F = 102;
export const LOWER_N = 110;
export const LOWER_T = 116;
export const OPENING_BRACE = 123;
export const CLOSING_BRACE = 125;
export const DELETE = 127;

export function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= ZERO && c <= NINE;
}

/** Where JSON nests. */
export function isOpening(c: number | undefined): boolean {
  return c === OPENING_BRACE || c === OPENING_BRACKET;
}

export function isClosing(c: number | undefined): boolean {
  return c === CLOSING_BRACE || c === CLOSING_BRACKET;
}
