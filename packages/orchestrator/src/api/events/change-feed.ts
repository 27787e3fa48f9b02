/**
 * The ledger's event stream, read once a process and handed to every client that listens. A client resumes after the
 * last id that it saw; what the stream no longer holds is answered by `reset`, and the client reads everything anew.
 */

import type { Redis } from 'ioredis';

import type { Json } from '../../definitions/json.ts';
import type { Engine } from '../../engine/engine.ts';

export interface Change {
  /** Of the Redis stream, `<ms>-<n>`. */
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly run_id: string | null;
  readonly facts: Json;
}

type Listener = (change: Change) => void;

export interface ChangeFeed {
  /** From now on; gives what ends it. */
  listen(listener: Listener): () => void;
  /** Changes after `id` that the stream still holds; undefined when it no longer reaches back that far. */
  since(id: string): Promise<Change[] | undefined>;
  /** The newest id, `0-0` when there is none. */
  newest(): Promise<string>;
  readonly listeners: number;
  close(): void;
}

/** More than the stream keeps. */
const REPLAY_LIMIT = 100_000;
const BLOCK_MS = 10_000;
const PAUSE_AFTER_ERROR_MS = 500;

export function createChangeFeed(engine: Engine): ChangeFeed {
  const listeners = new Set<Listener>();
  const { redis, keys } = engine;
  let reader: Redis | undefined;
  let last: string | undefined;
  let closed = false;

  const newest = async () => {
    const [entry] = await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1);
    return entry?.[0] ?? '0-0';
  };
  const loop = async (connection: Redis) => {
    while (!closed && listeners.size > 0) {
      try {
        last ??= await newest();
        const reply = await connection.xread('COUNT', 1_000, 'BLOCK', BLOCK_MS, 'STREAMS', keys.events, last);
        for (const [, entries] of (reply ?? []) as [string, [string, string[]][]][]) {
          for (const entry of entries) {
            last = entry[0];
            const change = toChange(entry);
            for (const listener of [...listeners]) listener(change);
          }
        }
      } catch {
        // Redis is away or the connection was closed: wait, then go on where we were.
        if (!closed) await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
      }
    }
    connection.disconnect();
    if (reader === connection) {
      reader = undefined;
      last = undefined;
    }
  };
  const start = () => {
    if (reader) return;
    // A connection of its own, because a blocking read holds it.
    reader = redis.duplicate({ lazyConnect: false, maxRetriesPerRequest: null });
    reader.on('error', () => {});
    void loop(reader);
  };

  return {
    listen(listener) {
      listeners.add(listener);
      start();
      return () => void listeners.delete(listener);
    },
    async since(id) {
      if (!/^\d{1,20}-\d{1,20}$/.test(id)) return undefined;
      const [first] = await redis.xrange(keys.events, '-', '+', 'COUNT', 1);
      // The stream is trimmed at its head: an id before it may have lost successors.
      if (first !== undefined && isBefore(id, first[0])) return undefined;
      if (isBefore(await newest(), id)) return undefined; // of another ledger
      const entries = await redis.xrange(keys.events, `(${id}`, '+', 'COUNT', REPLAY_LIMIT);
      return entries.map(toChange);
    },
    newest,
    get listeners() {
      return listeners.size;
    },
    close() {
      closed = true;
      listeners.clear();
      reader?.disconnect();
    },
  };
}

/** Compares ids of a Redis stream. */
export function isBefore(a: string, b: string): boolean {
  const [aMs = '0', aSeq = '0'] = a.split('-');
  const [bMs = '0', bSeq = '0'] = b.split('-');
  const [x, y] = [BigInt(aMs), BigInt(bMs)];
  return x === y ? BigInt(aSeq) < BigInt(bSeq) : x < y;
}

function toChange([id, flat]: [string, string[]]): Change {
  const f: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) f[flat[i] ?? ''] = flat[i + 1] ?? '';
  let facts: Json = {};
  try {
    facts = JSON.parse(f.d ?? '{}') as Json;
  } catch {
    facts = {};
  }
  return { id, type: f.t ?? '', at: new Date(Number(f.at ?? 0)).toISOString(), run_id: f.r ?? null, facts };
}
