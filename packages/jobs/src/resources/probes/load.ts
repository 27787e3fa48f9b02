/**
 * From measures of a destination to how many may work on it: half of what a measure may be leaves the pool whole, from
 * there it shrinks evenly, and at the whole it is at its least. The fullest measure decides, and is the reason. Pure.
 */

import type { ProbeVerdict } from '@skein/orchestrator';

export interface Measure {
  /** For people: `parts of a partition`. */
  readonly what: string;
  readonly value: number;
  /** At which the destination must be spared. */
  readonly full: number;
}

const UNTOUCHED = 0.5;

export function limitFor(
  measures: readonly Measure[],
  bounds: { readonly min: number; readonly max: number },
): ProbeVerdict {
  const known = measures.filter(({ full }) => full > 0);
  const [fullest] = [...known].sort((a, b) => b.value / b.full - a.value / a.full);
  if (fullest === undefined) return { limit: bounds.max, reason: 'nothing was measured' };
  const load = fullest.value / fullest.full;
  const share = Math.min(1, Math.max(0, (1 - load) / (1 - UNTOUCHED)));
  return {
    limit: bounds.min + Math.floor(share * (bounds.max - bounds.min)),
    reason: `${fullest.what}: ${plain(fullest.value)} of ${plain(fullest.full)}`,
  };
}

function plain(n: number): string {
  return (Number.isInteger(n) ? n : Math.round(n * 100) / 100).toLocaleString('en-US');
}
