/** What would put a mistake right: offered beside it, one step each, and undone like any other edit. Pure. */

import { type Json, type Path, isObject, valueAt, withValue } from './json.ts';
import { type Mistake, type Schema, schemaOf, unwrap } from './json-schema.ts';

export interface Fix {
  readonly label: string;
  readonly apply: (document: Json) => Json;
}

const MOST = 3;

/** The likeliest first; none where only a person can know. */
export function fixesOf(schema: Schema, document: Json, { path }: Mistake): readonly Fix[] {
  const value = valueAt(document, path);
  const own = schemaOf(schema, path);
  if (value === undefined) return own ? [missing(own, path)] : [];
  if (own === undefined) return unknown(schema, document, path);
  const { schema: wanted, nullable } = unwrap(own);
  const set = (next: Json, label = `Set ${short(next)}`): Fix => ({
    label,
    apply: (before) => withValue(before, path, next),
  });
  const fixes: Fix[] = [];
  const near = typeof value === 'string' ? nearest(value, (wanted.enum ?? []).map(String)) : undefined;
  if (near !== undefined) fixes.push(set(near, `Did you mean ${short(near)}?`));
  const converted = convert(value, wanted);
  if (converted !== undefined) fixes.push(set(converted));
  if (typeof value === 'number' && wanted.minimum !== undefined && value < wanted.minimum)
    fixes.push(set(wanted.minimum));
  if (typeof value === 'number' && wanted.maximum !== undefined && value > wanted.maximum)
    fixes.push(set(wanted.maximum));
  if (own.default !== undefined) fixes.push(set(own.default, `Set the default, ${short(own.default)}`));
  else if (nullable) fixes.push(set(null));
  return fixes.slice(0, MOST);
}

/** As it would be written anew: its default, or the emptiest value that its type has. */
function scaffold(schema: Schema): Json {
  if (schema.default !== undefined) return schema.default;
  const { schema: own, nullable } = unwrap(schema);
  if (nullable) return null;
  if (own.const !== undefined) return own.const;
  if (own.enum?.[0] !== undefined) return own.enum[0];
  switch ([own.type].flat()[0]) {
    case 'object':
      return Object.fromEntries(
        (own.required ?? []).map((name) => [name, scaffold(own.properties?.[name] ?? {})] as const),
      );
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return own.minimum ?? 0;
    case 'string':
      return '';
    default:
      return null;
  }
}

function missing(own: Schema, path: Path): Fix {
  const value = scaffold(own);
  return { label: `Add it with ${short(value)}`, apply: (before) => withValue(before, path, value) };
}

function unknown(schema: Schema, document: Json, path: Path): readonly Fix[] {
  const parent = path.slice(0, -1);
  const around = schemaOf(schema, parent);
  const holder = valueAt(document, parent);
  const present = isObject(holder) ? holder : {};
  const free = Object.keys(unwrap(around ?? {}).schema.properties ?? {}).filter(
    (name) => !Object.hasOwn(present, name),
  );
  const near = nearest(String(path.at(-1)), free);
  const remove: Fix = { label: 'Remove it', apply: (before) => withValue(before, path, undefined) };
  if (near === undefined) return [remove];
  return [
    {
      label: `Did you mean ${near}?`,
      apply: (before) =>
        withValue(withValue(before, path, undefined), [...parent, near], valueAt(before, path) ?? null),
    },
    remove,
  ];
}

/** A value that was written as text, or text that was written as a value. */
function convert(value: Json, { type }: Schema): Json | undefined {
  const types = [type].flat();
  if (typeof value === 'string') {
    const text = value.trim();
    const isNumber = text !== '' && Number.isFinite(Number(text));
    if (types.includes('integer') && isNumber && Number.isSafeInteger(Number(text))) return Number(text);
    if (types.includes('number') && isNumber) return Number(text);
    if (types.includes('boolean') && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  }
  if (typeof value === 'number' && types.includes('integer') && !Number.isInteger(value)) return Math.round(value);
  if ((typeof value === 'number' || typeof value === 'boolean') && types.includes('string')) return String(value);
  if (value !== null && !Array.isArray(value) && types.includes('array')) return [value];
  return undefined;
}

/** The name that is meant: at most a third of its letters differ. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const [best] = names
    .map((name) => ({ name, distance: distanceOf(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** Edits from one word to another: letters put in, left out, replaced. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const MAX_SHOWN = 40;

function short(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
