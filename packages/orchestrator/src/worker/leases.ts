/**
 * The leases of one worker: renewed together, watched on the worker's own monotonic clock. An attempt whose renewal is
 * not confirmed in time is aborted here, before its lease ends in the ledger, so that a worker that is cut off stops
 * its effects before another takes over.
 */

import { CancelledError, LeaseLostError } from '../definitions/errors.ts';
import { type Attempt, type Renewal, renewLeases } from '../engine/attempt.ts';
import type { Engine } from '../engine/engine.ts';

export interface Lease {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  release(): void;
}

export interface LeaseKeeper {
  /** @param askedAt when the ledger was asked for it, by `performance.now()`: its answer may have been long under way */
  take(attempt: Attempt, askedAt: number): Lease;
  /** Aborts every attempt of this worker with this reason, and those that it takes from now on. */
  abortAll(reason: unknown): void;
  stop(): void;
}

/** A fifth of the lease is kept as the margin between our own stop and the ledger's. */
const MARGIN = 0.2;
/** Cancellation is looked for this often; the promise is two seconds. */
const WATCH_MS = 1_000;

interface Held {
  readonly attempt: Attempt;
  readonly controller: AbortController;
  confirmedAt: number;
}

export function createLeaseKeeper(engine: Engine): LeaseKeeper {
  const held = new Map<string, Held>();
  const { leaseMs, renewMs } = engine.settings;
  let lastRenewal = performance.now();
  let renewing = false;
  let ended: { readonly reason: unknown } | undefined;

  const renew = async () => {
    const mine = [...held.values()];
    if (renewing || mine.length === 0) return;
    renewing = true;
    const asked = performance.now();
    try {
      const replies = await renewLeases(
        engine,
        mine.map((one) => one.attempt),
      );
      mine.forEach((one, i) => apply(one, replies[i] ?? 'lost', asked));
      lastRenewal = asked;
    } catch {
      // Redis is away; the watch below stops what is not confirmed in time.
    } finally {
      renewing = false;
    }
  };
  const apply = (one: Held, reply: Renewal, asked: number) => {
    if (reply === 'lost')
      one.controller.abort(new LeaseLostError('The lease of this attempt was lost; another attempt has taken over.'));
    else one.confirmedAt = asked;
    if (reply === 'cancel') one.controller.abort(new CancelledError('The run was cancelled.'));
  };
  const stopIfLate = (one: Held, now: number) => {
    if (now - one.confirmedAt > leaseMs * (1 - MARGIN)) {
      one.controller.abort(
        new LeaseLostError('The ledger did not confirm the lease in time; this worker stopped by itself.'),
      );
    }
  };
  const watch = () => {
    const now = performance.now();
    for (const one of held.values()) {
      stopIfLate(one, now);
    }
    if (now - lastRenewal >= renewMs) void renew();
    else void lookForCancellation();
  };
  const lookForCancellation = async () => {
    const mine = [...held.values()].filter((one) => !one.controller.signal.aborted);
    if (mine.length === 0) return;
    try {
      const flags = await engine.redis.smismember(engine.keys.cancelling, ...mine.map((one) => one.attempt.id));
      mine.forEach((one, i) => {
        if (flags[i] === 1) one.controller.abort(new CancelledError('The run was cancelled.'));
      });
    } catch {
      // The next look, or the renewal, will find it.
    }
  };
  const timer = setInterval(watch, Math.min(WATCH_MS, renewMs / 2));

  return {
    take(attempt, askedAt) {
      const controller = new AbortController();
      const one = { attempt, controller, confirmedAt: askedAt };
      held.set(attempt.id, one);
      stopIfLate(one, performance.now());
      if (ended) controller.abort(ended.reason);
      return {
        signal: controller.signal,
        abort: (reason) => controller.abort(reason),
        release: () => void held.delete(attempt.id),
      };
    },
    abortAll(reason) {
      ended = { reason };
      for (const one of held.values()) one.controller.abort(reason);
    },
    stop() {
      clearInterval(timer);
    },
  };
}
