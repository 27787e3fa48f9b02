/**
 * One DuckDB in memory for history and backups: bounded, in UTC, with S3 made known where a place lies there. Values go
 * as literals through `literal` alone, because table functions and COPY take no parameters.
 */

import type { DuckDBConnection } from '@duckdb/node-api';

import { ServiceError } from '../definitions/errors.ts';
import { type HistorySettings, type S3Access, isS3 } from './settings.ts';

export interface HistoryDb {
  readonly raw: DuckDBConnection;
  run(sql: string): Promise<void>;
  /** 64-bit integers and times come as text. */
  rows<T>(sql: string): Promise<T[]>;
  close(): void;
}

/** Enough for a batch of the archiver; what is larger spills into the temporary directory. */
const MEMORY_LIMIT = '1GB';

/**
 * @param scratch a directory for what does not fit into memory
 * @param places S3 is opened where one of them lies there
 * @throws ServiceError when the extension or the keys for S3 are missing
 */
export async function openHistoryDb(
  settings: HistorySettings,
  scratch: string,
  places: readonly string[] = [settings.root],
): Promise<HistoryDb> {
  // A native library of some 60 MB: loaded by who uses it, not by who imports this.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    temp_directory: scratch,
    threads: '2',
    ...(settings.extensionDirectory === undefined ? {} : { extension_directory: settings.extensionDirectory }),
  });
  const raw = await instance.connect();
  const db: HistoryDb = {
    raw,
    async run(sql) {
      await raw.run(sql);
    },
    rows: async <T>(sql: string) => (await raw.runAndReadAll(sql)).getRowObjectsJson() as T[],
    close() {
      raw.closeSync();
      instance.closeSync();
    },
  };
  try {
    await db.run("SET TimeZone = 'UTC'");
    if (places.some(isS3)) await openS3(db, settings.s3);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

async function openS3(db: HistoryDb, access: S3Access | undefined): Promise<void> {
  if (access === undefined) {
    throw new ServiceError(
      's3',
      'History or a backup lies on S3, but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set.',
      { retryable: false },
    );
  }
  try {
    await db.run('INSTALL httpfs');
    await db.run('LOAD httpfs');
  } catch {
    throw new ServiceError(
      's3',
      'DuckDB’s extension httpfs cannot be loaded; set SKEIN_DUCKDB_EXTENSIONS to a directory that has it.',
    );
  }
  await db.run(secretSql(access));
}

function secretSql(access: S3Access): string {
  const parts = [
    'TYPE s3',
    'PROVIDER config',
    `KEY_ID ${literal(access.keyId)}`,
    `SECRET ${literal(access.secret)}`,
    ...(access.sessionToken === undefined ? [] : [`SESSION_TOKEN ${literal(access.sessionToken)}`]),
    `REGION ${literal(access.region)}`,
  ];
  if (access.endpoint !== undefined) {
    const url = new URL(access.endpoint);
    parts.push(`ENDPOINT ${literal(url.host)}`, "URL_STYLE 'path'", `USE_SSL ${url.protocol === 'https:'}`);
  }
  return `CREATE OR REPLACE SECRET history_objects (${parts.join(', ')})`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Of a failure of DuckDB on a place: what people are told. Keys never stand in it, so the cause is not repeated. */
export function placeFailed(what: string, place: string, cause: unknown): ServiceError {
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new ServiceError(isS3(place) ? 's3' : 'history', `${what} ${place}: ${reason.slice(0, 300)}`, { cause });
}
