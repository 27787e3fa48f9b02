/**
 * The counters of a chunk: as Prometheus metrics, and as rows of `custom_metrics_counter_events` where ClickHouse has
 * that table. Metrics never fail the work.
 */

import type { Logger } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { messageOf } from './team-log.ts';

export interface MetricsTarget {
  readonly clickhouse: ClickHouse;
  readonly log: Logger;
  readonly job: string;
  readonly chunk: string;
  /** A dry run writes nothing anywhere. */
  readonly dryRun: boolean;
  count(metric: string, value: number, labels?: Readonly<Record<string, string>>): void;
}

const TABLE = 'custom_metrics_counter_events';
const TABLE_EXISTS = `SELECT count() > 0 AS found FROM system.tables WHERE database = currentDatabase() AND name = '${TABLE}'`;

/** @param values by name, in the order in which they are written; zeros are written too */
export async function emitCounters(
  target: MetricsTarget,
  values: Readonly<Record<string, number>>,
  extra: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly rowLabels?: Readonly<Record<string, string>>;
  } = {},
): Promise<void> {
  for (const [name, value] of Object.entries(values))
    target.count(name, value, { job_name: target.job, ...extra.labels });
  if (target.dryRun) return;
  try {
    const [row] = await target.clickhouse.rows<{ found: unknown }>(TABLE_EXISTS);
    if (!row || Number(row.found) === 0) return;
    const labels = { job_name: target.job, chunk_id: target.chunk, ...extra.labels, ...extra.rowLabels };
    await target.clickhouse.insert(
      TABLE,
      Object.entries(values).map(([name, increment]) => ({ name, labels, increment })),
      { columns: ['name', 'labels', 'increment'] },
    );
  } catch (error) {
    target.log.warn(`Metrics were not written to ${TABLE}: ${messageOf(error)}`);
  }
}
