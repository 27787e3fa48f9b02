/**
 * PostgreSQL for one test: a database copied from a template that has the schema, which takes some 30 ms. The template
 * is made by the first test that asks and is named after its contents.
 */

import { createHash } from 'node:crypto';

import pg from 'pg';

import { applyPostgresSchema, readSchema } from '../src/schemas.ts';
import { requireService, uniqueName } from './availability.ts';

export interface TestDatabase {
  readonly url: string;
  /** Ends whoever is still connected. */
  drop(): Promise<void>;
}

/** `app` holds ducklings and conversations; `empty` has no tables. */
const SCHEMAS = { persons: ['persons'], app: ['ducklings', 'conversations'], empty: [] } as const;

/** Of `pg_locks`: tests share the server, so whoever looks at locks looks at those of its own database. */
export const LOCKED_HERE = 'database = (SELECT oid FROM pg_database WHERE datname = current_database())';

/** Any number that nothing else in a test database locks. */
const TEMPLATE_LOCK = 7_316_002;

export async function testDatabase(kind: keyof typeof SCHEMAS): Promise<TestDatabase> {
  const base = requireService('postgres');
  const urlOf = (database: string) => base.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
  const maintenance = urlOf('postgres');
  const name = uniqueName(`test_${kind}`);
  await onDatabase(maintenance, async (client) => {
    const template = await ensureTemplate(client, kind, urlOf);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  return {
    url: urlOf(name),
    drop: () =>
      onDatabase(maintenance, async (client) => {
        await untilLeft(client, name);
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

const LEAVING_MS = 500;

/** A pool that was ended says so before the server has let go: whoever is thrown out then gets an error that nobody hears. */
async function untilLeft(client: pg.Client, name: string): Promise<void> {
  for (const until = Date.now() + LEAVING_MS; Date.now() < until;) {
    const { rowCount } = await client.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1 LIMIT 1', [name]);
    if (rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function ensureTemplate(
  client: pg.Client,
  kind: keyof typeof SCHEMAS,
  urlOf: (database: string) => string,
): Promise<string> {
  const files = SCHEMAS[kind];
  if (files.length === 0) return 'template1';
  const contents = files.map((file) => readSchema('postgres', file)).join('\n');
  const name = `template_${kind}_${createHash('sha256').update(contents).digest('hex').slice(0, 12)}`;
  await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate', [name]);
    if (rowCount === 0) {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await client.query(`CREATE DATABASE ${name}`);
      for (const file of files) await applyPostgresSchema(urlOf(name), file);
      await client.query(`ALTER DATABASE ${name} IS_TEMPLATE true`);
    }
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
  return name;
}

async function onDatabase(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
