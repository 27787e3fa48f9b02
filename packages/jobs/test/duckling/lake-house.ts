/** A test's own world: a ClickHouse database, an app database, ducklings with a catalog database each, a directory of objects. */

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';
import {
  type ClickHouse,
  type DucklingInput,
  DucklingRow,
  type Ducklings,
  openClickHouse,
  openDucklings,
} from '@skein/jobs';
import pg from 'pg';

const SQL = join(__dirname, '../../../../infra');
export const PASSWORD_VARIABLE = 'LAKE_HOUSE_PASSWORD';

export interface LakeHouse {
  readonly clickhouse: ClickHouse;
  readonly ducklings: Ducklings;
  readonly app: pg.Pool;
  readonly env: Record<string, string>;
  /** Where objects lie. */
  readonly root: string;
  /** Creates the catalog database and the row. */
  addDuckling(teamId: number, changes?: Partial<DucklingInput>): Promise<DucklingRow>;
  /** The duckling's catalog, by plain SQL. */
  catalog(teamId: number): Promise<pg.Client>;
  /** Asks a lake with a DuckDB of the test's own, as a customer would. */
  lake<T>(teamId: number, sql: string): Promise<T[]>;
  close(): Promise<void>;
}

type DucklingRow = ReturnType<typeof DucklingRow.parse>;

export async function openLakeHouse(
  extra: Record<string, string> = {},
  options: { readonly now?: () => number } = {},
): Promise<LakeHouse> {
  const name = `duck_${randomBytes(5).toString('hex')}`;
  const { appUrl, clickhouseUrl, extensions } = urls();
  const root = mkdtempSync(join(tmpdir(), 'lake-house-'));
  chmodSync(root, 0o777);
  const admin = new pg.Client(appUrl.href);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const appOwn = new URL(appUrl);
  appOwn.pathname = `/${name}`;
  const env: Record<string, string> = {
    SKEIN_APP_DB_URL: appOwn.href,
    SKEIN_OBJECT_STORE: `file://${root}`,
    SKEIN_DUCKDB_EXTENSIONS: extensions,
    SKEIN_CLICKHOUSE_URL: '',
    [PASSWORD_VARIABLE]: decodeURIComponent(appUrl.password),
    ...extra,
  };
  const app = new pg.Pool({ connectionString: appOwn.href, max: 5 });
  // Its idle connections are cut when the database is dropped.
  app.on('error', () => {});
  await app.query(readFileSync(join(SQL, 'postgres/ducklings.sql'), 'utf8'));

  const server = openClickHouse(clickhouseUrl.href);
  await server.command(`CREATE DATABASE ${name}`);
  const chOwn = new URL(clickhouseUrl);
  chOwn.pathname = `/${name}`;
  env.SKEIN_CLICKHOUSE_URL = chOwn.href;
  const clickhouse = openClickHouse(chOwn.href);
  for (const file of ['events.sql', 'persons.sql']) {
    for (const statement of readFileSync(join(SQL, 'clickhouse', file), 'utf8')
      .split(/;\s*$/m)
      .map((s) => s.replace(/^\s*--.*$/gm, '').trim())
      .filter(Boolean)) {
      await clickhouse.command(statement);
    }
  }
  const ducklings = openDucklings(env, options);
  const databases = [name];
  const databaseOf = (teamId: number) => `${name}_${teamId}`;

  return {
    clickhouse,
    ducklings,
    app,
    env,
    root,
    async addDuckling(teamId, changes = {}) {
      databases.push(databaseOf(teamId));
      await admin.query(`CREATE DATABASE ${databaseOf(teamId)}`);
      const row = DucklingRow.parse({
        team_id: teamId,
        bucket: `bucket-${teamId}`,
        db_host: appUrl.hostname,
        db_port: Number(appUrl.port),
        db_name: databaseOf(teamId),
        db_username: decodeURIComponent(appUrl.username),
        db_password: `env:${PASSWORD_VARIABLE}`,
        ...changes,
      });
      await ducklings.catalog.add(row);
      return row;
    },
    async catalog(teamId) {
      const url = new URL(appUrl);
      url.pathname = `/${databaseOf(teamId)}`;
      const client = new pg.Client(url.href);
      await client.connect();
      return client;
    },
    async lake<T>(teamId: number, sql: string) {
      const { hostname, port, username, password } = appUrl;
      const instance = await DuckDBInstance.create(':memory:', { extension_directory: extensions });
      const db = await instance.connect();
      try {
        await db.run("SET TimeZone = 'UTC'");
        await db.run(
          `ATTACH 'ducklake:postgres:dbname=${databaseOf(teamId)} host=${hostname} port=${port} user=${username} password=${password}' AS lake`,
        );
        await db.run('USE lake.posthog');
        return (await db.runAndReadAll(sql)).getRowObjectsJson() as T[];
      } finally {
        db.closeSync();
        instance.closeSync();
      }
    },
    async close() {
      await ducklings.close();
      await clickhouse.command(`DROP DATABASE ${name}`);
      await clickhouse.close();
      await server.close();
      await app.end();
      for (const database of databases.reverse()) await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      await admin.end();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function urls() {
  const { SKEIN_APP_DB_URL, SKEIN_CLICKHOUSE_URL, SKEIN_DUCKDB_EXTENSIONS } = process.env;
  if (!SKEIN_APP_DB_URL || !SKEIN_CLICKHOUSE_URL || !SKEIN_DUCKDB_EXTENSIONS)
    throw new Error('The services for tests are not there: postgres, clickhouse, ducklake.');
  return {
    appUrl: new URL(SKEIN_APP_DB_URL),
    clickhouseUrl: new URL(SKEIN_CLICKHOUSE_URL),
    extensions: SKEIN_DUCKDB_EXTENSIONS,
  };
}

/** Rows of a team on a day, made by ClickHouse; deterministic. */
export async function seedEvents(
  house: LakeHouse,
  teamId: number,
  day: string,
  count: number,
  facts: { readonly event?: string } = {},
): Promise<void> {
  await house.clickhouse.command(
    `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, created_at, person_id, person_mode)
     SELECT generateUUIDv4(number), {event:String}, concat('{"n":', toString(number), '}'),
            addSeconds(toDateTime64({day:String}, 6, 'UTC'), number % 86400), {team:Int64}, concat('user-', toString(number % 7)),
            now64(6, 'UTC'), generateUUIDv4(number), 'full' FROM numbers({count:UInt64})`,
    { params: { day: `${day} 00:00:00`, team: teamId, count, event: facts.event ?? '$pageview' } },
  );
}
