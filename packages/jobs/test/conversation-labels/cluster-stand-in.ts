/**
 * A cluster of three ClickHouse processes for tests: shard 1 with two replicas, shard 2 with one. The servers are real
 * ones, each with its own data, mutations and partitions; what lies between servers of a cluster is not, because the
 * embedded engine has no inter-server protocol. It is stood in for by statement: `ON CLUSTER` goes to each process (and
 * so does what replication would carry), reads of a Distributed table gather one replica of each shard (`FINAL` inside
 * of the shard only), `clusterAllReplicas` gathers all of them, and inserts are split by `cityHash64(conversation_id)`.
 * Skein speaks to the first process, where its own tables lie, as it would on a cluster.
 */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';

import { type ClickHouse, type QueryOptions, openClickHouse } from '@skein/jobs';
import { ServiceError } from '@skein/orchestrator';

import { applyClickHouseSchema } from '../../../../infra/embedded/src/schemas.ts';
import { removeServicesDirectory, startServices } from '../../../../infra/embedded/src/services.ts';

export const CLUSTER = 'conversations';
const SHARDS = 2;

export interface Node {
  readonly shard: number;
  readonly replica: number;
  readonly host: string;
  readonly clickhouse: ClickHouse;
  /** Does not answer any more. */
  down: boolean;
  /** What was sent to this process as its part of a statement for the cluster. */
  readonly received: string[];
}

export interface Cluster {
  /** What a run is given: the cluster as seen from its first server. */
  readonly clickhouse: ClickHouse;
  readonly nodes: readonly Node[];
  /** Rows that a Distributed table has taken and not forwarded yet. */
  enqueue(node: Node, rows: readonly object[]): void;
  close(): Promise<void>;
}

interface Member {
  readonly shard: number;
  readonly replica: number;
  readonly url: string;
}

/** Starts the two further processes; they serve all tests of a file. */
export async function startFurtherServers(): Promise<{ readonly members: readonly Member[]; stop(): Promise<void> }> {
  const dirs = [1, 2].map(() => mkdtempSync(path.join(tmpdir(), 'skein-shard-')));
  const services = await Promise.all(dirs.map((dir) => startServices({ dir, only: ['clickhouse'], given: {} })));
  const url = (i: number) => services[i]?.env.SKEIN_CLICKHOUSE_URL ?? '';
  return {
    members: [
      { shard: 1, replica: 2, url: url(0) },
      { shard: 2, replica: 1, url: url(1) },
    ],
    async stop() {
      await Promise.all(services.map((service) => service.stop()));
      for (const dir of dirs) removeServicesDirectory(dir);
    },
  };
}

export async function openCluster(first: ClickHouse, database: string, members: readonly Member[]): Promise<Cluster> {
  const node = (shard: number, replica: number, clickhouse: ClickHouse): Node => ({
    shard,
    replica,
    host: `shard${shard}-replica${replica}`,
    clickhouse,
    down: false,
    received: [],
  });
  const further: Node[] = [];
  for (const { shard, replica, url } of members) {
    const own = openClickHouse(url.replace(/\/[^/?]*(\?|$)/, `/${database}$1`));
    const server = openClickHouse(url);
    await server.command(`CREATE DATABASE ${database}`);
    await server.close();
    await applyClickHouseSchema(url.replace(/\/[^/?]*(\?|$)/, `/${database}$1`), 'conversations');
    further.push(node(shard, replica, own));
  }
  const nodes = [node(1, 1, first), ...further];
  const queued: { readonly node: Node; readonly rows: readonly object[] }[] = [];
  const table = `${database}.conversation_with_labels`;
  return {
    clickhouse: standIn(nodes, database, async () => {
      for (const { node: target, rows } of queued.splice(0)) await target.clickhouse.insert(table, rows);
    }),
    nodes,
    enqueue: (target, rows) => void queued.push({ node: target, rows }),
    async close() {
      for (const { clickhouse } of further) {
        await clickhouse.command(`DROP DATABASE ${database} SYNC`);
        await clickhouse.close();
      }
    },
  };
}

