/** The check on a duckling's day after it is committed: the lake, read anew, holds what ClickHouse exported. */

import { type Check, type Opened, defineCheck } from '@skein/orchestrator';

import type { clickhouse } from '../resources/clickhouse.ts';
import type { ducklings } from '../resources/ducklake-ducklings.ts';
import { type DucklingBackfillConfig, isRehearsal } from './config.ts';
import type { Dataset } from './dataset.ts';
import type { TeamDay } from '../team-days.ts';
import { countDay } from './registration.ts';

type Resources = Opened<{ clickhouse: typeof clickhouse; ducklings: typeof ducklings }>;

export function rowsInLakeEqualRowsInClickHouse(dataset: Dataset): Check<TeamDay, DucklingBackfillConfig, Resources> {
  return defineCheck({
    name: 'rows_in_lake_equal_rows_in_clickhouse',
    description: 'The lake holds as many rows of the day as ClickHouse exported.',
    severity: 'error',
    async run({ partition, config, metadata, resources, signal }) {
      if (isRehearsal(config))
        return { passed: true, description: 'Not looked at: the run did not write to the lake.' };
      const duckling = await resources.ducklings.catalog.get(partition.id);
      const inLake = await resources.ducklings.lake(duckling).read(signal, (db) => countDay(db, dataset, partition));
      const exported = Number(metadata.rows);
      const expected = exported + Number(metadata.rows_kept ?? 0);
      const counts = { rows_in_lake: inLake, rows_exported: exported };
      return {
        passed: inLake === expected,
        description: `${inLake} rows in the lake, ${expected} expected.`,
        metadata: counts,
      };
    },
  });
}
