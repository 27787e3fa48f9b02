/**
 * A chunk of teams, one after the other. A team that fails is recorded with its error and the next one goes on; every
 * team's partition settles by itself, and a new attempt of the task begins with the team that the last one was at.
 */

import { type Json, type StepContext, SkeinError, failed, materialized, rehearsed } from '@skein/orchestrator';
import { z } from 'zod';

import type { ClickHouse } from '../resources/clickhouse.ts';
import type { Publisher } from '../resources/kafka.ts';
import type { PersonsDb } from '../resources/postgres.ts';
import type { ReconciliationConfig } from './config.ts';
import { listOf } from './discover-teams.ts';
import { type MetricsTarget, emitCounters } from './metrics.ts';
import { type TeamCounts, noCounts, reconcileTeam } from './reconcile-team.ts';
import type { PersonDiff } from './replay.ts';
import { createTeamLog } from './team-log.ts';

interface ReconciliationResources {
  readonly clickhouse: ClickHouse;
  readonly personsDb: PersonsDb;
  readonly kafka: Publisher;
}

const TeamResult = z.object({
  team_id: z.number(),
  status: z.enum(['success', 'failed']),
  persons_processed: z.number(),
  persons_updated: z.number(),
  persons_skipped: z.number(),
  error: z.string().optional(),
});

/** What a chunk's task returns, and what its checkpoint holds. */
export const ChunkResult = z.object({
  team_ids: z.array(z.number()),
  teams_count: z.number(),
  teams_succeeded: z.number(),
  teams_failed: z.number(),
  persons_processed: z.number(),
  persons_updated: z.number(),
  persons_skipped: z.number(),
  persons_would_be_updated: z.number(),
  persons_republished: z.number(),
  failed_team_ids: z.array(z.number()),
  teams_results: z.array(TeamResult),
});
export type ChunkResult = z.output<typeof ChunkResult>;

/** Teams that a chunk's result tells about one by one; a result and a checkpoint take 64 KB. All have their partition. */
const MAX_TEAM_RESULTS = 150;
const MAX_ERROR_CHARACTERS = 200;

export const emptyChunk = (): ChunkResult => ({
  team_ids: [],
  teams_count: 0,
  teams_succeeded: 0,
  teams_failed: 0,
  persons_processed: 0,
  persons_updated: 0,
  persons_skipped: 0,
  persons_would_be_updated: 0,
  persons_republished: 0,
  failed_team_ids: [],
  teams_results: [],
});

interface PartitionValue {
  readonly id: number;
  readonly day: string;
}

type ChunkContext = StepContext<PartitionValue, ReconciliationConfig, ReconciliationResources>;

export async function reconcileChunk(context: ChunkContext, chunk: string): Promise<ChunkResult> {
  const { config, log, partitions } = context;
  const teams = partitions.map((partition) => partition.value.id);
  log.info(
    `Starting reconciliation for ${teams.length} teams: ${listOf(teams)}, bug_window_start: ${config.bug_window_start}, dry_run: ${config.dry_run}`,
  );
  const metrics: MetricsTarget = {
    clickhouse: context.resources.clickhouse,
    log,
    job: context.run.job,
    chunk,
    dryRun: config.dry_run,
    count: (name, value, labels) => context.count(name, value, labels),
  };
  const began = performance.now();
  const result = resumed(context.checkpoint.load(), teams);
  for (const partition of partitions.slice(result.teams_count)) {
    context.progress(result.teams_count, teams.length, `team ${partition.value.id}`);
    await reconcileOne(context, partition, result, metrics);
    await context.checkpoint.save(result as unknown as Json);
  }
  context.progress(teams.length, teams.length);

  if (result.failed_team_ids.length > 0) log.warn(`Failed teams in chunk ${chunk}: ${listOf(result.failed_team_ids)}`);
  log.info(
    `Completed chunk ${chunk}: teams=${result.teams_count} (succeeded=${result.teams_succeeded}, failed=${result.teams_failed}), ` +
      `persons: processed=${result.persons_processed}, updated=${result.persons_updated}, skipped=${result.persons_skipped}`,
  );
  await emitCounters(metrics, {
    person_property_reconciliation_persons_processed_total: result.persons_processed,
    person_property_reconciliation_duration_seconds_total: (performance.now() - began) / 1_000,
    person_property_reconciliation_persons_updated_total: result.persons_updated,
    person_property_reconciliation_persons_skipped_total: result.persons_skipped,
    person_property_reconciliation_teams_succeeded_total: result.teams_succeeded,
    person_property_reconciliation_teams_failed_total: result.teams_failed,
  });
  return result;
}

