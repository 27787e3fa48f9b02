/** Where labelling goes on when no range is given: the largest labelled time of the customer, never the epoch. */

import { RefusedError } from '@skein/orchestrator';

import type { LabelConversationsConfig } from './config.ts';
import { watermark } from './label-sql.ts';
import type { Work } from './prepare.ts';
import { type Site, listProfiles, sitesOf } from './profiles.ts';
import type { Window } from './windows.ts';

/** Milliseconds; undefined when the customer has no labels with an end. */
export async function readWatermark(
  {
    clickhouse,
    signal,
    config,
  }: Pick<Work, 'clickhouse' | 'signal'> & { readonly config: Pick<LabelConversationsConfig, 'cluster' | 'selection'> },
  customerId: string,
  sites: readonly Site[],
): Promise<number | undefined> {
  // The database that is furthest behind decides: doing a part again changes nothing.
  let lowest: number | undefined;
  for (const site of sites) {
    const { sql, params } = watermark(
      { customerId, database: site.database, profiles: site.profiles, cluster: config.cluster },
      config.selection,
    );
    const [row] = await clickhouse.rows<{ ms: string; rows: string }>(sql, { params, signal });
    if (!row || Number(row.rows) === 0) continue;
    lowest = Math.min(lowest ?? Number.POSITIVE_INFINITY, Number(row.ms));
  }
  return lowest;
}

/** @throws RefusedError when there are no labels to go on from */
export async function fromWatermark(
  work: Work,
  customerId: string,
  now: Date,
): Promise<ReadonlyMap<string, readonly Window[]>> {
  const sites = sitesOf(await listProfiles(work.db, customerId, work.log));
  const startMs = await readWatermark(work, customerId, sites);
  if (startMs === undefined) {
    throw new RefusedError(
      `Customer ${customerId} has no labels to go on from: name the first range with range_start and range_end, or the days as partitions.`,
    );
  }
  work.log.info('No range is given: going on from the watermark.', {
    customer_id: customerId,
    start: new Date(startMs).toISOString(),
  });
  return new Map([[customerId, startMs < now.getTime() ? [{ startMs, endMs: now.getTime() }] : []]]);
}
