/** JSON values, as documents that people edit. Pure. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
export type Path = readonly (string | number)[];

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Parsed = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly message: string };

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) as Json };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

export const formatJson = (value: unknown): string => JSON.stringify(value ?? null, null, 2);

export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => same(one, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/** A copy with the value at the path; `undefined` removes it. What lies beside the path stays as it is. */
export function withValue(document: Json, path: Path, value: Json | undefined): Json {
  const [head, ...rest] = path;
  if (head === undefined) return value ?? null;
  if (typeof head === 'number') {
    const list: Json[] = Array.isArray(document) ? [...(document as readonly Json[])] : [];
    if (rest.length === 0 && value === undefined) list.splice(head, 1);
    else list[head] = withValue(list[head] ?? null, rest, value);
    return list;
  }
  const object: Record<string, Json> = isObject(document) ? { ...document } : {};
  if (rest.length === 0 && value === undefined) delete object[head];
  else setOwn(object, head, withValue(object[head] ?? null, rest, value));
  return object;
}

/** A key named `__proto__` is a key like any other. */
function setOwn(object: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

export function valueAt(document: Json | undefined, path: Path): Json | undefined {
  let at: Json | undefined = document;
  for (const step of path) {
    if (Array.isArray(at)) at = (at as readonly Json[])[Number(step)];
    else if (isObject(at)) at = Object.hasOwn(at, step) ? at[String(step)] : undefined;
    else return undefined;
  }
  return at;
}

export const formatPath = (path: Path): string => (path.length === 0 ? '(the whole)' : path.join('.'));
