/**
 * The reconciliation of 200,000 persons with differences (found, updated, backed up, published to Kafka) beside the
 * same work one person at a time, and beside a bare set-based UPDATE of the same rows. The memory of a windowed run over
 * a team of a million affected persons is measured in a process of its own.
 */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

import {
  type ClickHouse,
  type Message,
  type PersonsDb,
  type Publisher,
  ReconciliationConfig,
  openClickHouse,
  openKafkaPublisher,
  openPersonsDb,
  personPropertyReconciliation,
} from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';
import pg from 'pg';

import { applyClickHouseSchema, applyPostgresSchema } from '../infra/embedded/src/schemas.ts';
import { createTopics } from '../infra/embedded/src/topics.ts';
import { applyChanges } from '../packages/jobs/src/reconciliation/apply.ts';
import { findDiffs } from '../packages/jobs/src/reconciliation/find-diffs.ts';
import { pendingOperations } from '../packages/jobs/src/reconciliation/pending-operations.ts';
import { personMessage } from '../packages/jobs/src/reconciliation/person-message.ts';
import { createPersonReads } from '../packages/jobs/src/reconciliation/person-reads.ts';
import { PERSONS_BY_UUID, type PersonRow } from '../packages/jobs/src/reconciliation/postgres-sql.ts';
import { noCounts, reconcileTeam } from '../packages/jobs/src/reconciliation/reconcile-team.ts';
import type { PersonDiff } from '../packages/jobs/src/reconciliation/replay.ts';
import { createTeamLog } from '../packages/jobs/src/reconciliation/team-log.ts';
import { type Bench, type BenchOptions, type BenchRow, row } from './bench.ts';

const PERSONS = 200_000;
const ONE_BY_ONE_PERSONS = 4_000;
const ONE_BY_ONE_BATCH = 100;
const BIG_TEAM = { id: 1, persons: 1_000_000 };
const MEMORY_LIMIT_MB = 500;
const BATCH = 2_000;
const WINDOW = { bug_window_start: '2026-01-06 20:01:00', bug_window_end: '2026-01-07 14:52:00' };
const NOW = new Date('2026-01-08T00:00:00Z');

export const bench: Bench = {
  name: 'reconciliation',
  summary: 'set-based repair beside one person at a time and a bare UPDATE',
  async run(options) {
    const place = await openPlace(options);
    try {
      return [...(await measureSpeed(place, options)), await measureMemory(place, options)];
    } finally {
      await place.close();
    }
  },
};

type Place = Awaited<ReturnType<typeof openPlace>>;

