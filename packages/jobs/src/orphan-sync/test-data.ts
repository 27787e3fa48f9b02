/**
 * Orphans to try the sync on, in development: all three categories in both databases, each carrying a prefix by which
 * the cleanup finds exactly them again. Written directly, not through Kafka, because a missing message is what makes an
 * orphan.
 */

import { randomUUID } from 'node:crypto';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { type PersonsDb, inTransaction } from '../resources/postgres.ts';

export interface TestDataRequest {
  readonly teamId: number;
  readonly fixable: number;
  readonly trulyOrphaned: number;
  readonly chOnly: number;
  readonly prefix: string;
}

export interface TestData {
  readonly fixable: readonly string[];
  readonly trulyOrphaned: readonly string[];
  readonly chOnly: readonly string[];
}

export interface CleanedUp {
  readonly postgresPersons: number;
  readonly postgresDistinctIds: number;
  readonly clickhousePersons: number;
  readonly clickhouseDistinctIds: number;
}

/** $1 team, $2 UUIDs, $3 properties; gives nothing. */
const INSERT_PERSONS = `
INSERT INTO posthog_person (created_at, properties, uuid, version, team_id)
SELECT now(), $3::jsonb || jsonb_build_object('index', place - 1), uuid, 0, $1::bigint FROM unnest($2::uuid[]) WITH ORDINALITY AS made (uuid, place)`;

/** $1 team, $2 UUIDs, $3 distinct ids in the same order. */
const INSERT_DISTINCT_IDS = `
INSERT INTO posthog_persondistinctid (distinct_id, version, person_id, team_id)
SELECT made.distinct_id, 0, person.id, person.team_id
FROM unnest($2::uuid[], $3::text[]) AS made (uuid, distinct_id)
JOIN posthog_person AS person ON person.team_id = $1::bigint AND person.uuid = made.uuid`;

/** $1 team, $2 prefix. */
const DELETE_DISTINCT_IDS = `
DELETE FROM posthog_persondistinctid AS mapping USING posthog_person AS person
WHERE person.team_id = $1::bigint AND person.properties->>'test_prefix' = $2 AND mapping.person_id = person.id AND mapping.team_id = person.team_id`;
const DELETE_PERSONS = `DELETE FROM posthog_person WHERE team_id = $1::bigint AND properties->>'test_prefix' = $2`;

/** Any row of a person that carries the prefix makes it ours: the sync's own tombstones do not carry it. */
const TOMBSTONE_PERSONS = `
INSERT INTO person (id, created_at, team_id, properties, is_identified, is_deleted, version, _timestamp, _offset)
SELECT id, argMax(created_at, person.version), team_id, '{}', 0, 1, max(person.version) + 100, now(), 0
FROM person
WHERE team_id = {team_id:Int64}
GROUP BY team_id, id
HAVING argMax(is_deleted, person.version) = 0 AND countIf(JSONExtractString(properties, 'test_prefix') = {prefix:String}) > 0`;

const TOMBSTONE_DISTINCT_IDS = `
INSERT INTO person_distinct_id2 (team_id, distinct_id, person_id, is_deleted, version, _timestamp, _offset, _partition)
SELECT team_id, distinct_id, argMax(person_id, mapping.version), 1, max(mapping.version) + 100, now(), 0, 0
FROM person_distinct_id2 AS mapping
WHERE team_id = {team_id:Int64} AND startsWith(distinct_id, {start:String})
GROUP BY team_id, distinct_id
HAVING argMax(is_deleted, mapping.version) = 0`;

const COUNT_LIVE = `
SELECT
  (SELECT count() FROM (SELECT id FROM person WHERE team_id = {team_id:Int64} GROUP BY id
    HAVING argMax(is_deleted, version) = 0 AND countIf(JSONExtractString(properties, 'test_prefix') = {prefix:String}) > 0)) AS persons,
  (SELECT count() FROM (SELECT distinct_id FROM person_distinct_id2 WHERE team_id = {team_id:Int64} AND startsWith(distinct_id, {start:String})
    GROUP BY distinct_id HAVING argMax(is_deleted, version) = 0)) AS distinct_ids`;

export async function createTestData(
  clickhouse: ClickHouse,
  { writer }: PersonsDb,
  request: TestDataRequest,
): Promise<TestData> {
  const { teamId, prefix } = request;
  const ids = (count: number) => Array.from({ length: count }, () => randomUUID() as string);
  const made: TestData = {
    fixable: ids(request.fixable),
    trulyOrphaned: ids(request.trulyOrphaned),
    chOnly: ids(request.chOnly),
  };
  const properties = (type: string) => JSON.stringify({ test_type: type, test_prefix: prefix });

  await inTransaction(writer, NEVER, async (client) => {
    await client.query(INSERT_PERSONS, [teamId, made.fixable, properties('fixable')]);
    await client.query(INSERT_PERSONS, [teamId, made.trulyOrphaned, properties('truly_orphaned')]);
    await client.query(INSERT_DISTINCT_IDS, [
      teamId,
      made.fixable,
      made.fixable.map((id, i) => `${idStart(prefix)}${i}-${id.slice(0, 8)}`),
    ]);
  });
  const now = new Date().toISOString().replace('T', ' ').slice(0, 23);
  const rows = Object.entries(TYPES).flatMap(([category, type]) =>
    made[category as keyof TestData].map((id) => ({
      id,
      created_at: now,
      team_id: teamId,
      properties: properties(type),
      is_identified: 0,
      is_deleted: 0,
      version: 0,
      _timestamp: now.slice(0, 19),
      _offset: 0,
    })),
  );
  if (rows.length > 0) await clickhouse.insert('person', rows);
  return made;
}

/** Removes what carries the prefix, and nothing else: rows in PostgreSQL, tombstones over the rows of ClickHouse. */
export async function cleanUpTestData(
  clickhouse: ClickHouse,
  { writer }: PersonsDb,
  teamId: number,
  prefix: string,
): Promise<CleanedUp> {
  const params = { team_id: teamId, prefix, start: idStart(prefix) };
  const [live] = await clickhouse.rows<{ persons: string; distinct_ids: string }>(COUNT_LIVE, { params });
  await clickhouse.command(TOMBSTONE_PERSONS, { params });
  await clickhouse.command(TOMBSTONE_DISTINCT_IDS, { params });
  return inTransaction(writer, NEVER, async (client) => {
    const distinctIds = await client.query(DELETE_DISTINCT_IDS, [teamId, prefix]);
    const persons = await client.query(DELETE_PERSONS, [teamId, prefix]);
    return {
      postgresPersons: persons.rowCount ?? 0,
      postgresDistinctIds: distinctIds.rowCount ?? 0,
      clickhousePersons: Number(live?.persons ?? 0),
      clickhouseDistinctIds: Number(live?.distinct_ids ?? 0),
    };
  });
}

const TYPES: Readonly<Record<keyof TestData, string>> = {
  fixable: 'fixable',
  trulyOrphaned: 'truly_orphaned',
  chOnly: 'ch_only',
};

const NEVER = new AbortController().signal;

/** With its separator, so that `test` does not reach the ids of `test-orphan`. */
function idStart(prefix: string): string {
  return `${prefix}-fixable-`;
}
