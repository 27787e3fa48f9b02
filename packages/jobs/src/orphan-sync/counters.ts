/** The counters of a run: the names that people script against, how batches add to them, and how they are reported. */

import type { Metadata } from '@skein/orchestrator';
import { z } from 'zod';

import type { BoundConfig } from './config.ts';

const count = z.int().min(0);

export const Counters = z.object({
  total_orphaned_persons: count,
  /** Fixable: they have distinct ids in PostgreSQL. */
  persons_with_pg_distinct_ids: count,
  /** Acknowledged by Kafka; in a dry run those that would be sent. */
  distinct_ids_synced: count,
  /** ClickHouse holds a newer row of these ids, a tombstone for one: the repair did not and should not win. */
  distinct_ids_superseded: count,
  /** Acknowledged by Kafka, but not seen in ClickHouse within the wait. */
  distinct_ids_not_arrived: count,
  persons_without_pg_data: count,
  persons_truly_orphaned: count,
  persons_ch_only: count,
  /** Tombstones acknowledged by Kafka; in a dry run those that would be sent. Reported under two names, see below. */
  tombstones: count,
  /** Called ClickHouse-only by the reader, found on the writer: its copy lags behind, and they were left alone. */
  persons_found_on_writer: count,
});
export type Counters = z.output<typeof Counters>;

export const ZERO: Counters = {
  total_orphaned_persons: 0,
  persons_with_pg_distinct_ids: 0,
  distinct_ids_synced: 0,
  distinct_ids_superseded: 0,
  distinct_ids_not_arrived: 0,
  persons_without_pg_data: 0,
  persons_truly_orphaned: 0,
  persons_ch_only: 0,
  tombstones: 0,
  persons_found_on_writer: 0,
};

export function add(counters: Counters, more: Partial<Counters>): Counters {
  const sum = { ...counters };
  for (const [name, value] of Object.entries(more)) sum[name as keyof Counters] += value;
  return sum;
}

/** What the run reports, and the materialization's metadata. */
export function asMetadata(config: BoundConfig, counters: Counters): Metadata {
  const { tombstones, ...rest } = counters;
  return {
    team_id: config.team_id,
    ...rest,
    persons_marked_deleted: config.dry_run ? 0 : tombstones,
    ...(config.dry_run && config.delete_ch_only_orphans ? { persons_would_be_marked_deleted: tombstones } : {}),
    dry_run: config.dry_run,
  };
}
