/** The config of a duckling's backfill: the seed's seven options, with its names and defaults. */

import { z } from 'zod';

export const DucklingBackfillConfig = z.object({
  clickhouse_settings: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]*$/, 'is no name of a ClickHouse setting'),
      z.union([z.string(), z.number(), z.boolean()]),
    )
    .nullable()
    .default(null)
    .describe('ClickHouse settings of the export, over the defaults.'),
  skip_ducklake_registration: z.boolean().default(false).describe('Export the object only; the lake is not touched.'),
  skip_schema_validation: z.boolean().default(false).describe('Do not compare columns and types before the export.'),
  cleanup_existing_partition_data: z
    .boolean()
    .default(true)
    .describe('Delete the day’s old rows in the transaction that adds the new ones.'),
  create_tables_if_missing: z
    .boolean()
    .default(true)
    .describe('Create the lake’s schema and table when they are missing.'),
  delete_tables: z
    .boolean()
    .default(false)
    .describe('DANGER: drop the whole table, all days and teams of it, and create it anew first.'),
  dry_run: z.boolean().default(false).describe('Show SQL, row count and target path; write nothing.'),
});
export type DucklingBackfillConfig = z.output<typeof DucklingBackfillConfig>;

/** Runs that do not leave the day's rows in the lake. */
export function isRehearsal(config: DucklingBackfillConfig): boolean {
  return config.dry_run || config.skip_ducklake_registration;
}
