/**
 * What an installation says once: whether reprocessing is on, where events go, where the tables are. A file in the
 * original's layout gives values, its environment variables overrule them.
 */

import { readFileSync } from 'node:fs';

import { EnvironmentInvalidError, provide, resource } from '@skein/orchestrator';
import { z } from 'zod';

import { readSections } from './settings-file.ts';

const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name of letters, digits and underscores');
const topic = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be a Kafka topic name');
const flag = z.union(
  [z.boolean(), z.stringbool({ truthy: ['true', '1', 't'], falsy: ['false', '0', 'f'] })],
  'must be true or false',
);

const Settings = z.object({
  enabled: flag.default(true),
  output_topic: topic.default('prod_events_v4'),
  dead_letter_topic: topic.nullable().default(null),
  /** Of `raw_events` and `events_table`; null is the connection's own. */
  database: identifier.nullable().default(null),
  /** What the consumer of the output topic fills; `only_missing` looks there. */
  events_table: identifier.default('usage_events'),
  /** Producers of the original refuse more; a broker may refuse less. */
  max_message_bytes: z.coerce.number('must be a number').int().min(1_000).max(100_000_000).default(1_000_000),
  /** For requests that do not say whose events they mean. */
  tenant_id: z.string().nullable().default(null),
  environment_id: z.string().nullable().default(null),
  /** Every published event is logged at DEBUG; that level costs more than the work itself, so it must be asked for. */
  debug: z.boolean().default(false),
});

export type RawEventsSettings = z.output<typeof Settings>;

export const rawEventsSettings = resource<RawEventsSettings>(
  'raw-events-settings',
  'Configuration of raw-events reprocessing, by SKEIN_RAW_EVENTS_CONFIG and FLEXPRICE_… variables',
);

export const rawEventsSettingsBinding = provide(rawEventsSettings, {
  open: async ({ env }) => readRawEventsSettings(env),
  ping: async (settings) => (settings.enabled ? `reprocessing into ${settings.output_topic}` : 'disabled'),
});

type Environment = Readonly<Record<string, string | undefined>>;
type Key = Exclude<keyof RawEventsSettings, 'debug'>;

/** Key, section of the file; the variable's name is made of both, as the original's configuration library does. */
const SOURCES: Readonly<Record<Key, string>> = {
  enabled: 'raw_events_reprocessing',
  output_topic: 'raw_events_reprocessing',
  dead_letter_topic: 'raw_events_reprocessing',
  database: 'raw_events_reprocessing',
  events_table: 'raw_events_reprocessing',
  max_message_bytes: 'raw_events_reprocessing',
  tenant_id: 'billing',
  environment_id: 'billing',
};

/** @throws EnvironmentInvalidError that names every wrong value where it stands */
export function readRawEventsSettings(env: Environment): RawEventsSettings {
  const file = env.SKEIN_RAW_EVENTS_CONFIG;
  const sections = file ? readSections(readFile(file), new Set(Object.values(SOURCES))) : {};
  const values: Record<string, unknown> = { debug: env.SKEIN_LOG_LEVEL === 'debug' };
  const origin: Record<string, string> = {};
  for (const [key, section] of Object.entries(SOURCES)) {
    const variable = `FLEXPRICE_${section}_${key}`.toUpperCase();
    const fromFile = sections[section]?.[key];
    // As the original reads them, an empty variable counts as not set.
    if (env[variable]) {
      values[key] = env[variable];
      origin[key] = variable;
    } else if (fromFile !== undefined && fromFile !== '') {
      values[key] = fromFile;
      origin[key] = `${section}.${key} in ${file}`;
    }
  }
  const parsed = Settings.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${origin[String(issue.path[0])] ?? issue.path.join('.')} ${issue.message}`,
  );
  throw new EnvironmentInvalidError(`Raw-events reprocessing is not configured rightly: ${problems.join('; ')}.`, {
    details: { problems },
  });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new EnvironmentInvalidError(`SKEIN_RAW_EVENTS_CONFIG names ${path}, which cannot be read.`, { cause: error });
  }
}
