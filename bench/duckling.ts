/**
 * The ducklings' bench: a day of 1,000,000 events exported and registered by Skein's asset, beside the bare statements
 * of the same work; and a hundred days of one duckling, ten at a time, beside the slower of its two halves alone, and
 * beside the same transactions without the writers' lock.
 */

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';
import {
  type ClickHouse,
  type Duckling,
  DucklingRow,
  type Ducklings,
  EVENTS,
  dayRange,
  ducklingEventsBackfill,
  openClickHouse,
  openDucklings,
} from '@skein/jobs';
import { addDays } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';
import pg from 'pg';

import { addFileSql, countDaySql, deleteDaySql, exportSql } from '../packages/jobs/src/duckling/sql.ts';
import { type Bench, type BenchOptions, type BenchRow, row } from './bench.ts';

const TEAM = 2;
const BIG_DAY = '2024-01-15';
const FIRST_SMALL_DAY = '2024-03-01';
const SMALL_DAYS = 100;
const CONCURRENCY = 10;

const EVENTS_TABLE = readFileSync(new URL('../infra/clickhouse/events.sql', import.meta.url), 'utf8')
  .replace(/^\s*--.*$/gm, '')
  .replace(/;\s*$/, '');

const SEED_SQL = `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, created_at, person_id, person_properties)
SELECT generateUUIDv4(number), ['$pageview', '$autocapture', 'order placed'][1 + number % 3],
  concat('{"$current_url":"https://shop.example/', toString(cityHash64(number) % 5000), '","$session_id":"', hex(sipHash64(number)), '","n":', toString(number), '}'),
  addSeconds(toDateTime64({from:String}, 6, 'UTC'), number % {span:UInt64}), {team:UInt32}, concat('user-', toString(cityHash64(number, 1) % 20000)),
  now64(6, 'UTC'), reinterpretAsUUID(unhex(hex(sipHash128(cityHash64(number, 1) % 20000)))), concat('{"email":"user', toString(cityHash64(number, 1) % 20000), '@example.com"}')
FROM numbers({count:UInt64})`;

export const bench: Bench = {
  name: 'duckling',
  summary: 'export and registration of a day beside the bare statements; many days of one duckling at once',
  async run(options) {
    const world = await openWorld();
    try {
      return [await bigDay(world, options), ...(await manyDays(world, options))];
    } finally {
      await world.close();
    }
  },
};

async function bigDay(world: World, { scale, rounds, note }: BenchOptions): Promise<BenchRow> {
  const rows = Math.round(1_000_000 * scale);
  note(`Loading a day of ${rows} events …`);
  await loadDay(world, BIG_DAY, rows);
  const [ours, bare]: [number[], number[]] = [[], []];
  await runDay(world, BIG_DAY, 'warm-up');
  const db = await world.bareConnection();
  for (let i = 0; i < rounds; i++) {
    ours.push(await seconds(() => runDay(world, BIG_DAY, `big-${i}`)));
    bare.push(
      await seconds(async () => {
        const path = await bareExport(world, BIG_DAY, `bare-${i}`);
        await bareRegistration(db, BIG_DAY, path);
      }),
    );
    note(`round ${i + 1}: ours ${ours.at(-1)?.toFixed(2)} s, bare ${bare.at(-1)?.toFixed(2)} s`);
  }
  return row(`a day of ${rows.toLocaleString('en-US')} events, exported and registered`, ours, bare, {
    otherIs: 'the bare INSERT INTO FUNCTION and one bare registration',
    unit: 's',
    target: '≤ 1.15',
  });
}

async function manyDays(world: World, { scale, rounds, note }: BenchOptions): Promise<BenchRow[]> {
  const days = Array.from({ length: SMALL_DAYS }, (_, i) => addDays(FIRST_SMALL_DAY, i));
  const perDay = Math.round(100_000 * scale);
  note(`Loading ${days.length} days of ${perDay} events …`);
  await world.clickhouse.command(SEED_SQL, {
    params: { team: TEAM, from: `${FIRST_SMALL_DAY} 00:00:00`, span: SMALL_DAYS * 86_400, count: perDay * SMALL_DAYS },
  });
  const [ours, slower, succeeded, naive]: [number[], number[], number[], number[]] = [[], [], [], []];
  const inSequence: number[] = [];
  for (let i = 0; i < rounds; i++) {
    let good = 0;
    const together = await seconds(() =>
      inParallel(days, async (day) => {
        const ok = await runDay(world, day, `many-${i}`);
        if (ok) good++;
      }),
    );
    const paths = new Map<string, string>();
    const exporting = await seconds(() =>
      inParallel(days, async (day) => void paths.set(day, await bareExport(world, day, `half-${i}`))),
    );
    const db = await world.bareConnection();
    const registering = await seconds(async () => {
      for (const day of days) await bareRegistration(db, day, paths.get(day) ?? '');
    });
    ours.push(days.length / together);
    slower.push(days.length / Math.max(exporting, registering));
    inSequence.push(days.length / (exporting + registering));
    succeeded.push(good);
    naive.push(await naiveSuccesses(world, days.slice(0, CONCURRENCY), paths));
    note(
      `round ${i + 1}: together ${together.toFixed(1)} s (${good} of ${days.length}), exports alone ${exporting.toFixed(1)} s, registrations alone ${registering.toFixed(1)} s, naive ${naive.at(-1)} of ${CONCURRENCY}`,
    );
  }
  return [
    row(`${SMALL_DAYS} days of one duckling, ${CONCURRENCY} at once: throughput`, ours, slower, {
      otherIs: 'the slower of export and registration alone',
      unit: 'days/s',
      target: '≥ 0.9',
    }),
    // Where exports alone take every core, this is as fast as it can be.
    row(`${SMALL_DAYS} days of one duckling, ${CONCURRENCY} at once: throughput`, ours, inSequence, {
      otherIs: 'all exports, then all registrations',
      unit: 'days/s',
    }),
    row(
      'partitions that succeed',
      succeeded,
      succeeded.map(() => SMALL_DAYS),
      { otherIs: 'all of them', unit: 'of 100', target: '≥ 1' },
    ),
    row(
      `transactions that succeed of ${CONCURRENCY} at once without the lock`,
      naive,
      naive.map(() => CONCURRENCY),
      {
        otherIs: 'with the lock',
        unit: 'of 10',
      },
    ),
  ];
}

