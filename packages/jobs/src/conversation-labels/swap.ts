/**
 * Swap mode: the fresh rows of all days, with copies of what else lies in their partitions, are made in a staging table;
 * then each partition is replaced in one step, so readers never see a missing day. Refused when rows would be lost: when
 * another customer's rows lie in such a partition, or when the copy is not complete. Any step may be done again.
 */

import type { ClickHouseSettings } from '@clickhouse/client';
import { RefusedError } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { LabelsDisagreeError } from './errors.ts';
import { LABEL_COLUMNS, type Statement, allAffectedRows, drop } from './label-sql.ts';
import { LABELS, type Place, namesOf } from './place.ts';

export interface Swap {
  readonly clickhouse: ClickHouse;
  readonly place: Place;
  readonly signal: AbortSignal;
}

/** On a cluster the staging tables are replicated like the labels, each under a path of its own. */
export function createStaging(place: Place): string[] {
  const names = namesOf(place);
  if (place.cluster === null) return [`CREATE TABLE IF NOT EXISTS ${names.staging} AS ${names.local}`];
  return [
    `CREATE TABLE IF NOT EXISTS ${names.staging}${names.onCluster} AS ${names.local}
     ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', update_time)`,
    `CREATE TABLE IF NOT EXISTS ${names.stagingAll}${names.onCluster} AS ${names.staging}
     ENGINE = Distributed(\`${place.cluster}\`, \`${place.database}\`, \`skein_label_staging_${place.operation}\`, cityHash64(conversation_id))`,
  ];
}

export function dropStaging(place: Place): string[] {
  const names = namesOf(place);
  const one = (table: string) => `DROP TABLE IF EXISTS ${table}${names.onCluster} SYNC`;
  return place.cluster === null ? [drop(names.staging)] : [one(names.stagingAll), one(names.staging)];
}

/** Partitions that change: where affected rows lie now, and where fresh ones go. */
function changedPartitions(place: Place): Statement {
  const names = namesOf(place);
  const rows = allAffectedRows(place);
  return {
    sql: `SELECT DISTINCT _partition_id AS id FROM (
        SELECT _partition_id FROM ${names.all} WHERE ${rows.sql} UNION ALL SELECT _partition_id FROM ${names.stagingAll}
      ) ORDER BY id`,
    params: rows.params,
  };
}

/** What else lies in a partition: this customer's rows of conversations that are not affected. */
function copyRest(place: Place, partition: string): Statement {
  const names = namesOf(place);
  const rows = allAffectedRows(place);
  const columns = LABEL_COLUMNS.join(', ');
  return {
    sql: `INSERT INTO ${names.stagingAll} (${columns}) SELECT ${columns} FROM ${names.all}
      WHERE _partition_id = {partition:String} AND customer_id = {customer:String} AND NOT (${rows.sql})`,
    params: { ...rows.params, partition },
  };
}

interface PartitionCounts {
  readonly live_others: string;
  readonly live_rest: string;
  readonly staged_rest: string;
  readonly staged: string;
}

/** The rest is counted with FINAL: two copies of one row that merge on one side only are no loss. */
function countPartition(place: Place, partition: string): Statement {
  const names = namesOf(place);
  const rows = allAffectedRows(place);
  const rest = `_partition_id = {partition:String} AND customer_id = {customer:String} AND NOT (${rows.sql})`;
  return {
    sql: `SELECT
        (SELECT count() FROM ${names.all} WHERE _partition_id = {partition:String} AND customer_id != {customer:String}) AS live_others,
        (SELECT count() FROM ${names.all} FINAL WHERE ${rest}) AS live_rest,
        (SELECT count() FROM ${names.stagingAll} FINAL WHERE ${rest}) AS staged_rest,
        (SELECT count() FROM ${names.stagingAll} WHERE _partition_id = {partition:String}) AS staged`,
    params: { ...rows.params, partition },
  };
}

