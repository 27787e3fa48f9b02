/**
 * What DuckLake does to the files of those who do the obvious thing, each beside what Skein does instead. The first half
 * of a test is the naive way on the installed version; when it stops being wrong, the test says so. Transactions are in
 * traps-transactions.test.ts, values and types in traps-values.test.ts; docs/jobs/duckling.md lists them all.
 */

import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';

import { type Duckling, EVENTS, ducklingEventsBackfill } from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { findOrphans } from '../../src/duckling/orphans.ts';
import { countDay, registerDay } from '../../src/duckling/registration.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';
import { type NaiveLake, addFile, openNaively } from './naive-lake.ts';

const DAY = '2024-01-15';
const NEVER = new AbortController().signal;
const NO_INLINING = '(DATA_INLINING_ROW_LIMIT 0)';
let house: LakeHouse;
let duckling: Duckling;
beforeEach(async () => {
  house = await openLakeHouse();
  duckling = await house.addDuckling(2);
});
afterEach(() => house.close());

const run = async (runId: string, attempt = 1) => {
  const result = await runAsset(ducklingEventsBackfill, { partition: `2_${DAY}`, resources: house, runId, attempt });
  if (result.error) throw result.error as Error;
  return String(result.result?.path);
};
const ours = (day = DAY) => house.ducklings.lake(duckling).read(NEVER, (db) => countDay(db, EVENTS, { id: 2, day }));
const naively = (work: (lake: NaiveLake) => Promise<void>, options = NO_INLINING) =>
  openNaively(house, duckling, work, options);

const BY_DAY = 'year(timestamp), month(timestamp), day(timestamp)';
const partitioned = async ({ sql }: NaiveLake, name: string, by: string) => {
  await sql(`CREATE TABLE lake.posthog.${name} AS FROM lake.posthog.events LIMIT 0`);
  await sql(`ALTER TABLE lake.posthog.${name} SET PARTITIONED BY (${by})`);
};
const copied = (from: string, to: string) => (cpSync(from, to, { recursive: true }), to);

test('M1: a table that is partitioned by the day refuses our keys, with and without hive; ours is not partitioned', async () => {
  await seedEvents(house, 2, DAY, 20);
  const path = await run('A');
  await naively(async (lake) => {
    await partitioned(lake, 'by_day', BY_DAY);
    for (const hive of ['', ', hive_partitioning => true', ', hive_partitioning => false'])
      await expect(lake.sql(addFile('by_day', path, hive))).rejects.toThrow(/invalid partition value/i);
    const three = copied(path, `${house.root}/year=2024/month=01/day=15/A.parquet`);
    await lake.sql(addFile('by_day', three, ''));
  });
  expect(await ours()).toBe(20);
});

test('M2: a table that is partitioned by team and day takes keys of that form only; ours takes any', async () => {
  await seedEvents(house, 2, DAY, 20);
  const path = await run('A');
  const full = copied(path, `${house.root}/backfill/events/team_id=2/full/A.parquet`);
  await naively(async (lake) => {
    await partitioned(lake, 'by_team', `team_id, ${BY_DAY}`);
    await lake.sql(addFile('by_team', path, ''));
    await expect(lake.sql(addFile('by_team', full, ''))).rejects.toThrow(/invalid partition value/i);
    await lake.sql('CREATE TABLE lake.posthog.plain AS FROM lake.posthog.events LIMIT 0');
    await lake.sql(addFile('plain', full));
    expect(await lake.sql('SELECT count(uuid) AS n FROM lake.posthog.plain')).toEqual([{ n: '20' }]);
  });
});

