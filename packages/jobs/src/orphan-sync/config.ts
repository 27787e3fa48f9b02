/**
 * Config of `sync_person_distinct_ids`: the fields and defaults of the original workflow. What contradicts itself is
 * refused here, before anything runs, and every message names its field.
 */

import { ConfigInvalidError, dayOf } from '@skein/orchestrator';
import { z } from 'zod';

import type { TeamDay } from '../team-days.ts';

/** More than this brings nothing; batches are worked off in slices that a checkpoint can hold, see `resume-point.ts`. */
const MAX_BATCH_SIZE = 100_000;

export const OrphanSyncConfig = z
  .strictObject({
    team_id: z
      .int('must be a whole number')
      .positive('must be positive')
      .optional()
      .describe('One team a run; taken from the partition when absent.'),
    batch_size: z
      .int('must be a whole number')
      .min(1, 'must be at least 1')
      .max(MAX_BATCH_SIZE, `must be at most ${MAX_BATCH_SIZE}`)
      .default(100)
      .describe('Persons looked up and repaired at a time.'),
    dry_run: z
      .boolean('must be true or false')
      .default(true)
      .describe('Count and log what would be done; write nothing.'),
    delete_ch_only_orphans: z
      .boolean('must be true or false')
      .default(false)
      .describe('Mark persons that exist only in ClickHouse as deleted there; requires categorize_orphans.'),
    categorize_orphans: z
      .boolean('must be true or false')
      .default(false)
      .describe('One more query tells persons without distinct ids from persons that exist only in ClickHouse.'),
    limit: z
      .int('must be a whole number or null')
      .min(1, 'must be at least 1, or null for no limit')
      .nullable()
      .default(null)
      .describe('At most so many orphans, the oldest first.'),
    person_ids: z
      .array(z.guid('is not a UUID').toLowerCase(), 'must be a list of UUIDs or null')
      .min(1, 'must name at least one person, or be null for all')
      .nullable()
      .default(null)
      .describe('Only these persons (UUIDs).'),
  })
  .refine((config) => !config.delete_ch_only_orphans || config.categorize_orphans, {
    path: ['delete_ch_only_orphans'],
    message:
      'requires categorize_orphans to be true, so that only persons confirmed to be missing in PostgreSQL are deleted',
    // Also when other fields are wrong, so that all mistakes are reported together.
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

export type OrphanSyncConfig = z.output<typeof OrphanSyncConfig>;
/** As an asset gets it: `bindTeam` has filled in the team. */
export type BoundConfig = OrphanSyncConfig & { readonly team_id: number };

/** The partition that a config alone names: its team's scan of today. @throws ConfigInvalidError without a team */
export function scanOfToday(config: OrphanSyncConfig, now: Date): readonly string[] {
  if (config.team_id === undefined) throw noTeam();
  return [`${config.team_id}_${dayOf(now)}`];
}

/** Takes the team from the partition. @throws ConfigInvalidError when both name one and they differ */
export function bindTeam(config: OrphanSyncConfig, partitions: readonly TeamDay[]): OrphanSyncConfig {
  const [partition] = partitions;
  if (partition === undefined) {
    if (config.team_id === undefined) throw noTeam();
    return config;
  }
  const other = partitions.find(({ id }) => id !== (config.team_id ?? partition.id));
  if (other !== undefined) {
    const said =
      config.team_id === undefined
        ? `the partitions are of teams ${partition.id} and ${other.id}`
        : `it is ${config.team_id}, but the partition is of team ${other.id}`;
    throw new ConfigInvalidError(
      `The config of sync_person_distinct_ids is not valid: team_id: ${said}. One team a run; leave team_id out or make them agree.`,
      {
        details: { fields: [{ path: 'team_id', message: said }] },
      },
    );
  }
  return { ...config, team_id: partition.id };
}

/** A run that does not treat the whole team for real leaves the partition's state as it was. */
export function rehearsalReason(config: OrphanSyncConfig): string | undefined {
  if (config.dry_run) return 'dry run: nothing was written';
  if (config.limit !== null) return `limit: at most ${config.limit} orphans were treated`;
  if (config.person_ids !== null) return `person_ids: only ${config.person_ids.length} named persons were treated`;
  return undefined;
}

function noTeam(): ConfigInvalidError {
  const message = 'say which team to scan, or give a partition such as 12_2026-01-31';
  return new ConfigInvalidError(`The config of sync_person_distinct_ids is not valid: team_id: ${message}.`, {
    details: { fields: [{ path: 'team_id', message }] },
  });
}
