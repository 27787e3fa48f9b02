/** Go's strconv: which texts are numbers, and how a product is printed. Pure. */

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

export interface ParsedInt {
  /** 0 when malformed; the nearer limit when out of range. */
  readonly value: bigint;
  readonly ok: boolean;
}

/** `ParseInt(text, 10, 64)`: a sign, ASCII digits, nothing else. */
export function parseInt64(text: string): ParsedInt {
  if (!/^[+-]?[0-9]+$/.test(text)) return { value: 0n, ok: false };
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (value > INT64_MAX) return { value: INT64_MAX, ok: false };
  if (value < INT64_MIN) return { value: INT64_MIN, ok: false };
  return { value, ok: true };
}

const DECIMAL = /^[+-]?(?=[\d_.]*\d)[\d_]*\.?[\d_]*(?:[eE][+-]?\d[\d_]*)?$/;
const HEX = /^([+-]?)0[xX](?=[\da-fA-F_.]*[\da-fA-F])([\da-fA-F_]*)\.?([\da-fA-F_]*)[pP]([+-]?\d[\d_]*)$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** `ParseFloat(text, 64)`; undefined when it gives an error, overflow included. `nan` is NaN. */
export function parseFloat64(text: string): number | undefined {
  if (/^[+-]?\d+(?:\.\d+)?$/.test(text)) return finite(Number(text));
  if (INFINITE.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  if (!underscoresSeparateDigits(text)) return undefined;
  const hex = HEX.exec(text);
  if (hex) return finite(hexValue(hex));
  if (!DECIMAL.test(text)) return undefined;
  return finite(Number(text.replaceAll('_', '')));
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** A digit on both sides of each; the prefix `0x` counts as a digit. */
function underscoresSeparateDigits(text: string): boolean {
  if (!text.includes('_')) return true;
  const hex = /^[+-]?0[xX]/.test(text);
  const body = text.replace(/^[+-]?(?:0[xX])?/, hex ? '0' : '');
  return !(hex ? /(?<![\da-fA-F])_|_(?![\da-fA-F])/ : /(?<!\d)_|_(?!\d)/).test(body);
}

function hexValue([, sign, whole = '', fraction = '', exponent = '']: RegExpExecArray): number {
  const digits = (whole + fraction).replaceAll('_', '');
  const places = fraction.replaceAll('_', '').length;
  const power = Number(exponent.replaceAll('_', '')) - 4 * places;
  // In two steps, so that neither factor overflows before the product does.
  const half = Math.trunc(power / 2);
  const value = Number(BigInt(`0x${digits}`)) * 2 ** half * 2 ** (power - half);
  return sign === '-' ? -value : value;
}

/** `%f`: six decimals of the exact binary value, ties to even. */
export function formatFixed6(value: number): string {
  if (value === Infinity) return '+Inf';
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.000000`;
  const rounded = value.toFixed(6);
  // Only odd multiples of 1/128 lie half way between two texts; there JavaScript rounds up.
  const scaled = value * 128;
  if (!Number.isInteger(scaled) || scaled % 2 === 0) return rounded;
  const cut = value.toFixed(7);
  if (!cut.endsWith('5')) return rounded;
  const truncated = cut.slice(0, -1);
  return Number(truncated.at(-1)) % 2 === 0 ? truncated : rounded;
}
