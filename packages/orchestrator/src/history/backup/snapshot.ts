/**
 * A snapshot of the ledger at one instant. Runs that have ended never change, so they are copied while work goes on.
 * Then Redis holds every write back (CLIENT PAUSE … WRITE: scripts wait, reads go on) while the rest is copied: states,
 * indexes, cursors, what is under way. A pause that would cost leases is given up, and no backup is better than a torn
 * one. Restored, it is as if every process had been killed in that instant.
 */

import type { Engine } from '../../engine/engine.ts';
import { ConflictError, RefusedError } from '../../definitions/errors.ts';
import { STATE_VERSION } from '../../store/redis.ts';
import { type MaintenanceLock, takeMaintenanceLock } from '../maintenance.ts';
import { BACKUP_VERSION, type BackupEnd, type BackupHeader, type BackupRecord, isLeftOut } from './format.ts';
import { readKeys } from './read-keys.ts';

export interface SnapshotCounts {
  readonly records: number;
  /** How long writes waited. */
  readonly pauseMs: number;
}

/** Keys in one pipeline. */
const BATCH = 500;
/** Runs whose four keys are read in one pipeline. */
const RUN_BATCH = 200;
const SCAN_COUNT = 5_000;
/** A page of runs takes milliseconds; the lock lasts a minute. */
const RENEW_EVERY_RUNS = 10_000;

/** What a worker certainly survives: it stops itself after four fifths of a lease without a confirmed renewal. */
export function longestPauseMs({ leaseMs, renewMs }: Engine['settings']): number {
  return Math.floor((leaseMs * 0.8 - renewMs) * 0.9);
}

/**
 * @param write takes each line of the backup; its promise is waited for
 * @throws RefusedError when the pause would be too long, ConflictError while history is written or another backup taken
 */
export async function takeSnapshot(
  engine: Engine,
  write: (line: BackupHeader | BackupRecord | BackupEnd) => Promise<void>,
  options: { readonly maxPauseMs: number },
): Promise<SnapshotCounts> {
  const lock = await takeMaintenanceLock(engine, 'backup');
  if (lock === undefined)
    throw new ConflictError('History is being written or another backup is being taken. Try again in a minute.');
  try {
    await write({
      skein_backup: BACKUP_VERSION,
      state_version: STATE_VERSION,
      prefix: engine.keys.prefix,
      created_at: new Date().toISOString(),
    });
    let records = 0;
    const copy = async (keys: readonly string[]) => {
      for await (const record of readKeys(engine.redis, engine.keys.prefix, keys)) {
        records++;
        await write(record);
      }
    };
    const copied = await copyEndedRuns(engine, lock, copy);
    const pauseMs = await whilePaused(engine, options.maxPauseMs, () => copyRest(engine, copied, copy));
    await write({ end: true, records });
    return { records, pauseMs };
  } finally {
    await lock.release();
  }
}

type Copy = (keys: readonly string[]) => Promise<void>;

async function copyEndedRuns(engine: Engine, lock: MaintenanceLock, copy: Copy): Promise<Set<string>> {
  const { redis, keys } = engine;
  const copied = new Set<string>();
  for (const status of ['SUCCESS', 'FAILURE', 'CANCELED']) {
    const ids = await redis.zrange(keys.runsByStatus(status), 0, '-1');
    for (let at = 0; at < ids.length; at += RUN_BATCH) {
      const page = ids.slice(at, at + RUN_BATCH);
      await copy(page.flatMap((id) => [`run:${id}`, `run:${id}:parts`, `run:${id}:ev`, `run:${id}:log`]));
      for (const id of page) copied.add(id);
      if (at % RENEW_EVERY_RUNS === 0 && !(await lock.renew()))
        throw new ConflictError('The backup took so long that another process took over. Try again.');
    }
  }
  if (!(await lock.renew())) throw new ConflictError('The backup lost its lock. Try again.');
  return copied;
}

/** Everything else; SCAN may name a key twice. */
async function copyRest({ redis, keys }: Engine, copied: ReadonlySet<string>, copy: Copy): Promise<void> {
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${keys.prefix}:*`, 'COUNT', SCAN_COUNT);
    cursor = next;
    const fresh = found
      .map((key) => key.slice(keys.prefix.length + 1))
      .filter((key) => !seen.has(key) && !isLeftOut(key) && !copied.has(runOf(key) ?? ''));
    for (const key of fresh) seen.add(key);
    for (let at = 0; at < fresh.length; at += BATCH) await copy([...new Set(fresh.slice(at, at + BATCH))]);
  } while (cursor !== '0');
}

/** The run whose own record a key belongs to. */
function runOf(key: string): string | undefined {
  return /^run:([^:]+)/.exec(key)?.[1];
}

async function whilePaused({ redis }: Engine, maxMs: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  try {
    await redis.call('CLIENT', 'PAUSE', maxMs, 'WRITE');
  } catch (error) {
    throw new RefusedError(`Redis does not hold writes back: ${error instanceof Error ? error.message : ''}`, {
      hint: 'Give the user of SKEIN_REDIS_URL the right to CLIENT PAUSE and UNPAUSE (Redis 6.2 or later), or copy the append-only file.',
    });
  }
  try {
    await work();
  } finally {
    await redis.call('CLIENT', 'UNPAUSE');
  }
  // Counted from before the pause was asked for, so it was in force until now if this is within it.
  const tookMs = Math.ceil(performance.now() - began);
  if (tookMs > maxMs) {
    throw new RefusedError(
      `The ledger could not be copied within a pause of ${maxMs} ms (it took ${tookMs} ms), so no backup was made.`,
      {
        hint: 'Archive more (SKEIN_RETENTION), try at a quieter time, allow more with --max-pause, or copy the append-only file of Redis.',
      },
    );
  }
  return tookMs;
}
