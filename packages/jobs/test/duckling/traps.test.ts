/**
 * What DuckLake does to those who do the obvious thing, each beside what Skein does instead. The first half of a test
 * is the naive way on the installed version; when it stops being wrong, the test says so.
 */

import { cpSync, rmSync } from 'node:fs';

import { DuckDBInstance } from '@duckdb/node-api';
import { type Duckling, EVENTS, earliestDay, ducklingEventsBackfill } from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { asLakeError } from '../../src/resources/ducklake-errors.ts';
import { countDay } from '../../src/duckling/registration.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

const DAY = '2024-01-15';
const NEVER = new AbortController().signal;
let house: LakeHouse;
let duckling: Duckling;
beforeEach(async () => {
  house = await openLakeHouse();
  duckling = await house.addDuckling(2);
});
afterEach(() => house.close());

const run = async (runId: string) => {
  const result = await runAsset(ducklingEventsBackfill, { partition: `2_${DAY}`, resources: house, runId });
  if (result.error) throw result.error as Error;
  return String(result.result?.path);
};
const ours = () => house.ducklings.lake(duckling).read(NEVER, (db) => countDay(db, EVENTS, { id: 2, day: DAY }));

type Naive = (sql: string) => Promise<Record<string, string>[]>;

/** A DuckDB as a beginner would open it, with DuckLake's defaults but for what `options` say. */
async function naively(work: (sql: Naive) => Promise<void>, options = ''): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    extension_directory: house.env.SKEIN_DUCKDB_EXTENSIONS ?? '',
  });
  const db = await instance.connect();
  const { db_host, db_port, db_name, db_username } = duckling;
  try {
    await db.run(
      `ATTACH 'ducklake:postgres:dbname=${db_name} host=${db_host} port=${db_port} user=${db_username} password=${house.env.LAKE_HOUSE_PASSWORD}' AS lake ${options}`,
    );
    await db.run('USE lake.posthog');
    await work(async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson() as Record<string, string>[]);
  } finally {
    db.closeSync();
    instance.closeSync();
  }
}
const add = (path: string, more = ', hive_partitioning => false') =>
  `CALL ducklake_add_data_files('lake', 'events', '${path}', schema => 'posthog'${more})`;
const TEAM_DAY = `team_id = 2 AND timestamp >= TIMESTAMPTZ '${DAY} 00:00:00+00' AND timestamp < TIMESTAMPTZ '2024-01-16 00:00:00+00'`;

test('M1: a table that is partitioned by the day refuses the keys; ours is not partitioned', async () => {
  await seedEvents(house, 2, DAY, 20);
  const path = await run('A');
  await naively(async (sql) => {
    await sql('CREATE TABLE partitioned AS FROM events LIMIT 0');
    await sql('ALTER TABLE partitioned SET PARTITIONED BY (year(timestamp), month(timestamp), day(timestamp))');
    await expect(sql(add(path).replace("'events'", "'partitioned'"))).rejects.toThrow(/invalid partition value/i);
  });
  expect(await ours()).toBe(20);
});

test('M3: with inlining a small day that is replaced by the same path grows; ours has a path per attempt and no inlining', async () => {
  await seedEvents(house, 2, DAY, 7);
  const path = await run('A');
  const sizes: string[] = [];
  await naively(async (sql) => {
    for (let i = 0; i < 4; i++) {
      await sql('BEGIN');
      await sql(`DELETE FROM events WHERE ${TEAM_DAY}`);
      await sql(add(path));
      await sql('COMMIT');
      sizes.push((await sql(`SELECT count(uuid) AS n FROM events`))[0]?.n ?? '');
    }
  });
  expect(sizes.some((n) => n !== '7')).toBe(true);
  for (const runId of ['B', 'C', 'D', 'E']) await run(runId);
  expect(await ours()).toBe(7);
});

test('trap 2: a file that others registered twice needs two deletes; ours deletes until nothing is left', async () => {
  await seedEvents(house, 2, DAY, 200);
  const path = await run('A');
  await naively(async (sql) => {
    await sql(add(path));
    expect((await sql('SELECT count(uuid) AS n FROM events'))[0]?.n).toBe('400');
  }, '(DATA_INLINING_ROW_LIMIT 0)');
  await run('B');
  expect(await ours()).toBe(200);
});

test('trap 1: count(*) is answered from the catalog though the file is gone; count(column) is not', async () => {
  await seedEvents(house, 2, DAY, 50);
  const path = await run('A');
  rmSync(path);
  await naively(async (sql) => expect((await sql('SELECT count(*) AS n FROM events'))[0]?.n).toBe('50'));
  await expect(ours()).rejects.toMatchObject({ system: 'ducklake', details: { trouble: 'absent' } });
});

