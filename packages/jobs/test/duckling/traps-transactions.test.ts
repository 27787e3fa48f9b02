/** What DuckLake's transactions do to those who do the obvious thing, each beside what Skein does instead. */

import { type Duckling, EVENTS, ducklingEventsBackfill, openDucklings } from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { LOCKED_HERE } from '../../../../infra/embedded/test-services/index.ts';
import { countDay, registerDay } from '../../src/duckling/registration.ts';
import { createTable } from '../../src/duckling/tables.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';
import { type NaiveLake, type Sql, addFile, openNaively } from './naive-lake.ts';

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

const run = async (runId: string) => {
  const result = await runAsset(ducklingEventsBackfill, { partition: `2_${DAY}`, resources: house, runId });
  if (result.error) throw result.error as Error;
  return String(result.result?.path);
};
const ours = () => house.ducklings.lake(duckling).read(NEVER, (db) => countDay(db, EVENTS, { id: 2, day: DAY }));
const naively = (work: (lake: NaiveLake) => Promise<void>, options = NO_INLINING) =>
  openNaively(house, duckling, work, options);
const TEAM_DAY = `team_id = 2 AND timestamp >= TIMESTAMPTZ '${DAY} 00:00:00+00' AND timestamp < TIMESTAMPTZ '2024-01-16 00:00:00+00'`;

test('M3: with inlining a small day that is replaced by the same path grows; ours has a path per attempt and no inlining', async () => {
  await seedEvents(house, 2, DAY, 7);
  const path = await run('A');
  const sizes: string[] = [];
  await naively(async ({ sql }) => {
    for (let i = 0; i < 4; i++) {
      await sql('BEGIN');
      await sql(`DELETE FROM lake.posthog.events WHERE ${TEAM_DAY}`);
      await sql(addFile('events', path));
      await sql('COMMIT');
      sizes.push((await sql(`SELECT count(uuid) AS n FROM lake.posthog.events`))[0]?.n ?? '');
    }
  }, '');
  expect(sizes.some((n) => n !== '7')).toBe(true);
  for (const runId of ['B', 'C', 'D', 'E']) await run(runId);
  expect(await ours()).toBe(7);
});

test('trap 2: a file that others registered twice needs two deletes; ours deletes until nothing is left', async () => {
  await seedEvents(house, 2, DAY, 200);
  const path = await run('A');
  await naively(async ({ sql }) => {
    await sql(addFile('events', path));
    expect(await sql('SELECT count(uuid) AS n FROM lake.posthog.events')).toEqual([{ n: '400' }]);
  });
  await run('B');
  expect(await ours()).toBe(200);
});

/** First and second committer of a transaction each, and what becomes of the second. */
const MATRIX: readonly (readonly [first: string, second: string, outcome: RegExp | 'commits'])[] = [
  ['add', 'add', 'commits'],
  ['delete', 'delete', /another transaction has deleted from it/],
  ['delete', 'add', /insert into table .* another transaction has deleted from it/],
  ['add', 'delete', /delete from table .* another transaction has inserted into it/],
  ['alter', 'add', /another transaction has altered it/],
  ['create table', 'create table', /created by another transaction already/],
  ['create schema', 'create schema', /another transaction has created a schema/],
  // The worst one: both see an empty day, and both fill it.
  ['delete of nothing, then add', 'delete of nothing, then add', 'commits'],
];

test('M7: what two transactions do to each other, as ours must expect it', async () => {
  await seedEvents(house, 2, DAY, 20);
  const path = await run('A');
  const operations: Readonly<Record<string, (table: string, half: 'first' | 'second') => readonly string[]>> = {
    add: (table) => [addFile(table, path)],
    delete: (table, half) => [`DELETE FROM lake.posthog.${table} WHERE uuid ${half === 'first' ? '<' : '>='} '8'`],
    alter: (table) => [`ALTER TABLE lake.posthog.${table} SET PARTITIONED BY (year(timestamp))`],
    'create table': (table) => [`CREATE TABLE IF NOT EXISTS lake.posthog.new_${table} (a INTEGER)`],
    'create schema': (table) => [`CREATE SCHEMA IF NOT EXISTS lake.new_${table}`],
    'delete of nothing, then add': (table) => [
      `DELETE FROM lake.posthog.${table} WHERE team_id = 77`,
      addFile(table, path),
    ],
  };
  await naively(async ({ sql, another }) => {
    const [one, two] = [await another(), await another()];
    for (const [i, [first, second, outcome]] of MATRIX.entries()) {
      const table = `pair_${i}`;
      await sql(`CREATE TABLE lake.posthog.${table} AS FROM lake.posthog.events`);
      const begin = async (connection: Sql, what: string, half: 'first' | 'second') => {
        await connection('BEGIN');
        await connection(`SELECT count(uuid) FROM lake.posthog.${table}`);
        for (const statement of operations[what]?.(table, half) ?? []) await connection(statement);
      };
      await begin(one, first, 'first');
      await begin(two, second, 'second');
      await one('COMMIT');
      if (outcome === 'commits') await two('COMMIT');
      else await expect(two('COMMIT')).rejects.toThrow(outcome);
    }
    // Two copies of the day beside the twenty rows that were there.
    expect(await sql('SELECT count(uuid) AS n FROM lake.posthog.pair_7')).toEqual([{ n: '60' }]);
  });
});

