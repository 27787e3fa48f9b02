/** Counters of the original, and the invariant between them: found = published + dropped + errors + failed. Pure. */

import type { Json } from '@skein/orchestrator';

import type { DropReason } from './transform.ts';

interface Counters {
  readonly total_events_found: number;
  readonly total_events_published: number;
  readonly total_events_dropped: number;
  readonly total_transformation_errors: number;
  readonly total_events_failed: number;
  /** Pages that held rows. */
  readonly processed_batches: number;
}

/** What a day, or a page of it, came to. */
export interface Tally {
  readonly counters: Counters;
  readonly dropReasons: Readonly<Partial<Record<DropReason, number>>>;
  /** A few raw event ids of each reason, to look at. */
  readonly dropExamples: Readonly<Partial<Record<DropReason, readonly string[]>>>;
}

const EXAMPLES = 5;

export const NOTHING: Tally = {
  counters: {
    total_events_found: 0,
    total_events_published: 0,
    total_events_dropped: 0,
    total_transformation_errors: 0,
    total_events_failed: 0,
    processed_batches: 0,
  },
  dropReasons: {},
  dropExamples: {},
};

export function addTallies(a: Tally, b: Tally): Tally {
  const dropReasons: Partial<Record<DropReason, number>> = { ...a.dropReasons };
  const dropExamples: Partial<Record<DropReason, readonly string[]>> = { ...a.dropExamples };
  for (const [reason, count] of Object.entries(b.dropReasons) as [DropReason, number][]) {
    dropReasons[reason] = (dropReasons[reason] ?? 0) + count;
    dropExamples[reason] = [...(dropExamples[reason] ?? []), ...(b.dropExamples[reason] ?? [])].slice(0, EXAMPLES);
  }
  const x = a.counters;
  const y = b.counters;
  return {
    counters: {
      total_events_found: x.total_events_found + y.total_events_found,
      total_events_published: x.total_events_published + y.total_events_published,
      total_events_dropped: x.total_events_dropped + y.total_events_dropped,
      total_transformation_errors: x.total_transformation_errors + y.total_transformation_errors,
      total_events_failed: x.total_events_failed + y.total_events_failed,
      processed_batches: x.processed_batches + y.processed_batches,
    },
    dropReasons,
    dropExamples,
  };
}

/** Two decimals as text; `0.00` when nothing was found. */
function successRatePercent({ total_events_found: found, total_events_published: published }: Counters): string {
  return found === 0 ? '0.00' : ((published / found) * 100).toFixed(2);
}

/** For a partition's or a run's metadata. */
export function asMetadata({ counters, dropReasons, dropExamples }: Tally): { readonly [key: string]: Json } {
  return {
    ...counters,
    success_rate_percent: successRatePercent(counters),
    drop_reasons: { ...dropReasons },
    drop_examples: Object.fromEntries(Object.entries(dropExamples).map(([reason, ids]) => [reason, [...ids]])),
  };
}
