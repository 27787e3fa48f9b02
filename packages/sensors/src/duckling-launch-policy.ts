/**
 * When a duckling's partition is launched, and when again: what failed, was cancelled or was lost is tried again after
 * a growing wait, a bounded number of times; what is queued or running is left alone.
 */

import type { LastRun, PartitionStatus } from '@skein/orchestrator';

/** `launch` now, `wait` for a later tick, `done` for good, `given_up` until a person runs it. */
export type LaunchDecision = 'launch' | 'active' | 'wait' | 'done' | 'given_up';

/** Launches in a row without success before the sensors stop; each launch has attempts of its own besides. */
const MAX_LAUNCHES = 5;
const FIRST_WAIT_MS = 5 * 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;

export function decideLaunch(
  status: PartitionStatus | undefined,
  last: LastRun | undefined,
  now: Date,
): LaunchDecision {
  if (status !== undefined && status.activity !== 'idle') return 'active';
  if (status?.outcome === 'materialized' || status?.outcome === 'skipped') return 'done';
  if (last === undefined || last.failures === 0) return 'launch';
  if (last.endedAt === undefined) return 'active';
  if (last.failures >= MAX_LAUNCHES) return 'given_up';
  return now.getTime() >= last.endedAt.getTime() + waitMs(last.failures) ? 'launch' : 'wait';
}

/** After `failures` unsuccessful launches in a row: 5, 10, 20, 40 minutes … */
function waitMs(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
}
