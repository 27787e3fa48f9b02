/** JSON schemas of configs and cursors, for forms and editors: draft 7, as people write the value, unknown keys refused. */

import { z } from 'zod';

const cache = new WeakMap<z.ZodType, Record<string, unknown>>();

/** What zod cannot say in JSON schema is left open rather than refused. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const known = cache.get(schema);
  if (known) return known;
  const made = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' }) as Record<
    string,
    unknown
  >;
  // The engine refuses keys that an object does not know, unless its schema says otherwise.
  if (made.type === 'object' && made.additionalProperties === undefined) made.additionalProperties = false;
  cache.set(schema, made);
  return made;
}
