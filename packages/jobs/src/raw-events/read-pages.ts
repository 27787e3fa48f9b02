/**
 * Reads the raw rows of a day in key order, as pages of at most `batch_size` rows of one environment. One query streams
 * many pages, because ClickHouse reads whole granules of thousands of rows; the next query starts at the last key. The
 * page after the one that is handed out is being read meanwhile.
 */

import { ServiceError } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { cursorOf } from './messages.ts';
import { type KeyCursor, type RawRow, type Scope, type Statement, environmentsSql, rowsSql } from './sql.ts';

export interface Page {
  readonly environment: string;
  readonly rows: readonly RawRow[];
  /** The last row's key. */
  readonly end: KeyCursor;
}

export interface PageReader {
  readonly clickhouse: ClickHouse;
  readonly scope: Scope;
  /** Rows of one query, at least; a page may be larger. */
  readonly rowsPerQuery: number;
  readonly signal: AbortSignal;
}

const SETTINGS = {
  // A key holds its timestamp, so its versions lie in one day and so in one part of the partitioning.
  do_not_merge_across_partitions_select_final: 1,
  optimize_move_to_prewhere_if_final: 0,
  optimize_read_in_order: 1,
  // Blocks by bytes, not rows: payloads may be large.
  preferred_block_size_bytes: '4000000',
  // A slow Kafka holds the stream up; that is back pressure and no fault.
  http_send_timeout: 600,
  send_timeout: 600,
} as const;

/** @param from where the last attempt ended, or undefined */
export function readPages(reader: PageReader, from: KeyCursor | undefined): AsyncGenerator<Page> {
  return readAhead(pagesOf(reader, from));
}

async function* pagesOf(reader: PageReader, from: KeyCursor | undefined): AsyncGenerator<Page> {
  const found = await ask<{ environment_id: string }>(reader, environmentsSql(reader.scope, from?.environment_id));
  for (const { environment_id: environment } of found) {
    yield* pagesOfEnvironment(reader, environment, from?.environment_id === environment ? from : undefined);
  }
}

async function* pagesOfEnvironment(
  reader: PageReader,
  environment: string,
  from: KeyCursor | undefined,
): AsyncGenerator<Page> {
  const size = reader.scope.config.batch_size;
  const limit = Math.ceil(reader.rowsPerQuery / size) * size;
  let cursor = from;
  for (;;) {
    let read = 0;
    let rows: RawRow[] = [];
    const statement = rowsSql(reader.scope, environment, cursor, limit);
    for await (const block of reader.clickhouse.lines(statement.sql, options(reader, statement))) {
      for (const line of block) {
        rows.push(rowOf(line));
        if (rows.length < size) continue;
        read += rows.length;
        const page = pageOf(environment, rows);
        cursor = page.end;
        rows = [];
        yield page;
      }
    }
    if (rows.length > 0) yield pageOf(environment, rows);
    if (read < limit) return;
  }
}

function pageOf(environment: string, rows: readonly RawRow[]): Page {
  return { environment, rows, end: cursorOf(environment, rows.at(-1) as RawRow) };
}

/** Of a line of TabSeparated, which nearly always is the values themselves. @throws ServiceError when it is none */
function rowOf(line: string): RawRow {
  const a = line.indexOf('\t');
  const b = line.indexOf('\t', a + 1);
  const c = line.indexOf('\t', b + 1);
  const d = line.indexOf('\t', c + 1);
  if (a < 0 || b < 0 || c < 0 || d < 0) {
    throw new ServiceError('clickhouse', `ClickHouse sent a line that is no row: ${line.slice(0, 500)}`);
  }
  return {
    timestamp_ms: line.slice(0, a),
    id: unescaped(line.slice(a + 1, b)),
    external_customer_id: unescaped(line.slice(b + 1, c)),
    event_name: unescaped(line.slice(c + 1, d)),
    payload: unescaped(line.slice(d + 1)),
  };
}

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', 0: '\0' };

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, (_, c: string) => ESCAPED[c] ?? c) : text;
}

export function ask<T>(reader: Pick<PageReader, 'clickhouse' | 'signal'>, statement: Statement): Promise<T[]> {
  return reader.clickhouse.rows<T>(statement.sql, options(reader, statement));
}

function options({ signal }: Pick<PageReader, 'signal'>, statement: Statement) {
  const params = Object.fromEntries(Object.entries(statement.params).filter(([, value]) => value !== undefined));
  return { params, signal, settings: SETTINGS };
}

/** Asks for the next value before it hands out the current one. */
async function* readAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  const request = () => {
    const next = source.next();
    // Its failure is met when it is awaited; until then nobody else would.
    next.catch(() => {});
    return next;
  };
  let next = request();
  try {
    for (let current = await next; !current.done; current = await next) {
      next = request();
      yield current.value;
    }
  } finally {
    await next.catch(() => {});
    await source.return(undefined);
  }
}
