/**
 * A worker of some pools only. Bells ring for everybody, so it hears none: it looks at what is sent in its pools and
 * nobody has begun, as often as it has a slot free, and begins that. Whoever begins an attempt first has it, so it may
 * share its pools with workers that take everything.
 */

import { unitOf } from '../engine/attempt.ts';
import type { Engine } from '../engine/engine.ts';

/** How soon something new is seen. */
const LOOK_EVERY_MS = 200;
/** After an attempt has ended: what it found taken or cancelled ends at once, and must not be looked for without a pause. */
const LOOK_AGAIN_MS = 10;

export interface PoolPuller {
  /** Takes nothing new; resolves when what it has taken has ended. */
  close(): Promise<void>;
}

/** @param execute never throws */
export function pullFrom(
  engine: Engine,
  pools: readonly string[],
  slots: number,
  execute: (attempt: string) => Promise<void>,
  onError: (error: unknown) => void,
): PoolPuller {
  const running = new Map<string, Promise<void>>();
  let stopped = false;
  let wake = () => {};
  const take = (attempt: string) => {
    const work = execute(attempt).finally(() => {
      running.delete(attempt);
      wake();
    });
    running.set(attempt, work);
  };
  const loop = (async () => {
    while (!stopped) {
      try {
        if (running.size < slots) {
          const waiting = (await waitingIn(engine, pools)).filter((attempt) => !running.has(attempt));
          const ours = stopped ? [] : waiting.slice(0, slots - running.size);
          // Nobody settles its way to these any more.
          if (ours.length > 0) await engine.redis.zrem(engine.keys.ready, ...ours);
          ours.forEach(take);
        }
      } catch (error) {
        if (!stopped) onError(error);
      }
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          setTimeout(resolve, LOOK_AGAIN_MS);
        };
      });
      if (!stopped) await woken;
    }
  })();
  return {
    async close() {
      stopped = true;
      wake();
      await loop;
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

/** Attempts that are sent and not begun, in these pools: by priority, then by age. A pool's limit bounds how many. */
async function waitingIn({ redis, keys }: Engine, pools: readonly string[]): Promise<string[]> {
  const pipeline = redis.pipeline();
  for (const pool of pools) pipeline.zinter(2, keys.outbox, keys.pool(pool), 'WEIGHTS', 1, 0, 'WITHSCORES');
  const replies = ((await pipeline.exec()) ?? []).flatMap(([error, flat]) => {
    if (error) throw error;
    return flat as string[];
  });
  if (replies.length === 0) return [];
  const waiting = Array.from({ length: replies.length / 2 }, (_, i) => ({
    attempt: replies[2 * i] ?? '',
    at: Number(replies[2 * i + 1]),
    priority: 0,
  }));
  const priorities = redis.pipeline();
  for (const { attempt } of waiting) priorities.hget(keys.unit(unitOf(attempt)), 'prio');
  ((await priorities.exec()) ?? []).forEach(([, priority], i) => {
    const one = waiting[i];
    if (one) one.priority = Number(priority ?? 0);
  });
  return waiting.sort((a, b) => b.priority - a.priority || a.at - b.at).map(({ attempt }) => attempt);
}
