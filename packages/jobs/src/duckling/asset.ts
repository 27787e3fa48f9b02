/**
 * The duckling assets: a day of one team's events or persons, from ClickHouse into the team's DuckLake. Validate, count,
 * export, register; nothing is registered unless the lake then holds exactly what was exported.
 */

import {
  type MaterializeContext,
  type Opened,
  type Outcome,
  defineAsset,
  defineJob,
  exponential,
  materialized,
  rehearsed,
} from '@skein/orchestrator';

import { clickhouse } from '../resources/clickhouse.ts';
import type { Duckling } from '../resources/duckling-catalog.ts';
import { ducklings } from '../resources/ducklake-ducklings.ts';
import { rowsInLakeEqualRowsInClickHouse } from './check.ts';
import { DucklingBackfillConfig, isRehearsal } from './config.ts';
import { type Dataset, EVENTS, LAKE_SCHEMA, PERSONS } from './dataset.ts';
import { DayNotOverError } from './errors.ts';
import { type ExportRequest, countSource, exportDay, exportSettings, requireSource } from './export.ts';
import { type TeamDay, teamDays } from '../team-days.ts';
import { dayPrefix, lastCompleteDay, objectKey } from './partitions.ts';
import { registerDay } from './registration.ts';
import { exportSql } from './sql.ts';
import { createTable, dropTable, lakeColumns, requireFit } from './tables.ts';

const RESOURCES = { clickhouse, ducklings };
export type DucklingContext = MaterializeContext<TeamDay, DucklingBackfillConfig, Opened<typeof RESOURCES>>;

export const ducklingEventsBackfill = ducklingAsset(
  EVENTS,
  'A day of one team’s events, from ClickHouse into its DuckLake.',
);
export const ducklingPersonsBackfill = ducklingAsset(
  PERSONS,
  'The persons of one team that changed on a day, with their distinct ids, from ClickHouse into its DuckLake.',
);

export const ducklingEventsBackfillJob = ducklingJob(ducklingEventsBackfill, 'duckling_events_v1');
export const ducklingPersonsBackfillJob = ducklingJob(ducklingPersonsBackfill, 'duckling_persons_v1');

function ducklingAsset(dataset: Dataset, description: string) {
  return defineAsset({
    key: `duckling_${dataset.name}_backfill`,
    description,
    group: 'ducklings',
    partitions: teamDays,
    config: DucklingBackfillConfig,
    resources: RESOURCES,
    pool: 'clickhouse-export',
    retries: { attempts: 3, backoff: exponential('30s') },
    timeout: '4h',
    checks: [rowsInLakeEqualRowsInClickHouse(dataset)],
    isRehearsal,
    destroys: (config) =>
      config.delete_tables && !isRehearsal(config)
        ? {
            name: dataset.table,
            what: `the table ${LAKE_SCHEMA}.${dataset.table} of the teams’ lakes, all days of it`,
          }
        : undefined,
    materialize: (context) => backfillDay(dataset, context),
  });
}

function ducklingJob(asset: typeof ducklingEventsBackfill, concurrency: string) {
  return defineJob({
    name: `${asset.key}_job`,
    assets: [asset],
    tags: { [`${asset.key}_concurrency`]: concurrency, duckling_backfill_concurrency: 'duckling_v1' },
  });
}

async function backfillDay(dataset: Dataset, context: DucklingContext): Promise<Outcome> {
  const { partition, partitionKey, config, resources, run } = context;
  const { store } = resources.ducklings;
  refuseUnfinishedDay(partition, context.now());
  const duckling = await resources.ducklings.catalog.get(partition.id);
  const key = objectKey(dataset.name, partition, run.id, run.attempt);
  const target = store.forClickHouse({ bucket: duckling.bucket, region: duckling.bucket_region, key });
  const url = store.url(duckling.bucket, key);
  const tags = {
    job_name: run.job,
    run_id: run.id,
    asset_key: `duckling_${dataset.name}_backfill`,
    partition: partitionKey,
  };
  const request: ExportRequest = { dataset, partition, settings: exportSettings(config, tags), signal: context.signal };
  const seconds: Record<string, number> = {};
  const phase = <T>(name: string, work: () => Promise<T>) => timed(context, seconds, name, work);
  const touchesLake = !config.dry_run && !config.skip_ducklake_registration;
  context.event(`${dataset.eventPrefix}_backfill_start`, { team_id: partition.id, partition: partitionKey });

  await phase('validate', async () => {
    if (touchesLake) await prepareTable(dataset, duckling, context);
    if (!config.skip_schema_validation) await requireSource(resources.clickhouse, request);
  });
  context.progress(1, 4, 'counting');
  const rowsInSource = await phase('count', () => countSource(resources.clickhouse, request));
  const facts = { team_id: partition.id, bucket: duckling.bucket, path: rowsInSource > 0 ? url : null };
  if (config.dry_run) {
    return rehearsed('dry run: nothing was written', {
      ...facts,
      rows: rowsInSource,
      sql: exportSql(dataset, target.sql),
    });
  }

  context.progress(2, 4, `exporting ${rowsInSource} rows`);
  const exported = await phase('export', () =>
    exportIfAny(dataset, context, duckling, key, rowsInSource, () =>
      exportDay(resources.clickhouse, target, url, request),
    ),
  );
  if (config.skip_ducklake_registration) {
    return rehearsed('exported, but not registered in the lake', { ...facts, ...exported, seconds });
  }

  context.progress(3, 4, 'registering');
  const registered = await phase('register', () =>
    registerDay(
      resources.ducklings.lake(duckling),
      {
        dataset,
        partition,
        url: exported.rows > 0 ? url : undefined,
        rows: exported.rows,
        cleanup: config.cleanup_existing_partition_data,
        runId: run.id,
        attempt: run.attempt,
        folderUrl: store.url(duckling.bucket, dayPrefix(dataset.name, partition)),
      },
      context.signal,
    ),
  );
  reportRegistration(dataset, context, registered.rowsDeleted, url, exported.rows);
  return materialized({
    ...facts,
    ...exported,
    rows_in_lake: registered.rowsInLake,
    rows_deleted: registered.rowsDeleted,
    rows_kept: registered.rowsKept,
    snapshot: registered.snapshot,
    seconds,
  });
}