/** An empty staging partition means that every row of the live one goes: REPLACE would refuse or silently empty it. */
export function replacePartition(place: Place, staged: boolean, partition: string): Statement {
  const names = namesOf(place);
  return {
    sql: staged
      ? `ALTER TABLE ${names.local}${names.onCluster} REPLACE PARTITION ID {partition:String} FROM ${names.staging}`
      : `ALTER TABLE ${names.local}${names.onCluster} DROP PARTITION ID {partition:String}`,
    params: { partition },
  };
}

export async function prepareStaging({ clickhouse, place, signal }: Swap): Promise<void> {
  for (const sql of createStaging(place)) await clickhouse.command(sql, { signal });
}

export async function removeStaging({ clickhouse, place }: Pick<Swap, 'clickhouse' | 'place'>): Promise<void> {
  for (const sql of dropStaging(place)) await clickhouse.command(sql);
}

/** Gives the partitions that were replaced. @throws RefusedError when rows would be lost; nothing is replaced then */
export async function swapPartitions(swap: Swap): Promise<readonly string[]> {
  const { clickhouse, place, signal } = swap;
  const ask = <T>(statement: Statement) => clickhouse.rows<T>(statement.sql, { params: statement.params, signal });
  const partitions = (await ask<{ id: string }>(changedPartitions(place))).map((row) => row.id);

  for (const partition of partitions) {
    const copy = copyRest(place, partition);
    await clickhouse.command(copy.sql, {
      params: copy.params,
      settings: place.cluster === null ? {} : { distributed_foreground_insert: 1 },
      signal,
    });
  }
  const settings = { alter_sync: '2', ...(await mayEmptyShards(swap)) } as ClickHouseSettings;
  const counts = new Map<string, PartitionCounts>();
  for (const partition of partitions) counts.set(partition, await checkPartition(swap, partition));
  for (const [partition, first] of counts) {
    // Again, right before: a writer that does not know the lock may have come in between.
    const now = await checkPartition(swap, partition);
    if (now.live_rest !== first.live_rest)
      throw lost(
        place,
        partition,
        `${now.live_rest} rows lie beside the affected ones, ${first.live_rest} a moment ago`,
      );
    const { sql, params } = replacePartition(place, Number(now.staged) > 0, partition);
    await clickhouse.command(sql, { params, settings, signal });
  }
  return partitions;
}

/**
 * One statement goes to all shards, and a shard to which no fresh row belongs must end with none. Newer servers refuse to
 * replace by nothing unless they are told that it is meant, which the counts of all shards together have shown; older
 * ones do it and do not know the setting.
 */
async function mayEmptyShards({ clickhouse, place, signal }: Swap): Promise<Readonly<Record<string, string>>> {
  if (place.cluster === null) return {};
  const known = await clickhouse.rows('SELECT name FROM system.settings WHERE name = {name:String}', {
    params: { name: ALLOW_EMPTY_SOURCE },
    signal,
  });
  return known.length > 0 ? { [ALLOW_EMPTY_SOURCE]: '1' } : {};
}

const ALLOW_EMPTY_SOURCE = 'allow_replace_partition_from_empty_source';

async function checkPartition(swap: Swap, partition: string): Promise<PartitionCounts> {
  const { clickhouse, place, signal } = swap;
  const { sql, params } = countPartition(place, partition);
  const [counts] = await clickhouse.rows<PartitionCounts>(sql, { params, signal });
  if (!counts) throw new LabelsDisagreeError(`The rows of partition ${partition} could not be counted.`);
  if (Number(counts.live_others) > 0)
    throw lost(place, partition, `${counts.live_others} rows of other customers lie in it and are not in the copy`);
  if (counts.live_rest !== counts.staged_rest)
    throw lost(
      place,
      partition,
      `${counts.live_rest} rows lie beside the affected ones, ${counts.staged_rest} are in the copy`,
    );
  return counts;
}

function lost(place: Place, partition: string, why: string): RefusedError {
  return new RefusedError(
    `Partition ${partition} of ${place.database}.${LABELS} is not replaced, because rows would be lost: ${why}. Use the mode delete-insert.`,
    { details: { partition, database: place.database } },
  );
}
