/**
 * The operators' way from end to end: the four cursors of their guide given to the scheduler (the one for all teams by the
 * command line), run by the real engine and a real worker over PostgreSQL, Kafka and ClickHouse, which learns of repaired persons from
 * Kafka alone. In pass 1 one team runs out of memory and one meets a lock; pass 2 is launched from the failed partitions.
 */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { applySchemas } from '@skein/embedded';
import { testClickHouse, testDatabase, testKafka, testRedis } from '@skein/embedded/test-services';
import { openKafkaPublisher, personPropertyReconciliationJob, withTopicPrefix } from '@skein/jobs';
import type { JsonObject, Sensor } from '@skein/orchestrator';
import { createClient, openEngine, startWorker } from '@skein/orchestrator/runtime';
import pg from 'pg';

import { PERSON_TOPIC, personMessage } from '../packages/jobs/src/reconciliation/person-message.ts';
import { GUIDE_CURSORS, WINDOW } from '../packages/sensors/test/guide-cursors.ts';
import { deploymentWith, scheduler } from './reconciliation-passes/skein.config.ts';

const ROOT = path.resolve(__dirname, '..');
const ASSET = 'person_property_reconciliation';
const DAY = '2026-01-06';
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const LARGE = 2;
const LOCKED = 456;
const TEAMS = [LARGE, 123, LOCKED, 789, 15_847, 23_456];
const PERSONS = 12;
/**
 * Of a query in ClickHouse: the large team's values fit window by window only. Small blocks, so that
 * reading takes little; no aggregation on disk.
 */
const LIMITS =
  'ch_max_memory_usage=150000000&ch_max_threads=1&ch_max_block_size=64&ch_max_bytes_ratio_before_external_group_by=0';

let world: Awaited<ReturnType<typeof openWorld>>;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());

