/** Faults by chance that can be repeated: one seed makes the whole sequence, and a failure names it. */

import { randomInt } from 'node:crypto';

export interface Random {
  readonly seed: number;
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
  /** One to `most` of them. */
  some<T>(items: readonly T[], most: number): T[];
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
  const pick = <T>(items: readonly T[]) => {
    const item = items[whole(0, items.length - 1)];
    if (item === undefined) throw new RangeError('There is nothing to pick from.');
    return item;
  };
  const shuffled = <T>(items: readonly T[]) => {
    const left = [...items];
    return items.map(() => left.splice(whole(0, left.length - 1), 1)).flat();
  };
  const some = <T>(items: readonly T[], most: number) => shuffled(items).slice(0, whole(1, most));
  return { seed, next, timeIsUp: () => performance.now() > ends, whole, pick, shuffled, some };
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

const NO_END_MS = 24 * 3_600_000;

/**
 * An attack as a test. Most of the time it waits, for leases to end and for processes to start: in `npm test` those of a
 * file are at work at once. In the long form each is alone, for time is part of what is judged there.
 */
export function testAttack(name: string, work: (random: Random) => Promise<void>): void {
  const declare = process.env.SKEIN_CHAOS_ALONE === '1' ? test : test.concurrent;
  declare(name, () => attack(work), NO_END_MS);
}

/**
 * Has `hands` do it side by side, until it was done so often or the time is up; `work` is told the how manieth it is and
 * whose. Gives how often it was done.
 */
export async function shareOut(
  random: Random,
  times: number,
  hands: number,
  work: (nth: number, hand: number) => Promise<void>,
): Promise<number> {
  let begun = 0;
  const one = async (hand: number) => {
    while (begun < times && !random.timeIsUp()) await work(begun++, hand);
  };
  await Promise.all(Array.from({ length: hands }, (_, hand) => one(hand)));
  return begun;
}

/** Shares them out among so many attacks of which each has its own system, and adds up how often they struck. */
export async function sideBySide(
  times: number,
  systems: number,
  one: (share: number) => Promise<number>,
): Promise<number> {
  const shares = Array.from({ length: systems }, (_, i) => Math.floor((times + i) / systems)).filter(
    (share) => share > 0,
  );
  return (await Promise.all(shares.map(one))).reduce((sum, struck) => sum + struck, 0);
}

/** How often an attack strikes: its share in `npm test`, or what SKEIN_CHAOS_<NAME> says, as `npm run chaos` does. */
export function strikes(name: string, short: number): number {
  return Number(process.env[`SKEIN_CHAOS_${name}`] ?? short);
}
