/**
 * Owns creating the source systems' tables where they are missing: PostgreSQL, ClickHouse, and, where Kafka is, its
 * topics and the tables that read them. Doing it again changes nothing.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import pg from 'pg';

import { messageOf, ServicesError } from './errors.ts';
import { createTopics } from './topics.ts';

export const SCHEMA_NAMES = ['persons', 'events', 'raw-events', 'conversations', 'ducklings'] as const;
export type SchemaName = (typeof SCHEMA_NAMES)[number];

interface SchemaParts {
  /** The variable of the database that gets `infra/postgres/<name>.sql`. */
  readonly postgres?: 'PERSONS_DB_WRITER_URL' | 'SKEIN_APP_DB_URL';
  readonly clickhouse?: true;
  /** Topics that `infra/clickhouse/<name>-kafka.sql` reads. */
  readonly topics?: readonly string[];
}

const PARTS: Readonly<Record<SchemaName, SchemaParts>> = {
  persons: {
    postgres: 'PERSONS_DB_WRITER_URL',
    clickhouse: true,
    topics: ['clickhouse_person', 'clickhouse_person_distinct_id'],
  },
  events: { clickhouse: true, topics: ['clickhouse_events_json'] },
  'raw-events': { clickhouse: true, topics: ['prod_events_v4', 'raw_events_dead_letters'] },
  conversations: { postgres: 'SKEIN_APP_DB_URL', clickhouse: true },
  ducklings: { postgres: 'SKEIN_APP_DB_URL' },
};

export interface ApplyOptions {
  readonly only?: readonly SchemaName[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Before the names of topics and of consumer groups; default `KAFKA_PREFIX` of `env`. Tests keep apart by it. */
  readonly topicPrefix?: string;
  readonly progress?: (line: string) => void;
}

/**
 * @returns one line for each part that is now in place, such as `persons: PostgreSQL`
 * @throws ServicesError `SERVICE_NOT_CONFIGURED` that names a missing variable, `SCHEMA_FAILED` with the system's answer
 */
export async function applySchemas(options: ApplyOptions): Promise<string[]> {
  const { env, progress = () => {} } = options;
  const applied: string[] = [];
  const note = (line: string) => {
    applied.push(line);
    progress(line);
  };
  for (const name of options.only ?? SCHEMA_NAMES) {
    const parts = PARTS[name];
    if (parts.postgres) {
      await applyPostgresSchema(required(env, parts.postgres), name);
      note(`${name}: PostgreSQL`);
    }
    if (parts.clickhouse) {
      await applyClickHouseSchema(required(env, 'SKEIN_CLICKHOUSE_URL'), name);
      note(`${name}: ClickHouse`);
    }
    const brokers = env.SKEIN_KAFKA_BROKERS;
    if (parts.topics && brokers) {
      const prefix = options.topicPrefix ?? env.KAFKA_PREFIX ?? '';
      await createTopics(
        brokers,
        parts.topics.map((topic) => prefix + topic),
      );
      await applyClickHouseSchema(required(env, 'SKEIN_CLICKHOUSE_URL'), `${name}-kafka`, {
        brokers,
        topic_prefix: prefix,
        group_prefix: prefix,
      });
      note(`${name}: Kafka → ClickHouse`);
    }
  }
  return applied;
}

/** @param name a file of `infra/postgres`, without `.sql` */
export async function applyPostgresSchema(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    // Two appliers at once would collide in the catalogue despite IF NOT EXISTS.
    await client.query('SELECT pg_advisory_lock($1)', [SCHEMA_LOCK]);
    await client.query(readSchema('postgres', name));
  } catch (error) {
    throw new ServicesError(
      'SCHEMA_FAILED',
      `The tables of “${name}” cannot be made in PostgreSQL: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

const SCHEMA_LOCK = 7_316_001;

/** @param name a file of `infra/clickhouse`, without `.sql` */
export async function applyClickHouseSchema(
  url: string,
  name: string,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
  try {
    for (const statement of statementsOf(readSchema('clickhouse', name), { cluster: 'default', ...values })) {
      await client.command({ query: statement });
    }
  } catch (error) {
    throw new ServicesError(
      'SCHEMA_FAILED',
      `The tables of “${name}” cannot be made in ClickHouse: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    await client.close();
  }
}

export function readSchema(system: 'postgres' | 'clickhouse', name: string): string {
  const infra = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
  return readFileSync(path.join(infra, system, `${name}.sql`), 'utf8');
}

/** ClickHouse takes one statement at a time. Our files hold no semicolon at a line's end inside a statement. */
function statementsOf(text: string, values: Readonly<Record<string, string>>): string[] {
  const filled = text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name]?.replaceAll("'", "\\'") ?? whole);
  return filled
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/--.*$/gm, '').trim() !== '');
}

function required(env: ApplyOptions['env'], name: string): string {
  const value = env[name];
  if (value) return value;
  throw new ServicesError(
    'SERVICE_NOT_CONFIGURED',
    `${name} is not set. Set it, or start the embedded services with “skein services up”.`,
  );
}
