/**
 * A DuckDB instance with a lake attached. Opening one (extensions, secrets, ATTACH) costs about a quarter of a second,
 * so an instance serves many runs, each on a connection of its own.
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';

import type { S3Settings } from './object-store.ts';
import type { Credentials } from './sts.ts';

export interface LakeConnection {
  /** 64-bit integers and times come as text. */
  rows<T>(sql: string, params?: readonly DuckDBValue[]): Promise<T[]>;
}

export interface InstanceOptions {
  /** Where DuckDB's extensions lie; undefined: DuckDB's own directory, filled from its repository. */
  readonly extensionDirectory: string | undefined;
  readonly memoryLimit: string;
  readonly threads: number;
  readonly needsS3: boolean;
}

/** The alias under which the lake is attached. */
export const LAKE = 'lake';

export async function openInstance(options: InstanceOptions): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit,
    // What does not fit is spilled; without this into a folder of wherever the process was started.
    temp_directory: join(tmpdir(), 'skein-duckdb'),
    ...(options.extensionDirectory === undefined ? {} : { extension_directory: options.extensionDirectory }),
    threads: String(options.threads),
  });
  try {
    await withConnection(instance, undefined, async (db) => {
      // INSTALL does nothing where the extension is there already.
      for (const extension of ['ducklake', 'postgres', ...(options.needsS3 ? ['httpfs'] : [])]) {
        await db.rows(`INSTALL ${extension}`);
        await db.rows(`LOAD ${extension}`);
      }
    });
    return instance;
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

/** Runs `work` on a connection of its own, in UTC; the signal interrupts the running statement. */
export async function withConnection<T>(
  instance: DuckDBInstance,
  signal: AbortSignal | undefined,
  work: (db: LakeConnection, raw: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const raw = await instance.connect();
  const interrupt = () => raw.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  const rows = async <R>(sql: string, params: readonly DuckDBValue[] = []): Promise<R[]> => {
    signal?.throwIfAborted();
    const reader = await raw.runAndReadAll(sql, params.length === 0 ? undefined : [...params]);
    return reader.getRowObjectsJson() as R[];
  };
  try {
    await raw.run("SET TimeZone = 'UTC'");
    return await work({ rows }, raw);
  } finally {
    signal?.removeEventListener('abort', interrupt);
    raw.closeSync();
  }
}

/** Text as an SQL literal, for the statements that take no parameters (secrets, ATTACH). */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The password goes by secret: errors of ATTACH repeat a connection string word for word. */
export function catalogSecretSql(catalog: {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
}): string {
  return `CREATE OR REPLACE SECRET catalog (TYPE postgres, HOST ${literal(catalog.host)}, PORT ${catalog.port}, DATABASE ${literal(catalog.database)}, USER ${literal(catalog.user)}, PASSWORD ${literal(catalog.password)})`;
}

/** DuckDB waits in a thread that nobody can interrupt: a catalog that is gone without a word ends the wait by itself. */
const CONNECT_TIMEOUT_S = 10;
const SILENCE = 'keepalives_idle=15 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=30000';

/** Data inlining is off: with it, a small day that is registered, deleted and registered again grows (7, 7, 14, 21 rows). */
export function attachSql(sslMode: string, dataPath: string | undefined, connectTimeoutS = CONNECT_TIMEOUT_S): string {
  const path = dataPath === undefined ? '' : `, DATA_PATH ${literal(dataPath)}`;
  const catalog = `ducklake:postgres:sslmode=${sslMode} connect_timeout=${connectTimeoutS} ${SILENCE}`;
  return `ATTACH ${literal(catalog)} AS ${LAKE} (META_SECRET catalog, DATA_INLINING_ROW_LIMIT 0${path})`;
}

export function s3SecretSql(
  s3: S3Settings,
  place: { bucket: string; region: string },
  credentials: Credentials,
): string {
  const parts = [
    'TYPE s3',
    'PROVIDER config',
    `KEY_ID ${literal(credentials.accessKeyId)}`,
    `SECRET ${literal(credentials.secretAccessKey)}`,
    ...(credentials.sessionToken === undefined ? [] : [`SESSION_TOKEN ${literal(credentials.sessionToken)}`]),
    `REGION ${literal(place.region)}`,
    `SCOPE ${literal(`s3://${place.bucket}`)}`,
  ];
  if (s3.endpoint !== undefined) {
    const url = new URL(s3.endpoint);
    parts.push(`ENDPOINT ${literal(url.host)}`, "URL_STYLE 'path'", `USE_SSL ${url.protocol === 'https:'}`);
  }
  return `CREATE OR REPLACE SECRET objects (${parts.join(', ')})`;
}
