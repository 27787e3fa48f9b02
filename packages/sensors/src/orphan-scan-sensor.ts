/**
 * `orphan_scan_sensor`: round after round it launches an orphan scan for every team that its cursor names, a few teams
 * a tick. At most one scan a team and day: a partition that is being worked on, or was scanned today, is left out.
 */

import { OrphanSyncConfig, syncPersonDistinctIdsJob } from '@skein/jobs';
import { type Day, addDays, dayOf, defineSensor, isDay, request, skip } from '@skein/orchestrator';
import { z } from 'zod';

const team = z.int('must be a whole number').positive('must be positive');
const MAX_TEAMS = 10_000;

/** The job's config without what the sensor itself decides; only what differs from the job's defaults is stored. */
const ScanConfig = z
  .strictObject({
    batch_size: OrphanSyncConfig.shape.batch_size.unwrap().optional(),
    dry_run: z.boolean().optional().describe('A dry run unless this is false.'),
    delete_ch_only_orphans: z.boolean().optional(),
    categorize_orphans: z.boolean().optional(),
    limit: z.int().min(1).nullable().optional(),
  })
  .refine((config) => config.delete_ch_only_orphans !== true || config.categorize_orphans === true, {
    path: ['delete_ch_only_orphans'],
    message: 'requires categorize_orphans to be true',
  });

export const OrphanScanCursor = z
  .strictObject({
    team_ids: z
      .array(team)
      .min(1, 'must name at least one team, or be null')
      .max(MAX_TEAMS)
      .nullable()
      .default(null)
      .describe('The teams to scan; or a range.'),
    range_start: team.nullable().default(null).describe('First team of a range.'),
    range_end: team.nullable().default(null).describe('Last team of the range, included.'),
    teams_per_tick: z.int().min(1).max(1_000).default(100).describe('Scans launched at a time.'),
    every_days: z.int().min(1).max(365).default(1).describe('Days from the start of one round to the next.'),
    config: ScanConfig.default({}).describe('Of the scans; a dry run unless dry_run is false.'),
    progress: z
      .strictObject({
        round: z
          .string()
          .refine(isDay, 'must be a day, YYYY-MM-DD')
          .nullable()
          .default(null)
          .describe('Day on which the round began.'),
        last_team: team.nullable().default(null).describe('Teams up to here were launched.'),
        complete: z.boolean().default(false),
      })
      .default({ round: null, last_team: null, complete: false })
      .describe('Kept by the sensor.'),
  })
  .refine((cursor) => cursor.team_ids === null || (cursor.range_start === null && cursor.range_end === null), {
    path: ['team_ids'],
    message: 'give either team_ids or a range, not both',
  })
  .refine((cursor) => (cursor.range_start === null) === (cursor.range_end === null), {
    path: ['range_end'],
    message: 'a range needs both range_start and range_end',
  })
  .refine(
    (cursor) => cursor.range_start === null || cursor.range_end === null || cursor.range_start <= cursor.range_end,
    {
      path: ['range_end'],
      message: 'must not be less than range_start',
    },
  );
type OrphanScanCursor = z.output<typeof OrphanScanCursor>;

export const orphanScanSensor = defineSensor({
  name: 'orphan_scan_sensor',
  description:
    'Scans the teams of its cursor for orphaned persons, a few a tick, round after round; dry runs unless told otherwise.',
  job: syncPersonDistinctIdsJob,
  every: '60s',
  cursor: OrphanScanCursor,
  async evaluate({ cursor, now, partitions }) {
    if (cursor.team_ids === null && cursor.range_start === null) {
      return skip('the cursor names no teams: set team_ids, or range_start and range_end');
    }
    const today = dayOf(now);
    const { round, complete } = cursor.progress;
    const next = round === null ? today : addDays(round, cursor.every_days);
    if (complete && today < next) return skip(`the round of ${round ?? ''} is complete; the next begins on ${next}`);

    const begun: { readonly round: Day; readonly after: number } =
      round === null || complete ? { round: today, after: 0 } : { round, after: cursor.progress.last_team ?? 0 };
    const { teams, isLast } = nextTeams(cursor, begun.after);
    const advanced: z.input<typeof OrphanScanCursor> = {
      ...cursor,
      progress: { round: begun.round, last_team: teams.at(-1) ?? cursor.progress.last_team, complete: isLast },
    };

    const keys = teams.map((id) => `${id}_${today}`);
    const [states, lastRuns] = [await partitions.status(keys), await partitions.lastRuns(keys)];
    const due = keys.filter((key) => states.get(key)?.activity === 'idle' && !isScanned(lastRuns.get(key)?.status));
    if (due.length === 0) {
      return skip(
        teams.length === 0 ? 'no team is left in this round' : `${teams.length} teams were scanned today already`,
        { cursor: advanced },
      );
    }
    return request(
      due.map((key) => ({ partitions: [key], config: cursor.config })),
      { cursor: advanced },
    );
  },
});

/** Dry runs leave the partition's state as it was, so its last run is what tells. One that failed may be tried again. */
function isScanned(status: string | undefined): boolean {
  return status !== undefined && status !== 'FAILURE' && status !== 'CANCELED';
}

/** The next teams in ascending order. Their number, not a place in a list, marks where a round is: lists are edited. */
function nextTeams(
  cursor: OrphanScanCursor,
  after: number,
): { readonly teams: readonly number[]; readonly isLast: boolean } {
  const { teams_per_tick: count, team_ids: named, range_start: start, range_end: end } = cursor;
  if (named !== null) {
    const left = [...new Set(named)].filter((id) => id > after).sort((a, b) => a - b);
    return { teams: left.slice(0, count), isLast: left.length <= count };
  }
  const first = Math.max(start ?? 1, after + 1);
  const last = end ?? 0;
  const length = Math.max(0, Math.min(count, last - first + 1));
  return { teams: Array.from({ length }, (_, i) => first + i), isLast: last - first + 1 <= count };
}
