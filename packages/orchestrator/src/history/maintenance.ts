/**
 * The lock of what must not happen side by side: archiving, which takes runs out, and backing up, which reads them. It
 * is a lease with a token; deleting checks the token in the same script, so a holder that was too slow deletes nothing.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Redis } from 'ioredis';

import type { Keys } from '../store/keys.ts';

/** A holder that was killed is waited for this long at most. */
const LOCK_MS = 60_000;

export interface MaintenanceLock {
  readonly token: string;
  /** False when it was lost meanwhile. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

interface Ledger {
  readonly redis: Redis;
  readonly keys: Keys;
}

const read = (url: string) => readFileSync(new URL(url, import.meta.url), 'utf8');

/** Undefined when another has it. */
export async function takeMaintenanceLock({ redis, keys }: Ledger, who: string): Promise<MaintenanceLock | undefined> {
  const key = `${keys.prefix}:lock:maintenance`;
  const token = `${who}.${randomBytes(8).toString('hex')}`;
  if ((await redis.set(key, token, 'PX', LOCK_MS, 'NX')) === null) return undefined;
  return {
    token,
    renew: async () => {
      if ((await redis.get(key)) !== token) return false;
      await redis.pexpire(key, LOCK_MS);
      return true;
    },
    release: async () => {
      if ((await redis.get(key)) === token) await redis.del(key);
    },
  };
}

/** Takes archived runs out of the ledger; gives how many, or undefined when the lock was lost. */
export async function forgetRuns(
  { redis, keys }: Ledger,
  lock: MaintenanceLock,
  runs: readonly { readonly id: string; readonly ended_ms: number | null }[],
): Promise<number | undefined> {
  const script = `${read('../store/lua/include/base.lua')}\n${read('./lua/forget-runs.lua')}`;
  const pairs = runs.flatMap(({ id, ended_ms }) => [id, String(ended_ms)]);
  const gone = (await redis.eval(script, 1, keys.prefix, lock.token, ...pairs)) as number;
  return gone < 0 ? undefined : gone;
}