/** Teams are worked in the order of the partitions, so their number says where the last attempt stopped. */
function resumed(saved: Json | undefined, teams: readonly number[]): ChunkResult {
  const parsed = ChunkResult.safeParse(saved);
  const fits = parsed.success && parsed.data.team_ids.every((id, i) => id === teams[i]);
  return fits ? parsed.data : emptyChunk();
}

async function reconcileOne(
  context: ChunkContext,
  partition: { readonly key: string; readonly value: PartitionValue },
  result: ChunkResult,
  metrics: MetricsTarget,
): Promise<void> {
  const { config, resources, signal } = context;
  const teamId = partition.value.id;
  const counts = noCounts();
  let failure: unknown;
  try {
    await reconcileTeam({
      teamId,
      runId: context.run.id,
      config,
      clickhouse: resources.clickhouse,
      personsDb: resources.personsDb,
      publisher: resources.kafka,
      log: context.log,
      signal,
      now: context.now(),
      counts,
    });
  } catch (error) {
    // Not the team's fault: the run was cancelled, or another worker has taken over.
    signal.throwIfAborted();
    failure = error ?? new Error('unknown');
    createTeamLog(context.log, teamId).failed(error);
    await emitCounters(
      metrics,
      { person_property_reconciliation_error: 1 },
      { labels: { reason: 'error' }, rowLabels: { team_id: String(teamId) } },
    );
  }
  const described = failure === undefined ? undefined : describe(failure);
  addTeam(result, teamId, counts, described?.message);
  const metadata = metadataOf(counts, config.dry_run);
  const done = config.dry_run ? rehearsed('a dry run writes nothing', metadata) : materialized(metadata);
  await context.settlePartition(partition.key, described ? failed(described, metadata) : done);
}

function addTeam(result: ChunkResult, teamId: number, counts: TeamCounts, error: string | undefined): void {
  result.team_ids.push(teamId);
  result.teams_count++;
  if (error === undefined) result.teams_succeeded++;
  else {
    result.teams_failed++;
    result.failed_team_ids.push(teamId);
  }
  result.persons_processed += counts.processed;
  result.persons_updated += counts.updated;
  result.persons_skipped += counts.skipped;
  result.persons_would_be_updated += counts.wouldUpdate;
  result.persons_republished += counts.republished;
  if (result.teams_results.length >= MAX_TEAM_RESULTS) return;
  result.teams_results.push({
    team_id: teamId,
    status: error === undefined ? 'success' : 'failed',
    persons_processed: counts.processed,
    persons_updated: counts.updated,
    persons_skipped: counts.skipped,
    ...(error === undefined ? {} : { error: error.slice(0, MAX_ERROR_CHARACTERS) }),
  });
}

function metadataOf(counts: TeamCounts, dryRun: boolean): Record<string, Json> {
  return {
    persons_processed: counts.processed,
    persons_updated: counts.updated,
    persons_skipped: counts.skipped,
    persons_republished: counts.republished,
    ...(dryRun ? { persons_would_be_updated: counts.wouldUpdate, sample: counts.sample.map(sampleOf) } : {}),
  };
}

/** Values are cut: a sample is to be looked at. */
function sampleOf(diff: PersonDiff): Json {
  const cut = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return {
    person_id: diff.personId,
    changes: diff.changes.slice(0, 20).map(({ key, operation, value, at }) => ({
      key: cut(key),
      operation,
      value: value === null ? null : cut(value),
      timestamp: at,
    })),
  };
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof SkeinError) return { code: error.code, message: error.message };
  return { code: 'ASSET_FAILED', message: error instanceof Error ? error.message : String(error) };
}
