/**
 * What verification asks ClickHouse. `live` are the label rows of the operation, in its windows or of its ids wherever
 * they lie; `expected` the rows as PostgreSQL says now. Both are folded by conversation in one pass, so every answer
 * comes from rows and none from totals.
 */

import { type ConversationId, type Statement, affectedRows, idList } from './label-sql.ts';
import { type Place, namesOf } from './place.ts';

/** Compared row by row; the assistance, which follows the agents' online times, is compared by Active Days. */
const FINGERPRINT =
  'cityHash64(agent_user_id, toString(usecase_id), conversation_start_time, conversation_end_time, conversation_source)';

/** A conversation's rows on both sides, named once. */
function folded(place: Place): Statement {
  const names = namesOf(place);
  const rows = affectedRows(place);
  return {
    sql: `SELECT profile_id, conversation_id, countIf(side = 0) AS live_rows, countIf(side = 1) AS expected_rows,
        min(fingerprint) != max(fingerprint) AS differs
      FROM (
        SELECT profile_id, conversation_id, 0 AS side, ${FINGERPRINT} AS fingerprint FROM ${names.all} WHERE ${rows.sql}
        UNION ALL
        SELECT profile_id, conversation_id, 1 AS side, ${FINGERPRINT} AS fingerprint FROM ${names.expected}
      ) GROUP BY profile_id, conversation_id`,
    params: rows.params,
  };
}

const KINDS = {
  duplicate: 'live_rows > 1',
  missing: 'expected_rows > 0 AND live_rows = 0',
  surplus: 'expected_rows = 0 AND live_rows > 0',
  different: 'expected_rows > 0 AND live_rows = 1 AND differs',
} as const;
export type DamageKind = keyof typeof KINDS;
export const DAMAGE_KINDS = Object.keys(KINDS) as readonly DamageKind[];

/** At most this many rows of a kind are named. */
const NAMED_ROWS = 20;

export function countDamage(place: Place): Statement {
  const { sql, params } = folded(place);
  const columns = DAMAGE_KINDS.map(
    (kind) =>
      `countIf(${KINDS[kind]}) AS ${kind}_count, groupArraySortedIf(${NAMED_ROWS})((toString(profile_id), conversation_id), ${KINDS[kind]}) AS ${kind}_ids`,
  );
  return {
    sql: `SELECT sum(live_rows) AS rows, countIf(live_rows > 0) AS conversations, sum(expected_rows) AS expected, ${columns.join(', ')} FROM (${sql})`,
    params,
  };
}

export type DamageCounts = Readonly<Record<'rows' | 'conversations' | 'expected' | `${DamageKind}_count`, string>> &
  Readonly<Record<`${DamageKind}_ids`, readonly (readonly [string, string])[]>>;

/** Both sides of a few named conversations. */
export function showRows(place: Place, ids: readonly ConversationId[]): Statement {
  const names = namesOf(place);
  const columns = `toString(profile_id) AS profile_id, conversation_id, agent_user_id, toString(usecase_id) AS usecase_id,
    toString(conversation_start_time) AS conversation_start_time, toString(conversation_end_time) AS conversation_end_time, conversation_source`;
  const where = `customer_id = {customer:String} AND (profile_id, conversation_id) IN ${idList(ids)}`;
  return {
    sql: `SELECT 'labels' AS side, ${columns} FROM ${names.all} WHERE ${where}
      UNION ALL SELECT 'source' AS side, ${columns} FROM ${names.expected} WHERE ${where}`,
    params: { customer: place.customerId },
  };
}

export function countFinal(place: Place): Statement {
  const rows = affectedRows(place);
  return {
    sql: `SELECT count() AS rows, uniqExact(profile_id, conversation_id) AS conversations FROM ${namesOf(place).all} FINAL WHERE ${rows.sql}`,
    params: rows.params,
  };
}

/** Rows by day and by usecase on both sides: point 4, point 5. */
export function countByDay(place: Place, column: 'conversation_end_time' | 'conversation_start_time'): Statement {
  return bothSides(place, `toString(toDate(${column}))`);
}

export function countByUsecaseOnBothSides(place: Place): Statement {
  return bothSides(place, 'toString(usecase_id)');
}

function bothSides(place: Place, key: string): Statement {
  const names = namesOf(place);
  const rows = affectedRows(place);
  return {
    sql: `SELECT name, sum(live) AS labels, sum(source) AS source FROM (
        SELECT ${key} AS name, count() AS live, 0 AS source FROM ${names.all} WHERE ${rows.sql} GROUP BY name
        UNION ALL SELECT ${key} AS name, 0 AS live, count() AS source FROM ${names.expected} GROUP BY name
      ) GROUP BY name ORDER BY name`,
    params: rows.params,
  };
}

export function countEpochEnds(place: Place): Statement {
  const rows = affectedRows(place);
  return {
    sql: `SELECT count() AS rows, groupArraySorted(${NAMED_ROWS})((toString(profile_id), conversation_id)) AS ids
      FROM ${namesOf(place).all} WHERE conversation_end_time = toDateTime64(0, 3, 'UTC') AND ${rows.sql}`,
    params: rows.params,
  };
}

/** Rows of the whole table on each replica; replicas of a shard must agree. */
export function countReplicas(place: Place): Statement {
  const replica = place.cluster === null ? '1' : '_shard_num';
  return {
    sql: `SELECT toUInt32(${replica}) AS replica, count() AS rows FROM ${namesOf(place).everywhere} GROUP BY replica ORDER BY replica`,
    params: {},
  };
}

/** In the order in which `clusterAllReplicas` numbers them. */
export const CLUSTER_REPLICAS = `
  SELECT shard_num, replica_num, host_name FROM system.clusters WHERE cluster = {cluster:String} ORDER BY shard_num, replica_num`;
