/** Every statement of the duckling assets. Identifiers come from `dataset.ts` only; values are bound parameters. */

import { LAKE } from '../resources/ducklake-instance.ts';
import { type Dataset, LAKE_SCHEMA } from './dataset.ts';

/** ClickHouse: the rows that a day's export holds; parameters team_id, range_start, range_end. */
function exportSelectSql(dataset: Dataset): string {
  const columns = dataset.columns.map((c) => `  ${c.expression} AS ${c.name}`).join(',\n');
  return `SELECT\n${columns}\n${dataset.source}`;
}

/** ClickHouse writes the Parquet object itself. */
export function exportSql(dataset: Dataset, target: string): string {
  return `INSERT INTO FUNCTION ${target}\n${exportSelectSql(dataset)}`;
}

/** Names and types of what would be exported, without reading rows. */
export function describeExportSql(dataset: Dataset): string {
  return `DESCRIBE TABLE (${exportSelectSql(dataset)})`;
}

export function countSourceSql(dataset: Dataset): string {
  return `SELECT count() AS rows ${dataset.source}`;
}

/** Rows of an object that was written, from its footer. */
export function countObjectSql(target: string): string {
  return `SELECT count() AS rows FROM ${target}`;
}

function lakeTable(dataset: Dataset): string {
  return `${LAKE}.${LAKE_SCHEMA}.${dataset.table}`;
}

export const CREATE_LAKE_SCHEMA = `CREATE SCHEMA IF NOT EXISTS ${LAKE}.${LAKE_SCHEMA}`;

/** Not partitioned: each file holds one team's day and statistics prune; partitioned tables refuse these keys. */
export function createTableSql(dataset: Dataset): string {
  return `CREATE TABLE IF NOT EXISTS ${lakeTable(dataset)} (${dataset.columns.map((c) => `${c.name} ${c.lakeType}`).join(', ')})`;
}

export function dropTableSql(dataset: Dataset): string {
  return `DROP TABLE ${lakeTable(dataset)}`;
}

/** Columns of the lake's table; no rows when it does not exist. */
export function lakeColumnsSql(dataset: Dataset): string {
  return `SELECT column_name AS name, data_type AS type FROM duckdb_columns() WHERE database_name = '${LAKE}' AND schema_name = '${LAKE_SCHEMA}' AND table_name = '${dataset.table}'`;
}

const dayOfTeam = (dataset: Dataset) =>
  `team_id = $1 AND ${dataset.timeColumn} >= CAST($2 AS TIMESTAMPTZ) AND ${dataset.timeColumn} < CAST($3 AS TIMESTAMPTZ)`;

/** DuckDB; parameters: team, start and end of the day as text with a zone. */
export function deleteDaySql(dataset: Dataset): string {
  return `DELETE FROM ${lakeTable(dataset)} WHERE ${dayOfTeam(dataset)}`;
}

export function countDaySql(dataset: Dataset): string {
  return `SELECT count(${dataset.countColumn}) AS rows FROM ${lakeTable(dataset)} WHERE ${dayOfTeam(dataset)}`;
}

/** `hive_partitioning => false`: the file's own columns count, not what its path says. */
export function addFileSql(dataset: Dataset): string {
  return `CALL ducklake_add_data_files('${LAKE}', '${dataset.table}', $1, schema => '${LAKE_SCHEMA}', hive_partitioning => false, allow_missing => true)`;
}

export const SET_COMMIT_MESSAGE = `CALL ducklake_set_commit_message('${LAKE}', 'skein', $1)`;

/** PostgreSQL, the catalog: live files below a path; parameter: a LIKE pattern. */
export const LIVE_FILES = `SELECT path FROM ducklake_data_file WHERE end_snapshot IS NULL AND path LIKE $1`;

export function likePrefix(prefix: string): string {
  return `${prefix.replace(/[\\%_]/g, '\\$&')}%`;
}
