/** The parts of the demo, in the order in which they are shown. */

import { ducklingEventsPart, ducklingPersonsPart } from './duckling-part.ts';
import { labelsPart } from './labels-part.ts';
import { orphanSyncPart } from './orphan-sync-part.ts';
import type { DemoPart } from './part.ts';
import { rawEventsPart } from './raw-events-part.ts';
import { reconciliationPart } from './reconciliation-part.ts';

export const PARTS: readonly DemoPart[] = [
  ducklingEventsPart,
  ducklingPersonsPart,
  orphanSyncPart,
  reconciliationPart,
  rawEventsPart,
  labelsPart,
];