test('M7: two runs of a day that is not in the lake yet, at once in two processes’ worth of lakes: the day is there once', async () => {
  await seedEvents(house, 2, '2024-01-14', 1);
  await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-14', resources: house });
  await seedEvents(house, 2, DAY, 20);
  const others = await Promise.all([1, 2, 3].map(async () => openDucklings(house.env)));
  const results = await Promise.all(
    others.map((ducklings, i) =>
      runAsset(ducklingEventsBackfill, {
        partition: `2_${DAY}`,
        resources: { clickhouse: house.clickhouse, ducklings },
        runId: `TOGETHER-${i}`,
      }),
    ),
  );
  await Promise.all(others.map((other) => other.close()));
  expect(results.map((r) => r.error)).toEqual([undefined, undefined, undefined]);
  expect(await ours()).toBe(20);
});

test('M9: the list of files does not see what is not committed; ours counts inside the transaction, and a wrong count undoes all of it', async () => {
  await seedEvents(house, 2, DAY, 20);
  const path = await run('A');
  await naively(async ({ sql }) => {
    await sql('CREATE TABLE lake.posthog.young AS FROM lake.posthog.events LIMIT 0');
    await sql('BEGIN');
    await sql(addFile('young', path));
    expect(await sql(`SELECT data_file FROM ducklake_list_files('lake', 'young', schema => 'posthog')`)).toEqual([]);
    expect(await sql('SELECT count(uuid) AS n FROM lake.posthog.young')).toEqual([{ n: '20' }]);
    await sql('ROLLBACK');
  });
  const lake = house.ducklings.lake(duckling);
  const seen: number[] = [];
  const watched = {
    ...lake,
    write: ((signal, work) =>
      lake.write(signal, (tx) =>
        work({
          ...tx,
          rows: async (sql, params) => {
            const rows = await tx.rows(sql, params);
            if (sql.startsWith('SELECT count')) seen.push(Number((rows[0] as { rows: string }).rows));
            return rows as never;
          },
        }),
      )) as typeof lake.write,
  };
  const snapshots = () => house.lake(2, `SELECT max(snapshot_id) AS n FROM ducklake_snapshots('lake')`);
  const before = await snapshots();
  const registration = {
    dataset: EVENTS,
    partition: { id: 2, day: DAY },
    url: path,
    rows: 21,
    cleanup: true,
    runId: 'B',
    attempt: 1,
    folderUrl: path.replace(/[^/]*$/, ''),
  };
  await expect(registerDay(watched, registration, NEVER)).rejects.toMatchObject({
    code: 'ROW_COUNT_MISMATCH',
    details: { rows_in_lake: 20, rows_exported: 21 },
  });
  // It saw the day after its delete and add, and none of it was committed.
  expect(seen).toEqual([20]);
  expect(await snapshots()).toEqual(before);
  expect(await ours()).toBe(20);
});

test('attaching an empty catalog: of several at once the naive ones fail; ours wait for each other', async () => {
  const empty = await house.addDuckling(3);
  const catalog = await house.catalog(3);
  // Nobody can make a table until all of them have seen that there is none.
  await catalog.query('BEGIN; LOCK TABLE pg_class IN SHARE MODE');
  const attaching = Array.from({ length: 3 }, () =>
    openNaively(house, empty, ({ sql }) => sql('SELECT 1'), `(DATA_PATH '${house.root}/naive/')`),
  );
  const outcomes = Promise.allSettled(attaching);
  const blocked = `SELECT 1 FROM pg_locks WHERE NOT granted AND ${LOCKED_HERE}`;
  const waiting = async () => (await catalog.query(blocked)).rowCount ?? 0;
  while ((await waiting()) < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  await catalog.query('COMMIT');
  await catalog.end();
  const failed = (await outcomes).flatMap((o) => (o.status === 'rejected' ? [String(o.reason)] : []));
  expect(failed).toHaveLength(2);
  expect(failed[0]).toMatch(/duplicate key|already exists|Failed to initialize/);
  const others = Array.from({ length: 6 }, () => openDucklings(house.env));
  const created = await Promise.all(others.map((other) => createTable(other.lake(duckling), EVENTS, NEVER)));
  await Promise.all(others.map((other) => other.close()));
  expect(created.filter(Boolean)).toHaveLength(1);
});

test('a data path that is written otherwise is refused at the next attach; ours leaves it to the catalog', async () => {
  await seedEvents(house, 2, DAY, 3);
  await run('A');
  await expect(naively(async () => {}, `(DATA_PATH '${house.root}/bucket-2/')`)).rejects.toThrow(
    /does not match existing data path/,
  );
  const later = openDucklings({ ...house.env, SKEIN_OBJECT_STORE: `file://${house.root}/moved` });
  expect(await later.lake(duckling).read(NEVER, (db) => countDay(db, EVENTS, { id: 2, day: DAY }))).toBe(3);
  await later.close();
});
