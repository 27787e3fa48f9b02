/**
 * Which profiles are labelled and where their labels lie: a customer's enabled profiles, grouped by ClickHouse database,
 * with the layout of each database's table. The filter is one customer, exactly as written.
 */

import { type Logger, NotFoundError, RefusedError } from '@skein/orchestrator';
import type pg from 'pg';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { asPostgresError } from '../resources/postgres.ts';
import { LABELS, LABELS_DISTRIBUTED } from './place.ts';
import { SELECT_ENABLED_PROFILES } from './source-sql.ts';

interface Profile {
  readonly customer_id: string;
  readonly profile_id: string;
  readonly clickhouse_database: string;
}

/** One ClickHouse database that holds labels of the customer. */
export interface Site {
  readonly database: string;
  readonly profiles: readonly string[];
  /** No profile of another customer, enabled or not, lies in this database. */
  readonly ownDatabase: boolean;
}

export interface ProfileList {
  readonly scanned: number;
  readonly kept: readonly Profile[];
  /** Customers by database, over all profiles. */
  readonly customersOf: ReadonlyMap<string, number>;
}

/** @param customer exactly this one; undefined keeps all. @throws NotFoundError when none matches */
export async function listProfiles(db: pg.Pool, customer: string | undefined, log: Logger): Promise<ProfileList> {
  let rows: (Profile & { customers: number })[];
  try {
    ({ rows } = await db.query<Profile & { customers: number }>(SELECT_ENABLED_PROFILES));
  } catch (error) {
    throw asPostgresError(error);
  }
  const kept = rows.filter((row) => customer === undefined || row.customer_id === customer);
  log.info('Profiles scanned.', { scanned: rows.length, kept: kept.length, customer: customer ?? 'all' });
  if (customer !== undefined && kept.length === 0) {
    const near = [...new Set(rows.map((row) => row.customer_id))]
      .filter((id) => id.includes(customer) || customer.includes(id))
      .slice(0, 5);
    throw new NotFoundError(
      `No profile matches the customer “${customer.slice(0, 100)}”: ${rows.length} enabled profiles were scanned.` +
        (near.length > 0 ? ` Names alike: ${near.join(', ')}.` : ''),
    );
  }
  return {
    scanned: rows.length,
    kept,
    customersOf: new Map(rows.map((row) => [row.clickhouse_database, row.customers])),
  };
}

export function sitesOf({ kept, customersOf }: ProfileList): Site[] {
  const byDatabase = new Map<string, string[]>();
  for (const { clickhouse_database, profile_id } of kept) {
    byDatabase.set(clickhouse_database, [...(byDatabase.get(clickhouse_database) ?? []), profile_id]);
  }
  return [...byDatabase].map(([database, profiles]) => ({
    database,
    profiles,
    ownDatabase: customersOf.get(database) === 1,
  }));
}

export interface TableLayout {
  readonly layout: 'legacy' | 'immutable-key';
  readonly partitionKey: string;
  readonly sortingKey: string;
  readonly hasDistributed: boolean;
}

/** @throws RefusedError when the database has no label table */
export async function readLayout(clickhouse: ClickHouse, database: string, signal?: AbortSignal): Promise<TableLayout> {
  const tables = await clickhouse.rows<{ name: string; engine: string; partition_key: string; sorting_key: string }>(
    `SELECT name, engine, partition_key, sorting_key FROM system.tables
     WHERE database = {database:String} AND name IN {names:Array(String)}`,
    { params: { database, names: [LABELS, LABELS_DISTRIBUTED] }, ...(signal ? { signal } : {}) },
  );
  const local = tables.find((table) => table.name === LABELS);
  if (!local) {
    throw new RefusedError(
      `ClickHouse has no table ${database}.${LABELS}, which app.profiles names. Create it, or correct clickhouse_database.`,
    );
  }
  return {
    layout: isImmutableKey(local.sorting_key) ? 'immutable-key' : 'legacy',
    partitionKey: local.partition_key,
    sortingKey: local.sorting_key,
    hasDistributed: tables.some((table) => table.name === LABELS_DISTRIBUTED && table.engine === 'Distributed'),
  };
}

/** True when nothing that changes is in the key, so that a later row replaces an earlier one by itself. */
function isImmutableKey(sortingKey: string): boolean {
  return !/agent_user_id|conversation_end_time|usecase_id/.test(sortingKey);
}

/** May partitions be replaced as a whole without touching another customer? Either way is enough. */
export function isSeparated(site: Pick<Site, 'ownDatabase'>, layout: Pick<TableLayout, 'partitionKey'>): boolean {
  return site.ownDatabase || /^\(?\s*customer_id\b/.test(layout.partitionKey);
}
