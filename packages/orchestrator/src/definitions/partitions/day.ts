/** UTC days as text `YYYY-MM-DD`: strict, proleptic Gregorian, no time zones, no clocks. */

import { PartitionKeyInvalidError } from '../errors.ts';

/** `YYYY-MM-DD`, a day that exists, UTC. Compares and sorts as text. */
export type Day = string;

const DAY_MS = 86_400_000;

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  // A day that its month does not have is read as one of the next month.
  return new Date(ms).getUTCDate() === Number(text.slice(8));
}

/** @throws PartitionKeyInvalidError when the text is not a day that exists */
export function parseDay(text: string): Day {
  if (!isDay(text))
    throw new PartitionKeyInvalidError(`Invalid date “${text}”: write a day that exists as YYYY-MM-DD.`);
  return text;
}

/** Days since 1970-01-01. */
export function dayNumber(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY_MS;
}

export function dayFromNumber(number: number): Day {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

export function dayOf(instant: Date): Day {
  return instant.toISOString().slice(0, 10);
}

export function addDays(day: Day, days: number): Day {
  return dayFromNumber(dayNumber(day) + days);
}

/** The first instant of the day. */
export function dayStart(day: Day): Date {
  return new Date(`${day}T00:00:00Z`);
}

/** All days from `from` to `to`, both included; empty when `from` is after `to`. */
export function daysBetween(from: Day, to: Day): Day[] {
  const first = dayNumber(from);
  const count = Math.max(0, dayNumber(to) - first + 1);
  return Array.from({ length: count }, (_, i) => dayFromNumber(first + i));
}
