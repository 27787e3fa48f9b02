/** What a cluster gets, to the letter; and the same statements on one server. Pure: no cluster is run here. */

import {
  countAffectedHashes,
  countAffectedRows,
  deleteConversations,
  deleteWindows,
  flushDistributed,
  fillStrays,
} from '../../src/conversation-labels/label-sql.ts';
import { type Place, namesOf } from '../../src/conversation-labels/place.ts';
import { createStaging, dropStaging, replacePartition } from '../../src/conversation-labels/swap.ts';
import { replicasAgree, withinTolerance } from '../../src/conversation-labels/verdicts.ts';
import { countReplicas } from '../../src/conversation-labels/verification-sql.ts';

const DB = '`alaska_air_us_east_1`';
const place = (cluster: string | null): Place => ({
  customerId: 'alaska-air',
  database: 'alaska_air_us_east_1',
  profiles: ['chat'],
  cluster,
  operation: '0123456789abcdef',
  windows: [{ startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2026, 1, 19) }],
  hasDistributed: true,
});
const oneLine = (sql: string) => sql.replace(/\s+/g, ' ').trim();
const WINDOW =
  `((conversation_end_time >= {from0:DateTime64(3, 'UTC')} AND conversation_end_time < {to0:DateTime64(3, 'UTC')})` +
  ` OR (conversation_start_time >= {from0:DateTime64(3, 'UTC')} AND conversation_start_time < {to0:DateTime64(3, 'UTC')}))`;
const SCOPE = 'customer_id = {customer:String} AND profile_id IN {profiles:Array(String)}';
const AFFECTED = `(SELECT profile_id, conversation_id FROM ${DB}.\`skein_label_affected_0123456789abcdef\`)`;

test('the delete over the range goes to the local table of every shard', () => {
  expect(deleteWindows(place('conversations'), 'skein:x:windows')).toEqual({
    sql: `ALTER TABLE ${DB}.\`conversation_with_labels\` ON CLUSTER \`conversations\` DELETE WHERE ${SCOPE} AND ${WINDOW} AND {mark:String} != ''`,
    params: {
      customer: 'alaska-air',
      profiles: ['chat'],
      from0: '2026-01-01 00:00:00.000',
      to0: '2026-02-19 00:00:00.000',
      mark: 'skein:x:windows',
    },
  });
  expect(deleteWindows(place(null), 'm').sql).toBe(
    `ALTER TABLE ${DB}.\`conversation_with_labels\` DELETE WHERE ${SCOPE} AND ${WINDOW} AND {mark:String} != ''`,
  );
});

test('rows outside of it go by id, as literals: the same on every replica', () => {
  const ids = [
    { profile_id: 'chat', conversation_id: `it's \\ one` },
    { profile_id: 'chat', conversation_id: 'c2' },
  ];
  expect(deleteConversations(place('conversations'), ids, 'm').sql).toBe(
    `ALTER TABLE ${DB}.\`conversation_with_labels\` ON CLUSTER \`conversations\` DELETE WHERE ${SCOPE} AND (profile_id, conversation_id) IN (('chat', 'it\\'s \\\\ one'), ('chat', 'c2')) AND {mark:String} != ''`,
  );
});

test('what is still on its way is flushed on every node', () => {
  expect(flushDistributed(namesOf(place('conversations')))).toBe(
    `SYSTEM FLUSH DISTRIBUTED ON CLUSTER \`conversations\` ${DB}.\`conversation_with_labels_d\``,
  );
});

