/**
 * ClickHouse: the official client behind the few calls that jobs need. Values travel as bound parameters
 * (`{name:Type}`), never inside SQL text; an aborted signal also kills the query on the server.
 */

import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { types } from 'node:util';

import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  EXCEPTION_TAG_HEADER_NAME,
  type Row,
  createClient,
  extractErrorAtTheEndOfChunk,
} from '@clickhouse/client';
import { ServiceError, orAborted, provide, resource } from '@skein/orchestrator';

export interface QueryOptions {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly settings?: ClickHouseSettings;
  readonly signal?: AbortSignal;
  /** Shown in the server's process list; default a random one. */
  readonly queryId?: string;
}

export interface InsertOptions extends QueryOptions {
  readonly columns?: readonly string[];
  /** Of a stream of text; `TabSeparated` is what PostgreSQL's COPY writes. Default JSONEachRow. */
  readonly format?: 'JSONEachRow' | 'TabSeparated';
}

export interface ClickHouse {
  /** Rows as objects; 64-bit integers come as text. For results that fit in memory. */
  rows<T>(sql: string, options?: QueryOptions): Promise<T[]>;
  /** Rows in blocks of a few thousand, with back pressure. */
  stream<T>(sql: string, options?: QueryOptions): AsyncIterable<T[]>;
  /**
   * The same as bytes of TabSeparated, escapes and all, whole lines with their ends: where making anything of a row costs
   * more than the work on it (of the client's own rows: 2 µs each).
   */
  lines(sql: string, options?: QueryOptions): AsyncIterable<Buffer>;
  /** DDL, mutations, INSERT … SELECT. */
  command(sql: string, options?: QueryOptions): Promise<{ readonly writtenRows: number | undefined }>;
  /** Inserts objects, or a stream of JSONEachRow text (encode ≥ 1,000 lines a chunk: 4 × as fast as single objects). */
  insert(table: string, values: readonly object[] | Readable, options?: InsertOptions): Promise<void>;
  ping(): Promise<string>;
  close(): Promise<void>;
}

export const clickhouse = resource<ClickHouse>('clickhouse', 'ClickHouse, at SKEIN_CLICKHOUSE_URL');

export const clickhouseBinding = provide(clickhouse, {
  open: async ({ env }) => openClickHouse(requireUrl(env.SKEIN_CLICKHOUSE_URL, 'clickhouse', 'SKEIN_CLICKHOUSE_URL')),
  close: (client) => client.close(),
  ping: (client) => client.ping(),
});

/** Exports take hours; what else limits a call is the attempt's own timeout and signal. */
const SILENCE_MS = 6 * 3_600_000;
const PING_MS = 10_000;
const KILL_MS = 10_000;

/**
 * @param url `http(s)://user:password@host:port/database`; `?request_timeout=` is after how many milliseconds without a
 *   word a call is given up, default six hours
 */
export function openClickHouse(url: string): ClickHouse {
  const place = new URL(url);
  const silenceMs = Number(place.searchParams.get('request_timeout') ?? SILENCE_MS);
  place.searchParams.delete('request_timeout');
  const client = createClient({
    url: place,
    request_timeout: silenceMs,
    max_open_connections: 20,
    keep_alive: { enabled: true },
    // Its warnings go to the console past our logs; errors come as exceptions anyway.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1, date_time_input_format: 'best_effort' },
  });
  return createClickHouse(client, silenceMs);
}

