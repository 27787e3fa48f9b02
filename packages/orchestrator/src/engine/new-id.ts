/** Ids of runs and backfills: ULIDs that also sort within one millisecond of one process. */

import { monotonicFactory } from 'ulid';

/** Monotonic on purpose: it also draws its random part once a millisecond instead of sixteen times an id. */
const next = monotonicFactory();

export function newId(): string {
  return next();
}