async function openPlace({ note }: BenchOptions) {
  const name = `bench_reconciliation_${randomBytes(4).toString('hex')}`;
  const at = (url: string | undefined) => Object.assign(new URL(url ?? ''), { pathname: `/${name}` }).href;
  const env = { clickhouse: at(process.env.SKEIN_CLICKHOUSE_URL), persons: at(process.env.PERSONS_DB_WRITER_URL) };
  const brokers = process.env.SKEIN_KAFKA_BROKERS ?? '';
  const server = openClickHouse(process.env.SKEIN_CLICKHOUSE_URL ?? '');
  await server.command(`CREATE DATABASE ${name}`);
  await applyClickHouseSchema(env.clickhouse, 'persons');
  await applyClickHouseSchema(env.clickhouse, 'events');
  const admin = new pg.Client(process.env.PERSONS_DB_WRITER_URL);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await applyPostgresSchema(env.persons, 'persons');
  await createTopics(brokers, [`${name}.clickhouse_person`]);
  note(`tables and topic are made in ${name}`);
  const kafka = openKafkaPublisher(brokers.split(','));
  const publisher: Publisher = { ...kafka, publish: (topic, messages) => kafka.publish(`${name}.${topic}`, messages) };
  const clickhouse = openClickHouse(env.clickhouse);
  const personsDb = openPersonsDb(env.persons, undefined);
  return {
    env,
    clickhouse,
    personsDb,
    publisher,
    async close() {
      await kafka.close();
      await clickhouse.close();
      await personsDb.writer.end();
      await server.command(`DROP DATABASE ${name} SYNC`);
      await server.close();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

/** A person of fifteen properties, some 500 bytes; */
const FILLING = Array.from({ length: 13 }, (_, i) => `"property_${i}":"a value of usual length ${i}"`).join(',');

async function loadClickHouse(
  clickhouse: ClickHouse,
  team: number,
  persons: number,
  withState: boolean,
): Promise<void> {
  const uuid = `toUUID(concat(substring(h,1,8),'-',substring(h,9,4),'-',substring(h,13,4),'-',substring(h,17,4),'-',substring(h,21,12)))`;
  const from = `FROM (SELECT number, lower(hex(MD5(concat('${team}.', toString(number))))) AS h FROM numbers(${persons}))`;
  if (withState) {
    await clickhouse.command(`INSERT INTO person (id, team_id, properties, version, created_at)
      SELECT ${uuid}, ${team}, concat('{"email":"old', toString(number), '","counter":', toString(number), ',${FILLING}}'), 1, '2026-01-01 00:00:00' ${from}`);
  }
  await clickhouse.command(`INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, person_id)
    SELECT generateUUIDv4(), 'signed in', concat('{"$set":{"email":"new', toString(number), '"},"$lib":"web"}'),
      toDateTime64('2026-01-06 20:01:00', 6, 'UTC') + number % 60000, ${team}, concat('d', toString(number)), ${uuid} ${from}`);
}

async function loadPostgres(db: pg.Pool, team: number, persons: number): Promise<void> {
  await db.query(
    `INSERT INTO posthog_person (created_at, properties, properties_last_updated_at, properties_last_operation, uuid, version, team_id)
     SELECT '2026-01-01', ('{"email":"old' || n || '","counter":' || n || ',${FILLING}}')::jsonb, '{}', '{}', md5('${team}.' || n)::uuid, 1, ${team}
     FROM generate_series(0, ${persons - 1}) n`,
  );
  await db.query('VACUUM ANALYZE posthog_person');
}

async function measureSpeed(place: Place, { note, rounds, scale }: BenchOptions): Promise<BenchRow[]> {
  const persons = PERSONS * scale;
  const ours: number[] = [];
  const oneByOne: number[] = [];
  const bare: number[] = [];
  const db = place.personsDb.writer;
  for (let round = 0; round < rounds; round++) {
    const [set, plain, one] = [1_000 + round, 2_000 + round, 3_000 + round];
    note(`round ${round + 1}: loading ${persons} persons`);
    await loadClickHouse(place.clickhouse, set, persons, true);
    await loadClickHouse(place.clickhouse, one, ONE_BY_ONE_PERSONS, true);
    await loadPostgres(db, set, persons);
    await loadPostgres(db, plain, persons);
    await loadPostgres(db, one, ONE_BY_ONE_PERSONS);
    await db.query('CHECKPOINT');
    note(`round ${round + 1}: ours`);
    ours.push(await reconcile(place, set, persons));
    await db.query('CHECKPOINT');
    note(`round ${round + 1}: a bare UPDATE of the same rows`);
    bare.push(await bareUpdate(db, plain, persons));
    await db.query('CHECKPOINT');
    note(`round ${round + 1}: one by one`);
    oneByOne.push(await reconcileOneByOne(place, one));
    await db.query('TRUNCATE posthog_person, posthog_person_reconciliation_backup');
    await place.clickhouse.command('TRUNCATE TABLE person');
    await place.clickhouse.command('TRUNCATE TABLE events');
  }
  const rates = ours.map((seconds) => persons / seconds);
  return [
    row('persons found, updated, backed up and published, in a second', rates, oneByOne, {
      otherIs: 'one person at a time',
      unit: 'persons/s',
      target: '≥ 10',
    }),
    row(`${persons} persons found, updated, backed up and published`, ours, bare, {
      otherIs: 'a bare set-based UPDATE of as many such rows',
      unit: 's',
      target: '≤ 2',
    }),
  ];
}

async function reconcile({ clickhouse, personsDb, publisher }: Place, team: number, persons: number): Promise<number> {
  const began = performance.now();
  const run = await runAsset(personPropertyReconciliation, {
    config: { ...WINDOW, team_ids: [team], batch_size: BATCH },
    now: NOW,
    resources: { clickhouse, personsDb, kafka: publisher },
  });
  const seconds = (performance.now() - began) / 1_000;
  if (run.result?.persons_updated !== persons)
    throw new Error(`${String(run.result?.persons_updated)} of ${persons} persons were updated`);
  return seconds;
}

/**
 * The rows end as ours do: properties, what is known of when and by what they were set, version. The values are made
 * beforehand, nothing is looked at, nothing backed up.
 */
async function bareUpdate(db: pg.Pool, team: number, persons: number): Promise<number> {
  const { rows } = await db.query<{ id: string; properties: string }>(
    'SELECT id, properties::text AS properties FROM posthog_person WHERE team_id = $1',
    [team],
  );
  const batches: string[][][] = [];
  for (let i = 0; i < rows.length; i += BATCH) {
    const part = rows.slice(i, i + BATCH);
    batches.push([
      part.map((r) => r.id),
      part.map((r) => r.properties.replace('"email": "old', '"email": "new')),
      part.map(() => '{"email":"2026-01-06T20:01:00+00:00"}'),
      part.map(() => '{"email":"set"}'),
    ]);
  }
  const began = performance.now();
  let updated = 0;
  for (const columns of batches) {
    const { rowCount } = await db.query(
      `UPDATE posthog_person p SET properties = i.properties::jsonb, properties_last_updated_at = i.moments::jsonb,
         properties_last_operation = i.operations::jsonb, version = p.version + 1
       FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) AS i(id, properties, moments, operations)
       WHERE p.team_id = $1 AND p.id = ANY($2::bigint[]) AND p.id = i.id`,
      [team, ...columns],
    );
    updated += rowCount ?? 0;
  }
  const seconds = (performance.now() - began) / 1_000;
  if (updated !== persons) throw new Error(`${updated} of ${persons} rows were updated`);
  return seconds;
}

/**
 * The original's way, with its session settings: differences found by the same query, then for each person one SELECT,
 * one backup and one UPDATE; every hundred a commit, and what it changed is published and flushed. Gives persons a second.
 */
async function reconcileOneByOne({ clickhouse, personsDb, publisher }: Place, team: number): Promise<number> {
  const signal = new AbortController().signal;
  const quiet = () => {};
  const client = await personsDb.writer.connect();
  await client.query("SET synchronous_commit = off; SET lock_timeout = '5s'; SET statement_timeout = '30min'");
  const began = performance.now();
  const diffs: PersonDiff[] = [];
  for await (const block of findDiffs({
    reads: createPersonReads(clickhouse, team, signal),
    log: createTeamLog({ debug: quiet, info: quiet, warn: quiet, error: quiet }, team),
    signal,
    start: new Date(`${WINDOW.bug_window_start}Z`),
    now: NOW,
    repairMissingKeys: false,
  }))
    diffs.push(...block);
  let messages: Message[] = [];
  let updated = 0;
  await client.query('BEGIN');
  for (const [i, diff] of diffs.entries()) {
    const message = await updateOne(client, team, diff);
    if (message) messages.push(message);
    if ((i + 1) % ONE_BY_ONE_BATCH !== 0 && i + 1 !== diffs.length) continue;
    await client.query('COMMIT');
    await publisher.publish('clickhouse_person', messages);
    updated += messages.length;
    messages = [];
    await client.query('BEGIN');
  }
  await client.query('COMMIT');
  const seconds = (performance.now() - began) / 1_000;
  await client.query('RESET ALL');
  client.release();
  if (updated !== ONE_BY_ONE_PERSONS) throw new Error(`${updated} of ${ONE_BY_ONE_PERSONS} persons were updated`);
  return updated / seconds;
}

async function updateOne(client: pg.PoolClient, team: number, diff: PersonDiff): Promise<Message | undefined> {
  const { rows } = await client.query<PersonRow>(PERSONS_BY_UUID, [team, [diff.personId]]);
  const [person] = rows;
  const after =
    person &&
    applyChanges(
      { properties: person.properties, lastUpdatedAt: person.last_updated_at, lastOperation: person.last_operation },
      diff.changes,
    );
  if (!person || !after) return undefined;
  const version = BigInt(person.version);
  await client.query(
    `INSERT INTO posthog_person_reconciliation_backup (job_id, team_id, person_id, uuid, properties, properties_last_updated_at,
       properties_last_operation, version, is_identified, created_at, pending_operations, properties_after,
       properties_last_updated_at_after, properties_last_operation_after, version_after)
     VALUES ('one-by-one', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (job_id, team_id, person_id) DO NOTHING`,
    [
      ...[team, person.id, person.uuid, person.properties, person.last_updated_at, person.last_operation, version],
      ...[person.is_identified, `${person.created_at}Z`, pendingOperations(diff.changes)],
      ...[after.properties, after.lastUpdatedAt, after.lastOperation, version + 1n],
    ],
  );
  const { rowCount } = await client.query(
    `UPDATE posthog_person SET properties = $3, properties_last_updated_at = $4, properties_last_operation = $5, version = $6
     WHERE team_id = $1 AND uuid = $2 AND version = $7`,
    [team, person.uuid, after.properties, after.lastUpdatedAt, after.lastOperation, version + 1n, version],
  );
  if (rowCount !== 1) return undefined;
  return personMessage({
    uuid: person.uuid,
    teamId: team,
    properties: after.properties,
    isIdentified: person.is_identified,
    createdAt: person.created_at,
    version: version + 1n,
  });
}

async function measureMemory({ env, clickhouse }: Place, { note, scale }: BenchOptions): Promise<BenchRow> {
  note(`loading a team of ${BIG_TEAM.persons * scale} affected persons`);
  await loadClickHouse(clickhouse, BIG_TEAM.id, BIG_TEAM.persons * scale, true);
  note('a windowed dry run over it');
  const code = `import(${JSON.stringify(import.meta.url)}).then((m) => m.reconcileOnce())`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'source', '--import', 'tsx', '-e', code], {
    env: { ...process.env, BENCH_CLICKHOUSE_URL: env.clickhouse, BENCH_PERSONS_URL: env.persons },
  });
  const { peakMb, affected } = JSON.parse(stdout) as { peakMb: number; affected: number };
  if (affected !== BIG_TEAM.persons * scale) throw new Error(`${affected} persons were processed`);
  return row(`peak memory of a windowed run over ${affected} affected persons`, [peakMb], [MEMORY_LIMIT_MB], {
    otherIs: 'the limit',
    unit: 'MB',
    target: '≤ 1',
  });
}

/** In a process of its own. */
export async function reconcileOnce(): Promise<void> {
  const clickhouse = openClickHouse(process.env.BENCH_CLICKHOUSE_URL ?? '');
  const personsDb: PersonsDb = openPersonsDb(process.env.BENCH_PERSONS_URL, undefined);
  const kafka: Publisher = { publish: async () => {}, ping: async () => '', close: async () => {} };
  const counts = noCounts();
  const quiet = () => {};
  await reconcileTeam({
    teamId: BIG_TEAM.id,
    runId: 'bench',
    // Windows of six hours: their number changes the time, not the memory.
    config: ReconciliationConfig.parse({
      ...WINDOW,
      dry_run: true,
      team_ch_props_fetch_window_seconds: 21_600,
      batch_size: BATCH,
    }),
    clickhouse,
    personsDb,
    publisher: kafka,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    signal: new AbortController().signal,
    now: NOW,
    counts,
  });
  await clickhouse.close();
  await personsDb.writer.end();
  process.stdout.write(JSON.stringify({ peakMb: process.resourceUsage().maxRSS / 1024, affected: counts.processed }));
}