test('M4: a key of another day than the rows’ is taken without a word; ours counts the day and commits nothing', async () => {
  await seedEvents(house, 2, DAY, 20);
  const path = await run('A');
  const wrong = copied(path, path.replace('day=15', 'day=16'));
  await naively(async (lake) => {
    await partitioned(lake, 'by_team', `team_id, ${BY_DAY}`);
    await lake.sql(addFile('by_team', wrong, ''));
    const [row] = await lake.sql(`SELECT min(timestamp)::DATE::VARCHAR AS day FROM lake.posthog.by_team`);
    expect(row?.day).toBe(DAY);
  });
  const registration = {
    dataset: EVENTS,
    partition: { id: 2, day: '2024-01-16' },
    url: wrong,
    rows: 20,
    cleanup: true,
    runId: 'B',
    attempt: 1,
    folderUrl: wrong.replace(/[^/]*$/, ''),
  };
  await expect(registerDay(house.ducklings.lake(duckling), registration, NEVER)).rejects.toMatchObject({
    code: 'ROW_COUNT_MISMATCH',
    message: expect.stringContaining('would hold 0 events, but ClickHouse exported 20'),
  });
  expect([await ours(), await ours('2024-01-16')]).toEqual([20, 0]);
});

test('M5: partition values land on one index, and merging files then crashes; ours has none and merges', async () => {
  await seedEvents(house, 2, DAY, 20);
  const path = await run('A');
  const three = copied(path, `${house.root}/year=2024/month=01/day=15/A.parquet`);
  const insertOne = (table: string) =>
    `INSERT INTO lake.posthog.${table} SELECT * REPLACE ('one more' AS uuid) FROM lake.posthog.events LIMIT 1`;
  const merge = (table: string) => `CALL ducklake_merge_adjacent_files('lake', '${table}', schema => 'posthog')`;
  await naively(async (lake) => {
    await partitioned(lake, 'by_day', BY_DAY);
    await lake.sql(addFile('by_day', three, ''));
    const catalog = await house.catalog(2);
    const { rows } = await catalog.query<{ i: string }>(
      'SELECT partition_key_index AS i FROM ducklake_file_partition_value',
    );
    await catalog.end();
    // Year, month and day should have 0, 1 and 2.
    expect(rows.map(({ i }) => Number(i))).toEqual([2, 2, 2]);
    await lake.sql(insertOne('by_day'));
    await expect(lake.sql(merge('by_day'))).rejects.toThrow(/different hive partition path/);
  });
  // The crash is an internal error of DuckDB and ends the use of that instance.
  await naively(async (lake) => {
    await lake.sql(insertOne('events'));
    expect(await lake.sql(merge('events'))).toMatchObject([{ files_processed: '2', files_created: '1' }]);
  });
  expect(await ours()).toBe(21);
  await run('B');
  expect(await ours()).toBe(20);
});

test('trap 1: count(*) is answered from the catalog though the file is gone; count(column) is not', async () => {
  await seedEvents(house, 2, DAY, 50);
  const path = await run('A');
  rmSync(path);
  await naively(async ({ sql }) => {
    expect((await sql('SELECT count(*) AS n FROM lake.posthog.events'))[0]?.n).toBe('50');
    // Nor can the day be cleaned up any more: the delete has to read the file.
    await expect(sql('DELETE FROM lake.posthog.events WHERE team_id > 1 AND length(uuid) > 0')).rejects.toThrow(
      /IO Error/,
    );
  });
  await expect(ours()).rejects.toMatchObject({ system: 'ducklake', details: { trouble: 'absent' } });
});

test('trap 3: a registered object that is overwritten cannot be read; ours has a path for each attempt', async () => {
  await seedEvents(house, 2, DAY, 200);
  const path = await run('A');
  await naively(async ({ sql }) => {
    await sql(`COPY (SELECT * FROM lake.posthog.events) TO '${house.root}/again.parquet' (FORMAT parquet)`);
    await sql('CREATE TABLE lake.posthog.overwritten AS FROM lake.posthog.events LIMIT 0');
    await sql(addFile('overwritten', `${house.root}/again.parquet`));
    await sql(`COPY (SELECT * FROM lake.posthog.events LIMIT 2) TO '${house.root}/again.parquet' (FORMAT parquet)`);
    await expect(sql('SELECT max(properties) FROM lake.posthog.overwritten')).rejects.toThrow();
  });
  expect(await run('A', 2)).toBe(path.replace('A.parquet', 'A-2.parquet'));
  expect(existsSync(path)).toBe(true);
  expect(await ours()).toBe(200);
});

