/** A duckling's day end to end, on real ClickHouse, PostgreSQL and DuckLake. */

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ducklingEventsBackfill } from '@skein/jobs';
import { type JsonObject, ServiceError } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

let house: LakeHouse;
beforeEach(async () => {
  house = await openLakeHouse();
});
afterEach(() => house.close());

interface RunOptions {
  readonly config?: JsonObject;
  readonly runId?: string;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
  readonly now?: Date;
}
const run = (partition: string, options: RunOptions = {}) =>
  runAsset(ducklingEventsBackfill, { partition, resources: house, ...options });
const count = async (teamId: number) =>
  Number((await house.lake<{ n: string }>(teamId, 'SELECT count(uuid) AS n FROM events'))[0]?.n);

test('a day arrives with 25 columns and the facts of the run; the neighbours’ rows do not', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 1_000);
  await seedEvents(house, 2, '2024-01-16', 10);
  await seedEvents(house, 3, '2024-01-15', 10);
  const result = await run('2_2024-01-15', { runId: 'RUN1' });

  expect(result.error).toBeUndefined();
  const path = join(house.root, 'bucket-2/backfill/events/team_id=2/year=2024/month=01/day=15/RUN1.parquet');
  expect(result.result).toMatchObject({
    rows: 1_000,
    rows_in_lake: 1_000,
    rows_deleted: 0,
    path,
    team_id: 2,
    bucket: 'bucket-2',
  });
  expect(result.result?.bytes).toBeGreaterThan(10_000);
  expect(result.result?.snapshot).toBeGreaterThan(0);
  expect(Object.keys(result.result?.seconds as object)).toEqual(['validate', 'count', 'export', 'register']);
  expect(result.phases).toEqual(['validate', 'count', 'export', 'register']);
  expect(
    await house.lake(
      2,
      'SELECT count(uuid) AS n, min(timestamp)::VARCHAR AS first, count(DISTINCT team_id) AS teams FROM events',
    ),
  ).toEqual([{ n: '1000', first: '2024-01-15 00:00:00+00', teams: '1' }]);
  const columns = await house.lake<{ column_name: string }>(2, 'DESCRIBE events');
  expect(columns).toHaveLength(25);
  const [mine] = await house.lake<JsonObject>(2, 'SELECT * FROM events ORDER BY timestamp LIMIT 1');
  expect(mine).toMatchObject({
    event: '$pageview',
    properties: '{"n":0}',
    team_id: '2',
    project_id: '2',
    person_mode: 'full',
    historical_migration: false,
  });
});

test('running a day again replaces it, with a new object, and the old snapshot still reads', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 7);
  const first = await run('2_2024-01-15', { runId: 'A' });
  for (const [i, runId] of ['B', 'C', 'D'].entries()) {
    await seedEvents(house, 2, '2024-01-15', 1, { event: `late-${i}` });
    const again = await run('2_2024-01-15', { runId });
    expect(again.result).toMatchObject({ rows: 8 + i, rows_in_lake: 8 + i, rows_deleted: 7 + i });
  }
  expect(await count(2)).toBe(10);
  expect(
    await house.lake(2, `SELECT count(uuid) AS n FROM events AT (VERSION => ${Number(first.result?.snapshot)})`),
  ).toEqual([{ n: '7' }]);
});

test('a further attempt of a run has a path of its own', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 5);
  await run('2_2024-01-15', { runId: 'A', attempt: 1 });
  const second = await run('2_2024-01-15', { runId: 'A', attempt: 2 });
  expect(second.result?.path).toMatch(/\/A-2\.parquet$/);
  expect(await count(2)).toBe(5);
});

test('an attempt that was given up and comes back is refused, and changes nothing', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 5);
  await run('2_2024-01-15', { runId: 'A', attempt: 2 });
  const late = await run('2_2024-01-15', { runId: 'A', attempt: 1 });
  expect(late.error).toMatchObject({ code: 'FENCED' });
  expect(
    await house.lake(2, "SELECT data_file FROM ducklake_list_files('lake', 'events', schema => 'posthog')"),
  ).toHaveLength(1);
});

