/** The config of a reconciliation run, with the names and defaults that its operators know, and its bug window. */

import { ConfigInvalidError, type Day, type IdDay } from '@skein/orchestrator';
import { z } from 'zod';

import { teamDays } from '../team-days.ts';

const SECOND_MS = 1_000;

/** `YYYY-MM-DD HH:MM:SS` in UTC, a moment that exists; anything else gives undefined. */
export function parseMoment(text: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)) return undefined;
  const date = new Date(`${text.replace(' ', 'T')}Z`);
  return Number.isNaN(date.getTime()) || formatMoment(date) !== text ? undefined : date;
}

/** Whole seconds; a fraction is cut off. */
export function formatMoment(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

const moment = (field: string) =>
  z
    .string({ error: `${field} must be text, YYYY-MM-DD HH:MM:SS in UTC` })
    .refine((text) => parseMoment(text) !== undefined, {
      error: `${field} must be a moment that exists, written YYYY-MM-DD HH:MM:SS (UTC)`,
    });

const teamId = z.int().positive().max(2_147_483_647);

export const ReconciliationConfig = z
  .strictObject({
    bug_window_start: moment('bug_window_start').describe('Start of the bug window, YYYY-MM-DD HH:MM:SS, UTC'),
    bug_window_end: moment('bug_window_end')
      .nullable()
      .default(null)
      .describe('End of the bug window; needed without team_ids and in windowed mode'),
    team_ids: z.array(teamId).nullable().default(null).describe('Exactly these teams'),
    min_team_id: z.int().min(0).nullable().default(null).describe('Lowest team that discovery takes'),
    max_team_id: z.int().min(0).nullable().default(null).describe('Highest team that discovery takes'),
    exclude_team_ids: z.array(teamId).nullable().default(null).describe('Teams to leave out'),
    dry_run: z.boolean().default(false).describe('Say what would change, and write nothing'),
    backup_enabled: z.boolean().default(true).describe('Keep the state before and after in the backup table'),
    batch_size: z.int().max(100_000).default(100).describe('Persons a transaction; 0 = one transaction'),
    teams_per_chunk: z.int().max(1_000).default(100).describe('Teams a task'),
    team_ch_props_fetch_window_seconds: z
      .int()
      .default(0)
      .describe('0 = one query a team; more = windows of that many seconds'),
    person_batch_size: z.int().min(1).max(1_000_000).default(10_000).describe('Persons a slice in windowed mode'),
    max_concurrent_tasks: z.int().min(1).max(100).default(10).describe('Tasks at once, over all workers'),
    repair_missing_keys: z.boolean().default(false).describe('Also repair a $set of a key that the person lacks'),
  })
  .check((context) => {
    const config = context.value;
    const problem = (field: string, message: string) =>
      void context.issues.push({ code: 'custom', input: config, path: [field], message });
    const start = parseMoment(config.bug_window_start);
    const end = config.bug_window_end === null ? undefined : parseMoment(config.bug_window_end);
    if (start && end && start >= end) problem('bug_window_end', 'bug_window_end must be later than bug_window_start');
    if (config.bug_window_end === null) {
      if (!namesTeams(config)) problem('bug_window_end', 'bug_window_end must be provided when team_ids is not');
      if (isWindowed(config))
        problem(
          'bug_window_end',
          'bug_window_end must be provided in windowed mode (team_ch_props_fetch_window_seconds > 0)',
        );
    }
    if (config.min_team_id !== null && config.max_team_id !== null && config.min_team_id > config.max_team_id) {
      problem(
        'min_team_id',
        `Invalid team_id range: min_team_id (${config.min_team_id}) cannot be greater than max_team_id (${config.max_team_id})`,
      );
    }
  });

export type ReconciliationConfig = z.output<typeof ReconciliationConfig>;

type TeamChoice = Pick<ReconciliationConfig, 'team_ids' | 'exclude_team_ids'>;

/** An empty list names no team, so discovery looks for them. */
function namesTeams(config: TeamChoice): boolean {
  return config.team_ids !== null && config.team_ids.length > 0;
}

/** The teams that the config names, ascending, without those excluded; null when discovery must find them. */
export function namedTeams(config: TeamChoice): number[] | null {
  if (!namesTeams(config)) return null;
  const excluded = new Set(config.exclude_team_ids ?? []);
  return [...new Set(config.team_ids)].filter((id) => !excluded.has(id)).sort((a, b) => a - b);
}

export function isWindowed(config: Pick<ReconciliationConfig, 'team_ch_props_fetch_window_seconds'>): boolean {
  return config.team_ch_props_fetch_window_seconds > 0;
}

export function bugWindowDay(config: Pick<ReconciliationConfig, 'bug_window_start'>): Day {
  return config.bug_window_start.slice(0, 10);
}

export function partitionsOf(config: ReconciliationConfig): string[] | null {
  const day = bugWindowDay(config);
  return namedTeams(config)?.map((id) => teamDays.format({ id, day })) ?? null;
}

/** Narrows the config to the partitions of the run or task, so that failed partitions are relaunched as they are. */
export function bindToPartitions(
  config: ReconciliationConfig,
  partitions: readonly IdDay<number>[],
): ReconciliationConfig {
  if (partitions.length === 0) return config;
  const day = bugWindowDay(config);
  const wrongDay = partitions.find((partition) => partition.day !== day);
  if (wrongDay) {
    throw new ConfigInvalidError(
      `bug_window_start: the window starts on ${day}, but the partition ${teamDays.format(wrongDay)} is of ${wrongDay.day}. Give the bug window of that partition.`,
    );
  }
  const ids = partitions.map((partition) => partition.id);
  const named = namedTeams(config);
  const allowed = named === null ? undefined : new Set(named);
  const stranger = ids.find((id) => allowed?.has(id) === false);
  if (stranger !== undefined) {
    throw new ConfigInvalidError(
      `team_ids: team ${stranger} is a partition of this run, but team_ids and exclude_team_ids leave it out.`,
    );
  }
  return { ...config, team_ids: ids };
}

/** Windows of `seconds` from `start` to `now`; the last may be shorter. */
export function windowCount(start: Date, now: Date, seconds: number): number {
  return Math.max(0, Math.ceil((wholeSeconds(now) - wholeSeconds(start)) / (seconds * SECOND_MS)));
}

export function windowAt(
  start: Date,
  now: Date,
  seconds: number,
  index: number,
): { readonly from: Date; readonly to: Date } {
  const from = wholeSeconds(start) + index * seconds * SECOND_MS;
  return { from: new Date(from), to: new Date(Math.min(from + seconds * SECOND_MS, wholeSeconds(now))) };
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / SECOND_MS) * SECOND_MS;
}
