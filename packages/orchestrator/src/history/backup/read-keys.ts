/** Keys of the ledger as records of a backup, read by type; large keys in pages. Nothing of them may change meanwhile. */

import type { ChainableCommander, Redis } from 'ioredis';

import type { BackupRecord, KeyType } from './format.ts';

/** Elements in one reply. */
const PAGE = 5_000;

export interface KnownKey {
  /** Without the prefix. */
  readonly key: string;
  readonly type: KeyType;
  /** Milliseconds; negative without one. */
  readonly ttl: number;
}

/** Types and times to live; keys that are gone are left out. */
export async function lookAtKeys(redis: Redis, prefix: string, keys: readonly string[]): Promise<KnownKey[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.type(`${prefix}:${key}`).pttl(`${prefix}:${key}`);
  const facts = await replies(pipeline);
  return keys.flatMap((key, i): KnownKey[] => {
    const type = facts[2 * i] as KeyType | 'none';
    return type === 'none' ? [] : [{ key, type, ttl: facts[2 * i + 1] as number }];
  });
}

/** Keys that are gone give nothing. */
export async function* readKeys(redis: Redis, prefix: string, keys: readonly KnownKey[]): AsyncGenerator<BackupRecord> {
  const first = redis.pipeline();
  for (const { key, type } of keys) ask(first, `${prefix}:${key}`, type, undefined);
  const pages = await replies(first);
  for (const [i, { key: k, type: t, ttl }] of keys.entries()) {
    for (let page = pageOf(t, pages[i]); ;) {
      if (page.v.length > 0) yield { k, t, v: page.v, ...(ttl >= 0 ? { ttl } : {}) };
      if (page.next === undefined) break;
      const more = redis.pipeline();
      ask(more, `${prefix}:${k}`, t, page.next);
      page = pageOf(t, (await replies(more))[0], page.next);
    }
  }
}

/** Members of a sorted set within scores, in pages. */
export async function* readScores(
  redis: Redis,
  prefix: string,
  key: string,
  from: string,
  to: string,
): AsyncGenerator<BackupRecord> {
  for (let offset = 0; ; offset += PAGE) {
    const v = await redis.zrangebyscore(`${prefix}:${key}`, from, to, 'WITHSCORES', 'LIMIT', offset, PAGE);
    if (v.length > 0) yield { k: key, t: 'zset', v };
    if (v.length < 2 * PAGE) return;
  }
}

function ask(pipeline: ChainableCommander, key: string, type: KeyType, from: string | undefined): void {
  if (type === 'string') pipeline.getBuffer(key);
  else if (type === 'hash') pipeline.hscan(key, from ?? '0', 'COUNT', PAGE);
  else if (type === 'set') pipeline.sscan(key, from ?? '0', 'COUNT', PAGE);
  else if (type === 'zset') pipeline.zscan(key, from ?? '0', 'COUNT', PAGE);
  else if (type === 'list') pipeline.lrange(key, Number(from ?? 0), Number(from ?? 0) + PAGE - 1);
  else pipeline.xrange(key, from === undefined ? '-' : `(${from}`, '+', 'COUNT', PAGE);
}

interface Page {
  readonly v: readonly string[];
  readonly next: string | undefined;
}

function pageOf(type: KeyType, reply: unknown, from?: string): Page {
  if (type === 'string') {
    return { v: reply === null ? [] : [(reply as Buffer).toString('base64')], next: undefined };
  }
  if (type === 'list') {
    const v = reply as string[];
    return { v, next: v.length < PAGE ? undefined : String(Number(from ?? 0) + PAGE) };
  }
  if (type === 'stream') {
    const entries = reply as [id: string, flat: string[]][];
    const v = entries.flatMap(([id, flat]) => [id, String(flat.length), ...flat]);
    return { v, next: entries.length < PAGE ? undefined : entries.at(-1)?.[0] };
  }
  const [next, v] = reply as [string, string[]];
  return { v, next: next === '0' ? undefined : next };
}

async function replies(pipeline: ChainableCommander): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
