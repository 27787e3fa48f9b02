/** Many writers of one lake, in one process and in several; cancellation; a catalog that restarts; readers meanwhile. */

import { DuckDBInstance } from '@duckdb/node-api';
import { ducklingEventsBackfill, openDucklings } from '@skein/jobs';
import { addDays } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';
import pg from 'pg';

import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

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

test('the naive way, without the lock, loses most of ten such transactions (M8)', async () => {
  for (const day of days(10)) await seedEvents(house, 2, day, 20);
  const paths = await Promise.all(days(10).map(async (day) => String((await run(day)).result?.path)));
  const instance = await DuckDBInstance.create(':memory:', {
    extension_directory: house.env.SKEIN_DUCKDB_EXTENSIONS ?? '',
  });
  const duckling = await house.ducklings.catalog.get(2);
  const setUp = await instance.connect();
  await setUp.run(
    `ATTACH 'ducklake:postgres:dbname=${duckling.db_name} host=${duckling.db_host} port=${duckling.db_port} user=${duckling.db_username} password=${house.env.LAKE_HOUSE_PASSWORD}' AS lake (DATA_INLINING_ROW_LIMIT 0)`,
  );
  const naive = await Promise.allSettled(
    days(10).map(async (day, i) => {
      const db = await instance.connect();
      await db.run("SET TimeZone = 'UTC'");
      await db.run('BEGIN');
      await db.run(`DELETE FROM lake.posthog.events WHERE timestamp >= '${day}' AND timestamp < '${addDays(day, 1)}'`);
      await db.run(
        `CALL ducklake_add_data_files('lake', 'events', '${paths[i]}', schema => 'posthog', hive_partitioning => false)`,
      );
      await db.run('COMMIT');
    }),
  );
  instance.closeSync();
  expect(naive.filter((r) => r.status === 'rejected').length).toBeGreaterThan(0);
});

test('a foreign writer that takes no lock makes conflicts, which are tried again', async () => {
  for (const day of days(6)) await seedEvents(house, 2, day, 30);
  await run(days(1)[0] ?? '');
  const foreign = openDucklings(house.env);
  const duckling = await house.ducklings.catalog.get(2);
  const stop = new AbortController();
  const instance = await DuckDBInstance.create(':memory:', {
    extension_directory: house.env.SKEIN_DUCKDB_EXTENSIONS ?? '',
  });
  const db = await instance.connect();
  await db.run(
    `ATTACH 'ducklake:postgres:dbname=${duckling.db_name} host=${duckling.db_host} port=${duckling.db_port} user=${duckling.db_username} password=${house.env.LAKE_HOUSE_PASSWORD}' AS lake (DATA_INLINING_ROW_LIMIT 0)`,
  );
  let foreignCommits = 0;
  const noise = (async () => {
    while (!stop.signal.aborted && foreignCommits < 60) {
      await db
        .run(
          "INSERT INTO lake.posthog.events (uuid, team_id, timestamp) VALUES ('x', 99, TIMESTAMPTZ '2020-01-01 00:00:00+00')",
        )
        .then(
          () => foreignCommits++,
          () => {},
        );
      await db.run('DELETE FROM lake.posthog.events WHERE team_id = 99').then(
        () => foreignCommits++,
        () => {},
      );
    }
  })();
  const results = await Promise.all(days(6).map((day) => run(day, { runId: `N-${day}` })));
  stop.abort();
  await noise;
  instance.closeSync();
  await foreign.close();
  expect(foreignCommits).toBeGreaterThan(0);
  expect(results.map((r) => r.error)).toEqual(Array(6).fill(undefined));
  expect((await perDay()).filter((d) => d.day !== '2020-01-01')).toEqual(days(6).map((day) => ({ day, n: '30' })));
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
      (await holder.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rowCount === 1,
  );
  const at = performance.now();
  abort.abort(new Error('cancelled by ana'));
  const cancelled = await waiting;
  expect(performance.now() - at).toBeLessThan(2_000);
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
    house.clickhouse.rows("SELECT query_id FROM system.processes WHERE query LIKE 'INSERT INTO FUNCTION%'");
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

test('readers that poll during re-exports never see a day empty or doubled', async () => {
  const [day = ''] = days(1);
  await seedEvents(house, 2, day, 500);
  await run(day);
  const seen = new Map<string, number>();
  const stop = new AbortController();
  const reading = (async () => {
    const duckling = await house.ducklings.catalog.get(2);
    const instance = await DuckDBInstance.create(':memory:', {
      extension_directory: house.env.SKEIN_DUCKDB_EXTENSIONS ?? '',
    });
    const db = await instance.connect();
    await db.run(
      `ATTACH 'ducklake:postgres:dbname=${duckling.db_name} host=${duckling.db_host} port=${duckling.db_port} user=${duckling.db_username} password=${house.env.LAKE_HOUSE_PASSWORD}' AS lake`,
    );
    while (!stop.signal.aborted) {
      const [[count]] = (await db.runAndReadAll('SELECT count(uuid) FROM lake.posthog.events')).getRows() as [[bigint]];
      seen.set(String(count), (seen.get(String(count)) ?? 0) + 1);
    }
    db.closeSync();
    instance.closeSync();
  })();
  for (let i = 0; i < 12; i++) expect((await run(day, { runId: `AGAIN-${i}` })).error).toBeUndefined();
  stop.abort();
  await reading;
  expect([...seen.keys()]).toEqual(['500']);
  // Several looks at each of the twelve.
  expect(seen.get('500')).toBeGreaterThan(24);
});

async function untilTrue(condition: () => Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('The condition did not become true in time.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
