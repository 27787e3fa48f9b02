/**
 * The orphan sync's part of the demo: three teams in which some persons have lost their distinct ids on the way to
 * ClickHouse, some never had one, and some exist only there. The scan sensor launches a real scan of each. In the end
 * every distinct id and every person of the teams is compared with PostgreSQL; the orphans that remain are those for
 * whom PostgreSQL has no distinct id either.
 */

import { syncPersonDistinctIds, teamDays } from '@skein/jobs';
import { dayOf } from '@skein/orchestrator';

import type { DemoContext, DemoDetail, DemoPart } from './part.ts';

/** Ids of their own, so that no other part changes their persons. Shares in thousandths of a team's persons. */
const TEAMS: readonly Team[] = [
  { id: 301, persons: 20_000, fixable: 12, trulyOrphaned: 3, chOnly: 5 },
  { id: 302, persons: 5_000, fixable: 40, trulyOrphaned: 2, chOnly: 0 },
  { id: 303, persons: 1_000, fixable: 5, trulyOrphaned: 1, chOnly: 30 },
];

interface Team {
  readonly id: number;
  readonly persons: number;
  readonly fixable: number;
  readonly trulyOrphaned: number;
  readonly chOnly: number;
}

export const orphanSyncPart: DemoPart = {
  asset: syncPersonDistinctIds.key,
  async before(context) {
    const found = await Promise.all(TEAMS.map((team) => compare(context, team)));
    return {
      orphans: sum(found, 'orphans'),
      fixable: sum(found, 'fixable'),
      truly_orphaned: sum(found, 'truly_orphaned'),
      ch_only: sum(found, 'ch_only'),
    };
  },
  async load(context) {
    for (const team of TEAMS) await loadTeam(context, team);
  },
  partitions: (context) => TEAMS.map(({ id }) => teamDays.format({ id, day: dayOf(context.now) })),
  async launch(context) {
    await context.startSensor('orphan_scan_sensor', {
      team_ids: TEAMS.map(({ id }) => id),
      config: { dry_run: false, categorize_orphans: true, delete_ch_only_orphans: true, batch_size: 500 },
    });
  },
  async verify(context) {
    const compared = await Promise.all(TEAMS.map((team) => compare(context, team)));
    const details: DemoDetail[] = compared.map((facts, i) => ({
      partition: teamDays.format({ id: TEAMS[i]?.id ?? 0, day: dayOf(context.now) }),
      ...facts,
      remaining: `${facts.truly_orphaned} without a distinct id in PostgreSQL either: reported, left alone`,
    }));
    return {
      verified: compared.every(
        (facts) =>
          facts.same_distinct_ids &&
          facts.same_persons &&
          facts.fixable === 0 &&
          facts.ch_only === 0 &&
          facts.orphans === facts.truly_orphaned,
      ),
      after: {
        orphans: sum(compared, 'orphans'),
        fixable: sum(compared, 'fixable'),
        truly_orphaned: sum(compared, 'truly_orphaned'),
        ch_only: sum(compared, 'ch_only'),
      },
      details,
    };
  },
};

/** A person's number in thousandths: what became of them. */
const boundsOf = (team: Team) => ({
  fixable: team.fixable,
  truly: team.fixable + team.trulyOrphaned,
  gone: team.fixable + team.trulyOrphaned + team.chOnly,
});

/** The same hash in both databases, so that nothing needs to travel between them. */
const PG_UUID = `md5('skein demo person ' || $1::bigint || ' ' || n)::uuid`;
const CH_UUID = `toUUID(lower(hex(MD5(concat('skein demo person ', toString({team:Int64}), ' ', toString(number))))))`;

