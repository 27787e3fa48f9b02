/**
 * The ducklings' parts of the demo: six teams with a lake each, whose catalogs are databases of the embedded
 * PostgreSQL. The sensors find what is missing and launch it; in the end each team's every day is compared with
 * ClickHouse: rows, and a checksum over the ids.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type DatasetName, DucklingRow, type Ducklings, openDucklings, teamDays } from '@skein/jobs';
import { type Day, addDays, dayOf, daysBetween } from '@skein/orchestrator';

import { SAMPLE_TEAMS, firstSampleDay, loadSample } from './duckling-sample.ts';
import type { DemoContext, DemoDetail, DemoPart, DemoVerdict } from './part.ts';

export const ducklingEventsPart = ducklingPart('events');
export const ducklingPersonsPart = ducklingPart('persons');

function ducklingPart(dataset: DatasetName): DemoPart {
  return {
    asset: `duckling_${dataset}_backfill`,
    async before(context) {
      const [clickhouse, lakes] = await Promise.all([
        rowsInClickHouse(dataset, context),
        rowsInLakes(dataset, context),
      ]);
      return { rows_in_clickhouse: sum(clickhouse), rows_in_lakes: sum(lakes) };
    },
    async load(context) {
      await loadSample(context.clickhouse, context.now, context.scale);
      await addDucklings(context);
    },
    partitions: (context) =>
      SAMPLE_TEAMS.flatMap(({ id }) => sampleDays(context).map((day) => teamDays.format({ id, day }))),
    async launch(context) {
      await context.startSensor(`duckling_${dataset}_daily_backfill_sensor`);
      await context.startSensor(`duckling_${dataset}_full_backfill_sensor`);
    },
    verify: (context) => verify(dataset, context),
  };
}

function sampleDays({ now }: DemoContext): Day[] {
  return daysBetween(firstSampleDay(now), addDays(dayOf(now), -1));
}

async function addDucklings({ appDb, env }: DemoContext): Promise<void> {
  const url = new URL(env.SKEIN_APP_DB_URL ?? '');
  const password = passwordFile(env.SKEIN_OBJECT_STORE ?? '', decodeURIComponent(url.password));
  const ducklings = openDucklings(env, { pool: appDb });
  try {
    const known = new Set((await ducklings.catalog.list()).map((row) => row.team_id));
    for (const { id } of SAMPLE_TEAMS) {
      const database = `lake_${id}`;
      const { rowCount } = await appDb.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
      if (rowCount === 0) await appDb.query(`CREATE DATABASE ${database}`);
      const row = DucklingRow.parse({
        team_id: id,
        bucket: `duckling-${id}`,
        db_host: url.hostname,
        db_port: Number(url.port),
        db_name: database,
        db_username: decodeURIComponent(url.username),
        db_password: `file:${password}`,
      });
      // The port may have changed since the last start.
      await (known.has(id) ? ducklings.catalog.edit(row) : ducklings.catalog.add(row));
    }
  } finally {
    await ducklings.close();
  }
}

/** Beside the objects, readable by nobody else. */
function passwordFile(objectStore: string, password: string): string {
  const folder = objectStore.startsWith('file:') ? dirname(fileURLToPath(objectStore)) : join(tmpdir(), 'skein-demo');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'ducklings-catalog-password');
  writeFileSync(file, password, { mode: 0o600 });
  return file;
}

interface DayFacts {
  readonly rows: number;
  /** Sum over the first 32 bits of each id: equal rows have equal sums, whatever their order. */
  readonly checksum: number;
}
type Facts = ReadonlyMap<string, DayFacts>;

const CLICKHOUSE_SQL: Readonly<Record<DatasetName, string>> = {
  events: `SELECT team_id, toString(toDate(timestamp)) AS day, count() AS rows, toString(sum(reinterpretAsUInt32(reverse(unhex(substring(toString(uuid), 1, 8)))))) AS checksum
    FROM events WHERE team_id IN {teams:Array(Int64)} AND timestamp >= {from:DateTime64(6, 'UTC')} AND timestamp < {to:DateTime64(6, 'UTC')} GROUP BY team_id, day`,
  persons: `SELECT p.team_id AS team_id, toString(toDate(p._timestamp)) AS day, count() AS rows, toString(sum(reinterpretAsUInt32(reverse(unhex(substring(toString(p.id), 1, 8)))))) AS checksum
    FROM (SELECT * FROM person FINAL WHERE is_deleted = 0) AS p
    INNER JOIN (SELECT * FROM person_distinct_id2 FINAL WHERE is_deleted = 0) AS d ON d.person_id = p.id AND d.team_id = p.team_id
    WHERE p.team_id IN {teams:Array(Int64)} AND p._timestamp >= {from:DateTime64(6, 'UTC')} AND p._timestamp < {to:DateTime64(6, 'UTC')} GROUP BY team_id, day`,
};

