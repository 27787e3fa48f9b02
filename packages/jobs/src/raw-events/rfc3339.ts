/** RFC 3339 as Go's time package reads and prints it: what is accepted, what the text becomes, which instant it is. */

export interface Rfc3339 {
  /** As Go prints it with nanoseconds: offset kept, zeros of the fraction cut, `Z` for no offset. */
  readonly text: string;
  /** Milliseconds since 1970, not rounded: finer digits are a fraction. */
  readonly ms: number;
  /** Go parses offsets up to 24 hours but refuses to write them into JSON. */
  readonly isSerializable: boolean;
}

const SHAPE = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;
const MAX_OFFSET_HOURS = 24;
const MAX_OFFSET_MINUTES = 60;
const NANOSECOND_DIGITS = 9;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** As collectors write it: UTC, a day that every month has, no digits that are too fine. */
const USUAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;
const FRACTION = '2026-01-02T03:04:05'.length;

/** The text of `parseRfc3339` without its instant; the usual form is nearly its own text (a tenth of the mapping, measured). */
export function reprintRfc3339(input: string): Pick<Rfc3339, 'text' | 'isSerializable'> | undefined {
  if (!USUAL.test(input)) return parseRfc3339(input);
  const digits = input.slice(FRACTION, -1);
  const cut = cutZeros(digits);
  const text = cut === digits ? input : `${input.slice(0, FRACTION)}${cut === '.' ? '' : cut}Z`;
  return { text, isSerializable: true };
}

/** undefined when Go's `time.Parse(time.RFC3339, text)` gives an error. */
export function parseRfc3339(input: string): Rfc3339 | undefined {
  const match = SHAPE.exec(input);
  if (!match) return undefined;
  const [, yyyy = '', mm = '', dd = '', hh = '', mi = '', ss = '', digits = '', sign, oh = '0', om = '0'] = match;
  const [year, month, day, hour, minute, second] = [+yyyy, +mm, +dd, +hh, +mi, +ss];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (+oh > MAX_OFFSET_HOURS || +om > MAX_OFFSET_MINUTES) return undefined;

  const offset = (sign === '-' ? -1 : 1) * (+oh * 60 + +om);
  const fraction = cutZeros(digits.slice(0, NANOSECOND_DIGITS));
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  return {
    text: `${yyyy}-${mm}-${dd}T${hh.padStart(2, '0')}:${mi}:${ss}${fraction === '' ? '' : `.${fraction}`}${zone(offset)}`,
    ms: local.getTime() - offset * 60_000 + (fraction === '' ? 0 : Number(`0.${fraction}`) * 1000),
    isSerializable: Math.abs(offset) < 24 * 60,
  };
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}

function cutZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  return digits.slice(0, end);
}

function zone(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
}