const LOAD_PG_PERSONS = `
INSERT INTO posthog_person (created_at, properties, uuid, version, team_id)
SELECT timestamptz '2024-03-01' + n * interval '7 minutes', jsonb_build_object('email', 'user' || n || '@example.com'), ${PG_UUID}, 0, $1::bigint
FROM generate_series(0, $2::bigint - 1) AS n WHERE n % 1000 < $3::bigint OR n % 1000 >= $4::bigint`;
const LOAD_PG_DISTINCT_IDS = `
INSERT INTO posthog_persondistinctid (distinct_id, version, person_id, team_id)
SELECT 'user-' || n || device, CASE WHEN n % 11 = 0 THEN NULL ELSE n % 3 END, person.id, person.team_id
FROM generate_series(0, $2::bigint - 1) AS n
JOIN posthog_person AS person ON person.team_id = $1::bigint AND person.uuid = ${PG_UUID}
CROSS JOIN LATERAL (SELECT '' UNION ALL SELECT '-phone' WHERE n % 4 = 0) AS devices (device)
WHERE n % 1000 < $3::bigint OR n % 1000 >= $4::bigint`;
const LOAD_CH_PERSONS = `
INSERT INTO person (id, created_at, team_id, properties, is_identified, is_deleted, version, _timestamp, _offset)
SELECT ${CH_UUID}, toDateTime64('2024-03-01 00:00:00', 3, 'UTC') + number * 420, {team:Int64}, concat('{"email":"user', toString(number), '@example.com"}'), 0, 0, 0, toDateTime('2024-03-02 00:00:00'), number
FROM numbers({persons:UInt64})`;
const LOAD_CH_DISTINCT_IDS = `
INSERT INTO person_distinct_id2 (team_id, distinct_id, person_id, is_deleted, version, _timestamp, _offset, _partition)
SELECT {team:Int64}, concat('user-', toString(number), device), ${CH_UUID}, 0, if(number % 11 = 0, 0, number % 3), toDateTime('2024-03-02 00:00:00'), number, 0
FROM numbers({persons:UInt64}) ARRAY JOIN if(number % 4 = 0, ['', '-phone'], ['']) AS device
WHERE number % 1000 >= {gone:UInt64}`;

async function loadTeam({ clickhouse, personsDb, scale }: DemoContext, team: Team): Promise<void> {
  const there = await clickhouse.rows('SELECT 1 FROM person WHERE team_id = {team:Int64} LIMIT 1', {
    params: { team: team.id },
  });
  if (there.length > 0) return;
  const persons = team.persons * scale;
  const { fixable, truly, gone } = boundsOf(team);
  await personsDb.writer.query(LOAD_PG_PERSONS, [team.id, persons, truly, gone]);
  await personsDb.writer.query(LOAD_PG_DISTINCT_IDS, [team.id, persons, fixable, gone]);
  const params = { team: team.id, persons, gone };
  await clickhouse.command(LOAD_CH_DISTINCT_IDS, { params });
  // Last, because its rows are what says that the sample is there.
  await clickhouse.command(LOAD_CH_PERSONS, { params });
}

/** Counts, and checksums over what both sides must have in common: equal rows have equal sums, whatever their order. */
const PG_FACTS = `
SELECT
  (SELECT count(*) FROM posthog_person WHERE team_id = $1::bigint)::int AS persons,
  (SELECT COALESCE(sum(('x' || substr(md5(uuid::text), 1, 8))::bit(32)::bigint), 0) FROM posthog_person WHERE team_id = $1::bigint)::text AS person_sum,
  (SELECT count(*) FROM posthog_persondistinctid WHERE team_id = $1::bigint)::int AS distinct_ids,
  (SELECT COALESCE(sum(('x' || substr(md5(concat_ws('|', mapping.distinct_id, person.uuid, COALESCE(mapping.version, 0))), 1, 8))::bit(32)::bigint), 0)
   FROM posthog_persondistinctid AS mapping JOIN posthog_person AS person ON person.id = mapping.person_id AND person.team_id = mapping.team_id
   WHERE mapping.team_id = $1::bigint)::text AS distinct_id_sum`;
