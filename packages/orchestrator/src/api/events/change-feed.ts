/**
 * The ledger's event stream, read once a process and handed to every client that listens. A client resumes after the
 * last id that it saw; what the stream no longer holds is answered by `reset`, and the client reads everything anew.
 */

import type { Redis } from 'ioredis';

import type { Json } from '../../definitions/json.ts';
import type { Engine } from '../../engine/engine.ts';
import { endConnection } from '../../store/redis.ts';

export interface Change {
  /** Of the Redis stream, `<ms>-<n>`. */
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly run_id: string | null;
  readonly facts: Json;
}

/**
 * Told what came, oldest first: the same array for every listener, so that what is made of it is made once. Told `lost`
 * when changes fell out of the stream before this process could read them.
 */
type Listener = (news: readonly Change[] | 'lost') => void;

export interface ChangeFeed {
  /** From when `ready` resolves on; gives what ends it. */
  listen(listener: Listener): () => void;
  /** Until then the reader may not have its place yet: what is read of the past before would leave a gap. */
  ready(): Promise<void>;
  /**
   * Changes after `id`; undefined when they are too many to be told, or nobody knows them all any more. Whoever asks for
   * the same is given the same array.
   */
  since(id: string): Promise<readonly Change[] | undefined>;
  /** The newest id, `0-0` when there is none. */
  newest(): Promise<string>;
  readonly listeners: number;
  close(): void;
}

/**
 * Whoever missed more reads everything anew, which is less. So many are kept in memory, because clients come back all at
 * once when a server was replaced, and each would read the same again.
 */
const REPLAY_LIMIT = 2_000;
const BATCH = 1_000;
const BLOCK_MS = 10_000;
const PAUSE_AFTER_ERROR_MS = 500;
/**
 * Telling all listeners costs a write to each, however little is told: the more there are, the longer changes gather
 * first. 500 wait a tenth of a second at most, a few nothing that anyone would notice.
 */
const GATHER_MS_A_LISTENER = 0.2;
/** So many are told at once; then requests have their turn. */
const TELL_AT_ONCE = 50;

export function createChangeFeed(engine: Engine): ChangeFeed {
  const listeners = new Set<Listener>();
  const { redis, keys } = engine;
  let reader: Redis | undefined;
  let last: string | undefined;
  let placing: Promise<void> | undefined;
  let closed = false;

  const newest = async () => {
    const [entry] = await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1);
    return entry?.[0] ?? '0-0';
  };
  /** The newest changes, all of those after `reachesBack`. */
  let recent: Change[] = [];
  let reachesBack = '0-0';
  /** What was asked for since the last change, by id: after a server was replaced all come back at once. */
  const asked = new Map<string, readonly Change[]>();
  const place = async () => {
    const entries = await redis.xrevrange(keys.events, '+', '-', 'COUNT', REPLAY_LIMIT + 1);
    const [first, ...rest] = entries.reverse().map(toChange);
    // The stream is trimmed at its head: what came before its first entry may be gone.
    reachesBack = first?.id ?? '0-0';
    recent = rest;
    asked.clear();
    last = recent.at(-1)?.id ?? reachesBack;
  };
  const ready = () =>
    (placing ??= place().catch((error: unknown) => {
      placing = undefined;
      throw error;
    }));
  const remember = (news: readonly Change[]) => {
    recent.push(...news);
    const gone = recent.splice(0, recent.length - REPLAY_LIMIT);
    reachesBack = gone.at(-1)?.id ?? reachesBack;
    asked.clear();
  };
  const tell = (news: readonly Change[] | 'lost') => {
    for (const listener of [...listeners]) listener(news);
  };
  /** Whether what came after `from` may have been trimmed before it was read, by a process that had no turn for long. */
  const mayHaveLost = async (from: string) => {
    if (from === '0-0') return false;
    const [first] = await redis.xrange(keys.events, '-', '+', 'COUNT', 1);
    return first !== undefined && isBefore(from, first[0]);
  };
  const loop = async (connection: Redis) => {
    while (!closed && listeners.size > 0) {
      try {
        await ready();
        const from = last ?? '0-0';
        const reply = await connection.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', keys.events, from);
        if (reply === null) continue;
        if (await mayHaveLost(from)) {
          placing = undefined;
          await ready();
          tell('lost');
          continue;
        }
        const [[, entries]] = reply as [[string, [string, string[]][]]];
        for (let at = 0; at < entries.length; at += TELL_AT_ONCE) {
          const news = entries.slice(at, at + TELL_AT_ONCE).map(toChange);
          last = news.at(-1)?.id ?? last;
          remember(news);
          tell(news);
          await turn();
        }
        if (entries.length < BATCH) await turn(GATHER_MS_A_LISTENER * listeners.size);
      } catch {
        // Redis is away or the connection was closed: wait, then go on where we were.
        if (!closed) await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
      }
    }
    endConnection(connection);
    if (reader === connection) {
      reader = undefined;
      last = undefined;
      placing = undefined;
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
      if (!/^\d{1,19}-\d{1,19}$/.test(id)) return undefined;
      if (isBefore(await newest(), id)) return undefined; // of another ledger
      await ready();
      if (isBefore(id, reachesBack)) return undefined;
      const missed = asked.get(id) ?? recent.slice(recent.findLastIndex((change) => !isBefore(id, change.id)) + 1);
      asked.set(id, missed);
      return missed;
    },
    ready,
    newest,
    get listeners() {
      return listeners.size;
    },
    close() {
      closed = true;
      listeners.clear();
      if (reader) endConnection(reader);
    },
  };
}

/** Lets others have their turn, and gathers for so long. */
function turn(ms = 0): Promise<void> {
  return new Promise((resolve) => (ms < 1 ? setImmediate(resolve) : setTimeout(resolve, ms)));
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
