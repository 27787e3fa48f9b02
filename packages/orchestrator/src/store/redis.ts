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

/** No blocking read waits longer than a third of it. */
const SILENCE_MS = 30_000;

/**
 * For BullMQ workers and blocking reads: waits for Redis as long as it takes, but not on a connection that is dead
 * without a word. `socketTimeout` cannot tell the two apart, and BullMQ hands it on to connections of its own, which
 * wait in silence by design: it hangs them. So Redis is asked here; what was under way is sent again.
 */
export function connectBlocking(url: string, { silenceMs = SILENCE_MS } = {}): Redis {
  const redis = new Redis(url, { ...COMMON, lazyConnect: false, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  let asked: { readonly at: number } | undefined;
  const ask = () => {
    const ping = (asked = { at: performance.now() });
    const answered = () => void (asked = asked === ping ? undefined : asked);
    redis.ping().then(answered, answered);
  };
  const timer = setInterval(() => {
    if (redis.status !== 'ready') asked = undefined;
    else if (asked === undefined) ask();
    else if (performance.now() - asked.at >= silenceMs) {
      asked = undefined;
      redis.stream.destroy(new Error('Redis says nothing on this connection.'));
    }
  }, silenceMs / 3);
  timer.unref();
  redis.once('end', () => clearInterval(timer));
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

/** Ends a connection once: of one that is closed already ioredis keeps a timer, and the process, for two seconds. */
export function endConnection(redis: Redis): void {
  if (redis.status !== 'close' && redis.status !== 'end') redis.disconnect();
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

/** By which settings and states a Redis would lose the ledger, each with its cure; from its `INFO`. Pure. */
export function ledgerRisks(info: string): string[] {
  const fact = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim();
  const risks: string[] = [];
  const [major = 0, minor = 0] = (fact('redis_version') ?? '0.0').split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2)) risks.push('its version is below 6.2');
  if (fact('maxmemory_policy') !== 'noeviction')
    risks.push('maxmemory-policy is not noeviction (CONFIG SET maxmemory-policy noeviction)');
  if (fact('aof_enabled') !== '1') risks.push('AOF is off (CONFIG SET appendonly yes)');
  if (fact('aof_last_write_status') === 'err')
    risks.push('its append-only file could not be written (room and rights of its disk; the log of Redis says why)');
  return risks;
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
  const problems = ledgerRisks(await redis.info());
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
