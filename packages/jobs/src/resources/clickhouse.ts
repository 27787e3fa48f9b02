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
  type Row,
  createClient,
} from '@clickhouse/client';
import { ServiceError, provide, resource } from '@skein/orchestrator';

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
  /** The same as lines of TabSeparated, escapes and all: where reading JSON costs more than the work on a row. */
  lines(sql: string, options?: QueryOptions): AsyncIterable<string[]>;
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

/** @param url `http(s)://user:password@host:port/database` */
export function openClickHouse(url: string): ClickHouse {
  const client = createClient({
    url,
    // Exports take hours; the attempt's own timeout and signal decide, not the socket.
    request_timeout: 6 * 3_600_000,
    max_open_connections: 20,
    keep_alive: { enabled: true },
    // Its warnings go to the console past our logs; errors come as exceptions anyway.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1, date_time_input_format: 'best_effort' },
  });
  return createClickHouse(client);
}

function createClickHouse(client: ClickHouseClient): ClickHouse {
  const call = async <T>(options: QueryOptions, work: (common: Common) => Promise<T>): Promise<T> => {
    options.signal?.throwIfAborted();
    const query_id = options.queryId ?? randomUUID();
    const kill = () => void killQuery(client, query_id);
    options.signal?.addEventListener('abort', kill, { once: true });
    try {
      return await work(common(options, query_id));
    } catch (error) {
      options.signal?.throwIfAborted();
      throw asServiceError(error);
    } finally {
      options.signal?.removeEventListener('abort', kill);
    }
  };

  async function* blocksOf(sql: string, options: QueryOptions, format: 'JSONEachRow' | 'TabSeparated') {
    const result = await call(options, (c) => client.query({ query: sql, format, ...c }));
    const blocks = result.stream();
    try {
      for await (const block of blocks) yield block as readonly Row[];
    } catch (error) {
      options.signal?.throwIfAborted();
      throw asServiceError(error);
    } finally {
      blocks.destroy();
    }
  }

  return {
    rows: (sql, options = {}) =>
      call(options, async (c) => (await client.query({ query: sql, format: 'JSONEachRow', ...c })).json()),
    async *stream<T>(sql: string, options: QueryOptions = {}) {
      for await (const block of blocksOf(sql, options, 'JSONEachRow')) yield block.map((row) => row.json<T>());
    },
    async *lines(sql, options = {}) {
      for await (const block of blocksOf(sql, options, 'TabSeparated')) yield block.map((row) => row.text);
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
      const [row] = await call({}, async (c) =>
        (await client.query({ query: 'SELECT version() AS v', format: 'JSONEachRow', ...c })).json<{ v: string }>(),
      );
      return `ClickHouse ${row?.v ?? 'of unknown version'}`;
    },
    close: () => client.close(),
  };
}

interface Common {
  readonly query_id: string;
  readonly query_params?: Record<string, unknown>;
  readonly clickhouse_settings?: ClickHouseSettings;
  readonly abort_signal?: AbortSignal;
}

function common(options: QueryOptions, query_id: string): Common {
  return {
    query_id,
    ...(options.params ? { query_params: { ...options.params } } : {}),
    ...(options.settings ? { clickhouse_settings: options.settings } : {}),
    ...(options.signal ? { abort_signal: options.signal } : {}),
  };
}

async function killQuery(client: ClickHouseClient, queryId: string): Promise<void> {
  try {
    await client.command({ query: 'KILL QUERY WHERE query_id = {id:String} ASYNC', query_params: { id: queryId } });
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
