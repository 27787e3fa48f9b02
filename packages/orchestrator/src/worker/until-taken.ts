/**
 * Asking the ledger until it takes what is written. Redis that is full, restarting or not the primary now refuses for a
 * while; what user code has made must neither be thrown away for that nor count as its failure.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import { LeaseLostError } from '../definitions/errors.ts';
import { redisIsAway } from '../store/redis.ts';

const AGAIN_MS = 250;

/**
 * Repeats only what is safe to repeat: the answer to the first may have been lost after it was written.
 * @param signal of the lease; without it nothing may be written any more
 * @param leaseMs how long after the first refusal nobody may go on, because the lease has ended by then
 * @throws LeaseLostError when the lease ends first
 */
export async function untilTaken<T>(signal: AbortSignal, leaseMs: number, ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + leaseMs;
  for (;;) {
    if (signal.reason instanceof LeaseLostError) throw signal.reason;
    try {
      return await ask();
    } catch (error) {
      if (!redisIsAway(error)) throw error;
      if (performance.now() > until)
        throw new LeaseLostError('The ledger took nothing until the lease of this attempt had ended.');
    }
    await sleep(AGAIN_MS);
  }
}