const ON_CLUSTER = / ON CLUSTER `conversations`/;
const DISTRIBUTED = /`(\w+)`\.`(conversation_with_labels|skein_label_staging)_d(_[0-9a-f]{16})?`( FINAL)?/g;
const EVERYWHERE = /clusterAllReplicas\(`conversations`, ([^)]+)\)/g;

function standIn(nodes: readonly Node[], database: string, flush: () => Promise<void>): ClickHouse {
  const [first] = nodes;
  if (!first) throw new TypeError('a cluster has a server');
  let scratches = 0;
  const oneOfEachShard = () =>
    Array.from({ length: SHARDS }, (_, i) => {
      const found = nodes.find((one) => one.shard === i + 1 && !one.down);
      if (!found) throw unreachable(`no replica of shard ${i + 1}`);
      return found;
    });

  /** A table on the first server with what the given ones answer. */
  const gather = async (columns: string, from: readonly Node[], sql: string): Promise<string> => {
    const scratch = `${database}.gathered_${++scratches}`;
    await first.clickhouse.command(`CREATE TABLE ${scratch} ${columns} ENGINE = Memory`);
    for (const one of from) {
      const rows = await one.clickhouse.rows<object>(sql);
      const number = nodes.indexOf(one) + 1;
      if (rows.length > 0) {
        await first.clickhouse.insert(
          scratch,
          rows.map((row) => ({ ...row, _shard_num: number, host: one.host })),
        );
      }
    }
    return scratch;
  };
  const labels = `(customer_id LowCardinality(String), profile_id LowCardinality(String), usecase_id LowCardinality(String), conversation_id String,
    agent_user_id String, conversation_start_time DateTime64(3, 'UTC'), conversation_end_time DateTime64(3, 'UTC'), has_agent_assistance Bool,
    conversation_source UInt8, update_time DateTime64(6, 'UTC'), _partition_id String, _shard_num UInt32, host String)`;
  const mutations = `(database String, table String, mutation_id String, command String, is_done UInt8, parts_to_do Int64,
    latest_fail_reason String, _shard_num UInt32, host String)`;

  /** The statement with what lies elsewhere gathered. */
  const gathered = async (sql: string, options: QueryOptions | undefined, work: (sql: string) => Promise<unknown>) => {
    const scratches: string[] = [];
    let text = sql.replaceAll('hostName() AS host', 'host');
    const put = async (pattern: RegExp, make: (match: RegExpMatchArray) => Promise<string>) => {
      for (const match of [...text.matchAll(pattern)]) {
        const scratch = await make(match);
        scratches.push(scratch);
        text = text.replace(match[0], scratch);
      }
    };
    await put(DISTRIBUTED, ([, db, table, operation = '', final = '']) =>
      gather(labels, oneOfEachShard(), `SELECT *, _partition_id FROM ${db}.${table}${operation}${final}`),
    );
    const answering = () => {
      if (!options?.settings?.skip_unavailable_shards && nodes.some((one) => one.down))
        throw unreachable(nodes.find((one) => one.down)?.host ?? '');
      return nodes.filter((one) => !one.down);
    };
    await put(EVERYWHERE, ([, table = '']) =>
      table === 'system.mutations'
        ? gather(mutations, answering(), `SELECT * FROM system.mutations WHERE database = '${database}'`)
        : table === 'system.one'
          ? gather('(dummy UInt8, _shard_num UInt32, host String)', answering(), 'SELECT dummy FROM system.one')
          : gather(labels, answering(), `SELECT *, _partition_id FROM ${table}`),
    );
    text = text.replace(
      'system.clusters',
      `(${nodes.map(({ shard, replica, host }) => `SELECT '${CLUSTER}' AS cluster, ${shard} AS shard_num, ${replica} AS replica_num, '${host}' AS host_name`).join(' UNION ALL ')})`,
    );
    try {
      return await work(text);
    } finally {
      for (const scratch of scratches) await first.clickhouse.command(`DROP TABLE ${scratch}`);
    }
  };

  /** To every replica of the shard that each row belongs to. */
  const distribute = async (local: string, source: string): Promise<void> => {
    for (const one of nodes) {
      if (one.down) throw unreachable(one.host);
      const rows = await first.clickhouse.rows<object>(
        `SELECT * FROM (${source}) WHERE cityHash64(conversation_id) % ${SHARDS} = ${one.shard - 1}`,
      );
      if (rows.length > 0) await one.clickhouse.insert(local, rows);
      one.received.push(`INSERT INTO ${local} (${rows.length} rows)`);
    }
  };

  return {
    ...first.clickhouse,
    rows: async <T>(sql: string, options?: QueryOptions) =>
      (await gathered(sql, options, (text) => first.clickhouse.rows<T>(text, options))) as T[],
    async *stream<T>(sql: string, options?: QueryOptions) {
      yield (await gathered(sql, options, (text) => first.clickhouse.rows<T>(text, options))) as T[];
    },
    async command(sql, options) {
      if (sql.startsWith('SYSTEM FLUSH DISTRIBUTED')) {
        await flush();
        return { writtenRows: undefined };
      }
      if (ON_CLUSTER.test(sql)) {
        // The Distributed table over the staging tables is this stand-in.
        if (/(CREATE|DROP) TABLE .*skein_label_staging_d_/.test(sql)) return { writtenRows: undefined };
        const text = sql
          .replace(ON_CLUSTER, '')
          .replace(
            /ReplicatedReplacingMergeTree\('[^']+', '\{replica\}', update_time\)/,
            'ReplacingMergeTree(update_time)',
          );
        for (const one of nodes) {
          if (one.down && !text.startsWith('KILL')) throw unreachable(one.host);
          if (one.down) continue;
          one.received.push(text);
          await one.clickhouse.command(text, options);
        }
        return { writtenRows: undefined };
      }
      const into = new RegExp(`^INSERT INTO ${DISTRIBUTED.source} \\(([^)]+)\\) (SELECT[\\s\\S]+)$`).exec(sql);
      if (into) {
        const [, db, table, operation = '', , , select = ''] = into;
        await gathered(select, options, async (text) => {
          const scratch = `${database}.gathered_${++scratches}`;
          await first.clickhouse.command(`CREATE TABLE ${scratch} ENGINE = Memory AS ${text}`, options);
          await distribute(`${db}.${table}${operation}`, `SELECT * FROM ${scratch}`);
          await first.clickhouse.command(`DROP TABLE ${scratch}`);
        });
        return { writtenRows: undefined };
      }
      return (await gathered(sql, options, (text) => first.clickhouse.command(text, options))) as {
        readonly writtenRows: number | undefined;
      };
    },
    async insert(table, values: readonly object[] | Readable, options) {
      const [match] = [...table.matchAll(DISTRIBUTED)];
      if (!match) return first.clickhouse.insert(table, values, options);
      const [, db, name, operation = ''] = match;
      const scratch = `${database}.gathered_${++scratches}`;
      await first.clickhouse.command(`CREATE TABLE ${scratch} AS ${database}.conversation_with_labels ENGINE = Memory`);
      const {
        insert_deduplication_token: _token,
        distributed_foreground_insert: _foreground,
        ...settings
      } = options?.settings ?? {};
      await first.clickhouse.insert(scratch, values, { ...options, settings });
      await distribute(`${db}.${name}${operation}`, `SELECT * FROM ${scratch}`);
      await first.clickhouse.command(`DROP TABLE ${scratch}`);
    },
  };
}

function unreachable(host: string): ServiceError {
  return new ServiceError('clickhouse', `ClickHouse does not answer: ${host} refused the connection.`, {
    details: { clickhouse_code: '279' },
  });
}
