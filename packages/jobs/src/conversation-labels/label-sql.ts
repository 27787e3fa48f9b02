/**
 * Statements to ClickHouse that relabelling is made of: finding affected ids, deleting, counting, own tables. Each gives
 * its text and its bound parameters; names come from `place.ts`. What verification asks is in `verification-sql.ts`.
 */

import { quoted } from './identifiers.ts';
import { type Names, type Place, namesOf } from './place.ts';
import type { Selection } from './config.ts';
import { type Window, clickhouseTime } from './windows.ts';

export interface Statement {
  readonly sql: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface ConversationId {
  readonly profile_id: string;
  readonly conversation_id: string;
}

/** In the order in which COPY sends them. */
export const LABEL_COLUMNS = [
  'customer_id',
  'profile_id',
  'conversation_id',
  'agent_user_id',
  'usecase_id',
  'conversation_start_time',
  'conversation_end_time',
  'has_agent_assistance',
  'conversation_source',
  'update_time',
] as const;

export const CREATE_AFFECTED = (names: Names) =>
  `CREATE TABLE IF NOT EXISTS ${names.affected} (unit Date, profile_id LowCardinality(String), conversation_id String, from_labels UInt8)
   ENGINE = MergeTree ORDER BY (profile_id, conversation_id)`;

export const CREATE_STRAYS = (names: Names) =>
  `CREATE TABLE ${names.strays} (profile_id LowCardinality(String), conversation_id String) ENGINE = MergeTree ORDER BY ()`;

export const CREATE_EXPECTED = (names: Names) =>
  `CREATE TABLE ${names.expected} (
     customer_id LowCardinality(String), profile_id LowCardinality(String), conversation_id String, agent_user_id String,
     usecase_id LowCardinality(String), conversation_start_time DateTime64(3, 'UTC'), conversation_end_time DateTime64(3, 'UTC'),
     has_agent_assistance Bool, conversation_source UInt8
   ) ENGINE = MergeTree ORDER BY ()`;

export const drop = (table: string) => `DROP TABLE IF EXISTS ${table} SYNC`;

export function scope(place: Place): Statement {
  return {
    sql: 'customer_id = {customer:String} AND profile_id IN {profiles:Array(String)}',
    params: { customer: place.customerId, profiles: [...place.profiles] },
  };
}

/** Label rows that touch the windows, by their end or by their start. */
export function inWindows(windows: readonly Window[]): Statement {
  const params: Record<string, string> = {};
  const one = (window: Window, i: number) => {
    params[`from${i}`] = clickhouseTime(window.startMs);
    params[`to${i}`] = clickhouseTime(window.endMs);
    return ['conversation_end_time', 'conversation_start_time']
      .map((column) => `(${column} >= {from${i}:DateTime64(3, 'UTC')} AND ${column} < {to${i}:DateTime64(3, 'UTC')})`)
      .join(' OR ');
  };
  return { sql: `(${windows.map(one).join(' OR ')})`, params };
}

/**
 * Rows of affected conversations: in the windows, or of a stray, wherever they lie. The strays' table must be fresh
 * (`refreshStrays`); asking for all affected ids instead would build a set of millions for each statement.
 */
export function affectedRows(place: Place): Statement {
  return rowsOf(place, 'strays');
}

/** The same by the full list of ids: for proofs, and where fresh rows are among what is looked at. */
export function allAffectedRows(place: Place): Statement {
  return rowsOf(place, 'affected');
}

function rowsOf(place: Place, list: 'strays' | 'affected'): Statement {
  const names = namesOf(place);
  const own = scope(place);
  const window = inWindows(place.windows);
  return {
    sql: `${own.sql} AND (${window.sql} OR (profile_id, conversation_id) ${names.isIn} (SELECT profile_id, conversation_id FROM ${names[list]}))`,
    params: { ...own.params, ...window.params },
  };
}

/** Ids of label rows in the windows that the source's selection does not name: added to the affected ones. */
export function addLabelIds(place: Place): Statement {
  const names = namesOf(place);
  const own = scope(place);
  const window = inWindows(place.windows);
  const ends = place.windows
    .map(
      (_, i) =>
        `(conversation_end_time >= {from${i}:DateTime64(3, 'UTC')} AND conversation_end_time < {to${i}:DateTime64(3, 'UTC')})`,
    )
    .join(' OR ');
  return {
    sql: `INSERT INTO ${names.affected}
      SELECT min(toDate(if(${ends}, conversation_end_time, conversation_start_time))), profile_id, conversation_id, 1
      FROM ${names.all} WHERE ${own.sql} AND ${window.sql}
        AND (profile_id, conversation_id) ${names.isIn} (SELECT profile_id, conversation_id FROM ${names.affected}) = 0
      GROUP BY profile_id, conversation_id`,
    params: { ...own.params, ...window.params },
  };
}

export const selectLabelIds = (place: Place) =>
  `SELECT toString(unit) AS unit, toString(profile_id) AS profile_id, conversation_id FROM ${namesOf(place).affected} WHERE from_labels = 1`;

/** Affected conversations whose rows lie outside the windows: stale ends, other partitions, other shards. */
export function fillStrays(place: Place): Statement {
  const names = namesOf(place);
  const own = scope(place);
  const window = inWindows(place.windows);
  return {
    sql: `INSERT INTO ${names.strays} SELECT DISTINCT profile_id, conversation_id FROM ${names.all}
      WHERE ${own.sql} AND NOT ${window.sql}
        AND (profile_id, conversation_id) ${names.isIn} (SELECT profile_id, conversation_id FROM ${names.affected})`,
    params: { ...own.params, ...window.params },
  };
}

export const selectStrays = (place: Place) =>
  `SELECT toString(profile_id) AS profile_id, conversation_id FROM ${namesOf(place).strays} ORDER BY 1, 2`;

/** One row a replica, so that a missing one is noticed. */
export function countAffectedRows(place: Place): Statement {
  return countEverywhere(place, allAffectedRows(place));
}

/**
 * The same by a hash of the ids, which may count too many and never too few: none is none. A set of millions of numbers
 * is made in a fraction of the time that one of texts takes (measured with 1.5 million ids on two busy cores: 0.3 s instead of 3.3).
 */
export function countAffectedHashes(place: Place): Statement {
  const names = namesOf(place);
  const own = scope(place);
  const window = inWindows(place.windows);
  const hash = 'cityHash64(profile_id, conversation_id)';
  return countEverywhere(place, {
    sql: `${own.sql} AND (${window.sql} OR ${hash} ${names.isIn} (SELECT ${hash} FROM ${names.affected}))`,
    params: { ...own.params, ...window.params },
  });
}

/** The same of the rows that the windows and the strays' table name: what is known to be there, not a proof. */
export function countKnownRows(place: Place): Statement {
  return countEverywhere(place, affectedRows(place));
}

function countEverywhere(place: Place, rows: Statement): Statement {
  const replica = place.cluster === null ? '1' : '_shard_num';
  return {
    sql: `SELECT toUInt32(${replica}) AS replica, count() AS rows FROM ${namesOf(place).everywhere} WHERE ${rows.sql} GROUP BY replica`,
    params: rows.params,
  };
}

/** Rows of one unit's ids over all shards, whatever their time: equal to what was written, or something is wrong. */
export function countUnitRows(place: Place, unit: string, table: string): Statement {
  const names = namesOf(place);
  const own = scope(place);
  return {
    sql: `SELECT count() AS rows, uniqExact(profile_id, conversation_id) AS conversations
      FROM ${table} WHERE ${own.sql} AND (profile_id, conversation_id) ${names.isIn}
        (SELECT profile_id, conversation_id FROM ${names.affected} WHERE unit = {unit:Date})`,
    params: { ...own.params, unit },
  };
}

export function countByUsecase(place: Place): Statement {
  const rows = affectedRows(place);
  return {
    sql: `SELECT toString(usecase_id) AS usecase, count() AS rows FROM ${namesOf(place).all} WHERE ${rows.sql} GROUP BY usecase ORDER BY usecase`,
    params: rows.params,
  };
}

/** The mark is a literal in the command, by which `system.mutations` shows whose it is. */
export function deleteWindows(place: Place, mark: string): Statement {
  const names = namesOf(place);
  const own = scope(place);
  const window = inWindows(place.windows);
  return {
    sql: `ALTER TABLE ${names.local}${names.onCluster} DELETE WHERE ${own.sql} AND ${window.sql} AND {mark:String} != ''`,
    params: { ...own.params, ...window.params, mark },
  };
}

/**
 * Deletes every row of these conversations. The ids are literals: parameters travel in the URL, which 10,000 ids would
 * overflow, and a subquery in a replicated mutation is refused as nondeterministic.
 */
export function deleteConversations(
  place: Place,
  ids: readonly ConversationId[],
  mark: string,
  table?: string,
): Statement {
  const names = namesOf(place);
  const own = scope(place);
  return {
    sql: `ALTER TABLE ${table ?? names.local}${names.onCluster} DELETE WHERE ${own.sql} AND (profile_id, conversation_id) IN ${idList(ids)} AND {mark:String} != ''`,
    params: { ...own.params, mark },
  };
}

export function idList(ids: readonly ConversationId[]): string {
  return `(${ids.map((id) => `(${quoted(id.profile_id)}, ${quoted(id.conversation_id)})`).join(', ')})`;
}

/** Largest id list of one mutation: about 0.5 MB of text, under the 1 MB that a replicated mutation's entry may have. */
export const MUTATION_IDS = 10_000;

export function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}

export const flushDistributed = (names: Names) => `SYSTEM FLUSH DISTRIBUTED${names.onCluster} ${names.distributed}`;

/** The largest value of the selection column, open conversations ignored; null when there are no labels. */
export function watermark(
  place: Pick<Place, 'customerId' | 'database' | 'profiles' | 'cluster'>,
  selection: Selection,
): Statement {
  const names = namesOf({ ...place, operation: '' });
  const column = selection === 'ended_at' ? 'conversation_end_time' : 'conversation_start_time';
  return {
    sql: `SELECT toInt64(toUnixTimestamp64Milli(max(${column}))) AS ms, count() AS rows FROM ${names.all}
      WHERE customer_id = {customer:String} AND profile_id IN {profiles:Array(String)} AND ${column} > toDateTime64(0, 3, 'UTC')`,
    params: { customer: place.customerId, profiles: [...place.profiles] },
  };
}
