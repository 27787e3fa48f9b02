/**
 * Reads the raw rows of a day in key order, as pages of at most `batch_size` rows of one environment. One query streams
 * many pages, because ClickHouse reads whole granules of thousands of rows; the next query starts at the last key. The
 * page after the one that is handed out is being read meanwhile. Rows stay the text that came: who maps them parses them.
 */

import { ServiceError } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { NEWLINE } from './ascii.ts';
import { cursorOf } from './messages.ts';
import { endOfLine, linesOf, parseRow } from './raw-row.ts';
import { type KeyCursor, type RawRow, type Scope, type Statement, environmentsSql, rowsSql } from './sql.ts';

export interface Page {
  readonly environment: string;
  /** The rows as whole lines of TabSeparated, many to a block: as bytes they do not concern the collection of garbage. */
  readonly blocks: readonly Buffer[];
  readonly size: number;
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
    let blocks: Buffer[] = [];
    let rows = 0;
    const statement = rowsSql(reader.scope, environment, cursor, limit);
    for await (const lines of reader.clickhouse.lines(statement.sql, options(reader, statement))) {
      for (let at = 0; at < lines.length;) {
        const some = firstLines(lines, at, size - rows);
        at = some.end;
        rows += some.count;
        blocks.push(lines.subarray(some.start, some.end));
        if (rows < size) continue;
        read += rows;
        const page = { environment, blocks, size: rows, end: endOf(environment, blocks) };
        cursor = page.end;
        blocks = [];
        rows = 0;
        yield page;
      }
    }
    if (rows > 0) yield { environment, blocks, size: rows, end: endOf(environment, blocks) };
    if (read < limit) return;
  }
}

/** At most so many lines from a place on. */
function firstLines(lines: Buffer, start: number, atMost: number): { start: number; end: number; count: number } {
  let end = start;
  let count = 0;
  for (; count < atMost && end < lines.length; count++) {
    end = Math.min(endOfLine(lines, end) + 1, lines.length);
  }
  return { start, end, count };
}

function endOf(environment: string, blocks: readonly Buffer[]): KeyCursor {
  const block = blocks.at(-1) ?? Buffer.of();
  // Behind the end of the line before the last; the last one's own end is the last byte.
  const [line = ''] = linesOf(block.subarray(block.lastIndexOf(NEWLINE, -2) + 1));
  return cursorOf(environment, parseRow(line) ?? refuse(line));
}

/** All rows of a page, in order; for the few pages of which single rows are asked for. */
export function rowsOf(page: Page): RawRow[] {
  return page.blocks.flatMap((block) => linesOf(block).map((line) => parseRow(line) ?? refuse(line)));
}

/** @throws ServiceError */
export function refuse(line: string): never {
  throw new ServiceError('clickhouse', `ClickHouse sent a line that is no row: ${line.slice(0, 500)}`);
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
