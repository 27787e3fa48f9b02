/**
 * Every statement of the orphan sync. Values are bound parameters only; the optional parts of the discovery are chosen
 * from the fixed fragments below.
 *
 * Rows are reduced to the newest of each key by (version, _timestamp, _offset, is_deleted) before anything is concluded
 * from them. So the answer is the same whether ClickHouse has merged its parts or not, an id that moved to another
 * person no longer names its old one, and a tombstone names nobody.
 */

/** Which optional parts a discovery has. */
export interface DiscoveryShape {
  readonly onlyPersons: boolean;
  readonly after: boolean;
  readonly upTo: boolean;
}

/** A team of many millions spills to disk instead of filling the server's memory. */
export const DISCOVERY_SETTINGS = { max_bytes_before_external_group_by: '2000000000' } as const;

/**
 * (version, _timestamp, _offset, is_deleted) as one number, the first 64 bits the version: comparing tuples costs three
 * times as much (measured: 0.71 s instead of 0.25 s for a team of a million). Of the offset its low 31 bits are enough
 * to order the rows of one second. Its lowest bit says whether the newest row is a tombstone.
 */
const AGE = `(bitShiftLeft(toUInt128(version), 64) + bitShiftLeft(toUInt64(toUInt32(_timestamp)), 32) + bitShiftLeft(bitAnd(_offset, 0x7fffffff), 1) + is_deleted)`;
const IS_LIVE = `bitAnd(toUInt64(max(${AGE})), 1) = 0`;

/** Live persons of the team that no live mapping names: person_id, created_at; by (created_at, id). */
export function findOrphanedPersons(shape: DiscoveryShape): string {
  return `
SELECT toString(id) AS person_id, toString(created, 'UTC') AS created_at
FROM (
  SELECT id, argMax(created_at, ${AGE}) AS created
  FROM person
  WHERE team_id = {team_id:Int64}${shape.onlyPersons ? ' AND id IN {person_ids:Array(UUID)}' : ''}
  GROUP BY id
  HAVING ${IS_LIVE}
)
WHERE id NOT IN (
  SELECT argMax(person_id, ${AGE})
  FROM person_distinct_id2
  WHERE team_id = {team_id:Int64}
  GROUP BY distinct_id
  HAVING ${IS_LIVE}
)${shape.after ? " AND (created, id) > (toDateTime64({after_created_at:String}, 3, 'UTC'), {after_id:UUID})" : ''}${
    shape.upTo ? " AND (created, id) <= (toDateTime64({up_to_created_at:String}, 3, 'UTC'), {up_to_id:UUID})" : ''
  }
ORDER BY created, id
LIMIT {rows:UInt64}`;
}

/** The newest state of some persons, as a tombstone needs it. */
export const PERSON_STATES = `
SELECT toString(id) AS person, toString(max(version)) AS newest_version, ${IS_LIVE} AS live,
  toString(argMax(created_at, ${AGE}), 'UTC') AS created
FROM person
WHERE team_id = {team_id:Int64} AND id IN {person_ids:Array(UUID)}
GROUP BY id`;

/** The newest row of some distinct ids. */
export const MAPPING_STATES = `
SELECT distinct_id, toString(argMax(person_id, ${AGE})) AS person, toString(max(version)) AS newest_version, ${IS_LIVE} AS live
FROM person_distinct_id2
WHERE team_id = {team_id:Int64} AND distinct_id IN {distinct_ids:Array(String)}
GROUP BY distinct_id`;

export const TEAM_HAS_PERSONS_IN_CLICKHOUSE = `SELECT 1 AS found FROM person WHERE team_id = {team_id:Int64} LIMIT 1`;

export const TEAM_HAS_PERSONS_IN_POSTGRES = `SELECT 1 AS found FROM posthog_person WHERE team_id = $1::bigint LIMIT 1`;

/** Newer persons databases mark rows as deleted (2); older ones have no such columns (0). */
export const COUNT_SOFT_DELETE_COLUMNS = `
SELECT count(*)::int AS columns FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) AND column_name = 'is_deleted' AND table_name IN ('posthog_person', 'posthog_persondistinctid')`;

/** $1 team, $2 UUIDs. A version that was never written is 0. Text, because a bigint may not fit a JavaScript number. */
export function distinctIdsOfPersons(softDeletes: boolean): string {
  return `
SELECT person.uuid::text AS person_id, mapping.distinct_id, COALESCE(mapping.version, 0)::text AS version
FROM unnest($2::uuid[]) AS wanted (uuid)
JOIN posthog_person AS person ON person.team_id = $1::bigint AND person.uuid = wanted.uuid
JOIN posthog_persondistinctid AS mapping ON mapping.person_id = person.id AND mapping.team_id = person.team_id
${softDeletes ? 'WHERE NOT person.is_deleted AND NOT mapping.is_deleted' : ''}
ORDER BY person.uuid, mapping.id`;
}

/** $1 team, $2 UUIDs: those that are persons of the team. */
export function existingPersons(softDeletes: boolean): string {
  return `
SELECT DISTINCT person.uuid::text AS person_id
FROM unnest($2::uuid[]) AS wanted (uuid)
JOIN posthog_person AS person ON person.team_id = $1::bigint AND person.uuid = wanted.uuid
${softDeletes ? 'WHERE NOT person.is_deleted' : ''}`;
}

/**
 * Before each look-up. One takes at most one batch; longer than this means a lock or a missing index, and another
 * attempt is better. It is a set of point reads: at the default cost of those the planner reads whole tables for a
 * batch of 1,000 persons (measured with 100,000 persons: 25 ms instead of 5).
 */
export const LOOKUP_SETTINGS = `SET LOCAL statement_timeout = '30s'; SET LOCAL random_page_cost = 1.1`;
