/** How fast a backfill goes, and what of it is drawn over time. Pure. */

import type { Backfill, BackfillPace } from '../api/generated/client.ts';

export const isLive = (status: string) => ['REQUESTED', 'IN_PROGRESS', 'PAUSED'].includes(status);

export interface Speed {
  readonly done: number;
  readonly left: number;
  readonly perMinute: number;
  /** Until it is done at this speed; undefined when it has ended or does not move. */
  readonly leftMs: number | undefined;
}

export function speedOf(backfill: Backfill, now: number): Speed {
  const { succeeded, failed, canceled, total, passed } = backfill;
  const done = succeeded + failed + canceled;
  const end = backfill.ended_at === null ? now : Date.parse(backfill.ended_at);
  const minutes = (end - Date.parse(backfill.created_at)) / 60_000;
  const perMinute = minutes > 0 ? done / minutes : 0;
  const left = Math.max(0, total - passed - done);
  const moves = isLive(backfill.status) && backfill.status !== 'PAUSED' && perMinute > 0;
  return { done, left, perMinute, leftMs: moves ? (left / perMinute) * 60_000 : undefined };
}

export interface Bar {
  readonly from: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  /** Ended by the end of the bar. */
  readonly sum: number;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440, 10_080];
const MOST_BARS = 120;

/** Bars of one width from the beginning to an end, also those in which nothing ended. */
export function barsOf(
  pace: readonly BackfillPace[],
  from: number,
  to: number,
): { readonly minutes: number; readonly bars: readonly Bar[] } {
  const finest = Math.max(1, ...pace.map(({ minutes }) => minutes));
  const span = Math.max(1, Math.ceil((to - from) / 60_000));
  const minutes = STEPS.find((step) => step >= finest && span / step <= MOST_BARS) ?? Math.ceil(span / MOST_BARS);
  const count = Math.max(1, Math.ceil(span / minutes));
  const bars = Array.from({ length: count }, (_, i) => ({
    ...{ from: from + i * minutes * 60_000, succeeded: 0, failed: 0, canceled: 0, sum: 0 },
  }));
  for (const one of pace) {
    const at = Math.floor((Date.parse(one.from) - from) / 60_000 / minutes);
    const bar = bars[Math.min(Math.max(at, 0), count - 1)];
    if (bar === undefined) continue;
    bar.succeeded += one.succeeded;
    bar.failed += one.failed;
    bar.canceled += one.canceled;
  }
  let sum = 0;
  for (const bar of bars) bar.sum = sum += bar.succeeded + bar.failed + bar.canceled;
  return { minutes, bars };
}
