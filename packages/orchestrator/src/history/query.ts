/**
 * `skein sql` and `POST /api/v1/sql`: one SELECT over history and the ledger. What is live is loaded first, bounded and
 * only where the query names it; then DuckDB is locked: no other files, no network, no settings, no statement but a
 * SELECT.
 */

import path from 'node:path';

import { StatementType } from '@duckdb/node-api';

import { ERRORS, RequestError, type ServiceError } from '../definitions/errors.ts';
import type { Json } from '../definitions/json.ts';
import type { Engine } from '../engine/engine.ts';
import { type HistoryDb, literal, openHistoryDb, placeFailed } from './duckdb.ts';
import { openJsonLines, withScratch } from './json-lines.ts';
import { readRunRecords } from './read-runs.ts';
import { PARTITION_COLUMNS, TICK_COLUMNS, readPartitionRows, readTickRows } from './read-states.ts';
import { RUN_COLUMNS } from './run-record.ts';
import { isS3, readHistorySettings } from './settings.ts';
import { VIEW_NAMES, type ViewName, createViews } from './views.ts';

class SqlInvalidError extends RequestError {
  readonly code = 'SQL_INVALID';
}

ERRORS.SQL_INVALID = 'A query of “skein sql” is not valid SQL, names what does not exist, or is not a SELECT.';

export interface QueryOptions {
  /** Runs that are read from the ledger at most, newest first. */
  readonly live: number;
  /** Rows of the answer at most. */
  readonly maxRows: number;
  /** Ends the query; what it threw then is the signal’s reason. */
  readonly signal?: AbortSignal;
}

export interface QueryAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, Json>>[];
  /** True when the answer has more rows than it may. */
  readonly cut: boolean;
  /** What a reader must know about the answer: what was not loaded. */
  readonly notes: readonly string[];
}

/** Partitions that are loaded at most; a million take some seconds. */
const MAX_PARTITIONS = 2_000_000;

/** @throws SqlInvalidError for every mistake in the query, ServiceError when history cannot be read */
export function querySql(engine: Engine, sql: string, options: QueryOptions): Promise<QueryAnswer> {
  const { root } = readHistorySettings(engine.env);
  return withScratch(async (scratch) => {
    const db = await openHistoryDb(readHistorySettings(engine.env), path.join(scratch, 'spill'));
    const { signal } = options;
    const interrupt = () => db.raw.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      const notes = await loadLive(engine, db, scratch, named(sql), options);
      await createViews(db, root).catch((error: unknown) => {
        throw placeFailed('History cannot be read from', root, error);
      });
      await lockDown(db, root);
      signal?.throwIfAborted();
      return { ...(await select(db, sql, options.maxRows)), notes };
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', interrupt);
      db.close();
    }
  });
}

/** Views whose names stand in the query; a name in a text loads more than is needed, never less. */
function named(sql: string): ReadonlySet<ViewName> {
  return new Set(VIEW_NAMES.filter((name) => new RegExp(`(?<![a-z0-9_])${name}(?![a-z0-9_])`, 'i').test(sql)));
}

async function loadLive(
  engine: Engine,
  db: HistoryDb,
  scratch: string,
  names: ReadonlySet<ViewName>,
  { live: limit, signal }: QueryOptions,
): Promise<string[]> {
  const notes: string[] = [];
  let ids: string[] = [];
  if (names.has('runs') || names.has('run_partitions') || names.has('events')) {
    if (limit > 0) ids = await engine.redis.zrevrange(engine.keys.runs, 0, limit - 1);
    const all = await engine.redis.zcard(engine.keys.runs);
    if (all > ids.length)
      notes.push(`The newest ${ids.length} of ${all} runs in the ledger are in the answer; --live N takes more.`);
  }
  await load(db, scratch, 'live_runs', RUN_COLUMNS, readRunRecords(engine, ids, names.has('events')), { signal });
  await load(db, scratch, 'live_ticks', TICK_COLUMNS, names.has('ticks') ? readTickRows(engine) : [], { signal });
  const partitions = names.has('partitions') ? readPartitionRows(engine) : [];
  if (await load(db, scratch, 'live_partitions', PARTITION_COLUMNS, partitions, { max: MAX_PARTITIONS, signal }))
    notes.push(`Only the first ${MAX_PARTITIONS} partitions are in the answer.`);
  return notes;
}

