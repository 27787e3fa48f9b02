/**
 * The cursor of the full sensors and its arithmetic, pure. A pass of one UTC day sweeps over every team's days, again
 * and again from the earliest day that was not settled, until a sweep finds nothing left to do.
 */

import { type Day, addDays, dayNumber } from '@skein/orchestrator';
import { z } from 'zod';

const day = z.iso.date();

export const TeamProgress = z.object({
  first_day: day.nullable().describe('The first day with rows in ClickHouse; null: the team has none.'),
  next_day: day.nullable().describe('The next day to look at; null: this sweep is through with the team.'),
  resume_day: day
    .nullable()
    .default(null)
    .describe('The earliest day of this sweep that was not settled; the next sweep begins there.'),
});
export type TeamProgress = z.output<typeof TeamProgress>;

export const FullBackfillCursor = z.object({
  pass_day: z
    .union([z.literal(''), day])
    .default('')
    .describe('The UTC day of the pass that is under way or complete.'),
  complete: z.boolean().default(false).describe('True: nothing more today, but for new ducklings.'),
  sweep: z.int().min(1).default(1),
  next_team: z.int().positive().nullable().default(null).describe('Whose turn it is.'),
  teams: z.record(z.string().regex(/^[1-9]\d*$/, 'is no team id'), TeamProgress).default({}),
  given_up: z.int().min(0).default(0).describe('Days of this sweep that failed too often.'),
  position: z.string().default('not started').describe('For people: team, next day, what remains.'),
});
export type FullBackfillCursor = z.output<typeof FullBackfillCursor>;

/** The cursor for a tick on `today`: a new day begins a new pass, with every team's first day looked up anew. */
export function beginPass(cursor: FullBackfillCursor, today: Day): FullBackfillCursor {
  if (cursor.pass_day === today) return cursor;
  // Without a pass a person may have set where to begin.
  const teams = cursor.pass_day === '' ? cursor.teams : {};
  return { ...cursor, pass_day: today, complete: false, sweep: 1, next_team: null, given_up: 0, teams };
}

/** Where a team begins: its first day, or nowhere when that is null or after the last day of the pass. */
export function beginTeam(firstDay: Day | null, through: Day): TeamProgress {
  return {
    first_day: firstDay,
    next_day: firstDay !== null && firstDay <= through ? firstDay : null,
    resume_day: null,
  };
}

/** Leaves out teams that are no longer enabled. */
export function keepTeams(cursor: FullBackfillCursor, teamIds: readonly number[]): FullBackfillCursor {
  const teams = Object.fromEntries(teamIds.flatMap((id) => (cursor.teams[id] ? [[id, cursor.teams[id]]] : [])));
  return { ...cursor, teams };
}

/** After a tick: ends the sweep when every team is through, and the pass when nothing was left unsettled. */
export function endTick(cursor: FullBackfillCursor, allTeamsKnown: boolean, through: Day): FullBackfillCursor {
  const all = Object.values(cursor.teams);
  if (!allTeamsKnown || all.some((team) => team.next_day !== null)) return withPosition(cursor, through);
  if (all.every((team) => team.resume_day === null))
    return withPosition({ ...cursor, complete: true, next_team: null }, through);
  const teams = Object.fromEntries(
    Object.entries(cursor.teams).map(([id, team]) => [id, { ...team, next_day: team.resume_day, resume_day: null }]),
  );
  return withPosition({ ...cursor, teams, sweep: cursor.sweep + 1, given_up: 0 }, through);
}

function withPosition(cursor: FullBackfillCursor, through: Day): FullBackfillCursor {
  return { ...cursor, position: describe(cursor, through) };
}

function describe({ complete, teams, next_team, sweep, given_up, pass_day }: FullBackfillCursor, through: Day): string {
  const abandoned = given_up > 0 ? `; ${given_up} days are given up after repeated failures` : '';
  const ids = Object.keys(teams).map(Number);
  if (complete)
    return `every team is complete up to ${through} (${count(ids.length, 'team')}, pass of ${pass_day})${abandoned}`;
  const left = ids.map((id) => [id, daysLeft(teams[id], through)] as const).filter(([, days]) => days > 0);
  const first = left.find(([id]) => id === next_team) ?? left[0];
  if (!first) return `pass of ${pass_day}: looking for the teams’ first days`;
  const total = remainingDays({ teams }, through);
  const again = sweep > 1 ? `, sweep ${sweep} over what was not settled` : '';
  return `team ${first[0]} is next, at ${teams[first[0]]?.next_day}; ${count(total, 'day')} of ${count(left.length, 'team')} remain up to ${through}${again}${abandoned}`;
}

/** Of all teams together, that this sweep has not looked at. */
export function remainingDays({ teams }: Pick<FullBackfillCursor, 'teams'>, through: Day): number {
  return Object.values(teams).reduce((sum, team) => sum + daysLeft(team, through), 0);
}

function daysLeft(team: TeamProgress | undefined, through: Day): number {
  const next = team?.next_day ?? null;
  return next === null ? 0 : dayNumber(through) - dayNumber(next) + 1;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** The full sensors own every day before yesterday; yesterday is the daily sensors'. */
export function lastDayOfPass(today: Day): Day {
  return addDays(today, -2);
}
