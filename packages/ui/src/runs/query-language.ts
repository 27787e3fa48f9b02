/** What may come next while someone types a query of runs. Pure; the server reads the query. */

export interface Known {
  readonly jobs: readonly string[];
  readonly assets: readonly string[];
  readonly sensors: readonly string[];
  readonly schedules: readonly string[];
}

export interface Suggestion {
  /** What stands in the query then. */
  readonly text: string;
  readonly hint: string;
}

const FIELDS: readonly (readonly [string, string])[] = [
  ['status:', 'queued, running, success, failed, canceled'],
  ['job:', 'of this job'],
  ['asset:', 'of the jobs that make it'],
  ['partition:', 'of exactly this key; quote odd ones: partition:"a,b"'],
  ['cause:', 'sensor, schedule, api, cli, backfill, retry'],
  ['after:', 'created after: -24h, -7d, 2026-01-31'],
  ['before:', 'created before'],
  ['duration:', 'how long they took: >5m, <10s'],
  ['error:', 'code or a part of the message'],
  ['tag:', 'name=value'],
];
const STATUSES = ['queued', 'starting', 'running', 'success', 'failed', 'canceling', 'canceled'];
const TIMES: readonly (readonly [string, string])[] = [
  ['-1h', 'the last hour'],
  ['-24h', 'the last day'],
  ['-7d', 'the last week'],
  ['-30d', 'the last month'],
];
const DURATIONS: readonly (readonly [string, string])[] = [
  ['>10s', 'longer than ten seconds'],
  ['>5m', 'longer than five minutes'],
  ['>1h', 'longer than an hour'],
  ['<1s', 'shorter than a second'],
];
const SHOWN = 8;

/** The word at the caret: from the blank before it, quotes kept together. */
export function wordAt(text: string, caret: number): { readonly from: number; readonly word: string } {
  let [from, quoted] = [0, false];
  for (let i = 0; i < caret; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === ' ' && !quoted) from = i + 1;
  }
  return { from, word: text.slice(from, caret) };
}

export function suggest(word: string, known: Known): readonly Suggestion[] {
  const colon = word.indexOf(':');
  if (colon < 0) {
    return FIELDS.filter(([name]) => name.startsWith(word.toLowerCase())).map(([text, hint]) => ({ text, hint }));
  }
  const [field, typed] = [word.slice(0, colon + 1), word.slice(colon + 1).toLowerCase()];
  return valuesOf(field, known)
    .filter(([value]) => value.toLowerCase().includes(typed) && value.toLowerCase() !== typed)
    .slice(0, SHOWN)
    .map(([value, hint]) => ({ text: `${field}${quoted(value)}`, hint }));
}

function valuesOf(field: string, { jobs, assets, sensors, schedules }: Known): readonly (readonly [string, string])[] {
  switch (field) {
    case 'status:':
      return STATUSES.map((one) => [one, ''] as const);
    case 'job:':
      return jobs.map((one) => [one, ''] as const);
    case 'asset:':
      return assets.map((one) => [one, ''] as const);
    case 'duration:':
      return DURATIONS;
    case 'after:':
    case 'before:':
      return TIMES;
    case 'cause:':
      return [
        ['sensor', 'any sensor'],
        ['schedule', 'any schedule'],
        ['backfill', 'any backfill'],
        ['api', 'people, by the dashboard or the API'],
        ['cli', 'people, by the command line'],
        ['retry', 'launched again'],
        ...sensors.map((name) => [`sensor:${name}`, 'this sensor'] as const),
        ...schedules.map((name) => [`schedule:${name}`, 'this schedule'] as const),
      ];
    default:
      return [];
  }
}

/** A value as a query takes it. */
export const quoted = (value: string) => (/[\s"]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : value);

/** The text with the word at the caret replaced, and where the caret stands then. */
export function complete(text: string, caret: number, by: string): { readonly text: string; readonly caret: number } {
  const { from } = wordAt(text, caret);
  const isWhole = !by.endsWith(':');
  const rest = text.slice(caret).replace(/^\S*/, '');
  const put = isWhole && rest === '' ? `${by} ` : by;
  return { text: `${text.slice(0, from)}${put}${rest}`, caret: from + put.length };
}