/** Into a table of DuckDB, by way of a file, so that memory stays flat; true when there was more. */
async function load(
  db: HistoryDb,
  scratch: string,
  name: string,
  columns: Readonly<Record<string, string>>,
  records: AsyncIterable<object> | Iterable<object>,
  { max = Infinity, signal }: { readonly max?: number; readonly signal: AbortSignal | undefined },
): Promise<boolean> {
  const lines = openJsonLines(path.join(scratch, name));
  let more = false;
  for await (const record of records) {
    signal?.throwIfAborted();
    if (lines.count >= max) {
      more = true;
      break;
    }
    await lines.write(record);
  }
  await lines.end();
  await db.run(`CREATE TABLE ${name} AS SELECT * FROM ${lines.source(columns)}`);
  return more;
}

async function lockDown(db: HistoryDb, root: string): Promise<void> {
  const readable = isS3(root) ? `${root}/runs/` : path.join(root, 'runs');
  await db.run(`SET allowed_directories = [${literal(readable)}]`);
  await db.run('SET enable_external_access = false');
  await db.run('SET lock_configuration = true');
}

async function select(db: HistoryDb, sql: string, maxRows: number): Promise<Omit<QueryAnswer, 'notes'>> {
  const statement = await prepareSelect(db, sql);
  try {
    const reader = await statement.runAndReadUntil(maxRows + 1);
    const rows = reader.getRowObjectsJson() as Record<string, Json>[];
    const columns = reader.deduplicatedColumnNames();
    const numeric = columns.filter((_name, i) => /^(U?BIGINT|U?HUGEINT)$/.test(String(reader.columnType(i))));
    const documents = columns.filter((_name, i) => reader.columnType(i).alias === 'JSON');
    return {
      columns,
      rows: rows.slice(0, maxRows).map((row) => toJsonRow(row, numeric, documents)),
      cut: rows.length > maxRows,
    };
  } catch (error) {
    throw sqlInvalid(error);
  } finally {
    statement.destroySync();
  }
}

async function prepareSelect(db: HistoryDb, sql: string) {
  // Nothing but blanks and comments has no statement at all, which DuckDB's own check does not survive.
  if (sql.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, '').replaceAll(/[\s;]/g, '') === '')
    throw new SqlInvalidError('The query is empty.', { hint: 'See “skein sql --help” for examples.' });
  try {
    const statements = await db.raw.extractStatements(sql);
    if (statements.count !== 1)
      throw new SqlInvalidError(`One query at a time, not ${statements.count}.`, {
        hint: 'Remove what follows the “;”.',
      });
    const statement = await statements.prepare(0);
    if (statement.statementType === StatementType.SELECT) return statement;
    const kind = StatementType[statement.statementType];
    statement.destroySync();
    throw new SqlInvalidError(`Only a SELECT may be asked, not ${kind}: history and the ledger are read only here.`);
  } catch (error) {
    throw error instanceof SqlInvalidError ? error : sqlInvalid(error);
  }
}

/** DuckDB's first line says what is wrong, the rest where. */
function sqlInvalid(error: unknown): SqlInvalidError | ServiceError {
  const text = error instanceof Error ? error.message : String(error);
  if (/^(IO|HTTP) Error/.test(text)) return placeFailed('History cannot be read from', 'its place', error);
  const [first = '', ...rest] = text.replace(/^Failed to extract statements: /, '').split('\n');
  const where = rest.filter((line) => line.trim() !== '').join('\n');
  return new SqlInvalidError(first, {
    hint: where || `Views: ${VIEW_NAMES.join(', ')}; “DESCRIBE runs” lists columns.`,
  });
}

function toJsonRow(
  row: Readonly<Record<string, Json>>,
  numeric: readonly string[],
  documents: readonly string[],
): Record<string, Json> {
  const out: Record<string, Json> = { ...row };
  for (const name of numeric) {
    const value = Number(row[name]);
    if (row[name] !== null && Number.isSafeInteger(value)) out[name] = value;
  }
  for (const name of documents) {
    const text = row[name];
    if (typeof text === 'string') out[name] = JSON.parse(text) as Json;
  }
  return out;
}
