/**
 * The cursor of the reconciliation scheduler: what an operator writes, and how far the sensor has come. Only the fields
 * that were written are stored; defaults are filled in when a tick is evaluated.
 */

import { ReconciliationConfig, parseMoment } from '@skein/jobs';
import { z } from 'zod';

const MAX_JOBS = 50;
const MAX_TASKS = 100;
const PERSONS_DB = 'PERSONS_DB_WRITER_URL';

const teamId = z.int().positive().max(2_147_483_647);
const { shape } = ReconciliationConfig;

const above0 = (field: string) =>
  z.int().refine((n) => n > 0, { error: ({ input }) => `${field} must be > 0, got ${String(input)}` });
const capped = (field: string, cap: number) =>
  above0(field).refine((n) => n <= cap, { error: ({ input }) => `${field} (${String(input)}) exceeds cap of ${cap}` });
const index = z.int().min(0);

/** `{}` is a scheduler that nobody has told what to do. */
export const ReconciliationSchedulerCursor = z
  .strictObject({
    team_ids: z.array(teamId).max(100_000).nullable().optional().describe('The teams, as a list; or a range'),
    range_start: index.nullable().optional().describe('First team of the range'),
    range_end: index.nullable().optional().describe('Last team of the range'),
    chunk_size: above0('chunk_size').optional().describe('Teams a run (1000)'),
    max_concurrent_jobs: capped('max_concurrent_jobs', MAX_JOBS)
      .optional()
      .describe('Runs at once, whoever launched them (5)'),
    max_concurrent_tasks: capped('max_concurrent_tasks', MAX_TASKS).optional().describe('Tasks of a run at once (10)'),
    bug_window_start: z.string().optional().describe('YYYY-MM-DD HH:MM:SS, UTC'),
    bug_window_end: z.string().optional().describe('YYYY-MM-DD HH:MM:SS, UTC'),
    dry_run: z.boolean().optional(),
    backup_enabled: z.boolean().optional(),
    batch_size: shape.batch_size.unwrap().optional(),
    teams_per_chunk: shape.teams_per_chunk.unwrap().optional(),
    team_ch_props_fetch_window_seconds: z.int().optional(),
    person_batch_size: shape.person_batch_size.unwrap().optional(),
    repair_missing_keys: z.boolean().optional(),
    persons_db_env_var: z
      .literal(PERSONS_DB, {
        error: `persons_db_env_var must be ${PERSONS_DB}: it is what the deployment binds the persons database to`,
      })
      .optional(),
    next_team_index: index.optional().describe('Kept by the sensor: position in team_ids'),
    next_chunk_start: index.optional().describe('Kept by the sensor: next team of the range'),
    teams_succeeded: index.optional().describe('Kept by the sensor, when it has ended'),
    teams_failed: index.optional().describe('Kept by the sensor, when it has ended'),
  })
  .check(({ value, issues }) => {
    if (isUnset(value)) return;
    const problem = (field: string, message: string) =>
      void issues.push({ code: 'custom', input: value, path: [field], message });
    const list = namesTeams(value);
    const range = hasValue(value.range_start) && hasValue(value.range_end);
    if (list && range) problem('team_ids', 'cannot specify both team_ids and range_start/range_end. Choose one mode.');
    if (!list && !range) problem('team_ids', 'must specify either team_ids (list) OR both range_start and range_end');
    for (const field of ['bug_window_start', 'bug_window_end'] as const) {
      if (!value[field]) problem(field, `${field} is required`);
      else if (!parseMoment(value[field]))
        problem(field, `${field} must be a moment that exists, written YYYY-MM-DD HH:MM:SS (UTC)`);
    }
    if (value.bug_window_start && value.bug_window_end && value.bug_window_start >= value.bug_window_end) {
      problem('bug_window_end', 'bug_window_end must be later than bug_window_start');
    }
    if (range && Number(value.range_start) > Number(value.range_end)) {
      problem(
        'range_start',
        `range_start (${value.range_start}) cannot be greater than range_end (${value.range_end})`,
      );
    }
  });

export type ReconciliationSchedulerCursor = z.output<typeof ReconciliationSchedulerCursor>;

export function isUnset(cursor: object): boolean {
  return Object.keys(cursor).length === 0;
}

/** An empty list with a range is range mode. */
export function namesTeams(cursor: { readonly team_ids?: readonly number[] | null | undefined }): boolean {
  return (cursor.team_ids?.length ?? 0) > 0;
}

function hasValue(value: number | null | undefined): boolean {
  return value !== null && value !== undefined;
}
