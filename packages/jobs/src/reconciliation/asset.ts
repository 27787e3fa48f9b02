/** The asset `person_property_reconciliation` and its job: teams are found, cut into chunks, and reconciled in tasks. */

import { defineAsset, defineJob, exponential } from '@skein/orchestrator';

import { clickhouse } from '../resources/clickhouse.ts';
import { kafka } from '../resources/kafka.ts';
import { personsDb } from '../resources/postgres.ts';
import { teamDays } from '../team-days.ts';
import { ReconciliationConfig, bindToPartitions, bugWindowDay, partitionsOf } from './config.ts';
import { chunkTeams, teamsOf } from './discover-teams.ts';
import { reconcileChunk } from './reconcile-chunk.ts';
import { sumUp } from './sum-up.ts';

export const RECONCILIATION_JOB = 'person_property_reconciliation_job';

export const personPropertyReconciliation = defineAsset({
  key: 'person_property_reconciliation',
  description:
    'Person properties that a bug has lost, found in a team’s events, brought into PostgreSQL and published to ClickHouse.',
  group: 'persons',
  partitions: teamDays,
  config: ReconciliationConfig,
  resources: { clickhouse, personsDb, kafka },
  // Of the worker, not of a team: a team that fails is recorded, and relaunched by a person.
  retries: { attempts: 3, backoff: exponential('10s') },
  partitionsOf,
  bindConfig: bindToPartitions,
  tasks: {
    async plan(context) {
      const { config, log, resources, signal } = context;
      const teams = await context.phase('get_team_ids_to_reconcile', () =>
        teamsOf(config, resources.clickhouse, log, signal),
      );
      return context.phase('create_team_chunks', async () => {
        if (teams.length === 0) {
          log.info('No teams to process');
          return [];
        }
        const chunks = chunkTeams(teams, config.teams_per_chunk);
        log.info(
          `Creating ${chunks.length} chunks for ${teams.length} teams (teams_per_chunk=${config.teams_per_chunk})`,
        );
        const day = bugWindowDay(config);
        return chunks.map((chunk) => ({
          id: chunk.key,
          partitions: chunk.teams.map((id) => teamDays.format({ id, day })),
          input: {},
        }));
      });
    },
    run: (context) => context.phase('reconcile_team_chunk', () => reconcileChunk(context, context.task.id)),
    settle: async (context) =>
      sumUp(
        context.results,
        context.partitions.map((partition) => partition.value.id),
        context.config.dry_run,
      ),
    maxConcurrent: (config) => config.max_concurrent_tasks,
  },
});

export const personPropertyReconciliationJob = defineJob({
  name: RECONCILIATION_JOB,
  description: 'Repairs person properties that were missed in a bug window, team by team.',
  assets: [personPropertyReconciliation],
  tags: { owner: 'team-ingestion' },
});
