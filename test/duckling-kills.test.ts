/**
 * Many days of one duckling through the real engine, ten at once, while workers are killed: the lake equals ClickHouse,
 * no file is registered twice, and what was left behind is found as orphans, and nothing else.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { testClickHouse, testDatabase, testRedis } from '@skein/embedded/test-services';
import { type Duckling, DucklingRow, type Ducklings, openDucklings } from '@skein/jobs';
import { addDays } from '@skein/orchestrator';
import { type Backfill, createBackfill, createClient, openEngine, readBackfill } from '@skein/orchestrator/runtime';
import pg from 'pg';

import { deleteOrphans, findOrphans } from '../packages/jobs/src/duckling/orphans.ts';
import { deployment } from '../skein.config.ts';
import { NODE_MODULES, bundleProcess } from './rig/bundle.ts';

/** `SKEIN_TEST_KILLS=200` for the whole number (`npm run chaos`). */
const KILLS = Number(process.env.SKEIN_TEST_KILLS ?? 4);
/** More than are made between the kills, so that every kill is one in the middle. */
const DAYS = 8 * KILLS + 8;
const ROWS_A_DAY = 500;
const FIRST_DAY = '2016-01-01';
const LAST_DAY = addDays(FIRST_DAY, DAYS - 1);
const NEVER = new AbortController().signal;

test(`${DAYS} days of one duckling, ${KILLS} kills: every day once`, async () => {
  const [clickhouse, app, lake] = await Promise.all([
    testClickHouse({ schemas: ['events'] }),
    testDatabase('app'),
    testDatabase('empty'),
  ]);
  const redis = testRedis();
  const objects = mkdtempSync(path.join(tmpdir(), 'skein-objects-'));
  const env = {
    ...process.env,
    SKEIN_REDIS_URL: redis.url,
    SKEIN_REDIS_PREFIX: `{${redis.prefix}}`,
    SKEIN_CLICKHOUSE_URL: clickhouse.url,
    SKEIN_APP_DB_URL: app.url,
    SKEIN_OBJECT_STORE: pathToFileURL(objects).href,
    SKEIN_LEASE_MS: '3000',
    SKEIN_LEASE_RENEW_MS: '700',
    SKEIN_PULSE_MS: '200',
    SKEIN_RESEND_MS: '1500',
    SKEIN_MAX_LOST: '50',
    LAKE_PASSWORD: decodeURIComponent(new URL(lake.url).password),
  };
  await clickhouse.client.command({
    query: `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, elements_chain, created_at, person_id)
      SELECT generateUUIDv4(), 'pageview', '{}', toDateTime64('${FIRST_DAY} 00:00:00', 6, 'UTC') + intDiv(number, ${ROWS_A_DAY}) * 86400 + number % 86400, 7, toString(number), '', now64(6), generateUUIDv4()
      FROM numbers(${DAYS * ROWS_A_DAY})`,
  });
  const pool = new pg.Pool({ connectionString: app.url });
  const ducklings = openDucklings(env, { pool });
  const url = new URL(lake.url);
  const row = DucklingRow.parse({
    team_id: 7,
    bucket: 'duck-seven',
    db_host: url.hostname,
    db_port: Number(url.port),
    db_name: url.pathname.slice(1),
    db_username: decodeURIComponent(url.username),
    db_password: 'env:LAKE_PASSWORD',
  });
  await ducklings.catalog.add(row);
  const engine = await openEngine(deployment, { env });
  const children = new Set<ChildProcess>();
  const bundle = mkdtempSync(path.join(tmpdir(), 'skein-worker-'));
  const script = await bundleProcess(bundle, path.join(__dirname, 'deployment-worker.ts'));
  const worker = (): ChildProcess => {
    const child = spawn(process.execPath, [script], {
      env: { ...env, NODE_PATH: NODE_MODULES },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  try {
    const { id } = await createBackfill(
      engine,
      { job: 'duckling_events_backfill_job', ids: ['7'], from: FIRST_DAY, to: LAST_DAY, maxActive: 10 },
      'test',
    );
    for (let kills = 0; kills < KILLS; kills++) {
      const child = worker();
      if (child.stdout) await once(child.stdout, 'data');
      const { succeeded } = await readBackfill(engine, id);
      await untilBackfill(
        () => readBackfill(engine, id),
        (b) => b.succeeded >= Math.min(DAYS, succeeded + 2 + (kills % 5)),
      );
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    worker();
    const done = await untilBackfill(
      () => readBackfill(engine, id),
      (b) => b.status !== 'IN_PROGRESS',
    );
    const failures = await createClient(engine).runs({ status: 'FAILURE', limit: 3 });
    expect(failures.map((run) => run.error)).toEqual([]);
    expect(done).toMatchObject({ status: 'COMPLETED', succeeded: DAYS, failed: 0 });
    const rowsOfDays = () =>
      ducklings
        .lake(row)
        .read(NEVER, (db) =>
          db.rows<{ rows: string }>(
            'SELECT count(uuid) AS rows FROM lake.posthog.events WHERE team_id = 7 GROUP BY timestamp::DATE',
          ),
        );
    const everyDay = Array.from({ length: DAYS }, () => ({ rows: String(ROWS_A_DAY) }));
    expect(await rowsOfDays()).toEqual(everyDay);
    const registered = await ducklings
      .lake(row)
      .withCatalog(NEVER, (catalog) => catalog.rows<{ path: string }>('SELECT path FROM ducklake_data_file'));
    const paths = new Set(registered.map((file) => file.path));
    expect(paths.size).toBe(registered.length);
    const left = (await objectsOf(ducklings, row)).filter((url) => !paths.has(url));
    const orphans = await findOrphans(ducklings, row, 0, new Date(Date.now() + 60_000), NEVER);
    expect(orphans.map(({ url }) => url).sort()).toEqual(left.sort());
    await deleteOrphans(ducklings, row, orphans, NEVER);
    expect(await rowsOfDays()).toEqual(everyDay);
    process.stderr.write(`${KILLS} workers killed, ${DAYS} days; ${left.length} orphans\n`);
  } finally {
    await Promise.all([...children].map((child) => (child.kill('SIGKILL'), once(child, 'exit'))));
    await engine.close();
    await ducklings.close();
    await pool.end();
    for (const folder of [objects, bundle]) rmSync(folder, { recursive: true, force: true });
    await Promise.all([clickhouse.drop(), app.drop(), lake.drop()]);
  }
}, 3_600_000);

async function objectsOf(ducklings: Ducklings, row: Duckling): Promise<string[]> {
  const bucket = ducklings.bucket(row);
  const urls: string[] = [];
  for await (const { key } of bucket.list('backfill/')) urls.push(ducklings.store.url(row.bucket, key));
  bucket.close();
  return urls;
}

async function untilBackfill(read: () => Promise<Backfill>, holds: (backfill: Backfill) => boolean): Promise<Backfill> {
  const ends = performance.now() + 600_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > ends) throw new TypeError(`It did not come to that: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