const CH_FACTS = `
WITH
  live_persons AS (SELECT id FROM person FINAL WHERE team_id = {team:Int64} AND is_deleted = 0),
  live_ids AS (SELECT distinct_id, person_id, version FROM person_distinct_id2 FINAL WHERE team_id = {team:Int64} AND is_deleted = 0)
SELECT
  (SELECT count() FROM live_persons) AS persons,
  (SELECT toString(sum(reinterpretAsUInt32(reverse(substring(MD5(toString(id)), 1, 4))))) FROM live_persons) AS person_sum,
  (SELECT count() FROM live_ids) AS distinct_ids,
  (SELECT toString(sum(reinterpretAsUInt32(reverse(substring(MD5(concat(distinct_id, '|', toString(person_id), '|', toString(version))), 1, 4))))) FROM live_ids) AS distinct_id_sum`;
const CH_ORPHANS = `
SELECT toString(id) AS id FROM person FINAL
WHERE team_id = {team:Int64} AND is_deleted = 0
  AND id NOT IN (SELECT person_id FROM person_distinct_id2 FINAL WHERE team_id = {team:Int64} AND is_deleted = 0)`;
const PG_KINDS = `
SELECT
  (count(*) FILTER (WHERE person.id IS NULL))::int AS ch_only,
  (count(*) FILTER (WHERE person.id IS NOT NULL AND NOT has_ids))::int AS truly_orphaned,
  (count(*) FILTER (WHERE has_ids))::int AS fixable
FROM unnest($2::uuid[]) AS orphan (uuid)
LEFT JOIN posthog_person AS person ON person.team_id = $1::bigint AND person.uuid = orphan.uuid
CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM posthog_persondistinctid AS mapping WHERE mapping.person_id = person.id AND mapping.team_id = person.team_id)) AS ids (has_ids)`;

interface TeamFacts {
  readonly orphans: number;
  readonly fixable: number;
  readonly truly_orphaned: number;
  readonly ch_only: number;
  readonly distinct_ids_in_postgres: number;
  readonly distinct_ids_in_clickhouse: number;
  readonly same_distinct_ids: boolean;
  readonly same_persons: boolean;
}

async function compare({ clickhouse, personsDb }: DemoContext, { id: team }: Team): Promise<TeamFacts> {
  const params = { team };
  const [theirs] = await clickhouse.rows<{
    persons: string;
    person_sum: string;
    distinct_ids: string;
    distinct_id_sum: string;
  }>(CH_FACTS, { params });
  const orphans = await clickhouse.rows<{ id: string }>(CH_ORPHANS, { params });
  const { rows: facts } = await personsDb.writer.query<{
    persons: number;
    person_sum: string;
    distinct_ids: number;
    distinct_id_sum: string;
  }>(PG_FACTS, [team]);
  const { rows: kinds } = await personsDb.writer.query<Pick<TeamFacts, 'fixable' | 'truly_orphaned' | 'ch_only'>>(
    PG_KINDS,
    [team, orphans.map((row) => row.id)],
  );
  const [ours, kind] = [facts[0], kinds[0]];
  return {
    orphans: orphans.length,
    fixable: kind?.fixable ?? 0,
    truly_orphaned: kind?.truly_orphaned ?? 0,
    ch_only: kind?.ch_only ?? 0,
    distinct_ids_in_postgres: ours?.distinct_ids ?? 0,
    distinct_ids_in_clickhouse: Number(theirs?.distinct_ids),
    same_distinct_ids:
      ours?.distinct_id_sum === theirs?.distinct_id_sum && ours?.distinct_ids === Number(theirs?.distinct_ids),
    same_persons: ours?.person_sum === theirs?.person_sum && ours?.persons === Number(theirs?.persons),
  };
}

function sum(facts: readonly TeamFacts[], name: 'orphans' | 'fixable' | 'truly_orphaned' | 'ch_only'): number {
  return facts.reduce((total, one) => total + one[name], 0);
}
