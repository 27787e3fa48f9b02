/**
 * The writers of one lake, one at a time over all processes: a PostgreSQL advisory lock in the catalog's own database.
 * DuckLake fails all but one of concurrent delete-and-add transactions (10 at once: 9 fail), and where both deletes
 * match nothing it commits both. The server frees the lock when the holder's connection ends, so a killed process
 * leaves nothing behind.
 */

import { ServiceError } from '@skein/orchestrator';
import pg from 'pg';

/** Any fixed pair: a lake has a database of its own. */
const LOCK = [0x534b4e, 1] as const;
/** Writers hold the lock for well under a second; whoever waits this long has found a stuck one. */
const LOCK_TIMEOUT_MS = 10 * 60_000;

export interface CatalogAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Asked for at every new connection. */
  password(): Promise<string>;
  readonly sslMode: SslMode;
  /** For messages, such as `the lake of team 2`. */
  readonly owner: string;
}

export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-full';

/** Statements on the catalog's tables, on the connection that holds the lock. */
export interface CatalogSession {
  rows<T extends object>(sql: string, values?: readonly unknown[]): Promise<T[]>;
}

export interface WriterLock {
  /** Runs `work` while the lock is held. Only one call at a time. @throws ServiceError (`ducklake`) */
  hold<T>(signal: AbortSignal, work: (catalog: CatalogSession) => Promise<T>): Promise<T>;
  /** Runs `work` without the lock, on a connection of its own: one that waits for the lock would hold it up. */
  look<T>(work: (catalog: CatalogSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createWriterLock(address: CatalogAddress): WriterLock {
  let client: pg.Client | undefined;

  const connected = async (): Promise<pg.Client> => {
    if (client) return client;
    const made = await connectCatalog(address);
    made.on('error', () => client === made && (client = undefined));
    made.on('end', () => client === made && (client = undefined));
    return (client = made);
  };
  const discard = async (old: pg.Client) => {
    if (client === old) client = undefined;
    await old.end().catch(() => {});
  };
  const sessionOn = (held: pg.Client): CatalogSession => ({
    async rows<R extends object>(sql: string, values: readonly unknown[] = []) {
      try {
        return (await held.query<R>(sql, [...values])).rows;
      } catch (error) {
        throw catalogError(error, address);
      }
    },
  });

  return {
    async hold(signal, work) {
      const held = await connected();
      const catalog = sessionOn(held);
      signal.throwIfAborted();
      const cancel = () => void cancelBackend(address, held);
      signal.addEventListener('abort', cancel, { once: true });
      try {
        await catalog.rows('SELECT pg_advisory_lock($1, $2)', LOCK);
      } catch (error) {
        await discard(held);
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', cancel);
      }
      try {
        return await work(catalog);
      } finally {
        // A connection whose unlock is uncertain is closed, which unlocks for certain.
        await held.query('SELECT pg_advisory_unlock($1, $2)', [...LOCK]).catch(() => discard(held));
      }
    },
    async look(work) {
      const own = await connectCatalog(address);
      try {
        return await work(sessionOn(own));
      } finally {
        await own.end().catch(() => {});
      }
    },
    async close() {
      if (client) await discard(client);
    },
  };
}

/** @throws ServiceError (`ducklake`) that names the owner and the reference, never the password */
async function connectCatalog(address: CatalogAddress): Promise<pg.Client> {
  const password = await address.password();
  const connect = async (ssl: boolean) => {
    const made = new pg.Client({
      host: address.host,
      port: address.port,
      database: address.database,
      user: address.user,
      password,
      connectionTimeoutMillis: 10_000,
      lock_timeout: LOCK_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'skein-lake-writer',
      ...(ssl ? { ssl: { rejectUnauthorized: address.sslMode === 'verify-full' } } : {}),
    });
    // Without a listener a connection that dies would end the process; the next statement reports it.
    made.on('error', () => {});
    await made.connect();
    // Lets the server notice a killed process that waits for the lock.
    await made.query("SET client_connection_check_interval = '2s'").catch(() => {});
    return made;
  };
  try {
    return await connect(address.sslMode === 'require' || address.sslMode === 'verify-full');
  } catch (error) {
    throw catalogError(error, address);
  }
}

async function cancelBackend(address: CatalogAddress, held: pg.Client): Promise<void> {
  const pid = (held as unknown as { processID: number | null }).processID;
  try {
    const other = await connectCatalog(address);
    await other.query('SELECT pg_cancel_backend($1)', [pid]).finally(() => other.end());
  } catch {
    // The wait then ends by its own timeout.
  }
}

function catalogError(error: unknown, { owner, host, port, database, user }: CatalogAddress): unknown {
  if (error instanceof ServiceError) return error;
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  const where = `${database} at ${host}:${port}`;
  const fail = (what: string, retryable: boolean) =>
    new ServiceError('ducklake', `DuckLake, ${owner}: ${what}.`, {
      retryable,
      details: { sqlstate: code || null, host, port, database },
    });
  if (code === '28P01' || code === '28000') {
    return fail(
      `the PostgreSQL catalog ${where} refuses the password of user ${user}; correct what db_password refers to`,
      false,
    );
  }
  if (code === '3D000')
    return fail(`the catalog database ${where} does not exist; create it, or correct db_name`, false);
  if (code === '42501') return fail(`user ${user} lacks a permission in the catalog ${where}: ${message}`, false);
  if (code === '55P03')
    return fail(
      `another writer has held the lock of the catalog ${where} for ${LOCK_TIMEOUT_MS / 60_000} minutes`,
      true,
    );
  if (/^E[A-Z]+$/.test(code) || /terminat|timeout|closed|ended|not queryable/i.test(message) || /^(08|57)/.test(code)) {
    return fail(
      `the PostgreSQL catalog ${where} does not answer (${code || 'connection lost'}); check db_host and db_port`,
      true,
    );
  }
  if (/SSL/.test(message))
    return fail(
      `the PostgreSQL catalog ${where} does not speak TLS; set SKEIN_DUCKLING_DB_SSLMODE if that is meant`,
      false,
    );
  return fail(
    `the PostgreSQL catalog ${where} refused a statement (SQLSTATE ${code || 'unknown'})`,
    /^(40|53)/.test(code),
  );
}
