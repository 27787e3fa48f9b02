/** A hundred days of one duckling through the real engine, ten at once, while workers are killed: the lake equals ClickHouse. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { testClickHouse, testDatabase, testRedis } from '@skein/embedded/test-services';
import { DucklingRow, openDucklings } from '@skein/jobs';
import { type Backfill, createBackfill, createClient, openEngine, readBackfill } from '@skein/orchestrator/runtime';
import pg from 'pg';

import { deployment } from '../skein.config.ts';

const DAYS = 100;
const KILLS = 10;
const ROWS_A_DAY = 500;

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
      SELECT generateUUIDv4(), 'pageview', '{}', toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + intDiv(number, ${ROWS_A_DAY}) * 86400 + number % 86400, 7, toString(number), '', now64(6), generateUUIDv4()
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
  const worker = (): ChildProcess => {
    const script = path.join(__dirname, 'deployment-worker.ts');
    const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', script], {
      cwd: path.dirname(__dirname),
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  try {
    const { id } = await createBackfill(
      engine,
      { job: 'duckling_events_backfill_job', ids: ['7'], from: '2024-01-01', to: '2024-04-09', maxActive: 10 },
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
    const days = await ducklings
      .lake(row)
      .read(new AbortController().signal, (db) =>
        db.rows<{ rows: string }>(
          'SELECT count(uuid) AS rows FROM lake.posthog.events WHERE team_id = 7 GROUP BY timestamp::DATE',
        ),
      );
    expect(days.map(({ rows }) => Number(rows))).toEqual(Array.from({ length: DAYS }, () => ROWS_A_DAY));
  } finally {
    await Promise.all([...children].map((child) => (child.kill('SIGKILL'), once(child, 'exit'))));
    await engine.close();
    await ducklings.close();
    await pool.end();
    rmSync(objects, { recursive: true, force: true });
    await Promise.all([clickhouse.drop(), app.drop(), lake.drop()]);
  }
}, 300_000);

async function untilBackfill(read: () => Promise<Backfill>, holds: (backfill: Backfill) => boolean): Promise<Backfill> {
  const ends = performance.now() + 200_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > ends) throw new TypeError(`It did not come to that: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