test('trap 4: what the path says beats what the file holds, unless hive_partitioning is off', async () => {
  await seedEvents(house, 2, DAY, 10);
  const path = await run('A');
  const moved = path.replace('team_id=2', 'team_id=9');
  cpSync(path, moved, { recursive: true });
  await naively(async (sql) => {
    await sql('CREATE TABLE misled AS FROM events LIMIT 0');
    await sql(add(moved, '').replace("'events'", "'misled'"));
    expect(await sql('SELECT DISTINCT team_id FROM misled')).toEqual([{ team_id: '9' }]);
    await sql('CREATE TABLE told AS FROM events LIMIT 0');
    await sql(add(moved).replace("'events'", "'told'"));
    expect(await sql('SELECT DISTINCT team_id FROM told')).toEqual([{ team_id: '2' }]);
  });
});

test('M6: bare dates follow the session’s time zone; ours are UTC wherever the process lives', async () => {
  await seedEvents(house, 2, DAY, 86_400);
  await run('A');
  await naively(async (sql) => {
    await sql("SET TimeZone = 'America/New_York'");
    const [row] = await sql(
      `SELECT count(uuid) AS n FROM events WHERE timestamp >= '${DAY}' AND timestamp < '2024-01-16'`,
    );
    expect(row?.n).toBe(String(86_400 - 5 * 3_600));
  });
  const zone = process.env.TZ;
  process.env.TZ = 'America/New_York';
  try {
    expect(await ours()).toBe(86_400);
    await run('B');
    expect(await ours()).toBe(86_400);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test('M12: the minimum over no rows is 1970; the first day of a team without rows is null, and 1960 and 2200 are no history', async () => {
  const [naive] = await house.clickhouse.rows<{ d: string }>(
    'SELECT toString(min(timestamp)) AS d FROM events WHERE team_id = 2',
  );
  expect(naive?.d).toMatch(/^1970-01-01/);
  const range = { from: '2015-01-01', to: '2026-02-08' };
  const first = (dataset: 'events' | 'persons') => earliestDay(house.clickhouse, dataset, 2, range, NEVER);
  expect([await first('events'), await first('persons')]).toEqual([null, null]);
  await seedEvents(house, 2, '1960-02-29', 3);
  await seedEvents(house, 2, '2200-01-01', 3);
  await seedEvents(house, 3, '2016-01-01', 3);
  expect(await first('events')).toBeNull();
  await seedEvents(house, 2, '2024-02-29', 3);
  await seedEvents(house, 2, '2025-01-01', 3);
  expect(await first('events')).toBe('2024-02-29');
  await house.clickhouse.insert('person', [
    { id: '0190d4a1-0000-7000-8000-000000000001', team_id: 2, _timestamp: '2024-12-31 23:59:59' },
  ]);
  expect(await first('persons')).toBe('2024-12-31');
});

test('text that is no UTF-8 makes a file that DuckDB cannot read; ours replaces the wrong bytes only', async () => {
  await house.clickhouse.command(
    `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id) SELECT generateUUIDv4(), 'Prüfung 🦆', concat('{"a":"', unhex('C3'), '"}'), toDateTime64('${DAY} 10:00:00', 6, 'UTC'), 2, 'u'`,
  );
  const path = `${house.root}/naive.parquet`;
  await house.clickhouse.command(`INSERT INTO FUNCTION file({p:String}, 'Parquet') SELECT properties FROM events`, {
    params: { p: path },
  });
  await run('A');
  await naively(async (sql) => {
    await expect(sql(`SELECT properties FROM read_parquet('${path}')`)).rejects.toThrow(/Invalid string encoding/);
    expect(await sql('SELECT event, properties FROM events')).toEqual([
      { event: 'Prüfung 🦆', properties: '{"a":"\uFFFD"}' },
    ]);
  });
});

test('M10: errors of DuckLake are cut before anyone sees them', () => {
  const text = `TransactionContext Error: Failed to commit: Failed to commit DuckLake transaction.
Exceeded the maximum retry count of 10 set by the ducklake_max_retry_count setting.
Failed to flush changes into DuckLake: Failed to execute query "INSERT INTO "public".ducklake_file_column_stats VALUES (1, 'ana@example.com')": ERROR: duplicate key`;
  const conflict = asLakeError(new Error(text), 'the lake of team 2');
  expect(conflict).toMatchObject({ system: 'ducklake', retryable: true, details: { trouble: 'conflict' } });
  const other = asLakeError(
    new Error(
      `IO Error: weird thing at "password=hunter2 host=x" near 'ana@example.com'\nLINE 1: SELECT 'ana@example.com'`,
    ),
    'the lake of team 2',
  );
  for (const error of [conflict, other]) {
    expect(JSON.stringify([error.message, error.details, String(error.stack), String(error.cause)])).not.toMatch(
      /ana@example|hunter2/,
    );
  }
});