test('the proof counts on every replica of every shard, with the ids sent along', () => {
  expect(oneLine(countAffectedRows(place('conversations')).sql)).toBe(
    `SELECT toUInt32(_shard_num) AS replica, count() AS rows FROM clusterAllReplicas(\`conversations\`, ${DB}.\`conversation_with_labels\`)` +
      ` WHERE ${SCOPE} AND (${WINDOW} OR (profile_id, conversation_id) GLOBAL IN ${AFFECTED}) GROUP BY replica`,
  );
  expect(oneLine(countAffectedHashes(place('conversations')).sql)).toBe(
    `SELECT toUInt32(_shard_num) AS replica, count() AS rows FROM clusterAllReplicas(\`conversations\`, ${DB}.\`conversation_with_labels\`)` +
      ` WHERE ${SCOPE} AND (${WINDOW} OR cityHash64(profile_id, conversation_id) GLOBAL IN` +
      ` (SELECT cityHash64(profile_id, conversation_id) FROM ${DB}.\`skein_label_affected_0123456789abcdef\`)) GROUP BY replica`,
  );
  expect(oneLine(countReplicas(place('conversations')).sql)).toBe(
    `SELECT toUInt32(_shard_num) AS replica, count() AS rows FROM clusterAllReplicas(\`conversations\`, ${DB}.\`conversation_with_labels\`) GROUP BY replica ORDER BY replica`,
  );
});

test('strays are looked for on all shards', () => {
  expect(oneLine(fillStrays(place('conversations')).sql)).toBe(
    `INSERT INTO ${DB}.\`skein_label_strays_0123456789abcdef\` SELECT DISTINCT profile_id, conversation_id FROM ${DB}.\`conversation_with_labels_d\`` +
      ` WHERE ${SCOPE} AND NOT ${WINDOW} AND (profile_id, conversation_id) GLOBAL IN ${AFFECTED}`,
  );
});

test('a swap stages on every shard and replaces partitions once a shard', () => {
  const staging = `${DB}.\`skein_label_staging_0123456789abcdef\``;
  const distributed = `${DB}.\`skein_label_staging_d_0123456789abcdef\``;
  expect(createStaging(place('conversations')).map(oneLine)).toEqual([
    `CREATE TABLE IF NOT EXISTS ${staging} ON CLUSTER \`conversations\` AS ${DB}.\`conversation_with_labels\` ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', update_time)`,
    `CREATE TABLE IF NOT EXISTS ${distributed} ON CLUSTER \`conversations\` AS ${staging} ENGINE = Distributed(\`conversations\`, \`alaska_air_us_east_1\`, \`skein_label_staging_0123456789abcdef\`, cityHash64(conversation_id))`,
  ]);
  expect(replacePartition(place('conversations'), true, '202602').sql).toBe(
    `ALTER TABLE ${DB}.\`conversation_with_labels\` ON CLUSTER \`conversations\` REPLACE PARTITION ID {partition:String} FROM ${staging}`,
  );
  expect(dropStaging(place('conversations')).map(oneLine)).toEqual([
    `DROP TABLE IF EXISTS ${distributed} ON CLUSTER \`conversations\` SYNC`,
    `DROP TABLE IF EXISTS ${staging} ON CLUSTER \`conversations\` SYNC`,
  ]);
});

test('names that are none never reach SQL', () => {
  for (const database of ['x`; DROP TABLE y', '', '1st', 'a.b'])
    expect(() => namesOf({ ...place(null), database })).toThrow('is not a database');
  expect(() => namesOf(place('c`'))).toThrow('is not a cluster');
});

test('replicas of a shard must agree; shards need not', () => {
  const count = (shard: number, rows: number) => ({ shard, host: `h${shard}-${rows}`, rows });
  expect(replicasAgree([count(1, 10), count(1, 10), count(2, 7), count(2, 7)]).passed).toBe(true);
  expect(replicasAgree([count(1, 10), count(1, 10), count(2, 7), count(2, 6)])).toEqual({
    passed: false,
    description: '4 replicas of 2 shards, 1 shards disagree (shard 2: h2-7 7, h2-6 6).',
  });
  expect(replicasAgree([]).passed).toBe(false);
});

test('no tolerance unless it is asked for', () => {
  expect([
    withinTolerance(100, 100, 0),
    withinTolerance(1019, 1000, 0),
    withinTolerance(1019, 1000, 2),
    withinTolerance(1021, 1000, 2),
  ]).toEqual([true, false, true, false]);
});
