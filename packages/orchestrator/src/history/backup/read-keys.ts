/** Keys of the ledger as records of a backup, read by type; large keys in pages. Nothing may change meanwhile. */

import type { ChainableCommander, Redis } from 'ioredis';

import type { BackupRecord, KeyType } from './format.ts';

/** Elements in one reply. */
const PAGE = 5_000;

type Facts = readonly [type: string, ttl: number];

/** @param keys without the prefix; those that are gone give nothing */
export async function* readKeys(redis: Redis, prefix: string, keys: readonly string[]): AsyncGenerator<BackupRecord> {
  if (keys.length === 0) return;
  const full = (key: string) => `${prefix}:${key}`;
  const asked = redis.pipeline();
  for (const key of keys) asked.type(full(key)).pttl(full(key));
  const facts = await replies(asked);
  const found = keys.flatMap((key, i): (readonly [string, KeyType, number])[] => {
    const [type, ttl] = [facts[2 * i], facts[2 * i + 1]] as Facts;
    return type === 'none' ? [] : [[key, type as KeyType, ttl]];
  });
  const first = redis.pipeline();
  for (const [key, type] of found) ask(first, full(key), type, undefined);
  const pages = await replies(first);
  for (const [i, [k, t, ttl]] of found.entries()) {
    for (let page = pageOf(t, pages[i]); ;) {
      if (page.v.length > 0) yield { k, t, v: page.v, ...(ttl >= 0 ? { ttl } : {}) };
      if (page.next === undefined) break;
      const more = redis.pipeline();
      ask(more, full(k), t, page.next);
      page = pageOf(t, (await replies(more))[0], page.next);
    }
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
