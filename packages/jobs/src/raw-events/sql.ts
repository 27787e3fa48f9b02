/**
 * Every statement of raw-events reprocessing. Values are bound; tables come from settings that allow only identifiers.
 *
 * Pages are cut by key, never by OFFSET, and read with FINAL, so that each key comes once whatever has been merged.
 * A tuple comparison alone prunes no granules (measured by EXPLAIN indexes), so each bound also stands as plain
 * comparisons of key columns beside it. FINAL forbids PREWHERE on other columns: stale versions would come back.
 */

import type { RawEventsConfig } from './config.ts';
import { customersOf, eventNamesOf, type Range } from './config.ts';
import type { RawEventsSettings } from './settings.ts';

export interface Statement {
  readonly sql: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Where a page ended. The time in milliseconds, which is all that DateTime64(3) holds. */
export interface KeyCursor {
  readonly environment_id: string;
  readonly external_customer_id: string;
  readonly timestamp_ms: number;
  readonly event_name: string;
  readonly id: string;
}

/** In the order of the columns that `rowsSql` asks for. */
export interface RawRow {
  readonly timestamp_ms: string;
  readonly id: string;
  readonly external_customer_id: string;
  readonly event_name: string;
  readonly payload: string;
}

export interface Scope {
  readonly settings: RawEventsSettings;
  readonly config: RawEventsConfig & { readonly tenant_id: string };
  readonly range: Range;
}

const TENANT = 'tenant_id = {tenant:String}';
const ENVIRONMENT = 'environment_id = {environment:String}';
const BETWEEN =
  'timestamp >= fromUnixTimestamp64Milli({from:Int64}) AND timestamp <= fromUnixTimestamp64Milli({to:Int64})';

/** One line for each environment of the tenant that has rows in the range; reads key columns only. */
export function environmentsSql(scope: Scope, from: string | undefined): Statement {
  const only = scope.config.environment_id;
  const conditions = [TENANT, BETWEEN];
  if (only !== undefined) conditions.push(ENVIRONMENT);
  if (from !== undefined) conditions.push('environment_id >= {first:String}');
  return {
    sql: `SELECT DISTINCT environment_id FROM ${rawEvents(scope)} WHERE ${conditions.join(' AND ')} ORDER BY environment_id`,
    params: { ...rangeParams(scope), environment: only, first: from },
  };
}

/** @param from the last row that was read, or undefined for the beginning of the environment */
export function rowsSql(scope: Scope, environment: string, from: KeyCursor | undefined, limit: number): Statement {
  const { config } = scope;
  const customers = customersOf(config);
  const names = eventNamesOf(config);
  const conditions = [TENANT, ENVIRONMENT];
  if (customers.length > 0) conditions.push('external_customer_id IN {customers:Array(String)}');
  conditions.push(BETWEEN);
  if (names.length > 0) conditions.push('event_name IN {names:Array(String)}');
  if (config.sample_percent < 100) conditions.push('cityHash64(id) % 1000000 < {sample:UInt32}');
  if (config.only_missing) conditions.push(missing(scope, customers.length > 0));
  if (from !== undefined) {
    conditions.push(
      '(external_customer_id > {c:String} OR (external_customer_id = {c:String} AND timestamp >= fromUnixTimestamp64Milli({t:Int64})))',
      '(external_customer_id, timestamp, event_name, id) > ({c:String}, fromUnixTimestamp64Milli({t:Int64}), {n:String}, {i:String})',
    );
  }
  return {
    sql: `SELECT toUnixTimestamp64Milli(timestamp) AS timestamp_ms, id, external_customer_id, event_name, payload
FROM ${rawEvents(scope)} FINAL
WHERE ${conditions.join('\n  AND ')}
ORDER BY external_customer_id, timestamp, event_name, id
LIMIT {limit:UInt32}`,
    params: {
      ...rangeParams(scope),
      environment,
      customers,
      names,
      sample: Math.round(config.sample_percent * 10_000),
      limit,
      ...(from && { c: from.external_customer_id, t: from.timestamp_ms, n: from.event_name, i: from.id }),
    },
  };
}

/** The rows of a range of environments, once each, for progress. Counts keys that wait for a merge twice: an estimate. */
export function estimateSql(scope: Scope): Statement {
  const only = scope.config.environment_id;
  const customers = customersOf(scope.config);
  const conditions = [TENANT, BETWEEN];
  if (only !== undefined) conditions.push(ENVIRONMENT);
  if (customers.length > 0) conditions.push('external_customer_id IN {customers:Array(String)}');
  return {
    sql: `SELECT count() AS rows FROM ${rawEvents(scope)} WHERE ${conditions.join(' AND ')}`,
    params: { ...rangeParams(scope), environment: only, customers },
  };
}

/** One line when the day holds rows of the tenant that a run over this scope does not read. */
export function leftOutSql(scope: Scope, day: Range): Statement {
  const only = scope.config.environment_id;
  const outside = [`NOT (${BETWEEN})`];
  if (only !== undefined) outside.push('environment_id != {environment:String}');
  return {
    sql: `SELECT 1 AS found FROM ${rawEvents(scope)}
WHERE ${TENANT} AND timestamp >= fromUnixTimestamp64Milli({dayFrom:Int64}) AND timestamp <= fromUnixTimestamp64Milli({dayTo:Int64})
  AND (${outside.join(' OR ')}) LIMIT 1`,
    params: { ...rangeParams(scope), environment: only, dayFrom: day.fromMs, dayTo: day.toMs },
  };
}

/** The rows of some ids, each on its day. The days bound the granules that are read; the ids alone would not. */
export function rowsByIdSql(
  settings: RawEventsSettings,
  tenant: string,
  some: readonly { readonly day: string; readonly id: string }[],
  limit: number,
): Statement {
  const days = some.map(({ day }) => day).sort();
  return {
    sql: `SELECT id AS raw_event_id, environment_id, external_customer_id, event_name,
  concat(replaceOne(toString(toTimeZone(r.timestamp, 'UTC')), ' ', 'T'), 'Z') AS timestamp, payload
FROM ${tableOf(settings, 'raw_events')} AS r FINAL
WHERE r.tenant_id = {tenant:String} AND r.timestamp >= toDateTime64({first:Date}, 3, 'UTC')
  AND r.timestamp < toDateTime64({last:Date} + 1, 3, 'UTC')
  AND (toDate(r.timestamp, 'UTC'), r.id) IN arrayZip({days:Array(Date)}, {ids:Array(String)})
ORDER BY r.timestamp, r.id
LIMIT {limit:UInt32}`,
    params: {
      tenant,
      first: days[0],
      last: days.at(-1),
      days: some.map(({ day }) => day),
      ids: some.map(({ id }) => id),
      limit,
    },
  };
}

/**
 * An event's own instant may lie a day beside the raw row's timestamp, which is the wall clock of the event with its
 * offset thrown away; offsets reach 24 hours.
 */
function missing({ settings }: Scope, hasCustomers: boolean): string {
  const events = tableOf(settings, settings.events_table);
  const customers = hasCustomers ? ' AND external_customer_id IN {customers:Array(String)}' : '';
  return `(id, external_customer_id) NOT IN (
    SELECT id, external_customer_id FROM ${events}
    WHERE tenant_id = {tenant:String} AND environment_id = {environment:String}${customers}
      AND timestamp >= fromUnixTimestamp64Milli({from:Int64}) - INTERVAL 24 HOUR
      AND timestamp <= fromUnixTimestamp64Milli({to:Int64}) + INTERVAL 24 HOUR)`;
}

function rangeParams({ config, range }: Scope) {
  return { tenant: config.tenant_id, from: range.fromMs, to: range.toMs };
}

function rawEvents({ settings }: Scope): string {
  return tableOf(settings, 'raw_events');
}

function tableOf(settings: RawEventsSettings, table: string): string {
  return settings.database === null ? table : `${settings.database}.${table}`;
}
