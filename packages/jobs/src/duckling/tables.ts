/** The lake's tables: create them when missing, compare them with the export, drop them. */

import type { Lake } from '../resources/ducklake.ts';
import type { Dataset } from './dataset.ts';
import { SchemaMismatchError } from './errors.ts';
import { type Column, compareLakeTable } from './schema-validation.ts';
import { CREATE_LAKE_SCHEMA, createTableSql, dropTableSql, lakeColumnsSql } from './sql.ts';

/** Columns of the lake's table; empty when there is none. */
export function lakeColumns(lake: Lake, dataset: Dataset, signal: AbortSignal): Promise<Column[]> {
  return lake.read(signal, (db) => db.rows<Column>(lakeColumnsSql(dataset)));
}

/** Gives whether this call created it. Two creators at once: one waits for the other and finds it there. */
export async function createTable(lake: Lake, dataset: Dataset, signal: AbortSignal): Promise<boolean> {
  const { value } = await lake.write(signal, async (tx) => {
    if ((await tx.rows(lakeColumnsSql(dataset))).length > 0) return false;
    await tx.rows(CREATE_LAKE_SCHEMA);
    await tx.rows(createTableSql(dataset));
    return true;
  });
  return value;
}

/** Drops the table of all days and teams; objects stay until DuckLake's own clean-up. Gives whether there was one. */
export async function dropTable(lake: Lake, dataset: Dataset, signal: AbortSignal): Promise<boolean> {
  const { value } = await lake.write(signal, async (tx) => {
    if ((await tx.rows(lakeColumnsSql(dataset))).length === 0) return false;
    await tx.rows(dropTableSql(dataset));
    return true;
  });
  return value;
}

/** @throws SchemaMismatchError that names every wrong column */
export function requireFit(
  dataset: Dataset,
  teamId: number,
  columns: readonly Column[],
): { readonly extra: readonly string[] } {
  if (columns.length === 0) {
    throw new SchemaMismatchError(
      `The lake of team ${teamId} has no table ${dataset.table}; set create_tables_if_missing, or create it.`,
    );
  }
  const { problems, extra } = compareLakeTable(dataset, columns);
  if (problems.length > 0) {
    throw new SchemaMismatchError(
      `The table ${dataset.table} in the lake of team ${teamId} does not fit the export: ${problems.join('; ')}. Nothing was exported. Alter the table, or set skip_schema_validation.`,
      { details: { problems } },
    );
  }
  return { extra };
}