function refuseUnfinishedDay({ day }: TeamDay, now: Date): void {
  const last = lastCompleteDay(now);
  if (day > last)
    throw new DayNotOverError(
      `The day ${day} has not ended in UTC, so its rows are not all there; the last day that can be exported is ${last}.`,
    );
}

async function prepareTable(
  dataset: Dataset,
  duckling: Duckling,
  { config, resources, signal, checkpoint, event, log }: DucklingContext,
): Promise<void> {
  const lake = resources.ducklings.lake(duckling);
  const fields = { team_id: duckling.team_id, bucket: duckling.bucket };
  // The table is dropped once a run: another attempt would drop what other runs have added meanwhile.
  if (config.delete_tables && checkpoint.load() !== 'tables_deleted') {
    if (await dropTable(lake, dataset, signal)) {
      event(`duckling_${dataset.name}_table_deleted`, fields);
      log.warn('dropped the lake’s table, all days of it', { table: dataset.table, ...fields });
    }
    await checkpoint.save('tables_deleted');
  }
  let columns = await lakeColumns(lake, dataset, signal);
  if (columns.length === 0 && config.create_tables_if_missing) {
    if (await createTable(lake, dataset, signal)) event(`duckling_${dataset.name}_table_created`, fields);
    columns = await lakeColumns(lake, dataset, signal);
  }
  if (config.skip_schema_validation) return;
  try {
    const { extra } = requireFit(dataset, duckling.team_id, columns);
    if (extra.length > 0)
      log.info('the lake’s table has columns that are not exported; they become NULL', { columns: extra, ...fields });
  } catch (error) {
    event(`${dataset.eventPrefix}_schema_mismatch`, fields);
    throw error;
  }
}

/** No rows: no object. */
async function exportIfAny(
  dataset: Dataset,
  context: DucklingContext,
  duckling: Duckling,
  key: string,
  rowsInSource: number,
  exportRows: () => Promise<number>,
) {
  if (rowsInSource === 0) return { rows: 0, bytes: 0 };
  context.event(`${dataset.eventPrefix}_export_start`, { key, rows_in_source: rowsInSource });
  const rows = await exportRows();
  const bucket = context.resources.ducklings.bucket(duckling, context.signal);
  const bytes = (await bucket.bytes(key).finally(() => bucket.close())) ?? 0;
  context.event(`${dataset.eventPrefix}_export_success`, { key, rows, bytes });
  context.count('skein_duckling_rows_exported_total', rows, { dataset: dataset.name });
  context.count('skein_duckling_bytes_exported_total', bytes, { dataset: dataset.name });
  return { rows, bytes };
}

function reportRegistration(
  dataset: Dataset,
  context: DucklingContext,
  rowsDeleted: number,
  url: string,
  rows: number,
): void {
  if (rowsDeleted > 0)
    context.event(`duckling_${dataset.name}_partition_deleted`, {
      partition: context.partitionKey,
      deleted_count: rowsDeleted,
    });
  if (rows > 0) context.event(`${dataset.eventPrefix}_file_registered`, { path: url, rows });
  context.event(`${dataset.eventPrefix}_backfill_complete`, { partition: context.partitionKey, rows });
  context.progress(4, 4, `${rows} rows in the lake`);
}

async function timed<T>(
  context: DucklingContext,
  seconds: Record<string, number>,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  try {
    return await context.phase(name, work);
  } finally {
    seconds[name] = Math.round(performance.now() - start) / 1000;
  }
}
