/**
 * The ducklings as one resource: their catalog, their buckets and their lakes. Lakes stay attached between runs and are
 * opened anew when their row is edited; the least recently used idle ones are closed.
 */

import { type Day, EnvironmentInvalidError, isDay, provide, resource } from '@skein/orchestrator';
import type pg from 'pg';

import { requireUrl } from './clickhouse.ts';
import { type Duckling, type DucklingCatalog, createDucklingCatalog } from './duckling-catalog.ts';
import { readPassword } from './duckling-catalog-password.ts';
import type { SslMode } from './ducklake-lock.ts';
import { type Lake, createLake } from './ducklake.ts';
import { type Bucket, type ObjectStore, parseObjectStore } from './object-store.ts';
import { createPool } from './postgres.ts';
import { type CredentialSource, type Credentials, type RoleCredentials, createRoleCredentials } from './sts.ts';

export interface Ducklings {
  readonly catalog: DucklingCatalog;
  readonly store: ObjectStore;
  /** Days before it are never exported by the sensors. */
  readonly earliestDay: Day;
  lake(duckling: Duckling): Lake;
  /** @param signal ends what is under way */
  bucket(duckling: Duckling, signal?: AbortSignal): Bucket;
  /** The assumed role's temporary credentials, or Skein's own keys for a duckling without a role; undefined for a file store. */
  credentials(duckling: Duckling): Promise<Credentials | undefined>;
  close(): Promise<void>;
}

export const ducklings = resource<Ducklings>(
  'ducklings',
  'Ducklings: ducklake_catalog at SKEIN_APP_DB_URL, objects at SKEIN_OBJECT_STORE',
);

export const ducklingsBinding = provide(ducklings, {
  open: async ({ env }) => openDucklings(env),
  close: (opened) => opened.close(),
  ping: async (opened) => {
    const rows = await opened.catalog.list();
    return `${rows.length} duckling${rows.length === 1 ? '' : 's'}, ${rows.filter((row) => row.enabled).length} enabled; objects in ${opened.store.kind === 's3' ? 'S3' : 'a directory'}`;
  },
});

/** The reference's lower bound: older timestamps are junk of broken clocks. */
const EARLIEST_DAY = '2015-01-01';
/** Attached lakes kept; each holds one connection to its catalog and a few of DuckDB's. */
const MAX_LAKES = 32;

/** A lake's statements are short: a second thread costs them three times the processor time (16 ms against 5 ms a count). */
const THREADS = 1;

type Env = Readonly<Record<string, string | undefined>>;

export interface OpenOptions {
  /** In place of one at SKEIN_APP_DB_URL; the caller closes it. */
  readonly pool?: pg.Pool;
  /** The clock by which credentials end, for tests. */
  readonly now?: () => number;
}