async function rowsInClickHouse(dataset: DatasetName, { clickhouse, now }: DemoContext): Promise<Facts> {
  const rows = await clickhouse.rows<{ team_id: string; day: Day; rows: string; checksum: string }>(
    CLICKHOUSE_SQL[dataset],
    {
      params: {
        teams: SAMPLE_TEAMS.map(({ id }) => id),
        from: `${firstSampleDay(now)} 00:00:00`,
        to: `${dayOf(now)} 00:00:00`,
      },
    },
  );
  return new Map(
    rows.map((row) => [`${row.team_id}_${row.day}`, { rows: Number(row.rows), checksum: Number(row.checksum) }]),
  );
}

const LAKE_SQL: Readonly<Record<DatasetName, string>> = {
  events: `SELECT strftime(timestamp, '%Y-%m-%d') AS day, count(uuid) AS rows, sum(('0x' || substring(uuid, 1, 8))::BIGINT)::BIGINT AS checksum FROM lake.posthog.events WHERE team_id = $1 GROUP BY 1`,
  persons: `SELECT strftime(_timestamp, '%Y-%m-%d') AS day, count(distinct_id) AS rows, sum(('0x' || substring(id, 1, 8))::BIGINT)::BIGINT AS checksum FROM lake.posthog.persons WHERE team_id = $1 GROUP BY 1`,
};

async function rowsInLakes(dataset: DatasetName, context: DemoContext): Promise<Facts> {
  const ducklings = openDucklings(context.env, { pool: context.appDb });
  try {
    return new Map((await Promise.all(SAMPLE_TEAMS.map(({ id }) => rowsInLake(dataset, ducklings, id)))).flat());
  } finally {
    await ducklings.close();
  }
}

async function rowsInLake(dataset: DatasetName, ducklings: Ducklings, teamId: number): Promise<[string, DayFacts][]> {
  const duckling = (await ducklings.catalog.list()).find((row) => row.team_id === teamId);
  if (!duckling) return [];
  const rows = await ducklings.lake(duckling).read(new AbortController().signal, async (db) => {
    const tables = await db.rows("SELECT 1 FROM duckdb_tables() WHERE database_name = 'lake' AND table_name = $1", [
      dataset,
    ]);
    if (tables.length === 0) return [];
    return db.rows<{ day: Day; rows: string; checksum: string }>(LAKE_SQL[dataset], [BigInt(teamId)]);
  });
  return rows.map((row) => [`${teamId}_${row.day}`, { rows: Number(row.rows), checksum: Number(row.checksum) }]);
}

async function verify(dataset: DatasetName, context: DemoContext): Promise<DemoVerdict> {
  const [clickhouse, lakes] = await Promise.all([rowsInClickHouse(dataset, context), rowsInLakes(dataset, context)]);
  const none: DayFacts = { rows: 0, checksum: 0 };
  const details: DemoDetail[] = SAMPLE_TEAMS.flatMap(({ id }) =>
    sampleDays(context).map((day) => {
      const partition = teamDays.format({ id, day });
      const [source, lake] = [clickhouse.get(partition) ?? none, lakes.get(partition) ?? none];
      return { partition, source_rows: source.rows, lake_rows: lake.rows, same_ids: source.checksum === lake.checksum };
    }),
  );
  const equal = details.every((d) => d.source_rows === d.lake_rows && d.same_ids === true);
  return {
    // Also nothing in the lakes that the source does not have, on any day.
    verified: equal && sum(clickhouse) === sum(lakes) && sum(clickhouse) > 0,
    after: { rows_in_clickhouse: sum(clickhouse), rows_in_lakes: sum(lakes), days: details.length },
    details,
  };
}

function sum(facts: Facts): number {
  return [...facts.values()].reduce((total, { rows }) => total + rows, 0);
}
