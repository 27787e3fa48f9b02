/**
 * Restores a backup into an empty ledger. The file is read to its end first, so that a damaged one changes nothing. The
 * keys at which pulses find work come last, together, so half a ledger gives nobody anything to do.
 */

import type { ChainableCommander, Redis } from 'ioredis';

import { RefusedError } from '../../definitions/errors.ts';
import type { Keys } from '../../store/keys.ts';
import { STATE_VERSION } from '../../store/redis.ts';
import { type BackupHeader, type BackupRecord, readBackup } from './format.ts';
import { BackupInvalidError } from './invalid.ts';
import { ENTRY_POINTS, type Move, asRestored } from './restored.ts';

export interface RestoreOptions {
  /** Removes what the ledger holds, and restores beside workers that are alive. */
  readonly force: boolean;
  /** Of a backup that is encrypted. */
  readonly password?: string | undefined;
}

export interface RestoreCounts {
  readonly records: number;
  readonly createdAt: string;
  /** Keys that --force removed. */
  readonly removed: number;
}

/** Commands; a key with more records than that comes whole all the same. */
const BATCH = 500;
const SCAN_COUNT = 5_000;
/** As the worker's own promise: heard of within this time, it is alive. */
const WORKER_ALIVE_MS = 10_000;

/** What starting Skein writes into an empty ledger; a cursor that moved on is more than that. */
const OF_STARTING = /^(meta|sensors|due|pools|limits|workers|workers:about|pulse|bull:.*|sensor:[^:]+)$/;

export async function restoreBackup(
  { redis, keys }: { readonly redis: Redis; readonly keys: Keys },
  file: string,
  options: RestoreOptions,
): Promise<RestoreCounts> {
  const header = await readThrough(file, options.password);
  if (!options.force) await refuseUnlessEmpty(redis, keys);
  const removed = await removeAll(redis, keys.prefix);
  const move: Move = { fromPrefix: header.prefix, toPrefix: keys.prefix, nowMs: Date.now() };
  let records = 0;
  const indexes = new Set<string>();
  let batch = openBatch(redis, keys.prefix, indexes);
  const last: BackupRecord[] = [];
  for await (const entry of readBackup(file, options.password)) {
    if ('skein_backup' in entry) continue;
    records++;
    const record = asRestored(entry, move);
    if (ENTRY_POINTS.has(record.k)) {
      last.push(record);
      continue;
    }
    if (batch.isFull() && !batch.has(record.k)) {
      await batch.send();
      batch = openBatch(redis, keys.prefix, indexes);
    }
    batch.put(record);
  }
  await batch.send();
  // What a process that lives on has begun meanwhile keeps its lease: these are added to, not replaced.
  const entries = redis.multi();
  for (const record of last) put(entries, keys.prefix, record);
  if (last.length > 0) await send(entries);
  return { records, createdAt: header.created_at, removed };
}

/** @throws BackupInvalidError */
async function readThrough(file: string, password: string | undefined): Promise<BackupHeader> {
  let header: BackupHeader | undefined;
  for await (const entry of readBackup(file, password)) if ('skein_backup' in entry) header = entry;
  if (header === undefined) throw new BackupInvalidError('The file is empty.');
  if (header.state_version > STATE_VERSION) {
    throw new BackupInvalidError(
      `The backup is of a newer ledger (state version ${header.state_version}, this Skein knows ${STATE_VERSION}). Upgrade this installation.`,
    );
  }
  return header;
}

async function refuseUnlessEmpty(redis: Redis, keys: Keys): Promise<void> {
  const alive = await redis.zcount(keys.workers, Date.now() - WORKER_ALIVE_MS, '+inf');
  if (alive > 0) {
    throw new RefusedError(`${alive} workers are alive on this ledger.`, {
      hint: 'Stop workers and servers, wait ten seconds, and restore again.',
    });
  }
  for await (const page of scan(redis, keys.prefix)) {
    const foreign = page.find((key) => !OF_STARTING.test(key));
    const moved = foreign ?? (await movedSensor(redis, keys, page));
    if (moved === undefined) continue;
    throw new RefusedError(`The ledger ${keys.prefix} is not empty: it holds ${moved.slice(0, 100)}.`, {
      hint: 'Restore into another SKEIN_REDIS_PREFIX, or replace what is there with --force. An interrupted restore needs --force too.',
    });
  }
}

async function movedSensor(redis: Redis, keys: Keys, page: readonly string[]): Promise<string | undefined> {
  for (const key of page.filter((name) => name.startsWith('sensor:'))) {
    const version = await redis.hget(`${keys.prefix}:${key}`, 'version');
    if (Number(version ?? 1) > 1) return key;
  }
  return undefined;
}

async function removeAll(redis: Redis, prefix: string): Promise<number> {
  let removed = 0;
  for await (const page of scan(redis, prefix)) {
    if (page.length > 0) removed += await redis.unlink(...page.map((key) => `${prefix}:${key}`));
  }
  return removed;
}

/** Keys without the prefix, a page at a time. */
async function* scan(redis: Redis, prefix: string): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', SCAN_COUNT);
    cursor = next;
    yield found.map((key) => key.slice(prefix.length + 1));
  } while (cursor !== '0');
}

interface Batch {
  put(record: BackupRecord): void;
  has(key: string): boolean;
  isFull(): boolean;
  send(): Promise<void>;
}

/**
 * One transaction that replaces whole keys, however many records each has. Whoever lives on from the old world and has
 * written to one of them since they were removed neither breaks it, as a newer entry of a stream would, nor mixes with it.
 * @param indexes sorted sets begun by earlier batches: those by time are in a backup in two parts, far from each other
 */
function openBatch(redis: Redis, prefix: string, indexes: Set<string>): Batch {
  const transaction = redis.multi();
  const begun = new Set<string>();
  return {
    put(record) {
      const known = record.t === 'zset' ? indexes : begun;
      if (!known.has(record.k)) transaction.unlink(`${prefix}:${record.k}`);
      known.add(record.k);
      begun.add(record.k);
      put(transaction, prefix, record);
    },
    has: (key) => begun.has(key),
    isFull: () => transaction.length >= BATCH,
    async send() {
      if (begun.size > 0) await send(transaction);
    },
  };
}

function put(pipeline: ChainableCommander, prefix: string, { k, t, v, ttl }: BackupRecord): void {
  const key = `${prefix}:${k}`;
  if (v.length === 0) return;
  if (t === 'string') pipeline.set(key, Buffer.from(v[0] ?? '', 'base64'));
  else if (t === 'hash') pipeline.hset(key, ...v);
  else if (t === 'set') pipeline.sadd(key, ...v);
  else if (t === 'list') pipeline.rpush(key, ...v);
  else if (t === 'zset') {
    const flat: string[] = [];
    for (let i = 0; i + 1 < v.length; i += 2) flat.push(v[i + 1] ?? '0', v[i] ?? '');
    pipeline.zadd(key, ...flat);
  } else {
    for (let i = 0; i + 1 < v.length;) {
      const fields = Number(v[i + 1]);
      pipeline.xadd(key, v[i] ?? '*', ...v.slice(i + 2, i + 2 + fields));
      i += 2 + fields;
    }
  }
  if (ttl !== undefined) pipeline.pexpire(key, ttl);
}

async function send(pipeline: ChainableCommander): Promise<void> {
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}
