/**
 * One team's lake: reading statements, and writing ones that are serialised over all processes and committed as one
 * snapshot. Everything a caller needs to know about the state of a lake goes through here.
 *
 * The invariant: a write commits only while its process holds the catalog's advisory lock and its signal has not
 * aborted; logical conflicts with foreign writers are tried again from the start, and what the object store refuses is
 * once, with new credentials.
 */

import type { DuckDBInstance } from '@duckdb/node-api';

import { asLakeError, lakeTroubleOf } from './ducklake-errors.ts';
import {
  type InstanceOptions,
  type LakeConnection,
  attachSql,
  catalogSecretSql,
  openInstance,
  s3SecretSql,
  withConnection,
} from './ducklake-instance.ts';
import { type CatalogAddress, type CatalogSession, createWriterLock } from './ducklake-lock.ts';
import type { S3Settings } from './object-store.ts';
import type { CredentialSource, Credentials } from './sts.ts';

export interface LakeTransaction extends LakeConnection {
  /** The catalog's own tables, on the connection that holds the lock. */
  readonly catalog: CatalogSession;
}

export interface Lake {
  /** Several at once. @throws ServiceError (`ducklake`) */
  read<T>(signal: AbortSignal, work: (db: LakeConnection) => Promise<T>): Promise<T>;
  /** One at a time; `work` may be called again after a conflict or a renewal. Gives the snapshot that the commit made. */
  write<T>(
    signal: AbortSignal,
    work: (tx: LakeTransaction) => Promise<T>,
  ): Promise<{ readonly value: T; readonly snapshot: number }>;
  /** The catalog's tables behind the writers' lock, without a transaction of DuckLake. */
  withCatalog<T>(signal: AbortSignal, work: (catalog: CatalogSession) => Promise<T>): Promise<T>;
  /** The catalog's tables without the lock and without DuckDB; for looking only. */
  look<T>(work: (catalog: CatalogSession) => Promise<T>): Promise<T>;
  /** Reads and writes under way. */
  active(): number;
  close(): Promise<void>;
}

export interface LakeOptions extends InstanceOptions {
  readonly address: CatalogAddress;
  /** Where DuckLake puts its own files; used when the catalog is new. */
  readonly dataPath: string;
  readonly s3:
    | {
        readonly settings: S3Settings;
        readonly bucket: string;
        readonly region: string;
        readonly credentials: CredentialSource;
      }
    | undefined;
}

interface Attempt {
  /** What the object store saw from it. */
  credentials: Credentials | undefined;
}

/** Eight tries wait some ten seconds in all. */
const MAX_TRIES = 8;
const MAX_WAIT_MS = 3_000;

