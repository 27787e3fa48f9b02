/**
 * What DuckDB and DuckLake say, turned into errors for people. Their texts hold whole SQL statements with column values
 * and may hold connection strings, so only the kind of trouble and harmless names are kept; the rest is cut.
 */

import { ServiceError } from '@skein/orchestrator';

export type LakeTrouble =
  'conflict' | 'connection' | 'refused' | 'absent' | 'interrupted' | 'no_table' | 'schema' | 'extension' | 'other';

const KINDS: readonly (readonly [LakeTrouble, RegExp])[] = [
  ['interrupted', /INTERRUPT|Interrupted/],
  ['conflict', /Transaction conflict|Exceeded the maximum retry count|ducklake_snapshot_pkey|database is locked/],
  ['schema', /Failed to map column|was not found in (file|table)|invalid partition value/],
  [
    'extension',
    /Failed to download extension|Extension .* (not found|could not be loaded)|Failed to load .*duckdb_extension/,
  ],
  [
    'refused',
    /HTTP 40[013]|Access ?Denied|Forbidden|Permission denied|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken/i,
  ],
  [
    'connection',
    /server closed the connection|connection to server|terminating connection|Connection refused|could not connect|no connection to the server|SSL SYSCALL|Unable to connect/i,
  ],
  // After the connection: a catalog that cannot be attached is named ducklake_metadata, too.
  ['no_table', /(Table|Schema) with name .* does not exist|ducklake_metadata/],
  ['absent', /HTTP 404|No such file|No files found|Cannot open file|HTTP GET error/i],
];

export function lakeTroubleOf(error: unknown): LakeTrouble {
  const text = textOf(error);
  return KINDS.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other';
}

const ADVICE: Readonly<Record<LakeTrouble, string>> = {
  conflict: 'another writer changed the same table at the same time',
  connection: 'the connection to its PostgreSQL catalog was lost or cannot be made',
  refused: 'the object store refuses Skein’s credentials; “skein ducklings check” says which permission is missing',
  absent: 'an object that it needs is not there, or the object store does not answer',
  interrupted: 'the statement was interrupted',
  no_table: 'a table that it needs does not exist; create_tables_if_missing creates them',
  schema: 'the file does not fit the table',
  extension:
    'DuckDB’s extensions ducklake, postgres and httpfs cannot be loaded; set SKEIN_DUCKDB_EXTENSIONS or let “skein services up” fetch them',
  other: 'DuckDB refused a statement',
};

/** @param owner such as `the lake of team 2` */
export function asLakeError(error: unknown, owner: string): ServiceError {
  if (error instanceof ServiceError) return error;
  const trouble = lakeTroubleOf(error);
  const detail = trouble === 'schema' || trouble === 'other' ? harmlessPart(error) : '';
  // No cause: it would carry the full text to the logs.
  return new ServiceError('ducklake', `DuckLake, ${owner}: ${ADVICE[trouble]}${detail === '' ? '' : ` (${detail})`}.`, {
    retryable: trouble === 'conflict' || trouble === 'connection' || trouble === 'absent' || trouble === 'other',
    details: { trouble },
    ...(trouble === 'conflict' ? { reason: 'conflict_retry_exhausted' as const } : {}),
  });
}

/** The first lines up to where SQL, values or addresses may begin. */
function harmlessPart(error: unknown): string {
  const text = textOf(error);
  const [head = ''] = text.split(
    /Failed to (?:execute|flush|commit)|VALUES|INSERT INTO|SELECT |LINE \d|password|dbname=/i,
  );
  return head
    .replace(/'[^']*'/g, '‹value›')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 240);
}

/** Not by instanceof: errors of a native module may come from another realm. */
function textOf(error: unknown): string {
  return typeof (error as Error | null)?.message === 'string' ? (error as Error).message : String(error);
}
