/** Many writers of one lake, in one process and in several; cancellation; a catalog that restarts; readers meanwhile. */

import { DuckDBInstance } from '@duckdb/node-api';
import { ducklingEventsBackfill, openDucklings } from '@skein/jobs';
import { addDays } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';
import pg from 'pg';

import { LOCKED_HERE } from '../../../../infra/embedded/test-services/index.ts';
import { dayPrefix } from '../../src/duckling/partitions.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';
import { type NaiveLake, type Sql, addFile, openNaively } from './naive-lake.ts';

let house: LakeHouse;
beforeEach(async () => {
  house = await openLakeHouse();
  await house.addDuckling(2);
});
afterEach(() => house.close());

const days = (count: number) => Array.from({ length: count }, (_, i) => addDays('2024-02-25', i));
const run = (
  day: string,
  options: { runId?: string; signal?: AbortSignal; resources?: Pick<LakeHouse, 'clickhouse' | 'ducklings'> } = {},
) => runAsset(ducklingEventsBackfill, { partition: `2_${day}`, resources: house, runId: `R-${day}`, ...options });
const perDay = () =>
  house.lake<{ day: string; n: string }>(
    2,
    'SELECT timestamp::DATE::VARCHAR AS day, count(uuid) AS n FROM events GROUP BY 1 ORDER BY 1',
  );

test('ten first days of a new duckling at once: one creates the table, all succeed', async () => {
  for (const [i, day] of days(10).entries()) await seedEvents(house, 2, day, 100 + i);
  const results = await Promise.all(days(10).map((day) => run(day)));
  expect(results.map((r) => r.error)).toEqual(Array(10).fill(undefined));
  expect(await perDay()).toEqual(days(10).map((day, i) => ({ day, n: String(100 + i) })));
});

test('writers that do not share a process share the lock: three openings of the same lake, each with ten days', async () => {
  for (const day of days(10)) await seedEvents(house, 2, day, 50);
  const others = [openDucklings(house.env), openDucklings(house.env)];
  const worlds = [house, ...others.map((ducklings) => ({ clickhouse: house.clickhouse, ducklings }))];
  const results = await Promise.all(
    worlds.flatMap((resources, w) => days(10).map((day) => run(day, { resources, runId: `W${w}-${day}` }))),
  );
  expect(results.map((r) => r.error)).toEqual(Array(30).fill(undefined));
  expect(await perDay()).toEqual(days(10).map((day) => ({ day, n: '50' })));
  await Promise.all(others.map((o) => o.close()));
});

