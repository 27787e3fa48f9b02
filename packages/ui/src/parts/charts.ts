/**
 * Which parts of a result people would rather look at than read: lists of named numbers, such as a distribution before,
 * after and in the source, or counts by reason. Found by their shape, so every job's result gets them.
 */

export interface Chart {
  readonly title: string;
  /** Names of the numbers, such as `before`, `after`, `source`. */
  readonly series: readonly string[];
  readonly rows: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

const MAX_ROWS = 40;
/** Differences are read from the bars; drawn beside them they would only shrink them. */
const LEFT_OUT = new Set(['difference']);

export function chartsOf(result: Readonly<Record<string, unknown>>): Chart[] {
  return Object.entries(result)
    .flatMap(([title, value]) => find(title, value, MAX_DEPTH))
    .slice(0, MAX_CHARTS);
}

const MAX_DEPTH = 3;
const MAX_CHARTS = 12;

function find(title: string, value: unknown, depth: number): Chart[] {
  const chart = Array.isArray(value) ? ofList(title, value) : ofObject(title, value);
  if (chart !== undefined) return [chart];
  if (depth === 0 || typeof value !== 'object' || value === null) return [];
  // An entry of a list is called like the list.
  return Object.entries(value).flatMap(([key, one]) => find(Array.isArray(value) ? title : key, one, depth - 1));
}

/** `[{ usecase: 'chat', before: 1, after: 2 }, …]`: one word and the same numbers in every entry. */
function ofList(title: string, list: readonly unknown[]): Chart | undefined {
  const entries = list.filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);
  const [first] = entries;
  if (first === undefined || entries.length !== list.length || entries.length > MAX_ROWS) return undefined;
  const words = Object.keys(first).filter((key) => typeof first[key] === 'string');
  const series = Object.keys(first).filter((key) => isNumber(first[key]) && !LEFT_OUT.has(key));
  const [word] = words;
  if (word === undefined || words.length !== 1 || series.length === 0) return undefined;
  return {
    title,
    series,
    rows: entries.map((one) => ({
      name: String(one[word]) || '(none)',
      values: series.map((key) => numberOf(one[key])),
    })),
  };
}

/** `{ missing_org_id: 12, missing_id: 3 }`: two numbers or more, and nothing else. */
function ofObject(title: string, value: unknown): Chart | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.entries(value);
  if (entries.length < 2 || entries.length > MAX_ROWS || !entries.every(([, one]) => isNumber(one))) return undefined;
  return { title, series: ['count'], rows: entries.map(([name, one]) => ({ name, values: [numberOf(one)] })) };
}

const isNumber = (value: unknown): boolean => value === null || typeof value === 'number';
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
