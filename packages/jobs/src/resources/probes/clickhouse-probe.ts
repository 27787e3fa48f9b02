/**
 * How much ClickHouse bears now: active parts of the fullest partition (inserts are delayed and then refused by it),
 * mutations that are not done, memory that queries hold, queries that run. Reads system tables only.
 */

import type { ProbeContext, ProbeVerdict } from '@skein/orchestrator';

import type { ClickHouse } from '../clickhouse.ts';
import { type Measure, limitFor } from './load.ts';

export interface ClickHouseLoad {
  /** Of one partition of one table; ClickHouse itself delays inserts at 1,000. */
  readonly parts?: number;
  /** Not done, of all tables. */
  readonly mutations?: number;
  /** Bytes held by all running queries. */
  readonly memoryBytes?: number;
  readonly runningQueries?: number;
}

const DEFAULTS = { parts: 1_000, mutations: 20, memoryBytes: 0, runningQueries: 100 } as const;

const LOAD = `
  SELECT
    (SELECT max(n) FROM (SELECT count() AS n FROM system.parts WHERE active GROUP BY database, table, partition_id)) AS parts,
    (SELECT count() FROM system.mutations WHERE NOT is_done) AS mutations,
    (SELECT sum(memory_usage) FROM system.processes) AS memory_bytes,
    (SELECT count() FROM system.processes) AS running_queries`;

/** @param full at which each measure counts as full; 0 leaves it out */
export function clickhouseProbe(full: ClickHouseLoad = {}) {
  const at = { ...DEFAULTS, ...full };
  return async ({
    resources,
    signal,
    min,
    max,
  }: ProbeContext<{ readonly clickhouse: ClickHouse }>): Promise<ProbeVerdict> => {
    const [row] = await resources.clickhouse.rows<Record<string, string | number | null>>(LOAD, { signal });
    const of = (name: string) => Number(row?.[name] ?? 0);
    const measures: Measure[] = [
      { what: 'parts of the fullest partition', value: of('parts'), full: at.parts },
      { what: 'mutations that are not done', value: of('mutations'), full: at.mutations },
      { what: 'bytes that queries hold', value: of('memory_bytes'), full: at.memoryBytes },
      { what: 'running queries', value: of('running_queries'), full: at.runningQueries },
    ];
    return limitFor(measures, { min, max });
  };
}