test('the four cursors run to their end; two teams fail in pass 1 and succeed in pass 2', async () => {
  const { client, db } = world;

  // Rehearsals: everybody would be repaired, nobody is.
  expect(await runToEnd(GUIDE_CURSORS.small)).toMatch(/^Reconciliation complete: processed all 3 teams .*a dry run/);
  expect(await runToEnd(GUIDE_CURSORS.large)).toMatch(/^Reconciliation complete: processed all 1 teams .*a dry run/);
  const rehearsals = await client.runs({ job: personPropertyReconciliationJob.name, limit: 10 });
  expect(rehearsals.map((run) => run.status)).toEqual(['SUCCESS', 'SUCCESS']);
  expect(await emails('old')).toBe(TEAMS.length * PERSONS);
  const { rows: tables } = await db.query('SELECT 1 FROM posthog_person_reconciliation_backup');
  expect(tables).toEqual([]);

  // Pass 1.
  const holder = await db.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM posthog_person WHERE team_id = $1 LIMIT 1 FOR UPDATE', [LOCKED]);
  const pass1 = await runToEnd(GUIDE_CURSORS.range, pasteOnCommandLine).finally(async () => {
    await holder.query('ROLLBACK');
    holder.release();
  });
  expect(pass1).toBe(
    `Reconciliation complete: processed all teams up to 100000 (succeeded=${TEAMS.length - 2}, failed=2)`,
  );
  expect(world.mostActive()).toBeLessThanOrEqual(5);
  const ranges = (await client.runs({ job: personPropertyReconciliationJob.name, limit: 1_000 })).filter(
    (run) => run.createdAt > world.rangeBegan(),
  );
  expect(ranges).toHaveLength(100);
  expect(ranges.filter((run) => run.status === 'FAILURE')).toHaveLength(1);
  expect(await emails('old')).toBe(2 * PERSONS);

  // Which teams failed, by the command of the guide and by the partitions.
  const csv = path.join(world.dir, 'failed.csv');
  const results = await skein('reconciliation-results', '--since', '2026-01-27', '-v', '--output-csv', csv);
  expect(results.code).toBe(1);
  expect(results.out).toContain(`Unique teams processed: ${TEAMS.length}`);
  expect(results.out).toContain(`Failed team ids: [${LARGE}, ${LOCKED}]`);
  expect(results.out).toContain(`Persons: processed=${(TEAMS.length - 2) * PERSONS}, updated=`);
  const [head, ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n');
  expect(head).toBe('team_id,status,error,run_id,step_key,persons_processed,persons_updated,persons_skipped');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^2,failed,.*memory limit.*,0,0,0$/i);
  expect(lines[1]).toMatch(/^456,failed,.*lock timeout.*,0,0,0$/);
  const listed = await skein('partitions', ASSET, '--status', 'failed', '--json');
  expect(listed.code).toBe(0);
  for (const team of [LARGE, LOCKED]) expect(listed.out).toContain(`${team}_${DAY}`);

  // Pass 2, from the failed partitions.
  const { runId } = await client.submit({
    job: personPropertyReconciliationJob.name,
    partitions: [`${LARGE}_${DAY}`, `${LOCKED}_${DAY}`],
    config: { ...WINDOW, team_ch_props_fetch_window_seconds: 3600, teams_per_chunk: 1 },
    cause: 'the test',
  });
  expect(await client.wait(runId)).toMatchObject({ status: 'SUCCESS', counts: { materialized: 2, total: 2 } });
  expect((await skein('reconciliation-results', '--since', '2026-01-27')).code).toBe(0);
  expect(await emails('old')).toBe(0);
  expect(await emails('new')).toBe(TEAMS.length * PERSONS);
  await until(clickHouseHasCaughtUp, 'ClickHouse has what PostgreSQL has');

  // The production cursor finds the large team repaired.
  expect(await runToEnd(GUIDE_CURSORS.production)).toBe(
    'Reconciliation complete: processed all 1 teams (succeeded=1, failed=0)',
  );
  const { rows } = await db.query(
    'SELECT count(*)::int AS n, max(version)::int AS v, (SELECT count(*)::int FROM posthog_person_reconciliation_backup) AS b FROM posthog_person',
  );
  expect(rows).toEqual([{ n: TEAMS.length * PERSONS, v: 2, b: TEAMS.length * PERSONS }]);
}, 540_000);

test.each([
  ['an unknown key', { ...GUIDE_CURSORS.small, team_id: 5 }, /team_id/],
  [
    'too many jobs',
    { ...GUIDE_CURSORS.range, max_concurrent_jobs: 51 },
    /max_concurrent_jobs \(51\) exceeds cap of 50/,
  ],
])('%s is refused when the cursor is pasted', async (_what, cursor, message) => {
  await expect(paste(cursor)).rejects.toThrow(message);
});

test('191: a cursor that is no JSON is refused as that', async () => {
  const pasted = await skein('sensors', 'cursor', 'set', scheduler.name, 'not valid json {');
  expect(pasted.code).not.toBe(0);
  expect(pasted.err).toMatch(/is not JSON/);
});

