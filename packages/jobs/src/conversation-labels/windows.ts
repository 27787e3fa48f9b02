/**
 * Windows of time, pure: which half-open intervals [start, end) a run labels, which UTC days they touch, and which days
 * they cover completely. Ends are milliseconds since 1970; days are partition keys' days.
 */

import { type Day, addDays, dayOf, dayStart } from '@skein/orchestrator';

export interface Window {
  readonly startMs: number;
  /** Not included. */
  readonly endMs: number;
}

const DAY_MS = 86_400_000;

/** Adjoining days become one window. Days may come in any order, twice too. */
export function windowsOfDays(days: readonly Day[]): Window[] {
  const windows: Window[] = [];
  for (const day of [...new Set(days)].sort()) {
    const startMs = dayStart(day).getTime();
    const last = windows.at(-1);
    if (last?.endMs === startMs) windows[windows.length - 1] = { startMs: last.startMs, endMs: startMs + DAY_MS };
    else windows.push({ startMs, endMs: startMs + DAY_MS });
  }
  return windows;
}

/** The parts of the windows that lie inside `limit`; empty parts are left out. */
export function intersect(windows: readonly Window[], limit: Window): Window[] {
  return windows
    .map((w) => ({ startMs: Math.max(w.startMs, limit.startMs), endMs: Math.min(w.endMs, limit.endMs) }))
    .filter((w) => w.startMs < w.endMs);
}

/** The UTC days that the windows touch, in order. */
export function daysOf(windows: readonly Window[]): Day[] {
  const days = new Set<Day>();
  for (const { startMs, endMs } of windows) {
    for (let day = dayOf(new Date(startMs)); dayStart(day).getTime() < endMs; day = addDays(day, 1)) days.add(day);
  }
  return [...days].sort();
}

/** True when the windows hold the whole day. */
export function coversDay(windows: readonly Window[], day: Day): boolean {
  const startMs = dayStart(day).getTime();
  return windows.some((w) => w.startMs <= startMs && w.endMs >= startMs + DAY_MS);
}

/** The window cut at midnights and into pieces of at most `pieceMs`, in order; at most `limit` of them. */
export function cutWindow(window: Window, pieceMs: number, limit: number): Window[] {
  const pieces: Window[] = [];
  let startMs = window.startMs;
  while (startMs < window.endMs && pieces.length < limit) {
    const midnight = dayStart(addDays(dayOf(new Date(startMs)), 1)).getTime();
    const endMs = Math.min(startMs + pieceMs, midnight, window.endMs);
    pieces.push({ startMs, endMs });
    startMs = endMs;
  }
  return pieces;
}

/** `2026-02-10T01:50:00.000Z` */
export function instantText(ms: number): string {
  return new Date(ms).toISOString();
}

/** As ClickHouse takes a DateTime64(3, 'UTC') parameter: the literal with `T` and `Z` it refuses (error 53). */
export function clickhouseTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}
