/** The parts of the demo, in the order in which they are shown. */

import { ducklingEventsPart, ducklingPersonsPart } from './duckling-part.ts';
import { orphanSyncPart } from './orphan-sync-part.ts';
import type { DemoPart } from './part.ts';

export const PARTS: readonly DemoPart[] = [ducklingEventsPart, ducklingPersonsPart, orphanSyncPart];
