/** Configs and cursors against their zod schemas: one error that names every field, unknown keys refused. */

import { z } from 'zod';

import type { Asset } from './asset.ts';
import { ConfigInvalidError } from './errors.ts';

/** Reads a run's config by the asset's schema. @throws ConfigInvalidError that names every wrong field */
export function parseConfig(asset: Asset, input: unknown): unknown {
  return parseBySchema(asset.config, input, `config of ${asset.key}`);
}

/** @throws ConfigInvalidError that names every wrong field, as `path: what is wrong` */
export function parseBySchema(schema: z.ZodType, input: unknown, what: string): unknown {
  const strict = schema instanceof z.ZodObject ? refuseUnknown(schema) : schema;
  const parsed = strict.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(describeIssue);
  throw new ConfigInvalidError(
    `The ${what} is not valid: ${fields.map((f) => `${f.path}: ${f.message}`).join('; ')}.`,
    {
      details: { fields },
    },
  );
}

/** An object schema that has not said otherwise refuses keys that it does not know. */
function refuseUnknown(schema: z.ZodObject): z.ZodType {
  return schema.def.catchall === undefined ? schema.strict() : schema;
}

function describeIssue(issue: z.core.$ZodIssue): { path: string; message: string } {
  if (issue.code === 'unrecognized_keys') {
    return { path: [...issue.path, issue.keys.join(', ')].join('.'), message: 'is not a known key' };
  }
  return { path: issue.path.map(String).join('.') || '(the whole)', message: issue.message };
}
