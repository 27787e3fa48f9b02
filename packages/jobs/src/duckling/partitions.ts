/** Partitions of the duckling assets, `<team_id>_<YYYY-MM-DD>`, and where a partition's objects lie. */

import { type Day, addDays, dayOf } from '@skein/orchestrator';

import type { TeamDay } from '../team-days.ts';

/** The last UTC day that is over. */
export function lastCompleteDay(now: Date): Day {
  return addDays(dayOf(now), -1);
}

/** The half-open UTC range of a day as ClickHouse and DuckDB read it. */
export function dayRange(day: Day): { readonly from: string; readonly to: string } {
  return { from: `${day} 00:00:00.000000`, to: `${addDays(day, 1)} 00:00:00.000000` };
}

/** Where the objects of a team lie in its bucket. */
export function teamPrefix(dataset: string, teamId: number): string {
  return `backfill/${dataset}/team_id=${teamId}/`;
}

export function dayPrefix(dataset: string, { id, day }: TeamDay): string {
  const [year, month, date] = day.split('-');
  return `${teamPrefix(dataset, id)}year=${year}/month=${month}/day=${date}/`;
}

/**
 * The key of one attempt's object. A path is never used twice: DuckLake refers to objects by path, and a registered one
 * that is overwritten can no longer be read.
 * @param attempt 1 for the first attempt of the run, which has no suffix
 */
export function objectKey(dataset: string, partition: TeamDay, runId: string, attempt: number): string {
  return `${dayPrefix(dataset, partition)}${runId}${attempt > 1 ? `-${attempt}` : ''}.parquet`;
}

/** The run and attempt of a file name made by `objectKey`. */
export function parseObjectName(path: string): { readonly runId: string; readonly attempt: number } | undefined {
  const match = /([^/]+?)(?:-(\d+))?\.parquet$/.exec(path);
  return match?.[1] === undefined
    ? undefined
    : { runId: match[1], attempt: match[2] === undefined ? 1 : Number(match[2]) };
}