interface World {
  readonly clickhouse: ClickHouse;
  readonly ducklings: Ducklings;
  readonly duckling: Duckling;
  /** A plain DuckDB connection to the lake. */
  bareConnection(): Promise<BareDb>;
  close(): Promise<void>;
}
type BareDb = Awaited<ReturnType<DuckDBInstance['connect']>>;

async function openWorld(): Promise<World> {
  const env = process.env;
  const name = `bench_${randomBytes(4).toString('hex')}`;
  const root = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  chmodSync(root, 0o777);
  const appUrl = new URL(env.SKEIN_APP_DB_URL ?? '');
  const admin = new pg.Client(appUrl.href);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const server = openClickHouse(env.SKEIN_CLICKHOUSE_URL ?? '');
  await server.command(`CREATE DATABASE ${name}`);
  const url = new URL(env.SKEIN_CLICKHOUSE_URL ?? '');
  url.pathname = `/${name}`;
  const clickhouse = openClickHouse(url.href);
  await clickhouse.command(EVENTS_TABLE);
  const duckling = DucklingRow.parse({
    team_id: TEAM,
    bucket: 'bench-bucket',
    db_host: appUrl.hostname,
    db_port: Number(appUrl.port),
    db_name: name,
    db_username: decodeURIComponent(appUrl.username),
    db_password: 'env:BENCH_CATALOG_PASSWORD',
  });
  const password = decodeURIComponent(appUrl.password);
  const opened = openDucklings({ ...env, SKEIN_OBJECT_STORE: `file://${root}`, BENCH_CATALOG_PASSWORD: password });
  const ducklings = { ...opened, catalog: { ...opened.catalog, get: async () => duckling } };
  const instance = await DuckDBInstance.create(':memory:', { extension_directory: env.SKEIN_DUCKDB_EXTENSIONS ?? '' });
  let attached = false;
  return {
    clickhouse,
    ducklings,
    duckling,
    async bareConnection() {
      const db = await instance.connect();
      await db.run("SET TimeZone = 'UTC'");
      if (!attached) {
        await db.run(
          `ATTACH 'ducklake:postgres:dbname=${name} host=${appUrl.hostname} port=${appUrl.port} user=${duckling.db_username} password=${password}' AS lake (DATA_INLINING_ROW_LIMIT 0)`,
        );
      }
      attached = true;
      return db;
    },
    async close() {
      await opened.close();
      instance.closeSync();
      await clickhouse.close();
      await server.command(`DROP DATABASE ${name}`);
      await server.close();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Gives whether it was materialized. */
async function runDay({ clickhouse, ducklings }: World, day: string, runId: string): Promise<boolean> {
  const result = await runAsset(ducklingEventsBackfill, {
    partition: `${TEAM}_${day}`,
    resources: { clickhouse, ducklings },
    runId: `${runId}-${day}`,
  });
  return result.status === 'SUCCESS';
}

async function bareExport({ clickhouse, ducklings, duckling }: World, day: string, name: string): Promise<string> {
  const path = ducklings.store.url(duckling.bucket, `bare/${day}-${name}.parquet`);
  const { from, to } = dayRange(day);
  await clickhouse.command(exportSql(EVENTS, "file({object_path:String}, 'Parquet')"), {
    params: { team_id: TEAM, range_start: from, range_end: to, object_path: path },
  });
  return path;
}

async function bareRegistration(db: BareDb, day: string, path: string): Promise<void> {
  const { from, to } = dayRange(day);
  const range = [BigInt(TEAM), `${from}+00`, `${to}+00`];
  await db.run('BEGIN');
  await db.run(deleteDaySql(EVENTS), range);
  await db.run(addFileSql(EVENTS), [path]);
  await db.runAndReadAll(countDaySql(EVENTS), range);
  await db.run('COMMIT');
}

async function naiveSuccesses(
  world: World,
  days: readonly string[],
  paths: ReadonlyMap<string, string>,
): Promise<number> {
  const outcomes = await Promise.allSettled(
    days.map(async (day) => bareRegistration(await world.bareConnection(), day, paths.get(day) ?? '')),
  );
  return outcomes.filter((o) => o.status === 'fulfilled').length;
}

async function inParallel(days: readonly string[], work: (day: string) => Promise<void>): Promise<void> {
  const queue = [...days];
  const lane = async () => {
    for (let day = queue.shift(); day !== undefined; day = queue.shift()) await work(day);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

async function loadDay({ clickhouse }: World, day: string, count: number): Promise<void> {
  await clickhouse.command(SEED_SQL, { params: { team: TEAM, from: `${day} 00:00:00`, span: 86_400, count } });
}
