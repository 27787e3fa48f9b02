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

/** Reads both tables in the order of their keys, so that a team of millions needs no hash table of its ids. */
export const DISCOVERY_SETTINGS = { optimize_aggregation_in_order: 1 } as const;

/** Live persons of the team that no live mapping names: person_id, created_at; by (created_at, id). */
export function findOrphanedPersons(shape: DiscoveryShape): string {
  return `
SELECT toString(id) AS person_id, toString(created, 'UTC') AS created_at
FROM (
  SELECT id, argMax(created_at, (version, _timestamp, _offset, is_deleted)) AS created
  FROM person
  WHERE team_id = {team_id:Int64}${shape.onlyPersons ? ' AND id IN {person_ids:Array(UUID)}' : ''}
  GROUP BY team_id, id
  HAVING argMax(is_deleted, (version, _timestamp, _offset, is_deleted)) = 0
)
WHERE id NOT IN (
  SELECT argMax(person_id, (version, _timestamp, _offset, is_deleted))
  FROM person_distinct_id2
  WHERE team_id = {team_id:Int64}
  GROUP BY team_id, distinct_id
  HAVING argMax(is_deleted, (version, _timestamp, _offset, is_deleted)) = 0
)${shape.after ? " AND (created, id) > (toDateTime64({after_created_at:String}, 3, 'UTC'), {after_id:UUID})" : ''}${
    shape.upTo ? " AND (created, id) <= (toDateTime64({up_to_created_at:String}, 3, 'UTC'), {up_to_id:UUID})" : ''
  }
ORDER BY created, id
LIMIT {rows:UInt64}`;
}

/** The newest state of some persons, as a tombstone needs it. */
export const PERSON_STATES = `
SELECT toString(id) AS person_id,
  toString(max(version)) AS version,
  argMax(is_deleted, (version, _timestamp, _offset, is_deleted)) AS is_deleted,
  toString(argMax(created_at, (version, _timestamp, _offset, is_deleted)), 'UTC') AS created_at
FROM person
WHERE team_id = {team_id:Int64} AND id IN {person_ids:Array(UUID)}
GROUP BY team_id, id`;

/** The newest row of some distinct ids. */
export const MAPPING_STATES = `
SELECT distinct_id,
  toString(argMax(person_id, (version, _timestamp, _offset, is_deleted))) AS person_id,
  toString(max(version)) AS version,
  argMax(is_deleted, (version, _timestamp, _offset, is_deleted)) AS is_deleted
FROM person_distinct_id2
WHERE team_id = {team_id:Int64} AND distinct_id IN {distinct_ids:Array(String)}
GROUP BY team_id, distinct_id`;

export const TEAM_HAS_PERSONS_IN_CLICKHOUSE = `SELECT 1 AS found FROM person WHERE team_id = {team_id:Int64} LIMIT 1`;

export const TEAM_HAS_PERSONS_IN_POSTGRES = `SELECT 1 AS found FROM posthog_person WHERE team_id = $1::bigint LIMIT 1`;

/** $1 team, $2 UUIDs. A version that was never written is 0. Text, because a bigint may not fit a JavaScript number. */
export const DISTINCT_IDS_OF_PERSONS = `
SELECT person.uuid::text AS person_id, mapping.distinct_id, COALESCE(mapping.version, 0)::text AS version
FROM unnest($2::uuid[]) AS wanted (uuid)
JOIN posthog_person AS person ON person.team_id = $1::bigint AND person.uuid = wanted.uuid
JOIN posthog_persondistinctid AS mapping ON mapping.person_id = person.id AND mapping.team_id = person.team_id
ORDER BY person.uuid, mapping.id`;

/** $1 team, $2 UUIDs: those that are persons of the team. */
export const EXISTING_PERSONS = `
SELECT DISTINCT person.uuid::text AS person_id
FROM unnest($2::uuid[]) AS wanted (uuid)
JOIN posthog_person AS person ON person.team_id = $1::bigint AND person.uuid = wanted.uuid`;

/** One statement looks up at most one batch; longer means a lock or a missing index, and another attempt is better. */
export const LOOKUP_TIMEOUT = `SET LOCAL statement_timeout = '30s'`;