test('a day without rows makes no object, is materialized, and loses its old rows', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 5);
  await run('2_2024-01-15');
  await house.clickhouse.command('ALTER TABLE events DELETE WHERE team_id = 2 SETTINGS mutations_sync = 2');
  const empty = await run('2_2024-01-15', { runId: 'EMPTY' });
  expect(empty.error).toBeUndefined();
  expect(empty.result).toMatchObject({ rows: 0, rows_in_lake: 0, rows_deleted: 5, path: null, bytes: 0 });
  expect(await count(2)).toBe(0);
  expect(readdirSync(join(house.root, 'bucket-2/backfill/events/team_id=2/year=2024/month=01/day=15'))).toHaveLength(1);
});

test('without cleanup the new rows come beside the old ones, and the count still holds', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 5);
  await run('2_2024-01-15', { runId: 'A' });
  const again = await run('2_2024-01-15', { runId: 'B', config: { cleanup_existing_partition_data: false } });
  expect(again.error).toBeUndefined();
  expect(again.result).toMatchObject({ rows: 5, rows_kept: 5, rows_in_lake: 10 });
  expect(await count(2)).toBe(10);
});

test('a dry run shows SQL, rows and path, writes nothing, and does not even need the lake', async () => {
  await house.addDuckling(2, { db_port: 1 });
  await seedEvents(house, 2, '2024-01-15', 5);
  const result = await run('2_2024-01-15', { config: { dry_run: true }, runId: 'DRY' });
  expect(result.error).toBeUndefined();
  expect([...result.partitions.values()][0]?.kind).toBe('rehearsed');
  expect(result.result).toMatchObject({ rows: 5, path: expect.stringMatching(/day=15\/DRY\.parquet$/) });
  expect(result.result?.sql).toMatch(/^INSERT INTO FUNCTION file\(\{object_path:String\}/);
  expect(existsSync(join(house.root, 'bucket-2'))).toBe(false);
});

test('skip_ducklake_registration exports only', async () => {
  await house.addDuckling(2, { db_port: 1 });
  await seedEvents(house, 2, '2024-01-15', 5);
  const result = await run('2_2024-01-15', { config: { skip_ducklake_registration: true } });
  expect([...result.partitions.values()][0]?.kind).toBe('rehearsed');
  expect(result.result).toMatchObject({ rows: 5 });
  expect(existsSync(String(result.result?.path))).toBe(true);
});

test('timestamps of 1960 and 2200 stay off other days (toDate would wrap them into 2139 and 2020)', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '1960-02-29', 3);
  await seedEvents(house, 2, '2200-01-01', 4);
  const wrapped = await house.clickhouse.rows<{ d: string }>(
    "SELECT DISTINCT toString(toDate(timestamp)) AS d FROM events WHERE timestamp > '2199-01-01 00:00:00' AND team_id = 2",
  );
  expect(wrapped).toHaveLength(1);
  const day = wrapped[0]?.d ?? '';
  await seedEvents(house, 2, day, 2);
  const result = await run(`2_${day}`);
  expect(result.result).toMatchObject({ rows: 2, rows_in_lake: 2 });
});

test('the days around a leap day and the change of year hold their own rows only', async () => {
  await house.addDuckling(2);
  const days = ['2023-12-31', '2024-01-01', '2024-02-28', '2024-02-29', '2024-03-01'];
  for (const [i, day] of days.entries()) await seedEvents(house, 2, day, 10 + i);
  for (const [i, day] of days.entries())
    expect((await run(`2_${day}`, { runId: `R${i}` })).result).toMatchObject({ rows: 10 + i });
  expect(await count(2)).toBe(60);
});

test('events that arrived twice are exported twice: the export does not deduplicate', async () => {
  await house.addDuckling(2);
  for (let i = 0; i < 2; i++) await seedEvents(house, 2, '2024-01-15', 4);
  expect((await run('2_2024-01-15')).result).toMatchObject({ rows: 8, rows_in_lake: 8 });
});

