/** The asset `person_property_reconciliation_restore`: undoes what a reconciliation run (or a restore) did, team by team. */

import {
  type Json,
  NotFoundError,
  dayOf,
  defineAsset,
  defineJob,
  exponential,
  materialized,
  rehearsed,
  skipped,
} from '@skein/orchestrator';
import { z } from 'zod';

import { clickhouse } from '../../resources/clickhouse.ts';
import { kafka } from '../../resources/kafka.ts';
import { onConnection, personsDb } from '../../resources/postgres.ts';
import { teamDays } from '../../team-days.ts';
import { backupTableExists } from '../backup-table.ts';
import { type MetricsTarget, emitCounters } from '../metrics.ts';
import { RestoreConfig, bindRestoreToPartitions, partitionsOfRestore } from './config.ts';
import { restoreTeam } from './restore-team.ts';
import { TEAMS_WITH_BACKUPS } from './sql.ts';

const TeamResult = z.object({
  persons_processed: z.number(),
  persons_restored: z.number(),
  persons_skipped: z.number(),
});

export const personPropertyReconciliationRestore = defineAsset({
  key: 'person_property_reconciliation_restore',
  description: 'Persons set back to what they were before a reconciliation run, from its backups.',
  group: 'persons',
  partitions: teamDays,
  config: RestoreConfig,
  resources: { clickhouse, personsDb, kafka },
  retries: { attempts: 3, backoff: exponential('10s') },
  partitionsOf: partitionsOfRestore,
  bindConfig: bindRestoreToPartitions,
  tasks: {
    async plan({ config, resources, signal, partitions, now }) {
      const teams = await teamsWithBackups(resources.personsDb.writer, config, signal);
      const known = partitions.map(({ key, value }) => ({ id: value.id, key }));
      const chosen =
        known.length > 0 ? known : teams.map((id) => ({ id, key: teamDays.format({ id, day: dayOf(now()) }) }));
      return chosen.map(({ id, key }) => ({ id: `team_${id}`, partitions: [key], input: {} }));
    },
    async run(context) {
      const { config, resources, log, signal } = context;
      const [partition] = context.partitions;
      if (!partition) return {};
      const metrics: MetricsTarget = {
        clickhouse: resources.clickhouse,
        log,
        job: context.run.job,
        chunk: context.task.id,
        dryRun: config.dry_run,
        count: (name, value, labels) => context.count(name, value, labels),
      };
      const began = performance.now();
      try {
        const counts = await restoreTeam({
          teamId: partition.value.id,
          runId: context.run.id,
          config,
          personsDb: resources.personsDb,
          publisher: resources.kafka,
          log,
          signal,
          now: context.now(),
        });
        await emitCounters(metrics, {
          person_property_restore_persons_processed_total: counts.processed,
          person_property_restore_duration_seconds_total: (performance.now() - began) / 1_000,
          person_property_restore_persons_restored_total: counts.restored,
          person_property_restore_persons_skipped_total: counts.skipped,
        });
        const metadata: Record<string, Json> = {
          persons_processed: counts.processed,
          persons_restored: counts.restored,
          persons_skipped: counts.skipped,
          ...(config.dry_run ? { persons_would_be_restored: counts.wouldRestore } : {}),
        };
        await context.settlePartition(partition.key, outcomeOf(config, counts.processed, metadata));
        return metadata;
      } catch (error) {
        signal.throwIfAborted();
        await emitCounters(metrics, { person_property_restore_error: 1 }, { labels: { reason: 'error' } });
        throw error;
      }
    },
    async settle({ results }) {
      const total = {
        teams_count: results.length,
        persons_processed: 0,
        persons_restored: 0,
        persons_skipped: 0,
        persons_would_be_restored: 0,
      };
      for (const { result } of results) {
        const parsed = TeamResult.extend({ persons_would_be_restored: z.number().default(0) }).safeParse(result);
        if (!parsed.success) continue;
        for (const key of Object.keys(parsed.data) as (keyof typeof parsed.data)[]) total[key] += parsed.data[key];
      }
      return total;
    },
  },
});

function outcomeOf(config: RestoreConfig, processed: number, metadata: Record<string, Json>) {
  if (config.dry_run) return rehearsed('a dry run writes nothing', metadata);
  return processed === 0
    ? skipped(`the run ${config.job_id} has no backups of this team`, metadata)
    : materialized(metadata);
}

/** @throws NotFoundError when the run has none at all */
async function teamsWithBackups(
  pool: Parameters<typeof onConnection>[0],
  config: RestoreConfig,
  signal: AbortSignal,
): Promise<number[]> {
  const listed = <T>(list: readonly T[] | null) => (list === null || list.length === 0 ? null : list);
  const teams = await onConnection(pool, signal, async (client) => {
    if (!(await backupTableExists(client))) return [];
    const { rows } = await client.query<{ team_id: number }>(TEAMS_WITH_BACKUPS, [
      config.job_id,
      listed(config.team_ids),
      listed(config.person_ids),
    ]);
    return rows.map((row) => row.team_id);
  });
  if (teams.length > 0) return teams;
  throw new NotFoundError(
    `There are no backups of the run ${config.job_id} for these teams and persons. job_id is the id of a reconciliation or restore run that was no dry run and had backups enabled.`,
  );
}

export const personPropertyReconciliationRestoreJob = defineJob({
  name: 'person_property_reconciliation_restore_job',
  description: 'Undoes a reconciliation run from its backups.',
  assets: [personPropertyReconciliationRestore],
  tags: { owner: 'team-ingestion' },
});
