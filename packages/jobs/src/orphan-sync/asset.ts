/**
 * `sync_person_distinct_ids`: persons that ClickHouse shows without any distinct id get theirs back from PostgreSQL, and
 * those that PostgreSQL does not know at all are, on request, marked as deleted.
 */

import { ServiceError, defineAsset, defineJob, exponential, materialized, rehearsed } from '@skein/orchestrator';

import { clickhouse } from '../resources/clickhouse.ts';
import { kafka } from '../resources/kafka.ts';
import { personsDb } from '../resources/postgres.ts';
import { teamDays } from '../team-days.ts';
import { type BoundConfig, OrphanSyncConfig, bindTeam, rehearsalReason, scanOfToday } from './config.ts';
import { asMetadata } from './counters.ts';
import { type ScanContext, TUNING, TeamScan, type Tuning } from './scan.ts';

/** The asset; with other tuning in tests and measurements. */
export function defineOrphanSync(tuning: Partial<Tuning> = {}) {
  return defineAsset({
    key: 'sync_person_distinct_ids',
    description: 'Orphaned persons of a team, found in ClickHouse and repaired from PostgreSQL.',
    group: 'persons',
    partitions: teamDays,
    config: OrphanSyncConfig,
    resources: { clickhouse, personsDb, kafka },
    pool: 'orphan-sync',
    retries: { attempts: 5, backoff: exponential('10s', { max: '2m' }) },
    timeout: '12h',
    partitionsOf: scanOfToday,
    bindConfig: bindTeam,
    isRehearsal: (config) => rehearsalReason(config) !== undefined,
    async materialize(context) {
      // `bindConfig` has run: the team is there.
      const config = context.config as BoundConfig;
      const scan = new TeamScan(context as ScanContext, { ...TUNING, ...tuning });
      try {
        const metadata = asMetadata(config, await scan.run());
        context.log.info('the scan is complete', metadata);
        const rehearsal = rehearsalReason(config);
        return rehearsal === undefined ? materialized(metadata) : rehearsed(rehearsal, metadata);
      } catch (error) {
        const done = asMetadata(config, scan.counters);
        context.log.error('the scan stopped before its end', done);
        throw error instanceof ServiceError ? withProgress(error, done) : error;
      }
    },
  });
}

export const syncPersonDistinctIds = defineOrphanSync();

export const syncPersonDistinctIdsJob = defineJob({
  name: 'sync_person_distinct_ids_job',
  description:
    'Finds persons of one team without distinct ids in ClickHouse and repairs them; a dry run unless told otherwise.',
  assets: [syncPersonDistinctIds],
});

/** The same error, saying what was done before it: the rest is left to another attempt or run. */
function withProgress(error: ServiceError, done: ReturnType<typeof asMetadata>): ServiceError {
  const {
    total_orphaned_persons: persons,
    distinct_ids_synced: ids,
    persons_marked_deleted: deleted,
    dry_run: dry,
  } = done;
  const before =
    dry === true
      ? `${String(persons)} orphans had been looked at, dry run`
      : `${String(persons)} orphans had been treated: ${String(ids)} distinct ids synced, ${String(deleted)} persons marked deleted`;
  return new ServiceError(
    error.system,
    `${/[.!?]$/.test(error.message) ? error.message : `${error.message}.`} Before that ${before}. Another run completes the rest.`,
    {
      cause: error,
      retryable: error.retryable,
      details: { ...error.details, ...done },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    },
  );
}