test('M8: of ten such transactions at once the naive way loses nine; ours all succeed', async () => {
  for (const day of days(10)) await seedEvents(house, 2, day, 20);
  const paths = await Promise.all(days(10).map(async (day) => String((await run(day)).result?.path)));
  const naively = async ({ another }: NaiveLake) => {
    const writers = await Promise.all(days(10).map(() => another()));
    for (const [i, day] of days(10).entries()) {
      const sql = writers[i] as Sql;
      await sql('BEGIN');
      await sql(`DELETE FROM lake.posthog.events WHERE timestamp >= '${day}' AND timestamp < '${addDays(day, 1)}'`);
      await sql(addFile('events', paths[i] ?? ''));
    }
    return Promise.allSettled(writers.map((sql) => sql('COMMIT')));
  };
  const duckling = await house.ducklings.catalog.get(2);
  const naive = await openNaively(house, duckling, naively, '(DATA_INLINING_ROW_LIMIT 0)');
  expect(naive.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const ours = await Promise.all(days(10).map((day) => run(day, { runId: `AGAIN-${day}` })));
  expect(ours.map((r) => r.error)).toEqual(Array(10).fill(undefined));
  expect(await perDay()).toEqual(days(10).map((day) => ({ day, n: '20' })));
});

test('a foreign writer that takes no lock makes conflicts, which are tried again', async () => {
  for (const day of days(3)) await seedEvents(house, 2, day, 30);
  for (const day of days(3)) await run(day);
  const duckling = await house.ducklings.catalog.get(2);
  const tries = new Map<string, number>();
  const results = await openNaively(
    house,
    duckling,
    ({ sql }) =>
      Promise.all(
        days(3).map((day) => {
          // The first try of each day finds that another has written since its delete.
          const resources = watched(async (moment) => {
            if (moment !== 'added') return;
            tries.set(day, (tries.get(day) ?? 0) + 1);
            if (tries.get(day) === 1)
              await sql(
                "INSERT INTO lake.posthog.events (uuid, team_id, timestamp) VALUES ('x', 99, TIMESTAMPTZ '2020-01-01 00:00:00+00')",
              );
          });
          return run(day, { runId: `N-${day}`, resources });
        }),
      ),
    '(DATA_INLINING_ROW_LIMIT 0)',
  );
  expect(results.map((r) => r.error)).toEqual(Array(3).fill(undefined));
  expect([...tries.values()]).toEqual([2, 2, 2]);
  expect(await perDay()).toEqual([{ day: '2020-01-01', n: '3' }, ...days(3).map((day) => ({ day, n: '30' }))]);
});

test('cancelling while waiting for the lock ends the wait, and a later try succeeds', async () => {
  const [day = ''] = days(1);
  await seedEvents(house, 2, day, 10);
  await run(day);
  const holder = await house.catalog(2);
  await holder.query('SELECT pg_advisory_lock($1, $2)', [0x534b4e, 1]);
  const abort = new AbortController();
  const waiting = run(day, { runId: 'CANCELLED', signal: abort.signal });
  await untilTrue(
    async () =>
      (await holder.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND ${LOCKED_HERE}`))
        .rowCount === 1,
  );
  abort.abort(new Error('cancelled by ana'));
  // The lock is still another's.
  const cancelled = await waiting;
  expect(cancelled.error).toMatchObject({ message: 'cancelled by ana' });
  await holder.query('SELECT pg_advisory_unlock($1, $2)', [0x534b4e, 1]);
  await holder.end();
  expect((await run(day, { runId: 'LATER' })).result).toMatchObject({ rows_in_lake: 10, rows_deleted: 10 });
});

test('cancelling an export stops the query on ClickHouse and leaves the lake as it was', async () => {
  const [day = ''] = days(1);
  await seedEvents(house, 2, day, 400_000);
  const abort = new AbortController();
  const running = runAsset(ducklingEventsBackfill, {
    partition: `2_${day}`,
    resources: house,
    signal: abort.signal,
    config: {
      clickhouse_settings: { max_threads: 1, max_block_size: 1_000, output_format_parquet_row_group_size: 1_000 },
    },
  });
  const exports = () =>
    house.clickhouse.rows(
      `SELECT query_id FROM system.processes
       WHERE query LIKE 'INSERT INTO FUNCTION%' AND current_database = currentDatabase()`,
    );
  await untilTrue(async () => (await exports()).length === 1);
  abort.abort(new Error('cancelled'));
  expect((await running).error).toMatchObject({ message: 'cancelled' });
  await untilTrue(async () => (await exports()).length === 0);
  expect(await perDay()).toEqual([]);
});

test('a catalog whose connections were all cut is opened anew', async () => {
  const [first = '', second = ''] = days(2);
  await seedEvents(house, 2, first, 10);
  await seedEvents(house, 2, second, 11);
  await run(first);
  const admin = new pg.Client(house.env.SKEIN_APP_DB_URL);
  await admin.connect();
  const { db_name } = await house.ducklings.catalog.get(2);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [db_name]);
  await admin.end();
  expect((await run(second)).error).toBeUndefined();
  expect(await perDay()).toHaveLength(2);
});

test('readers that poll during re-exports never see a day empty or doubled; those of the naive way see both', async () => {
  const [day = '', next = ''] = days(2);
  await seedEvents(house, 2, day, 500);
  await seedEvents(house, 2, next, 40);
  for (const each of [day, next]) await run(each);
  const readers = await Promise.all([startReader(), startReader()]);
  const looks = async () => {
    await Promise.all(readers.map((reader) => reader.look()));
  };
  // Every reader looks once more in the middle of each transaction, and after it.
  const resources = watched(looks);
  for (let i = 1; i <= 5; i++) {
    await seedEvents(house, 2, day, 1, { event: 'late' });
    expect((await run(day, { runId: `AGAIN-${i}`, resources })).error).toBeUndefined();
    await looks();
  }
  for (const reader of readers) {
    const seen = await reader.stop();
    // One row more with each re-export, none twice, and the day beside it as it was.
    expect([...new Set(seen)]).toEqual([0, 1, 2, 3, 4, 5].map((late) => `${500 + late} 40`));
    expect(seen.length).toBeGreaterThanOrEqual(20);
  }

  const path = `${house.root}/bucket-2/${dayPrefix('events', { id: 2, day })}AGAIN-5.parquet`;
  const naiveReader = await startReader();
  const duckling = await house.ducklings.catalog.get(2);
  await openNaively(house, duckling, async ({ sql }) => {
    await sql(addFile('events', path));
    await naiveReader.look();
    // A file that is registered twice needs two deletes.
    for (let i = 0; i < 2; i++) await sql(`DELETE FROM lake.posthog.events WHERE timestamp::DATE = DATE '${day}'`);
    await naiveReader.look();
    await sql(addFile('events', path));
    await naiveReader.look();
  });
  expect(await naiveReader.stop()).toEqual(expect.arrayContaining(['1010 40', '0 40', '505 40']));
});

/** A customer's own DuckDB that counts the rows of two days again and again. */
async function startReader() {
  const [day = '', next = ''] = days(2);
  const { db_name, db_host, db_port, db_username } = await house.ducklings.catalog.get(2);
  const instance = await DuckDBInstance.create(':memory:', {
    extension_directory: house.env.SKEIN_DUCKDB_EXTENSIONS ?? '',
  });
  const db = await instance.connect();
  await db.run("SET TimeZone = 'UTC'");
  await db.run(
    `ATTACH 'ducklake:postgres:dbname=${db_name} host=${db_host} port=${db_port} user=${db_username} password=${house.env.LAKE_HOUSE_PASSWORD}' AS lake`,
  );
  const seen: string[] = [];
  let [begun, stopped] = [0, false];
  let failure: unknown;
  const reading = (async () => {
    while (!stopped) {
      begun++;
      const answer = await db.runAndReadAll(
        `SELECT concat_ws(' ', count(uuid) FILTER (timestamp::DATE = DATE '${day}'), count(uuid) FILTER (timestamp::DATE = DATE '${next}')) FROM lake.posthog.events`,
      );
      seen.push(String(answer.getRows()[0]?.[0]));
    }
  })().catch((error: unknown) => (failure = error));
  return {
    /** Resolves when a look that began after this call has ended. */
    async look() {
      const last = begun;
      await untilTrue(async () => failure !== undefined || seen.length > last, 45_000);
    },
    async stop() {
      stopped = true;
      await reading;
      db.closeSync();
      instance.closeSync();
      if (failure !== undefined) throw failure as Error;
      return seen;
    },
  };
}

type Moment = 'begun' | 'deleted' | 'added';

/** Ours, with somebody who looks on in the middle of each transaction. */
function watched(at: (moment: Moment) => Promise<void>): Pick<LakeHouse, 'clickhouse' | 'ducklings'> {
  const { ducklings } = house;
  const lake: typeof ducklings.lake = (duckling) => {
    const own = ducklings.lake(duckling);
    return {
      ...own,
      write: (signal, work) =>
        own.write(signal, async (tx) => {
          await at('begun');
          const rows: typeof tx.rows = async (sql, params) => {
            const answer = await tx.rows(sql, params);
            if (sql.startsWith('DELETE')) await at('deleted');
            if (sql.includes('add_data_files')) await at('added');
            return answer as never;
          };
          return work({ ...tx, rows });
        }),
    };
  };
  return { clickhouse: house.clickhouse, ducklings: { ...ducklings, lake } };
}

async function untilTrue(condition: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('The condition did not become true in time.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
