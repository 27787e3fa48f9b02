/**
 * Where one operation works: a customer's profiles in one ClickHouse database, on one server or on a cluster. All names
 * that go into SQL are made here, so that what a cluster gets differs from one server in this file only.
 */

import { identifier } from './identifiers.ts';
import type { Window } from './windows.ts';

export const LABELS = 'conversation_with_labels';
export const LABELS_DISTRIBUTED = 'conversation_with_labels_d';

export interface Place {
  readonly customerId: string;
  readonly database: string;
  readonly profiles: readonly string[];
  /** null: one server. */
  readonly cluster: string | null;
  /** Names the operation's own tables: 16 hexadecimal digits. */
  readonly operation: string;
  readonly windows: readonly Window[];
  readonly hasDistributed: boolean;
}

export interface Names {
  /** What mutations and partition commands work on. */
  readonly local: string;
  readonly distributed: string;
  /** What counts and comparisons read, and inserts write: every shard. */
  readonly all: string;
  /** The same read on every replica of every shard, with `_shard_num` telling them apart. */
  readonly everywhere: string;
  readonly mutationsEverywhere: string;
  readonly serversEverywhere: string;
  readonly onCluster: string;
  /** On a cluster the right-hand side is made once and sent along. */
  readonly isIn: string;
  /** Ids of the operation, on the server that Skein speaks to. */
  readonly affected: string;
  /** Affected conversations that have rows outside the windows; few, so a set of them costs nothing. */
  readonly strays: string;
  /** Rows as the source says now. */
  readonly expected: string;
  readonly staging: string;
  /** What rows for the staging table are written to and read from: all of its shards. */
  readonly stagingAll: string;
}

export function namesOf({ database, cluster, operation }: Pick<Place, 'database' | 'cluster' | 'operation'>): Names {
  const db = identifier(database, 'database');
  const own = (what: string) => `${db}.${identifier(`skein_label_${what}_${operation}`, 'table')}`;
  const on = cluster === null ? undefined : identifier(cluster, 'cluster');
  const local = `${db}.${identifier(LABELS, 'table')}`;
  const distributed = `${db}.${identifier(LABELS_DISTRIBUTED, 'table')}`;
  const everywhere = (table: string) => (on === undefined ? table : `clusterAllReplicas(${on}, ${table})`);
  return {
    local,
    distributed,
    all: on === undefined ? local : distributed,
    everywhere: everywhere(local),
    mutationsEverywhere: everywhere('system.mutations'),
    serversEverywhere: everywhere('system.one'),
    onCluster: on === undefined ? '' : ` ON CLUSTER ${on}`,
    isIn: on === undefined ? 'IN' : 'GLOBAL IN',
    affected: own('affected'),
    strays: own('strays'),
    expected: own('expected'),
    staging: own('staging'),
    stagingAll: on === undefined ? own('staging') : own('staging_d'),
  };
}
