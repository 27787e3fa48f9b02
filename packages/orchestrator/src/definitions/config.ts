/** Configs and cursors against their zod schemas: one error that names every field, unknown keys refused. */

import { z } from 'zod';

import type { Asset } from './asset.ts';
import { ConfigInvalidError } from './errors.ts';
import type { Job } from './job.ts';
import type { JsonObject } from './json.ts';

/** Reads a run's config by the asset's schema. @throws ConfigInvalidError that names every wrong field */
export function parseConfig(asset: Asset, input: unknown): unknown {
  return parseBySchema(asset.config, input, `config of ${asset.key}`);
}

/** The config of one asset of a job: the whole for a job of one asset, its own entry where there are several. */
export function configOf(job: Job, asset: Asset, config: JsonObject): JsonObject {
  if (job.assets.length === 1) return config;
  const unknown = Object.keys(config).filter((key) => !job.assets.some((a) => a.key === key));
  if (unknown.length > 0) {
    throw new ConfigInvalidError(
      `The config of ${job.name} is not valid: ${unknown.join(', ')}: is not an asset of this job.`,
    );
  }
  return (config[asset.key] ?? {}) as JsonObject;
}

/** @throws ConfigInvalidError that names every wrong field, as `path: what is wrong` */
export function parseBySchema(schema: z.ZodType, input: unknown, what: string): unknown {
  const parsed = strictOf(schema).safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(describeIssue);
  throw new ConfigInvalidError(
    `The ${what} is not valid: ${fields.map((f) => `${f.path}: ${f.message}`).join('; ')}.`,
    {
      details: { fields },
    },
  );
}

/** Strict twins of schemas; making one compiles it, which costs a hundred times a parse. */
const STRICT = new WeakMap<z.ZodType, z.ZodType>();

/** An object schema that has not said otherwise refuses keys that it does not know. */
function strictOf(schema: z.ZodType): z.ZodType {
  const known = STRICT.get(schema);
  if (known) return known;
  const strict = schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;
  STRICT.set(schema, strict);
  return strict;
}

function describeIssue(issue: z.core.$ZodIssue): { path: string; message: string } {
  if (issue.code === 'unrecognized_keys') {
    return { path: [...issue.path, issue.keys.join(', ')].join('.'), message: 'is not a known key' };
  }
  return { path: issue.path.map(String).join('.') || '(the whole)', message: issue.message };
}