test('156, 157: ClickHouse takes a published person as it is, and the newer of two versions', async () => {
  const team = 200_000;
  const [identified, twice] = [randomUUID(), randomUUID()];
  const message = (uuid: string, version: bigint, isIdentified: boolean, properties: object) =>
    personMessage({
      uuid,
      teamId: team,
      properties: JSON.stringify(properties),
      isIdentified,
      createdAt: '2026-01-01 00:00:00.000000',
      version,
    });
  const { SKEIN_KAFKA_BROKERS: brokers, KAFKA_PREFIX: prefix } = world.env;
  const publisher = withTopicPrefix(openKafkaPublisher([brokers ?? '']), prefix ?? '');
  await publisher
    .publish(PERSON_TOPIC, [
      message(identified, 1n, true, { email: 'a@x', text: 'ünï "q"', deep: { list: [1, null] } }),
      message(twice, 1n, false, { email: 'b@x' }),
      message(twice, 2n, true, { email: 'b@x', plan: 'pro' }),
    ])
    .finally(() => publisher.close());
  const persons = async () => {
    const answer = await world.clickhouse.client.query({
      query: `SELECT id, toInt32(team_id) AS team, toInt32(version) AS v, is_identified, properties FROM person FINAL WHERE team_id = ${team}`,
      format: 'JSONEachRow',
    });
    const rows = await answer.json<{
      id: string;
      team: number;
      v: number;
      is_identified: number;
      properties: string;
    }>();
    return new Map(
      rows.map(({ id, properties, ...row }) => [id, { ...row, properties: JSON.parse(properties) as unknown }]),
    );
  };
  const arrived = async () => (await persons()).get(twice)?.v === 2 && (await persons()).has(identified);
  await until(arrived, 'ClickHouse has both persons');
  expect(await persons()).toEqual(
    new Map([
      [
        identified,
        { team, v: 1, is_identified: 1, properties: { email: 'a@x', text: 'ünï "q"', deep: { list: [1, null] } } },
      ],
      [twice, { team, v: 2, is_identified: 1, properties: { email: 'b@x', plan: 'pro' } }],
    ]),
  );
});

const emails = async (prefix: string): Promise<number> =>
  (
    await world.db.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM posthog_person WHERE properties->>'email' LIKE $1",
      [`${prefix}%`],
    )
  ).rows[0]?.n ?? 0;

async function clickHouseHasCaughtUp(): Promise<boolean> {
  const answer = await world.clickhouse.client.query({
    query: `SELECT count() AS n FROM (SELECT id, argMax(p.properties, p.version) AS newest, max(p.version) AS v FROM person AS p GROUP BY id)
      WHERE v = 2 AND startsWith(JSONExtractString(newest, 'email'), 'new')`,
    format: 'JSONEachRow',
  });
  const [row] = await answer.json<{ n: string }>();
  return Number(row?.n) === TEAMS.length * PERSONS;
}

/** Gives the reason of the tick that says complete. */
async function runToEnd(cursor: JsonObject, how: (cursor: JsonObject) => Promise<void> = paste): Promise<string> {
  world.newPass(cursor);
  await how(cursor);
  await until(async () => Promise.resolve(world.complete() !== undefined), 'the scheduler says complete');
  return world.complete() ?? '';
}

async function paste(cursor: JsonObject): Promise<void> {
  await world.client.setCursor(scheduler.name, cursor, { by: 'the test' });
}

/** A process of its own; the same checks. */
async function pasteOnCommandLine(cursor: JsonObject): Promise<void> {
  const file = path.join(world.dir, 'cursor.json');
  writeFileSync(file, JSON.stringify(cursor, undefined, 2));
  expect(await skein('sensors', 'cursor', 'set', scheduler.name, `@${file}`)).toMatchObject({ code: 0, err: '' });
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function skein(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['-C', 'source', '--import', 'tsx', path.join(ROOT, 'packages/orchestrator/bin/skein.mjs'), ...args],
      {
        cwd: path.join(ROOT, 'test/reconciliation-passes'),
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...world.env },
      },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
    child.stdin?.end();
  });
}