test('trap 4: what the path says beats what the file holds, unless hive_partitioning is off', async () => {
  await seedEvents(house, 2, DAY, 10);
  const path = await run('A');
  const moved = copied(path, path.replace('team_id=2', 'team_id=9'));
  await naively(async ({ sql }) => {
    for (const [table, hive, team] of [
      ['misled', '', '9'],
      ['told', ', hive_partitioning => false', '2'],
    ] as const) {
      await sql(`CREATE TABLE lake.posthog.${table} AS FROM lake.posthog.events LIMIT 0`);
      await sql(addFile(table, moved, hive));
      expect(await sql(`SELECT DISTINCT team_id FROM lake.posthog.${table}`)).toEqual([{ team_id: team }]);
    }
  });
});

test('trap 10: an export of no rows makes an object that no catalog takes; ours makes none', async () => {
  const empty = `${house.root}/empty.parquet`;
  await seedEvents(house, 2, '2024-01-14', 3);
  await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-14', resources: house });
  await house.clickhouse.command(`INSERT INTO FUNCTION file({p:String}, 'Parquet') SELECT event FROM events WHERE 0`, {
    params: { p: empty },
  });
  expect(existsSync(empty)).toBe(true);
  await naively(async ({ sql }) => {
    await sql('CREATE TABLE lake.posthog.nothing AS SELECT event FROM lake.posthog.events LIMIT 0');
    await sql(addFile('nothing', empty));
    expect(await sql(`SELECT data_file FROM ducklake_list_files('lake', 'nothing', schema => 'posthog')`)).toEqual([]);
  });
  await run('A');
  expect(existsSync(`${house.root}/bucket-2/backfill/events/team_id=2/year=2024/month=01/day=15`)).toBe(false);
});

test('trap 11: a file that shares no column fails as SQL at the commit; ours does not let extra columns by', async () => {
  await seedEvents(house, 2, DAY, 3);
  await run('A');
  const other = `${house.root}/other.parquet`;
  await naively(async ({ sql }) => {
    await sql(`COPY (SELECT 1 AS other) TO '${other}' (FORMAT parquet)`);
    const lenient = ', hive_partitioning => false, allow_missing => true, ignore_extra_columns => true';
    await expect(sql(addFile('events', other, lenient))).rejects.toThrow(/syntax error/);
  });
  const registration = {
    dataset: EVENTS,
    partition: { id: 2, day: DAY },
    url: other,
    rows: 1,
    cleanup: true,
    runId: 'B',
    attempt: 1,
    folderUrl: `${house.root}/`,
  };
  await expect(registerDay(house.ducklings.lake(duckling), registration, NEVER)).rejects.toMatchObject({
    system: 'ducklake',
    details: { trouble: 'schema' },
  });
  expect(await ours()).toBe(3);
});

test('M10: DuckLake’s own clean-up deletes replaced exports, and its search for orphans whatever lies below its data path; ours are elsewhere', async () => {
  await seedEvents(house, 2, DAY, 20);
  const replaced = await run('A');
  const current = await run('B');
  const unregistered = copied(current, current.replace('B.parquet', 'C.parquet'));
  const folder = `${house.root}/bucket-2`;
  const orphans = async () =>
    (await findOrphans(house.ducklings, duckling, 0, new Date(Date.now() + 60_000), NEVER)).map((o) => o.url);
  await naively(async ({ sql }) => {
    // Below its data path nothing of ours is found, not even what is registered nowhere.
    await sql(`CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)`);
    expect(existsSync(unregistered)).toBe(true);
    await sql(`CALL ducklake_expire_snapshots('lake', older_than => now())`);
    // No snapshot refers to the replaced export now, but DuckLake is about to delete it itself.
    expect(await orphans()).toEqual([unregistered]);
    await sql(`CALL ducklake_cleanup_old_files('lake', cleanup_all => true)`);
  });
  expect([replaced, current, unregistered].map((file) => existsSync(file))).toEqual([false, true, true]);
  expect(await ours()).toBe(20);
  expect(await orphans()).toEqual([unregistered]);
  // With the bucket as its data path, as one would have it, an export that waits for its registration is gone.
  await openNaively(
    house,
    await house.addDuckling(3),
    ({ sql }) => sql(`CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)`),
    `(DATA_PATH '${folder}/')`,
  );
  expect(readdirSync(current.replace(/[^/]*$/, ''))).toEqual([]);
});
