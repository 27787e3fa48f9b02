/**
 * The reconciliation's part of the demo: four teams whose events tell of properties that some persons never got. The
 * scheduler sensor launches their repair; then one team is restored from the backups to show the way back, and repaired
 * once more. Every person is compared with what the events say, in ClickHouse and in PostgreSQL.
 */

import { setTimeout } from 'node:timers/promises';

import {
  RECONCILIATION_JOB,
  personPropertyReconciliation,
  personPropertyReconciliationRestoreJob,
  teamDays,
} from '@skein/jobs';
import { type Day, addDays, dayOf } from '@skein/orchestrator';

import type { DemoContext, DemoDetail, DemoPart } from './part.ts';

/** Ids of their own, so that no other part changes their persons. */
const TEAMS = [
  { id: 401, persons: 4_000 },
  { id: 402, persons: 1_500 },
  { id: 403, persons: 600 },
  { id: 404, persons: 300 },
] as const;
type Team = (typeof TEAMS)[number];
const RESTORED_TEAM: Team = TEAMS[3];

const windowOf = (day: Day) => ({ bug_window_start: `${day} 20:01:00`, bug_window_end: `${addDays(day, 1)} 14:52:00` });
const bugDay = (context: DemoContext): Day => addDays(dayOf(context.now), -4);
const keyOf = (context: DemoContext, team: Team) => teamDays.format({ id: team.id, day: bugDay(context) });

export const reconciliationPart: DemoPart = {
  asset: personPropertyReconciliation.key,
  async before(context) {
    const found = await Promise.all(TEAMS.map((team) => missedIn(context, team)));
    return { persons_with_missed_properties: sum(found.map((missed) => missed.clickhouse)) };
  },
  async load(context) {
    for (const team of TEAMS) await loadTeam(context, team);
  },
  partitions: (context) => TEAMS.map((team) => keyOf(context, team)),
  async launch(context) {
    await context.startSensor('person_property_reconciliation_scheduler', {
      team_ids: TEAMS.map(({ id }) => id),
      ...windowOf(bugDay(context)),
      chunk_size: 2,
      teams_per_chunk: 1,
      batch_size: 500,
      team_ch_props_fetch_window_seconds: 0,
      dry_run: false,
      backup_enabled: true,
    });
  },
  async verify(context, madeNow) {
    const repaired = await Promise.all(TEAMS.map((team) => missedAtRest(context, team)));
    // A restore is shown once, right after the repair; a later start only looks.
    const restored = madeNow ? await restoreAndRepair(context) : undefined;
    const details: DemoDetail[] = TEAMS.map((team, i) => ({
      partition: keyOf(context, team),
      persons: team.persons * context.scale,
      missed_in_clickhouse: repaired[i]?.clickhouse ?? -1,
      missed_in_postgres: repaired[i]?.postgres ?? -1,
      ...(restored && team.id === RESTORED_TEAM.id
        ? { restored: restored.missed, repaired_again: restored.left === 0 }
        : {}),
    }));
    const left = sum(repaired.flatMap((missed) => [missed.clickhouse, missed.postgres]));
    return {
      verified:
        left === 0 &&
        (restored === undefined ||
          (restored.missed === missedBySample(RESTORED_TEAM, context.scale) && restored.left === 0)),
      after: {
        persons_with_missed_properties: left,
        ...(restored && {
          restored_team: RESTORED_TEAM.id,
          persons_restored: restored.missed,
          persons_left_after_second_repair: restored.left,
        }),
      },
      details,
    };
  },
};

/** Undoes the repair of one team from its backups, looks, and repairs it again. */
async function restoreAndRepair(context: DemoContext): Promise<{ readonly missed: number; readonly left: number }> {
  const { client } = context;
  const key = keyOf(context, RESTORED_TEAM);
  const last = (await client.lastRuns(personPropertyReconciliation.key, [key])).get(key);
  if (!last) return { missed: -1, left: -1 };
  const run = async (job: string, config: Record<string, string | number | number[]>) => {
    const { runId } = await client.submit({ job, config, cause: 'demo' });
    await client.wait(runId);
  };
  await run(personPropertyReconciliationRestoreJob.name, { job_id: last.runId, team_ids: [RESTORED_TEAM.id] });
  const missed = await missedAtRest(context, RESTORED_TEAM);
  await run(RECONCILIATION_JOB, { team_ids: [RESTORED_TEAM.id], ...windowOf(bugDay(context)) });
  const left = await missedAtRest(context, RESTORED_TEAM);
  return {
    missed: missed.clickhouse === missed.postgres ? missed.postgres : -1,
    left: left.clickhouse + left.postgres,
  };
}

/** Persons 0, 1 and 2 of every thirty lack a $set, a $set_once, an $unset; the others have all three. */
const PER_THIRTY = 3;

function missedBySample(team: Team, scale: number): number {
  const persons = team.persons * scale;
  return Math.floor(persons / 30) * PER_THIRTY + Math.min(persons % 30, PER_THIRTY);
}

