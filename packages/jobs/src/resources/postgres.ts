/**
 * PostgreSQL: pools for the persons database (reader and writer) and for Skein's app database (catalog of ducklings,
 * conversations). Pools open connections at first use. An aborted signal ends its connection and its session on the
 * server at once, for a lease does not wait for a server that cannot be reached; nobody waits for ever either.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import { ServiceError, orAborted, provide, resource } from '@skein/orchestrator';
import pg from 'pg';

import { requireUrl } from './clickhouse.ts';

export interface PersonsDb {
  readonly writer: pg.Pool;
  /** A replica where there is one; otherwise the writer's own pool. */
  readonly reader: pg.Pool;
  /** True when `writer` is only the reader, because no writer URL is set. */
  readonly writerIsReader: boolean;
}

export const personsDb = resource<PersonsDb>(
  'persons_db',
  'Persons database, at PERSONS_DB_WRITER_URL and PERSONS_DB_READER_URL',
);
export const appDb = resource<pg.Pool>(
  'app_db',
  'App database, at SKEIN_APP_DB_URL: catalog of ducklings, conversations',
);

export const personsDbBinding = provide(personsDb, {
  open: async ({ env }) => openPersonsDb(env.PERSONS_DB_WRITER_URL, env.PERSONS_DB_READER_URL),
  close: async ({ writer, reader }) => {
    await writer.end();
    if (reader !== writer) await reader.end();
  },
  ping: ({ writer }) => pingPostgres(writer),
});

export const appDbBinding = provide(appDb, {
  open: async ({ env }) => createPool(requireUrl(env.SKEIN_APP_DB_URL, 'postgres', 'SKEIN_APP_DB_URL')),
  close: (pool) => pool.end(),
  ping: pingPostgres,
});

export function openPersonsDb(writerUrl: string | undefined, readerUrl: string | undefined): PersonsDb {
  const first = requireUrl(writerUrl ?? readerUrl, 'postgres', 'PERSONS_DB_WRITER_URL');
  const writer = createPool(first);
  const reader = readerUrl === undefined || readerUrl === first ? writer : createPool(readerUrl);
  return { writer, reader, writerIsReader: writerUrl === undefined };
}

/** Longer than the longest statement may take: the half hour that reconciliation allows its own. */
const SILENCE_MS = 31 * 60_000;

const CONNECT_MS = 10_000;
const IDLE_IN_TRANSACTION_MS = 120_000;

/** @param url its parameters win over the timeouts here, such as `?query_timeout=60000` */
export function createPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 30_000,
    application_name: 'skein',
    // A server that went without a word is noticed by the system; behind something that keeps the connection up, by us.
    keepAlive: true,
    keepAliveInitialDelayMillis: 15_000,
    query_timeout: SILENCE_MS,
    statement_timeout: 300_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  });
  // An idle connection that dies is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}

async function pingPostgres(pool: pg.Pool): Promise<string> {
  try {
    const { rows } = await pool.query<{ server_version: string }>('SHOW server_version');
    return `PostgreSQL ${rows[0]?.server_version ?? 'of unknown version'}`;
  } catch (error) {
    throw asPostgresError(error);
  }
}

/**
 * Runs `work` on one connection inside a transaction; rolls back when it throws. The signal ends the connection and
 * what runs on the server.
 * @throws ServiceError for connection troubles and refusals of the server
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  signal: AbortSignal,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return onConnection(pool, signal, (client) => transaction(client, () => work(client)));
}

/** The same on a connection that is there already. */
export async function transaction<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  try {
    await client.query('BEGIN');
    const value = await work();
    await client.query('COMMIT');
    return value;
  } catch (error) {
    // The rollback would wait as long again.
    if (isSilence(error)) end(client);
    await client.query('ROLLBACK').catch(() => end(client));
    throw error;
  }
}

/** The driver's words when `query_timeout` has passed. It keeps the connection, whose answer may still be to come. */
function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** At once where an answer is due. */
function end(client: pg.ClientBase): void {
  void (client as pg.Client).end();
}

const END_SESSION = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE pid = $1 AND datname = current_database() AND usename = current_user`;

/**
 * Ends a connection at once, and its session on the server: where the link is lost, the server does not see the
 * connection end, and its session would keep its locks. What runs on it fails.
 */
export function abandon(pool: pg.Pool, client: pg.PoolClient): void {
  const pid = (client as unknown as { processID: number | null }).processID;
  end(client);
  if (pid !== null) void endSession(pool, pid);
}

/** Over a connection of its own, for those of the pool are likely to be lost too; until the server does it by itself. */
async function endSession(pool: pg.Pool, pid: number): Promise<void> {
  for (let tries = IDLE_IN_TRANSACTION_MS / CONNECT_MS; tries > 0 && !pool.ending; tries--) {
    const client = new pg.Client({ ...pool.options, query_timeout: CONNECT_MS });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(END_SESSION, [pid]);
      return;
    } catch {
      await sleep(CONNECT_MS, undefined, { ref: false });
    } finally {
      end(client);
    }
  }
}

/** Runs `work` on one connection that the signal ends, with what runs on the server. */
export async function onConnection<T>(
  pool: pg.Pool,
  signal: AbortSignal,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  let client: pg.PoolClient;
  const connecting = pool.connect();
  try {
    client = await orAborted(connecting, signal);
  } catch (error) {
    connecting.then(
      (late) => late.release(),
      () => {},
    );
    signal.throwIfAborted();
    throw asPostgresError(error);
  }
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  const stop = () => abandon(pool, client);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work(client);
  } catch (error) {
    signal.throwIfAborted();
    // Back in the pool it would have the next wait behind what was not answered.
    if (isSilence(error) || isSilence((error as Error | null)?.cause)) stop();
    throw asPostgresError(error);
  } finally {
    signal.removeEventListener('abort', stop);
    client.off('error', onError);
    client.release(broken);
  }
}

/** A transaction that lost against another one: serialization, deadlock. */
const CONFLICT = /^40/;
/** SQLSTATE classes that another try can cure: connection, serialization, resources, operator intervention, system. */
const TRANSIENT = /^(08|40|53|57|58|55P03)/;

/** Wraps errors of the driver; others pass through. The message never holds the connection URL. */
export function asPostgresError(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    return new ServiceError('postgres', `PostgreSQL refused: ${error.message}`, {
      cause: error,
      retryable: TRANSIENT.test(code),
      ...(CONFLICT.test(code) ? { reason: 'conflict_retry_exhausted' as const } : {}),
      details: { sqlstate: error.code ?? null },
    });
  }
  const code = (error as { code?: unknown } | null)?.code;
  const text = error instanceof Error ? error.message : '';
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
    return new ServiceError(
      'postgres',
      `PostgreSQL does not answer (${code}). Check the database URL and that the server runs.`,
      { cause: error },
    );
  }
  if (
    /timeout exceeded when trying to connect|Query read timeout|Connection terminated|server closed the connection|not queryable|Connection ended/i.test(
      text,
    )
  ) {
    return new ServiceError('postgres', `PostgreSQL does not answer: ${text}.`, { cause: error });
  }
  return error;
}
