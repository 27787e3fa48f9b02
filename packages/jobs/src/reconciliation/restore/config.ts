/** The config of a restore, and which partitions it names. */

import { ConfigInvalidError, type IdDay, dayOf } from '@skein/orchestrator';
import { z } from 'zod';

import { teamDays } from '../../team-days.ts';

const CONFLICT_RESOLUTIONS = ['keep_newer', 'restore_wins', 'full_overwrite'] as const;

export const RestoreConfig = z.strictObject({
  job_id: z
    .string({ error: 'job_id must be the id of the run whose changes are undone' })
    .min(1)
    .describe('Run whose changes are undone'),
  team_ids: z.array(z.int().positive().max(2_147_483_647)).nullable().default(null).describe('Only these teams'),
  person_ids: z.array(z.int().positive()).nullable().default(null).describe('Only these persons, by posthog_person.id'),
  conflict_resolution: z
    .enum(CONFLICT_RESOLUTIONS, { error: `conflict_resolution must be one of ${CONFLICT_RESOLUTIONS.join(', ')}` })
    .default('keep_newer')
    .describe('What to do with keys that changed since'),
  dry_run: z.boolean().default(false).describe('Say what would change, and write nothing'),
  backup_batch_size: z.int().min(1).max(10_000).default(1_000).describe('Persons a page, each a transaction'),
});
export type RestoreConfig = z.output<typeof RestoreConfig>;

export function partitionsOfRestore(config: RestoreConfig, now: Date): string[] | null {
  if (config.team_ids === null || config.team_ids.length === 0) return null;
  const ids = [...new Set(config.team_ids)].sort((a, b) => a - b);
  return ids.map((id) => teamDays.format({ id, day: dayOf(now) }));
}

export function bindRestoreToPartitions(config: RestoreConfig, partitions: readonly IdDay<number>[]): RestoreConfig {
  if (partitions.length === 0) return config;
  const ids = partitions.map((partition) => partition.id);
  const allowed = config.team_ids !== null && config.team_ids.length > 0 ? new Set(config.team_ids) : undefined;
  const stranger = ids.find((id) => allowed?.has(id) === false);
  if (stranger !== undefined)
    throw new ConfigInvalidError(`team_ids: team ${stranger} is a partition of this run, but team_ids leaves it out.`);
  return { ...config, team_ids: ids };
}
