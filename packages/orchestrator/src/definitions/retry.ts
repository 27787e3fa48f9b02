/** Retry policies: how many attempts, and how long to wait between them. Pure; jitter is given by the caller. */

import { type Duration, parseDurationMs } from './duration.ts';

export interface RetryPolicy {
  /** All attempts, the first included; ≥ 1. */
  readonly attempts: number;
  readonly backoff: Backoff;
}

export interface Backoff {
  readonly kind: 'fixed' | 'exponential';
  readonly baseMs: number;
  readonly maxMs: number;
}

export const NO_RETRY: RetryPolicy = { attempts: 1, backoff: { kind: 'fixed', baseMs: 0, maxMs: 0 } };

export function fixed(wait: Duration): Backoff {
  const ms = parseDurationMs(wait);
  return { kind: 'fixed', baseMs: ms, maxMs: ms };
}

/** Doubles with every attempt, up to `max` (default ten times the base). */
export function exponential(base: Duration, options: { readonly max?: Duration } = {}): Backoff {
  const baseMs = parseDurationMs(base);
  return { kind: 'exponential', baseMs, maxMs: options.max ? parseDurationMs(options.max) : baseMs * 10 };
}

/** Wait before attempt `next` (2 = the first retry), in milliseconds. */
export function backoffMs(backoff: Backoff, next: number): number {
  if (backoff.kind === 'fixed') return backoff.baseMs;
  return Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.max(0, next - 2));
}