test.each([
  ['today', '2_2024-06-15', 'DAY_NOT_OVER'],
  ['the future', '2_2031-01-01', 'DAY_NOT_OVER'],
  ['a team without a duckling', '77_2024-01-15', 'NOT_FOUND'],
])('%s is refused with a message that names it', async (_, partition, code) => {
  await house.addDuckling(2);
  const result = await run(partition, { now: new Date('2024-06-15T12:00:00Z') });
  expect(result.error).toMatchObject({
    code,
    message: expect.stringContaining(code === 'NOT_FOUND' ? 'Team 77' : '2024-06-14'),
  });
});

test('a wrong password is named by its reference and never shown', async () => {
  await house.addDuckling(2, { db_password: 'env:WRONG' });
  house.env.WRONG = 'n0t-the-pa55word';
  await seedEvents(house, 2, '2024-01-15', 5);
  const result = await run('2_2024-01-15');
  expect(result.error).toBeInstanceOf(ServiceError);
  expect(result.error).toMatchObject({
    system: 'ducklake',
    retryable: false,
    message: expect.stringMatching(/team 2.*refuses the password/s),
  });
  expect(JSON.stringify([result, String((result.error as Error).stack)])).not.toContain('n0t-the-pa55word');
  expect(existsSync(join(house.root, 'bucket-2'))).toBe(false);
});

test('a password that is not there, and a catalog that is not there, are told apart', async () => {
  await house.addDuckling(2, { db_password: 'env:NOT_SET_ANYWHERE' });
  await house.addDuckling(3, { db_name: 'no_such_database' });
  await house.addDuckling(4, { db_port: 1 });
  expect((await run('2_2024-01-15')).error).toMatchObject({
    system: 'ducklake',
    message: expect.stringContaining('NOT_SET_ANYWHERE is not set'),
  });
  expect((await run('3_2024-01-15')).error).toMatchObject({
    system: 'ducklake',
    message: expect.stringContaining('no_such_database'),
  });
  expect((await run('4_2024-01-15')).error).toMatchObject({
    system: 'ducklake',
    message: expect.stringMatching(/127\.0\.0\.1:1 does not answer/),
    retryable: true,
  });
});

test('a password may lie in a file, with its line end', async () => {
  const file = join(house.root, 'secret');
  writeFileSync(file, `${house.env.LAKE_HOUSE_PASSWORD}\n`);
  await house.addDuckling(2, { db_password: `file:${file}` });
  expect((await run('2_2024-01-15')).error).toBeUndefined();
});

test('an object store that cannot be written is named with the path, nothing is registered, and the next try succeeds', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 5);
  // A file where the bucket's folder should be: no permission bit stops the superuser, this does.
  writeFileSync(join(house.root, 'bucket-2'), '');
  const refused = await run('2_2024-01-15');
  expect(refused.error).toMatchObject({
    system: 's3',
    retryable: false,
    message: expect.stringMatching(/object store.*bucket-2.*day=15.*Not a directory/s),
  });
  rmSync(join(house.root, 'bucket-2'));
  mkdirSync(join(house.root, 'bucket-2'));
  expect(await count(2)).toBe(0);
  expect((await run('2_2024-01-15', { attempt: 2 })).result).toMatchObject({ rows: 5 });
});

test('config: unknown keys and wrong types are refused by name', async () => {
  await expect(run('2_2024-01-15', { config: { dryrun: true } })).rejects.toThrow(/dryrun: is not a known key/);
  await expect(run('2_2024-01-15', { config: { dry_run: 'yes' } })).rejects.toThrow(/dry_run/);
  await expect(run('2_2024-01-15', { config: { clickhouse_settings: { 'a; DROP TABLE': 1 } } })).rejects.toThrow(
    /clickhouse_settings/,
  );
});

test('clickhouse_settings reach the export and win over the defaults', async () => {
  await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 5_000);
  const result = await run('2_2024-01-15', {
    config: { clickhouse_settings: { max_result_rows: 0, max_memory_usage: 1_000 } },
  });
  expect(result.error).toMatchObject({ system: 'clickhouse', details: { clickhouse_code: '241' } });
});