export function createLake(options: LakeOptions): Lake {
  const { address, s3 } = options;
  const lock = createWriterLock(address);
  let opened: Promise<DuckDBInstance> | undefined;
  let secretOf: Credentials | undefined;
  let refreshing: Promise<void> = Promise.resolve();
  let tail: Promise<unknown> = Promise.resolve();
  let active = 0;

  /** Waits for the writers of this process that came before; the lock's connection serves one at a time. */
  const inTurn = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const before = tail;
    const { promise, resolve } = withResolvers();
    tail = before.then(() => promise);
    try {
      await unlessAborted(before, signal);
      return await work();
    } finally {
      resolve();
    }
  };

  /** One at a time: of two that replace the secret at once DuckDB refuses one. */
  const refreshSecret = (instance: DuckDBInstance): Promise<void> => {
    refreshing = refreshing.catch(() => {}).then(() => replaceSecret(instance));
    return refreshing;
  };
  const replaceSecret = async (instance: DuckDBInstance) => {
    if (!s3) return;
    const credentials = await s3.credentials.current();
    if (credentials === secretOf) return;
    await withConnection(instance, undefined, (db) => db.rows(s3SecretSql(s3.settings, s3, credentials)));
    secretOf = credentials;
  };

  const openAttached = async (): Promise<DuckDBInstance> => {
    // First by pg, whose errors are clear; a refused password never reaches DuckDB.
    const isNew = await lock.look(isUninitialised);
    const instance = await openInstance(options);
    try {
      const password = await address.password();
      await withConnection(instance, undefined, (db) => db.rows(catalogSecretSql({ ...address, password })));
      secretOf = undefined;
      await refreshSecret(instance);
      const attach = (dataPath: string | undefined) =>
        withConnection(instance, undefined, (db) => db.rows(attachSql(address.sslMode, dataPath)));
      // Of several that attach an empty catalog at once all but one fail, so the first attach is behind the lock.
      if (isNew)
        await lock.hold(NEVER, async (catalog) =>
          attach((await isUninitialised(catalog)) ? options.dataPath : undefined),
        );
      else await attach(undefined);
      return instance;
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  };

  const discard = async () => {
    const old = opened;
    opened = undefined;
    await old?.then((instance) => instance.closeSync()).catch(() => {});
  };

  /** An attached instance with fresh credentials; opening is behind `inTurn`, because it may take the lock. */
  const instanceFor = async (attempt: Attempt): Promise<DuckDBInstance> => {
    opened ??= openAttached();
    const mine = opened;
    try {
      const instance = await mine;
      await refreshSecret(instance);
      attempt.credentials = secretOf;
      return instance;
    } catch (error) {
      if (opened === mine) opened = undefined;
      throw error;
    }
  };

  /** Maps errors, opens the instance anew once when its connection to the catalog has died, and renews credentials once. */
  const guarded = async <T>(signal: AbortSignal, work: (attempt: Attempt) => Promise<T>): Promise<T> => {
    active++;
    let renewed = false;
    try {
      for (let tries = 1; ; tries++) {
        const attempt: Attempt = { credentials: undefined };
        try {
          signal.throwIfAborted();
          return await work(attempt);
        } catch (error) {
          signal.throwIfAborted();
          if (!isForeign(error)) throw error;
          const trouble = lakeTroubleOf(error);
          if (trouble === 'connection') await discard();
          const renew: boolean = trouble === 'refused' && !renewed && mayRenew(attempt);
          renewed ||= renew;
          const again =
            renew ||
            (trouble === 'connection' && tries === 1 && !isUncertain(error)) ||
            (trouble === 'conflict' && tries < MAX_TRIES);
          if (!again) throw asLakeError(error, address.owner);
          await pause(
            trouble === 'conflict' ? Math.min(MAX_WAIT_MS, 50 * 2 ** tries) * (0.5 + Math.random()) : 0,
            signal,
          );
        }
      }
    } finally {
      active--;
    }
  };

  const mayRenew = ({ credentials }: Attempt) =>
    credentials !== undefined && s3?.credentials.refused(credentials) === true;

  const transaction = async <T>(
    instance: DuckDBInstance,
    catalog: CatalogSession,
    signal: AbortSignal,
    work: (tx: LakeTransaction) => Promise<T>,
  ) =>
    withConnection(instance, signal, async ({ rows }, raw) => {
      await raw.run('BEGIN');
      try {
        const value = await work({ rows, catalog });
        signal.throwIfAborted();
        // Answers only while the session that holds the lock is alive.
        await catalog.rows('SELECT 1');
        await raw.run('COMMIT').catch((error: unknown) => {
          throw lakeTroubleOf(error) === 'connection' ? uncertain(error) : error;
        });
        const [row] = await catalog.rows<{ id: string }>('SELECT max(snapshot_id) AS id FROM ducklake_snapshot');
        return { value, snapshot: Number(row?.id) };
      } catch (error) {
        await raw.run('ROLLBACK').catch(() => {});
        throw error;
      }
    });

  return {
    read: (signal, work) =>
      guarded(signal, async (attempt) => {
        const instance = await (opened ? instanceFor(attempt) : inTurn(signal, () => instanceFor(attempt)));
        return withConnection(instance, signal, work);
      }),
    write: (signal, work) =>
      guarded(signal, (attempt) =>
        inTurn(signal, async () => {
          const instance = await instanceFor(attempt);
          return lock.hold(signal, (catalog) => transaction(instance, catalog, signal, work));
        }),
      ),
    withCatalog: (signal, work) => guarded(signal, () => inTurn(signal, () => lock.hold(signal, work))),
    look: (work) => lock.look(work),
    active: () => active,
    async close() {
      await tail.catch(() => {});
      await discard();
      await lock.close();
    },
  };
}

const NEVER = new AbortController().signal;

async function isUninitialised(catalog: CatalogSession): Promise<boolean> {
  const [row] = await catalog.rows<{ is_new: boolean }>(
    "SELECT to_regclass('public.ducklake_metadata') IS NULL AS is_new",
  );
  return row?.is_new ?? true;
}

/** Errors of DuckDB are plain ones, without a code; ours and the caller's pass through. */
function isForeign(error: unknown): boolean {
  return error !== null && typeof error === 'object' && (error as Error).name === 'Error' && !('code' in error);
}

const UNCERTAIN = Symbol('the commit may or may not have happened');

function uncertain(error: unknown): unknown {
  return Object.assign(error as Error, { [UNCERTAIN]: true });
}

function isUncertain(error: unknown): boolean {
  return (error as { [UNCERTAIN]?: boolean })[UNCERTAIN] === true;
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** Waits for `promise`, or throws the signal's reason as soon as it aborts. */
async function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let onAbort: () => void = () => {};
  const aborted = new Promise<void>((resolve) => (onAbort = resolve));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  signal.throwIfAborted();
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await unlessAborted(new Promise((resolve) => (timer = setTimeout(resolve, ms))), signal).finally(() =>
    clearTimeout(timer),
  );
}
