/** Faults by chance that can be repeated: one seed makes the whole sequence, and a failure names it. */

import { randomInt } from 'node:crypto';

export interface Random {
  readonly seed: number;
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  /** The time that one attack may take, SKEIN_CHAOS_MINUTES, is over: it ends with what it has done, and says how much. */
  timeIsUp(): boolean;
}

/** Mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const ends = performance.now() + Number(process.env.SKEIN_CHAOS_MINUTES ?? Infinity) * 60_000;
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    seed,
    next,
    timeIsUp: () => performance.now() > ends,
    whole,
    pick: <T>(items: readonly T[]) => {
      const item = items[whole(0, items.length - 1)];
      if (item === undefined) throw new RangeError('There is nothing to pick from.');
      return item;
    },
  };
}

/** Runs an attack with SKEIN_CHAOS_SEED, or a new seed; a failure says how to have the same faults again. */
export async function attack(work: (random: Random) => Promise<void>): Promise<void> {
  const random = createRandom(Number(process.env.SKEIN_CHAOS_SEED ?? randomInt(2 ** 31)));
  try {
    await work(random);
  } catch (error) {
    if (error instanceof Error) error.message = `SKEIN_CHAOS_SEED=${random.seed} repeats this: ${error.message}`;
    throw error;
  }
}

/** How often an attack strikes: its share in `npm test`, or what SKEIN_CHAOS_<NAME> says, as `npm run chaos` does. */
export function strikes(name: string, short: number): number {
  return Number(process.env[`SKEIN_CHAOS_${name}`] ?? short);
}