function createClickHouse(client: ClickHouseClient, silenceMs: number): ClickHouse {
  const call = async <T>(options: QueryOptions, work: (common: Common) => Promise<T>): Promise<T> => {
    const exchange = begin(client, options, silenceMs);
    try {
      return await exchange.answer(work(exchange.common));
    } finally {
      exchange.end();
    }
  };

  /** @param ask begins the exchange and gives the stream of its answer */
  async function* blocksOf<T>(
    options: QueryOptions,
    ask: (common: Common) => Promise<Readable>,
    quietMs = silenceMs,
  ): AsyncGenerator<T> {
    const exchange = begin(client, options, quietMs);
    let blocks: Readable | undefined;
    try {
      blocks = await exchange.answer(ask(exchange.common));
      const iterator = blocks[Symbol.asyncIterator]() as AsyncIterator<T>;
      // What its reader does with a block takes as long as it takes: only the server's silence counts.
      for (;;) {
        const next = await exchange.answer(iterator.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      exchange.end();
      blocks?.destroy();
    }
  }

  const rowBlocks = (sql: string, options: QueryOptions, quietMs?: number) =>
    blocksOf<readonly Row[]>(
      options,
      async (common) => (await client.query({ query: sql, format: 'JSONEachRow', ...common })).stream(),
      quietMs,
    );

  const rowsOf = async <T>(sql: string, options: QueryOptions, quietMs?: number): Promise<T[]> => {
    const rows: T[] = [];
    for await (const block of rowBlocks(sql, options, quietMs)) for (const row of block) rows.push(row.json<T>());
    return rows;
  };

  return {
    rows: (sql, options = {}) => rowsOf(sql, options),
    async *stream<T>(sql: string, options: QueryOptions = {}) {
      for await (const block of rowBlocks(sql, options)) yield block.map((row) => row.json<T>());
    },
    async *lines(sql, options = {}) {
      let tag: string | undefined;
      const ask = async (common: Common) => {
        const { stream, response_headers: headers } = await client.exec({
          query: `${sql}\nFORMAT TabSeparated`,
          ...common,
        });
        tag = headers[EXCEPTION_TAG_HEADER_NAME] as string | undefined;
        return stream;
      };
      yield* wholeLines(blocksOf<Buffer>(options, ask), () => tag);
    },
    command: (sql, options = {}) =>
      call(options, async (c) => {
        const { summary } = await client.command({ query: sql, ...c });
        return { writtenRows: summary === undefined ? undefined : Number(summary.written_rows) };
      }),
    insert: (table, values, options = {}) =>
      call(options, async (c) => {
        const columns = options.columns === undefined ? {} : { columns: options.columns as [string, ...string[]] };
        await client.insert({
          table,
          values: values as object[],
          format: options.format ?? 'JSONEachRow',
          ...columns,
          ...c,
        });
      }),
    ping: async () => {
      const [row] = await rowsOf<{ v: string }>('SELECT version() AS v', {}, Math.min(PING_MS, silenceMs));
      return `ClickHouse ${row?.v ?? 'of unknown version'}`;
    },
    close: () => client.close(),
  };
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/**
 * Cuts bytes behind the ends of lines. In TabSeparated a carriage return is escaped, so a bare one is where a server that
 * failed in the middle of its answer says why.
 * @param tag what the server marks its failure with; undefined of those that write it as if it were a line
 */
async function* wholeLines(chunks: AsyncIterable<Buffer>, tag: () => string | undefined): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const failedAt = tag() === undefined ? -1 : chunk.indexOf(CARRIAGE_RETURN);
    if (failedAt >= 0) {
      rest = [chunk.subarray(failedAt)];
      for await (const more of chunks) rest.push(more);
      throw asServiceError(extractErrorAtTheEndOfChunk(Buffer.concat(rest), tag() as string));
    }
    const first = chunk.indexOf(NEWLINE) + 1;
    if (first === 0) {
      rest.push(chunk);
      continue;
    }
    const last = chunk.lastIndexOf(NEWLINE) + 1;
    if (rest.length > 0) yield Buffer.concat([...rest, chunk.subarray(0, first)]);
    const from = rest.length > 0 ? first : 0;
    if (last > from) yield chunk.subarray(from, last);
    rest = last < chunk.length ? [chunk.subarray(last)] : [];
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/** One call, from the question to the last byte of its answer. */
interface Exchange {
  readonly common: Common;
  /** What the server says next. @throws the signal's reason, or ServiceError when it says nothing for too long */
  answer<T>(next: Promise<T>): Promise<T>;
  end(): void;
}

/**
 * The client alone would not do: it stops listening to the signal at the answer's first byte, and a request that fails
 * late switches off the timeout of the one that has its socket by then. So the wait is ended here, and the client's
 * request with it.
 */
function begin(client: ClickHouseClient, options: QueryOptions, silenceMs: number): Exchange {
  options.signal?.throwIfAborted();
  const queryId = options.queryId ?? randomUUID();
  const ended = new AbortController();
  const stop = (reason: unknown) => {
    ended.abort(reason);
    void killQuery(client, queryId);
  };
  const onAbort = () => stop(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  return {
    common: common(options, queryId, ended.signal),
    async answer<T>(next: Promise<T>) {
      const silent = setTimeout(() => stop(new Error(`not a word for ${silenceMs} ms`)), silenceMs);
      try {
        return await orAborted(next, ended.signal);
      } catch (error) {
        options.signal?.throwIfAborted();
        throw asServiceError(error);
      } finally {
        clearTimeout(silent);
      }
    },
    end: () => options.signal?.removeEventListener('abort', onAbort),
  };
}

interface Common {
  readonly query_id: string;
  readonly query_params?: Record<string, unknown>;
  readonly clickhouse_settings?: ClickHouseSettings;
  readonly abort_signal: AbortSignal;
}

function common(options: QueryOptions, query_id: string, abort_signal: AbortSignal): Common {
  return {
    query_id,
    abort_signal,
    ...(options.params ? { query_params: { ...options.params } } : {}),
    ...(options.settings ? { clickhouse_settings: options.settings } : {}),
  };
}

async function killQuery(client: ClickHouseClient, queryId: string): Promise<void> {
  try {
    await client.command({
      query: 'KILL QUERY WHERE query_id = {id:String} ASYNC',
      query_params: { id: queryId },
      abort_signal: AbortSignal.timeout(KILL_MS),
    });
  } catch {
    // The connection is going away with the abort; the server notices the closed socket too.
  }
}

/** A refusal by the server is not worth another attempt unless it was for lack of means. */
const TRANSIENT_CODES = new Set(['159', '202', '203', '209', '210', '241', '242', '252', '279', '319', '425', '499']);

function asServiceError(error: unknown): unknown {
  if (error instanceof ClickHouseError) {
    return new ServiceError('clickhouse', `ClickHouse refused: ${error.message}`, {
      cause: error,
      retryable: TRANSIENT_CODES.has(error.code),
      details: { clickhouse_code: error.code, clickhouse_type: error.type ?? null },
    });
  }
  // Not `instanceof`: an error of Node's own may come from another realm.
  if (types.isNativeError(error)) {
    return new ServiceError(
      'clickhouse',
      `ClickHouse does not answer: ${error.message}. Check SKEIN_CLICKHOUSE_URL and that the server runs.`,
      { cause: error },
    );
  }
  return error;
}

/** @throws ServiceError that names the variable */
export function requireUrl(value: string | undefined, system: string, name: string): string {
  if (value) return value;
  throw new ServiceError(
    system,
    `${name} is not set, so ${system} cannot be reached. Set it, or start the embedded services with “skein services up”.`,
    {
      retryable: false,
    },
  );
}