async function openWorld() {
  const dir = mkdtempSync(path.join(tmpdir(), 'skein-passes-'));
  const [clickhouse, persons] = await Promise.all([testClickHouse(), testDatabase('persons')]);
  const [redis, kafka] = [testRedis(), testKafka()];
  const sources = {
    SKEIN_CLICKHOUSE_URL: clickhouse.url,
    PERSONS_DB_WRITER_URL: persons.url,
    SKEIN_KAFKA_BROKERS: kafka.brokers,
    KAFKA_PREFIX: kafka.topicPrefix,
  };
  await applySchemas({ only: ['persons', 'events'], env: sources });
  const env: Record<string, string> = {
    ...sources,
    SKEIN_CLICKHOUSE_URL: `${clickhouse.url}?${LIMITS}`,
    SKEIN_REDIS_URL: redis.url,
    SKEIN_REDIS_PREFIX: `{${redis.prefix}}`,
    SKEIN_PULSE_MS: '50',
  };
  const db = new pg.Pool({ connectionString: persons.url, max: 3 });
  db.on('error', () => {});
  await seed(clickhouse.client, db);

  let pasted: JsonObject = {};
  let complete: string | undefined;
  let began = new Date();
  let most = 0;
  const watched: Sensor = {
    ...scheduler,
    evaluate: async (context) => {
      most = Math.max(most, await context.runs.countActive({ job: personPropertyReconciliationJob.name }));
      const result = await scheduler.evaluate(context);
      // Not of a cursor that has been replaced meanwhile.
      const seen = context.cursor as JsonObject;
      const isCurrent = Object.entries(pasted).every(([key, value]) => isDeepStrictEqual(seen[key], value));
      if (isCurrent && result.kind === 'skip' && result.reason.startsWith('Reconciliation complete'))
        complete = result.reason;
      return result;
    },
  };
  const engine = await openEngine(deploymentWith(watched), { env });
  const worker = await startWorker(engine, { log: SILENT, concurrency: 6 });
  await engine.script('switch-sensor', scheduler.name, 'RUNNING', 'the test');
  return {
    dir,
    env,
    clickhouse,
    db,
    client: createClient(engine),
    complete: () => complete,
    mostActive: () => most,
    rangeBegan: () => began,
    newPass(cursor: JsonObject) {
      pasted = cursor;
      complete = undefined;
      most = 0;
      began = new Date();
    },
    async close() {
      await worker.stop(5_000);
      await engine.close();
      await db.end();
      rmSync(dir, { recursive: true, force: true });
      await Promise.all([clickhouse.drop(), persons.drop()]);
    },
  };
}

/** Each team has a dozen persons with a missed email; the large one has 60 MB of values besides, over eighteen hours. */
async function seed(client: Awaited<ReturnType<typeof testClickHouse>>['client'], db: pg.Pool): Promise<void> {
  const ids = TEAMS.flatMap((team) => Array.from({ length: PERSONS }, (_, i) => ({ team, i, id: randomUUID() })));
  await db.query(
    `INSERT INTO posthog_person (created_at, properties, uuid, version, team_id)
     SELECT '2026-01-01', jsonb_build_object('email', 'old' || i), id, 1, team FROM unnest($1::uuid[], $2::int[], $3::int[]) AS p(id, team, i)`,
    [ids.map(({ id }) => id), ids.map(({ team }) => team), ids.map(({ i }) => i)],
  );
  await client.insert({
    table: 'person',
    values: ids.map(({ team, i, id }) => ({
      id,
      team_id: team,
      properties: JSON.stringify({ email: `old${i}` }),
      version: 1,
    })),
    format: 'JSONEachRow',
  });
  await client.insert({
    table: 'events',
    values: ids.map(({ team, i, id }) => ({
      uuid: randomUUID(),
      event: 'signed in',
      properties: JSON.stringify({ $set: { email: `new${i}` } }),
      timestamp: '2026-01-07 00:30:00',
      team_id: team,
      distinct_id: id,
      person_id: id,
    })),
    format: 'JSONEachRow',
  });
  // Persons who lack the key: nothing to repair, but all that the events say of them must be held to find that.
  const id = 'reinterpretAsUUID(MD5(toString(number)))';
  await client.command({
    query: `INSERT INTO person (id, team_id, properties, version) SELECT ${id}, ${LARGE}, '{}', 1 FROM numbers(3000)`,
  });
  await client.command({
    query: `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, person_id)
      SELECT generateUUIDv4(), 'big', concat('{"$set":{"note":"', repeat('x', 20000), '"}}'),
        toDateTime64('2026-01-06 21:00:00', 6, 'UTC') + number % 18 * 3600, ${LARGE}, 'd', ${id} FROM numbers(3000)`,
  });
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const ends = performance.now() + 400_000;
  while (!(await holds())) {
    if (performance.now() > ends) throw new TypeError(`It did not come to that: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
