/**
 * The connection to Redis and the checks that make it fit to keep a ledger: AOF on, `noeviction`, version, state
 * version. Producers fail fast when Redis is away; blocking readers wait.
 */

import { Redis, type RedisOptions } from 'ioredis';

import { LedgerNewerError, RefusedError, ServiceError } from '../definitions/errors.ts';
import type { Keys } from './keys.ts';
import { loadScripts } from './scripts.ts';

/** Version of the ledger's layout. A newer Skein migrates an older one, an older Skein refuses a newer one. */
export const STATE_VERSION = 1;

const COMMON = {
  lazyConnect: true,
  connectTimeout: 5_000,
  retryStrategy: (tries: number) => Math.min(100 * 2 ** Math.min(tries, 6), 2_000),
} satisfies RedisOptions;

/** For verbs of the engine: commands wait through short outages, then fail with a clear error. */
export async function connectRedis(url: string): Promise<Redis> {
  // A half-open socket would hang for ever; the timeout counts only while an answer is due.
  const redis = new Redis(url, { ...COMMON, socketTimeout: 30_000, maxRetriesPerRequest: 5 });
  redis.on('error', () => {}); // every command reports its own failure
  loadScripts(redis);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw redisUnreachable(error);
  }
  return redis;
}

/** For BullMQ workers and blocking reads: waits for Redis as long as it takes. */
export function connectBlocking(url: string): Redis {
  const redis = new Redis(url, { ...COMMON, lazyConnect: false, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  return redis;
}

/** What ioredis throws while Redis is away, loading, full or not the primary now: nobody's fault, and it may pass. */
const AWAY =
  /^(LOADING|READONLY|MISCONF|OOM|EXECABORT|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|TRYAGAIN)\b|Connection is closed|max retries per request|Stream isn't writeable|Socket timeout/;
const AWAY_CODES = new Set<unknown>(['ECONNREFUSED', 'ECONNRESET']);

/** True for an error of Redis that says nothing about the command: asked later, it may well be taken. */
export function redisIsAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return AWAY.test(error.message) || AWAY_CODES.has((error as { readonly code?: unknown }).code);
}

function redisUnreachable(cause: unknown): ServiceError {
  const code = (cause as { code?: unknown } | null)?.code;
  const message = cause instanceof Error ? cause.message : String(cause);
  const what = /WRONGPASS|NOAUTH/.test(message)
    ? 'refuses the password'
    : `does not answer${typeof code === 'string' ? ` (${code})` : ''}`;
  return new ServiceError(
    'redis',
    `Redis ${what}. Check SKEIN_REDIS_URL and that the server runs; “skein services up” starts an embedded one.`,
  );
}

/**
 * Refuses a Redis that would lose the ledger.
 * @throws RefusedError that names each wrong setting and its cure
 */
export async function checkLedgerRedis(
  redis: Redis,
  keys: Keys,
  options: { readonly allowUnsafe: boolean },
): Promise<void> {
  const info = await redis.info();
  const fact = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim();
  const problems: string[] = [];
  const [major = 0, minor = 0] = (fact('redis_version') ?? '0.0').split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) problems.push('its version is below 6.2');
  if (fact('maxmemory_policy') !== 'noeviction')
    problems.push('maxmemory-policy is not noeviction (CONFIG SET maxmemory-policy noeviction)');
  if (fact('aof_enabled') !== '1') problems.push('AOF is off (CONFIG SET appendonly yes)');
  if (problems.length > 0 && !options.allowUnsafe) {
    throw new RefusedError(`This Redis would lose the ledger: ${problems.join('; ')}.`, {
      hint: 'Change the settings, or start with --allow-unsafe-redis for an experiment.',
    });
  }
  await redis.hsetnx(keys.meta, 'state_version', STATE_VERSION);
  const version = Number(await redis.hget(keys.meta, 'state_version'));
  if (version > STATE_VERSION) {
    throw new LedgerNewerError(
      `The ledger in Redis is of a newer Skein (state version ${version}, this one knows ${STATE_VERSION}).`,
      { hint: 'Upgrade this installation; nothing was changed.' },
    );
  }
}
