/**
 * A snapshot of the ledger at one instant. Runs that have ended never change, and indexes by time only grow at their
 * end, so both are copied while work goes on. Then Redis holds every write back (CLIENT PAUSE … WRITE: scripts wait,
 * reads go on) while the rest is read: states, cursors, run keys, what is under way and what has ended since. A pause
 * that would cost leases is given up: no backup is better than a torn one. Restored, it is as if every process had been
 * killed in that instant.
 */

import type { Engine } from '../../engine/engine.ts';
import { ConflictError, RefusedError } from '../../definitions/errors.ts';
import { STATE_VERSION } from '../../store/redis.ts';
import { type MaintenanceLock, takeMaintenanceLock } from '../maintenance.ts';
import { BACKUP_VERSION, type BackupEnd, type BackupHeader, type BackupRecord, isLeftOut } from './format.ts';
import { type KnownKey, lookAtKeys, readKeys, readScores } from './read-keys.ts';

export interface SnapshotCounts {
  readonly records: number;
  /** How long writes waited. */
  readonly pauseMs: number;
}

type Write = (record: BackupRecord) => Promise<void>;

/** Keys in one pipeline. */
const BATCH = 500;
/** Runs whose four keys are read in one pipeline. */
const RUN_BATCH = 200;
const SCAN_COUNT = 5_000;
/** The lock lasts a minute. */
const RENEW_MS = 10_000;

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
    const keep: Write = async (record) => {
      records++;
      await write(record);
    };
    const copied = await copySettled(engine, lock, keep);
    // Only read while writes wait; packing it would make them wait longer.
    const { rest, pauseMs } = await readPaused(engine, copied, options.maxPauseMs);
    for (const record of rest) await keep(record);
    await write({ end: true, records });
    return { records, pauseMs };
  } finally {
    await lock.release();
  }
}

/** What was copied before the pause. */
interface Settled {
  readonly runs: ReadonlySet<string>;
  /** Indexes by time, copied up to this score, and how many members that were. */
  readonly before: number;
  readonly indexes: ReadonlyMap<string, number>;
}

async function copySettled(engine: Engine, lock: MaintenanceLock, keep: Write): Promise<Settled> {
  const { redis, keys } = engine;
  const { prefix } = keys;
  let renewedAt = performance.now();
  const stillOurs = async () => {
    if (performance.now() - renewedAt < RENEW_MS) return;
    if (!(await lock.renew()))
      throw new ConflictError('The backup took so long that another process took over. Try again.');
    renewedAt = performance.now();
  };
  const [seconds] = await redis.time();
  const before = Number(seconds) * 1_000;
  const ends = ['SUCCESS', 'FAILURE', 'CANCELED'].map((status) => `runs:st:${status}`);
  const runs = new Set<string>();
  const indexes = new Map<string, number>();
  for (const key of ['runs', ...ends, ...[...engine.deployment.jobs.keys()].map((job) => `runs:job:${job}`)]) {
    let members = 0;
    for await (const record of readScores(redis, prefix, key, '-inf', `(${before}`)) {
      members += record.v.length / 2;
      await keep(record);
      if (ends.includes(key)) for (let i = 0; i < record.v.length; i += 2) runs.add(record.v[i] ?? '');
      await stillOurs();
    }
    indexes.set(key, members);
  }
  const ids = [...runs];
  for (let at = 0; at < ids.length; at += RUN_BATCH) {
    for await (const record of readKeys(redis, prefix, ids.slice(at, at + RUN_BATCH).flatMap(keysOfRun))) {
      await keep(record);
    }
    await stillOurs();
  }
  if (!(await lock.renew())) throw new ConflictError('The backup lost its lock. Try again.');
  return { runs, before, indexes };
}

function keysOfRun(id: string): KnownKey[] {
  return [
    { key: `run:${id}`, type: 'hash', ttl: -1 },
    { key: `run:${id}:parts`, type: 'hash', ttl: -1 },
    { key: `run:${id}:ev`, type: 'stream', ttl: -1 },
    { key: `run:${id}:log`, type: 'stream', ttl: -1 },
  ];
}

/** How often a pause that somebody else lifted is taken again: another ledger on the same Redis may be backed up now. */
const PAUSES = 5;

async function readPaused(
  engine: Engine,
  settled: Settled,
  maxPauseMs: number,
): Promise<{ rest: BackupRecord[]; pauseMs: number }> {
  for (let left = PAUSES - 1; ; left--) {
    try {
      let rest: BackupRecord[] = [];
      const pauseMs = await whilePaused(engine, maxPauseMs, async () => {
        const before = await countWrites(engine);
        rest = await readRest(engine, settled);
        if ((await countWrites(engine)) !== before)
          throw new ConflictError(
            'Redis took writes while the ledger was copied: somebody lifted the pause. Try again.',
          );
      });
      return { rest, pauseMs };
    } catch (error) {
      if (!(error instanceof ConflictError) || left === 0) throw error;
    }
  }
}

/** Changes since the last snapshot of Redis itself: it stands still as long as writes wait. */
async function countWrites({ redis }: Engine): Promise<string | undefined> {
  return /rdb_changes_since_last_save:(\d+)/.exec(await redis.info('persistence'))?.[1];
}

/** Everything else; SCAN may name a key twice. */
async function readRest({ redis, keys: { prefix } }: Engine, settled: Settled): Promise<BackupRecord[]> {
  const rest: BackupRecord[] = [];
  for (const [key, copied] of settled.indexes) {
    let added = 0;
    for await (const record of readScores(redis, prefix, key, String(settled.before), '+inf')) {
      added += record.v.length / 2;
      rest.push(record);
    }
    if ((await redis.zcard(`${prefix}:${key}`)) !== copied + added)
      throw new ConflictError(`${key} changed while it was copied; was the clock of Redis set back? Try again.`);
  }
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', SCAN_COUNT);
    cursor = next;
    const fresh = new Set<string>();
    for (const full of found) {
      const key = full.slice(prefix.length + 1);
      if (isOfRun(key, settled.runs) || settled.indexes.has(key) || isLeftOut(key) || seen.has(key)) continue;
      seen.add(key);
      fresh.add(key);
    }
    const names = [...fresh];
    for (let at = 0; at < names.length; at += BATCH) {
      const known = await lookAtKeys(redis, prefix, names.slice(at, at + BATCH));
      for await (const record of readKeys(redis, prefix, known)) rest.push(record);
    }
  } while (cursor !== '0');
  return rest;
}

function isOfRun(key: string, runs: ReadonlySet<string>): boolean {
  if (!key.startsWith('run:')) return false;
  const end = key.indexOf(':', 4);
  return runs.has(key.slice(4, end < 0 ? undefined : end));
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
  // What went wrong in a pause that was over too soon says nothing more than that.
  let failure: { readonly error: unknown } | undefined;
  try {
    await work();
  } catch (error) {
    failure = { error };
  } finally {
    await redis.call('CLIENT', 'UNPAUSE');
  }
  // Counted from before the pause was asked for, so it was in force until now if this is within it.
  const tookMs = Math.ceil(performance.now() - began);
  if (tookMs > maxMs) {
    throw new RefusedError(
      `The ledger could not be read within a pause of ${maxMs} ms (it took ${tookMs} ms), so no backup was made.`,
      {
        hint: 'Archive more (SKEIN_RETENTION), try at a quieter time, allow more with --max-pause, or copy the append-only file of Redis.',
      },
    );
  }
  if (failure) throw failure.error;
  return tookMs;
}
