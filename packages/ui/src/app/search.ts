/**
 * Search parameters as the state of a page: plain text in the URL, checked when read. What a page does not know is
 * dropped, what is wrong falls back to the default, so that an old or edited link always opens.
 */

export type Raw = Readonly<Record<string, unknown>>;

/** Plain `a=b` pairs: links that people can read and edit. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const set = Object.entries(search).filter(([, value]) => value !== undefined && value !== '' && value !== false);
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

export function textOf(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(raw: Raw, name: string): number | undefined {
  const value = Number(raw[name] ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

export function choiceOf<const T extends string>(raw: Raw, name: string, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === raw[name]);
}

/** Without the fields that are undefined: what exact optional properties want. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
