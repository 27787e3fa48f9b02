/** How many of a set of partitions are in which state: for progress over a selection. */

import { lookUp } from '../../definitions/deployment.ts';
import type { Engine } from '../engine.ts';
import { readStatuses } from '../partition-reader.ts';

export interface SelectionCounts {
  readonly materialized: number;
  readonly failed: number;
  readonly skipped: number;
  readonly missing: number;
  /** Queued, running or cancelling, whatever their last outcome. */
  readonly active: number;
}

export async function countPartitions(
  engine: Engine,
  asset: string,
  keys: readonly string[],
): Promise<SelectionCounts> {
  const counts = { materialized: 0, failed: 0, skipped: 0, missing: 0, active: 0 };
  for (const state of (await readStatuses(engine, lookUp('asset', engine.deployment.assets, asset), keys)).values()) {
    if (state.activity !== 'idle') counts.active++;
    else counts[state.outcome]++;
  }
  return counts;
}
