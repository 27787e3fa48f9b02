/** ClickHouse for one test: a database of its own, with the tables that it asks for. */

import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

import { applyClickHouseSchema } from '../src/schemas.ts';
import { requireService, uniqueName } from './availability.ts';

export interface TestClickHouse {
  readonly client: ClickHouseClient;
  /** With credentials and the database in it, as `SKEIN_CLICKHOUSE_URL` has them. */
  readonly url: string;
  readonly database: string;
  /** Closes the client and removes the database. */
  drop(): Promise<void>;
}

export type ClickHouseSchema = 'persons' | 'events' | 'raw-events' | 'conversations';

export async function testClickHouse(
  options: { readonly schemas?: readonly ClickHouseSchema[] } = {},
): Promise<TestClickHouse> {
  const base = requireService('clickhouse');
  const database = uniqueName('test');
  const url = base.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
  const owner = createClient({ url: base, log: { level: ClickHouseLogLevel.OFF } });
  await owner.command({ query: `CREATE DATABASE ${database}` });
  for (const schema of options.schemas ?? []) await applyClickHouseSchema(url, schema);
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
  return {
    client,
    url,
    database,
    async drop() {
      await client.close();
      await owner.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
      await owner.close();
    },
  };
}