/** The same hash in both databases, so that nothing needs to travel between them. */
const PG_UUID = `md5('skein demo repair ' || $1::bigint || ' ' || n)::uuid`;
const CH_UUID = `toUUID(lower(hex(MD5(concat('skein demo repair ', toString({team:Int64}), ' ', toString(number))))))`;

const LOAD_PG = `
INSERT INTO posthog_person (created_at, properties, properties_last_updated_at, properties_last_operation, uuid, version, team_id)
SELECT timestamptz '2024-03-01',
  jsonb_build_object('name', 'Person ' || n, 'plan', CASE WHEN n % 30 = 0 THEN 'free' ELSE 'team ' || n END)
    || CASE WHEN n % 30 = 1 THEN '{}' ELSE jsonb_build_object('referrer_campaign', 'campaign ' || n % 7) END
    || CASE WHEN n % 30 = 2 THEN '{"trial": true}' ELSE '{}'::jsonb END,
  '{}', '{}', ${PG_UUID}, 1, $1::bigint
FROM generate_series(0, $2::bigint - 1) AS n`;
const LOAD_CH_PERSONS = `
INSERT INTO person (id, created_at, team_id, properties, is_identified, is_deleted, version, _timestamp, _offset)
SELECT ${CH_UUID}, toDateTime64('2024-03-01 00:00:00', 3, 'UTC'), {team:Int64},
  concat('{"name":"Person ', toString(number), '","plan":"', if(number % 30 = 0, 'free', concat('team ', toString(number))), '"',
    if(number % 30 = 1, '', concat(',"referrer_campaign":"campaign ', toString(number % 7), '"')), if(number % 30 = 2, ',"trial":true', ''), '}'),
  0, 0, 1, toDateTime('2024-03-02 00:00:00'), number
FROM numbers({persons:UInt64})`;
const LOAD_EVENTS = `
INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, person_id)
SELECT generateUUIDv4(), 'plan changed',
  concat('{"$set":{"plan":"team ', toString(number), '"},"$set_once":{"referrer_campaign":"campaign ', toString(number % 7), '"},"$unset":["trial"]}'),
  toDateTime64({start:String}, 6, 'UTC') + 60 + number % 60000, {team:Int64}, concat('user-', toString(number)), ${CH_UUID}
FROM numbers({persons:UInt64})`;

async function loadTeam(context: DemoContext, team: Team): Promise<void> {
  const { clickhouse, personsDb } = context;
  const there = await clickhouse.rows('SELECT 1 FROM person WHERE team_id = {team:Int64} LIMIT 1', {
    params: { team: team.id },
  });
  if (there.length > 0) return;
  const persons = team.persons * context.scale;
  const params = { team: team.id, persons, start: windowOf(bugDay(context)).bug_window_start };
  await personsDb.writer.query(LOAD_PG, [team.id, persons]);
  await clickhouse.command(LOAD_EVENTS, { params });
  // Last, because its rows are what says that the sample is there.
  await clickhouse.command(LOAD_CH_PERSONS, { params });
}

/** Independent of the job's own statements: what the newest event of each person says against what the person is. */
const CH_MISSED = `
WITH says AS (
  SELECT person_id AS person, argMax(JSONExtractString(properties, '$set', 'plan'), timestamp) AS plan,
    argMin(JSONExtractString(properties, '$set_once', 'referrer_campaign'), timestamp) AS campaign
  FROM events WHERE team_id = {team:Int64} GROUP BY person_id
)
SELECT toUInt32(count()) AS missed
FROM person FINAL INNER JOIN says ON says.person = id
WHERE team_id = {team:Int64} AND is_deleted = 0
  AND (JSONExtractString(properties, 'plan') != plan OR JSONExtractString(properties, 'referrer_campaign') != campaign OR JSONHas(properties, 'trial'))`;
const PG_MISSED = `
SELECT count(*)::int AS missed
FROM posthog_person JOIN generate_series(0, $2::bigint - 1) AS n ON uuid = ${PG_UUID}
WHERE team_id = $1::bigint
  AND (properties->>'plan' IS DISTINCT FROM 'team ' || n OR properties->>'referrer_campaign' IS DISTINCT FROM 'campaign ' || n % 7 OR properties ? 'trial')`;

async function missedIn({ clickhouse, personsDb, scale }: DemoContext, team: Team) {
  const [ch] = await clickhouse.rows<{ missed: number }>(CH_MISSED, { params: { team: team.id } });
  const { rows } = await personsDb.writer.query<{ missed: number }>(PG_MISSED, [team.id, team.persons * scale]);
  return { clickhouse: ch?.missed ?? -1, postgres: rows[0]?.missed ?? -1 };
}

/** Where a real Kafka lies between the databases, ClickHouse follows within seconds. */
const CATCH_UP_MS = 30_000;
const LOOK_EVERY_MS = 250;

async function missedAtRest(context: DemoContext, team: Team) {
  const deadline = performance.now() + CATCH_UP_MS;
  for (;;) {
    const missed = await missedIn(context, team);
    if (missed.clickhouse === missed.postgres || performance.now() > deadline) return missed;
    await setTimeout(LOOK_EVERY_MS);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
