/** The export of one day: ClickHouse counts, writes the Parquet object itself and counts what it wrote. */

import type { ClickHouseSettings } from '@clickhouse/client';
import { ServiceError } from '@skein/orchestrator';

import type { ClickHouse, QueryOptions } from '../resources/clickhouse.ts';
import type { TableFunction } from '../resources/object-store.ts';
import type { DucklingBackfillConfig } from './config.ts';
import type { Dataset } from './dataset.ts';
import { SchemaMismatchError } from './errors.ts';
import type { TeamDay } from '../team-days.ts';
import { dayRange } from './partitions.ts';
import { type Column, compareExport } from './schema-validation.ts';
import { countObjectSql, countSourceSql, describeExportSql, exportSql } from './sql.ts';

/** Four hours, 50 GiB: what the reference grants an export. */
const DEFAULT_SETTINGS: ClickHouseSettings = {
  max_execution_time: 14_400,
  max_memory_usage: '53687091200',
  distributed_aggregation_memory_efficient: 1,
};
/** Paths are never used twice, so what an attempt leaves half written is its own; keys must not become columns. */
const EXPORT_SETTINGS: ClickHouseSettings = {
  s3_truncate_on_insert: 1,
  engine_file_truncate_on_insert: 1,
  use_hive_partitioning: 0,
  output_format_parquet_string_as_string: 1,
};

export interface ExportRequest {
  readonly dataset: Dataset;
  readonly partition: TeamDay;
  readonly settings: ClickHouseSettings;
  readonly signal: AbortSignal;
}

export function exportSettings(
  config: DucklingBackfillConfig,
  tags: Readonly<Record<string, string>>,
): ClickHouseSettings {
  const own = Object.entries(config.clickhouse_settings ?? {}).map(([name, value]) => [
    name,
    typeof value === 'boolean' ? Number(value) : value,
  ]);
  return { ...DEFAULT_SETTINGS, log_comment: JSON.stringify(tags), ...(Object.fromEntries(own) as ClickHouseSettings) };
}

/** @throws SchemaMismatchError that names what the source lacks */
export async function requireSource(clickhouse: ClickHouse, request: ExportRequest): Promise<void> {
  const { dataset } = request;
  let columns: Column[];
  try {
    columns = await clickhouse.rows<Column>(describeExportSql(dataset), options(request));
  } catch (error) {
    // 10, 16, 47: no such column or identifier; 60: no such table.
    const code = error instanceof ServiceError ? String(error.details.clickhouse_code) : '';
    if (!/^(10|16|47|60)$/.test(code) || !(error instanceof ServiceError)) throw error;
    throw new SchemaMismatchError(
      `The source of ${dataset.name} in ClickHouse does not fit the export: ${error.message}`,
      { details: { clickhouse_code: code } },
    );
  }
  const problems = compareExport(dataset, columns);
  if (problems.length > 0) {
    throw new SchemaMismatchError(
      `The source of ${dataset.name} in ClickHouse does not fit the export: ${problems.join('; ')}. Nothing was exported.`,
      { details: { problems } },
    );
  }
}

export async function countSource(clickhouse: ClickHouse, request: ExportRequest): Promise<number> {
  return rowsOf(await clickhouse.rows<{ rows: string }>(countSourceSql(request.dataset), options(request)));
}

/** Gives the rows of the object. @throws ServiceError (`clickhouse`, or `s3` when the object store refuses) */
export async function exportDay(
  clickhouse: ClickHouse,
  target: TableFunction,
  url: string,
  request: ExportRequest,
): Promise<number> {
  const common = options(request, target.params);
  const withExport = { ...common, settings: { ...EXPORT_SETTINGS, ...common.settings } };
  try {
    const { writtenRows } = await clickhouse.command(exportSql(request.dataset, target.sql), withExport);
    // Not every server reports what it wrote; the object's footer does.
    if (writtenRows !== undefined && writtenRows > 0) return writtenRows;
    return rowsOf(await clickhouse.rows<{ rows: string }>(countObjectSql(target.sql), withExport));
  } catch (error) {
    throw asStoreError(error, url);
  }
}

function options({ partition, settings, signal }: ExportRequest, params: TableFunction['params'] = {}): QueryOptions {
  const { from, to } = dayRange(partition.day);
  return { params: { team_id: partition.id, range_start: from, range_end: to, ...params }, settings, signal };
}

function rowsOf(rows: readonly { readonly rows: string }[]): number {
  return Number(rows[0]?.rows ?? 0);
}

/** 74, 75, 76: cannot read, write or open a file; 481: cannot create a directory; 499: S3 refused. */
const STORE_CODES = /^(73|74|75|76|481|499)$/;
const REFUSALS =
  /Access ?Denied|Permission denied|Read-only file system|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|filesystem error/i;

function asStoreError(error: unknown, url: string): unknown {
  if (!(error instanceof ServiceError) || error.system !== 'clickhouse') return error;
  const refused = REFUSALS.test(error.message);
  const code = String(error.details.clickhouse_code ?? '');
  if (!STORE_CODES.test(code) && !refused) return error;
  return new ServiceError(
    's3',
    `The object store (SKEIN_OBJECT_STORE) does not let ClickHouse write ${url}: ${reasonOf(error.message)}.`,
    {
      retryable: !refused,
      details: { url, clickhouse_code: code || null },
    },
  );
}

/** A few words that the server and the file system use, without the rest of the statement. */
function reasonOf(message: string): string {
  const fileSystem =
    /filesystem error: in [^:]+: ([^["]+)/.exec(message)?.[1] ?? /strerror: ([A-Za-z][A-Za-z -]*)/.exec(message)?.[1];
  return fileSystem?.trim() ?? REFUSALS.exec(message)?.[0] ?? 'it cannot be written or read there';
}