/** Opens no connection by itself. @throws EnvironmentInvalidError */
export function openDucklings(env: Env, options: OpenOptions = {}): Ducklings {
  const store = parseObjectStore(env);
  const pool = options.pool ?? createPool(requireUrl(env.SKEIN_APP_DB_URL, 'postgres', 'SKEIN_APP_DB_URL'));
  const roles = store.s3
    ? createRoleCredentials({
        region: store.s3.region,
        endpoint: store.s3.stsEndpoint,
        credentials: store.s3.own,
        ...(options.now ? { now: options.now } : {}),
      })
    : undefined;
  const lakes = new Map<string, Lake>();

  const credentials = async (duckling: Duckling) =>
    roles && store.s3 ? credentialsFor(duckling, roles, store) : undefined;
  const sourceOf = (duckling: Duckling): CredentialSource => ({
    async current() {
      const found = await credentials(duckling);
      if (!found)
        throw new EnvironmentInvalidError(
          'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are needed for a duckling without cross_account_role_arn.',
        );
      return found;
    },
    refused: (given) => roles?.refused(given) ?? false,
  });

  const create = (duckling: Duckling): Lake => {
    const owner = `the lake of team ${duckling.team_id}`;
    return createLake({
      extensionDirectory: env.SKEIN_DUCKDB_EXTENSIONS || undefined,
      memoryLimit: env.SKEIN_DUCKDB_MEMORY_LIMIT || '4GB',
      threads: env.SKEIN_DUCKDB_THREADS ? Number(env.SKEIN_DUCKDB_THREADS) : THREADS,
      needsS3: store.kind === 's3',
      address: {
        host: duckling.db_host,
        port: duckling.db_port,
        database: duckling.db_name,
        user: duckling.db_username,
        password: () => readPassword(duckling.db_password, env, owner),
        sslMode: sslModeFor(duckling.db_host, env),
        owner,
      },
      // Apart from the exports: DuckLake's own search for orphans deletes what it does not know below its DATA_PATH.
      dataPath: store.url(duckling.bucket, 'lake/'),
      s3: store.s3 && {
        settings: store.s3,
        bucket: duckling.bucket,
        region: duckling.bucket_region,
        credentials: sourceOf(duckling),
      },
    });
  };

  return {
    catalog: createDucklingCatalog(pool),
    store,
    earliestDay: earliestDay(env),
    credentials,
    lake(duckling) {
      const key = fingerprint(duckling);
      const lake = lakes.get(key) ?? create(duckling);
      // A map keeps the order of insertion, so the first is the least recently used.
      lakes.delete(key);
      lakes.set(key, lake);
      for (const [other, old] of lakes) {
        if (lakes.size <= MAX_LAKES) break;
        if (other === key || old.active() > 0) continue;
        lakes.delete(other);
        void old.close();
      }
      return lake;
    },
    bucket: (duckling, signal) =>
      store.bucket({ bucket: duckling.bucket, region: duckling.bucket_region }, sourceOf(duckling), signal),
    async close() {
      await Promise.all([...lakes.values()].map((lake) => lake.close()));
      roles?.close();
      if (options.pool === undefined) await pool.end();
    },
  };
}

async function credentialsFor(
  duckling: Duckling,
  roles: RoleCredentials,
  store: ObjectStore,
): Promise<Credentials | undefined> {
  if (duckling.cross_account_role_arn !== null) {
    return roles.assume({
      roleArn: duckling.cross_account_role_arn,
      externalId: duckling.cross_account_external_id,
      owner: `duckling of team ${duckling.team_id}`,
      sessionName: `skein-duckling-${duckling.team_id}`,
    });
  }
  const own = store.s3?.own;
  return own && ownCredentials(own);
}

const OWN = new WeakMap<object, Credentials>();

/** The same object for the same keys, so that a lake sees that nothing has changed. */
function ownCredentials(own: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): Credentials {
  const made = OWN.get(own) ?? { ...own, sessionToken: own.sessionToken, expiresAt: undefined };
  OWN.set(own, made);
  return made;
}

/** Whatever changes the way to a lake; `enabled` does not. */
function fingerprint(duckling: Duckling): string {
  return JSON.stringify({ ...duckling, enabled: true });
}

/** Off the machine the catalog is spoken to by TLS unless the environment says otherwise. */
function sslModeFor(host: string, env: Env): SslMode {
  const given = env.SKEIN_DUCKLING_DB_SSLMODE;
  if (given === 'disable' || given === 'prefer' || given === 'require' || given === 'verify-full') return given;
  if (given)
    throw new EnvironmentInvalidError('SKEIN_DUCKLING_DB_SSLMODE must be disable, prefer, require or verify-full.');
  return host === 'localhost' || host.startsWith('127.') || host === '::1' || host.startsWith('/')
    ? 'prefer'
    : 'require';
}

function earliestDay(env: Env): Day {
  const given = env.SKEIN_DUCKLING_EARLIEST_DAY;
  if (!given) return EARLIEST_DAY;
  if (!isDay(given) || given < EARLIEST_DAY)
    throw new EnvironmentInvalidError(
      `SKEIN_DUCKLING_EARLIEST_DAY must be a day from ${EARLIEST_DAY} on, written YYYY-MM-DD.`,
    );
  return given;
}
