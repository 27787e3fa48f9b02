/** Schemas that every resource shares: the registry of named ones, problems, pages, times. */

import { z } from 'zod';

/** Names become `components.schemas` of the OpenAPI document. */
export function named<T extends z.ZodType>(id: string, schema: T): T {
  z.globalRegistry.add(schema, { ...schema.meta(), id });
  return schema;
}

/** RFC 3339, UTC, milliseconds; of answers, which are ours and need no check. */
export const Time = z.string().meta({ format: 'date-time' });
export const Facts = z.record(z.string(), z.unknown());
/** As they are stored; what a request may bring is stricter. */
export const TagMap = z.record(z.string(), z.string());
export const Tags = z.record(z.string().min(1).max(100), z.string().max(1_000));

export const ErrorFact = named('ErrorFact', z.object({ code: z.string(), message: z.string() }));

export const FieldError = named('FieldError', z.object({ path: z.string(), message: z.string() }));

export const Problem = named(
  'Problem',
  z.object({
    type: z.string(),
    code: z.string().describe('Stable; scripts match on it.'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    request_id: z.string(),
    errors: z.array(FieldError).optional().describe('Wrong fields, each by its path.'),
    current_version: z.number().int().optional(),
    current: z.unknown().optional().describe('Of a conflict: what is stored by now.'),
    reason: z.string().optional(),
  }),
);

/** Of a list: at most 500, after the `next` of the page before. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(500).default(100),
  after: z.string().max(1_000).optional().describe('`next` of the page before; opaque.'),
};

/** Of a list that definitions bound: most have it on one page. */
export const wholeQuery = { ...pageQuery, limit: z.coerce.number().int().min(1).max(500).default(500) };

/** A page of what is listed in an order of its own, such as that of the definitions; `after` is the name of an item. */
export function pageAfter<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): { readonly items: readonly T[]; readonly next: string | null } {
  const at = after === undefined ? -1 : all.findIndex((item) => nameOf(item) === after);
  // What the definitions do not have any more is followed by nothing that is known.
  if (after !== undefined && at < 0) return { items: [], next: null };
  const items = all.slice(at + 1, at + 1 + limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && at + 1 + limit < all.length ? nameOf(last) : null };
}

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

export const Reason = z.string().trim().max(1_000);
export const Done = named('Done', z.object({ ok: z.literal(true) }));

export const iso = (at: Date | number | undefined | null): string | null =>
  at === undefined || at === null ? null : new Date(at).toISOString();
/** Milliseconds as Redis keeps them; null where the field is missing. */
export const isoOf = (text: string | undefined | null): string | null =>
  text === undefined || text === null || text === '' ? null : new Date(Number(text)).toISOString();

/** An object without the fields that are undefined: what exact optional properties want. */
export function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
