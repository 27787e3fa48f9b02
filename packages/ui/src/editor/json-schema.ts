/**
 * The subset of JSON schema that zod emits, as far as the browser uses it: what a value at a path may be, and what is
 * wrong with a document. The server validates again; this only says it sooner. Unknown keywords are left alone.
 */

import { type Json, type Path, isObject, same } from './json.ts';

export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly default?: Json;
  readonly description?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Marks how far a sensor has come; see sensors/watermark.ts. */
  readonly watermark?: boolean;
}

export interface Mistake {
  readonly path: Path;
  readonly message: string;
}

const MAX_MISTAKES = 50;

export function validate(schema: Schema, value: Json): Mistake[] {
  const mistakes: Mistake[] = [];
  check(schema, value, [], mistakes);
  return mistakes.slice(0, MAX_MISTAKES);
}

function check(schema: Schema, value: Json, path: Path, mistakes: Mistake[]): void {
  if (mistakes.length >= MAX_MISTAKES) return;
  const say = (message: string) => mistakes.push({ path, message });
  if (schema.const !== undefined && !same(schema.const, value))
    return void say(`must be ${JSON.stringify(schema.const)}`);
  if (schema.enum && !schema.enum.some((one) => same(one, value)))
    return void say(`must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return checkChoices(choices, value, path, mistakes);
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOfType(type, value)))
    return void say(`must be ${types.map(withArticle).join(' or ')}`);
  if (typeof value === 'number') checkNumber(schema, value, say);
  if (typeof value === 'string') checkString(schema, value, say);
  if (Array.isArray(value)) checkArray(schema, value as readonly Json[], path, mistakes, say);
  if (isObject(value)) checkObject(schema, value, path, mistakes);
}

/** The mistakes of the choice that comes nearest. */
function checkChoices(choices: readonly Schema[], value: Json, path: Path, mistakes: Mistake[]): void {
  const all = choices.map((choice) => {
    const own: Mistake[] = [];
    check(choice, value, path, own);
    return own;
  });
  if (all.some((own) => own.length === 0)) return;
  const deeper = all.filter((own) => own.some((one) => one.path.length > path.length));
  if (deeper[0]) mistakes.push(...deeper[0]);
  else
    mistakes.push({ path, message: [...new Set(all.flatMap((own) => own.map((one) => one.message)))].join(', or ') });
}

function checkNumber(schema: Schema, value: number, say: (message: string) => void): void {
  if (schema.minimum !== undefined && value < schema.minimum) say(`must be at least ${schema.minimum}`);
  if (schema.maximum !== undefined && value > schema.maximum) say(`must be at most ${schema.maximum}`);
  if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum)
    say(`must be more than ${schema.exclusiveMinimum}`);
  if (schema.exclusiveMaximum !== undefined && value >= schema.exclusiveMaximum)
    say(`must be less than ${schema.exclusiveMaximum}`);
}

function checkString(schema: Schema, value: string, say: (message: string) => void): void {
  if (schema.minLength !== undefined && value.length < schema.minLength)
    say(`must have at least ${schema.minLength} characters`);
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    say(`must have at most ${schema.maxLength} characters`);
  if (schema.pattern !== undefined && !matches(schema.pattern, value))
    say(FORMATS[schema.format ?? ''] ?? `must match ${schema.pattern}`);
}

const FORMATS: Readonly<Record<string, string>> = {
  date: 'must be a day, such as 2026-11-24',
  'date-time': 'must be a time, such as 2026-11-24T12:00:00Z',
};

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true; // the server's own expression; it judges itself
  }
}

function checkArray(
  schema: Schema,
  value: readonly Json[],
  path: Path,
  mistakes: Mistake[],
  say: (message: string) => void,
): void {
  if (schema.minItems !== undefined && value.length < schema.minItems)
    say(`must have at least ${schema.minItems} items`);
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    say(`must have at most ${schema.maxItems} items`);
  const { items } = schema;
  if (items) value.forEach((item, i) => check(items, item, [...path, i], mistakes));
}

function checkObject(schema: Schema, value: { readonly [key: string]: Json }, path: Path, mistakes: Mistake[]): void {
  for (const name of schema.required ?? []) {
    const hasDefault = schema.properties?.[name]?.default !== undefined;
    if (!Object.hasOwn(value, name) && !hasDefault) mistakes.push({ path: [...path, name], message: 'is missing' });
  }
  for (const [name, item] of Object.entries(value)) {
    const own = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (own) check(own, item, [...path, name], mistakes);
    else if (schema.additionalProperties === false)
      mistakes.push({ path: [...path, name], message: 'is not a known field' });
    else if (typeof schema.additionalProperties === 'object')
      check(schema.additionalProperties, item, [...path, name], mistakes);
  }
}

function isOfType(type: string, value: Json): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'integer':
      return Number.isSafeInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    default:
      return typeof value === type;
  }
}

const withArticle = (type: string) => (type === 'null' ? 'null' : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);

/** What may stand at a path; undefined where the schema knows nothing. */
export function schemaOf(schema: Schema, path: Path): Schema | undefined {
  let at: Schema | undefined = schema;
  for (const step of path) {
    const inner: Schema = unwrap(at).schema;
    if (typeof step === 'number') at = inner.items;
    else
      at =
        inner.properties && Object.hasOwn(inner.properties, step)
          ? inner.properties[step]
          : typeof inner.additionalProperties === 'object'
            ? inner.additionalProperties
            : undefined;
    if (!at) return undefined;
  }
  return at;
}

/** Of a nullable schema the one that is not null, and whether null may be. */
export function unwrap(schema: Schema): { readonly schema: Schema; readonly nullable: boolean } {
  const choices = schema.anyOf ?? schema.oneOf;
  if (!choices) return { schema, nullable: false };
  const others = choices.filter((one) => one.type !== 'null');
  const [only] = others;
  if (others.length !== 1 || !only) return { schema, nullable: others.length < choices.length };
  const { anyOf: _any, oneOf: _one, ...outer } = schema;
  return { schema: { ...only, ...outer }, nullable: others.length < choices.length };
}
