/**
 * Several shards and replicas, on several ClickHouse processes with a stand-in between them (`cluster-stand-in.ts` says
 * what of it is real): rows on a wrong shard, replicas that differ, that stall, and that are away.
 */

import type { Json } from '@skein/orchestrator';

import { type CallCenter, CUSTOMER, type LabelRow, labelRow, openCallCenter, partition } from './call-center.ts';
import { CLUSTER, type Cluster, type Node, openCluster, startFurtherServers } from './cluster-stand-in.ts';
import { isDelete, tamper } from './tampering.ts';
import { verifyCustomer } from '../../src/conversation-labels/verify-customer.ts';
import { LabelConversationsConfig } from '../../src/conversation-labels/config.ts';
import type { Work } from '../../src/conversation-labels/prepare.ts';
import { describeVerification } from '../../src/conversation-labels/verification-text.ts';

let servers: Awaited<ReturnType<typeof startFurtherServers>>;
let center: CallCenter;
let cluster: Cluster;
let table: string;

beforeAll(async () => {
  servers = await startFurtherServers();
});
afterAll(() => servers?.stop());
beforeEach(async () => {
  center = await openCallCenter();
  cluster = await openCluster(center.clickhouse, center.database, servers.members);
  table = `${center.database}.conversation_with_labels`;
});
afterEach(async () => {
  await cluster.close();
  await center.close();
});

const node = (shard: number, replica = 1): Node => {
  const found = cluster.nodes.find((one) => one.shard === shard && one.replica === replica);
  if (!found) throw new TypeError('no such replica');
  return found;
};
/** Rows as they are, on every replica of one shard, whatever their hash says. */
async function plant(shard: number, ...rows: readonly Partial<LabelRow>[]): Promise<void> {
  for (const one of cluster.nodes.filter((n) => n.shard === shard))
    await one.clickhouse.insert(table, rows.map(labelRow));
}
const rowsOn = async (one: Node) =>
  (
    await one.clickhouse.rows<{ text: string }>(
      `SELECT conversation_id || ' ' || agent_user_id AS text FROM ${table} ORDER BY text`,
    )
  ).map((row) => row.text);
const relabel = (config = {}, clickhouse = cluster.clickhouse) =>
  center.run({ partitions: [partition()], clickhouse, config: { cluster: CLUSTER, mode: 'delete-insert', ...config } });

async function verify() {
  const work: Work = {
    db: center.appDb,
    clickhouse: cluster.clickhouse,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    config: LabelConversationsConfig.parse({ cluster: CLUSTER }),
    runId: 'verify',
    regular: false,
    phase: (_name, step) => step(),
    event() {},
  };
  const window = { startMs: Date.UTC(2026, 1, 10), endMs: Date.UTC(2026, 1, 11) };
  const [found] = await verifyCustomer(work, CUSTOMER, [window], new Date('2026-03-01T00:00:00Z'));
  if (!found) throw new TypeError('nothing was verified');
  return {
    ...found,
    failed: found.points.filter((point) => !point.passed).map((point) => point.name),
    text: describeVerification(found).join('\n'),
  };
}

/** Enough conversations for each shard to have some. */
const chats = (count: number, agent = 'b') => Array.from({ length: count }, (_, i) => ({ id: `c${i}`, agent }));

describe.each(['delete-insert', 'swap'] as const)('%s', (mode) => {
  test('every row goes to the shard of its hash and to each of its replicas, once', async () => {
    await center.addChats(chats(40));
    await plant(1, ...chats(40).map(({ id }) => ({ conversation_id: id })));
    await plant(2, ...chats(40).map(({ id }) => ({ conversation_id: id, agent_user_id: 'old' })));
    const run = await relabel({ mode });
    expect(run).toMatchObject({ status: 'SUCCESS', error: undefined, result: { rows: 40, verified: true } });

    const [one, other] = [await rowsOn(node(1)), await rowsOn(node(2))];
    expect([...one, ...other].sort()).toEqual(
      chats(40)
        .map(({ id }) => `${id} b`)
        .sort(),
    );
    expect(one.length).toBeGreaterThan(0);
    expect(other.length).toBeGreaterThan(0);
    expect(await rowsOn(node(1, 2))).toEqual(one);
    const [hashes] = await node(2).clickhouse.rows<{ wrong: string }>(
      `SELECT countIf(cityHash64(conversation_id) % 2 != 1) AS wrong FROM ${table}`,
    );
    expect(hashes).toEqual({ wrong: '0' });
    expect(await verify()).toMatchObject({ passed: true, failed: [] });
    // Nothing of the operation is left on any server.
    for (const { clickhouse } of cluster.nodes) {
      expect(
        await clickhouse.rows(
          `SELECT name FROM system.tables WHERE database = '${center.database}' AND name LIKE 'skein%'`,
        ),
      ).toEqual([]);
    }
  });

  test('a partition that a shard has and the fresh rows have not on that shard', async () => {
    // One conversation is left, so one of the shards gets no row at all; both had some.
    await center.addChats([{ id: 'c1', agent: 'b' }]);
    await plant(1, { conversation_id: 'gone1' }, { conversation_id: 'c1' });
    await plant(2, { conversation_id: 'gone2' }, { conversation_id: 'c1' });
    expect(await relabel({ mode })).toMatchObject({ status: 'SUCCESS', error: undefined });
    expect([...(await rowsOn(node(1))), ...(await rowsOn(node(2)))]).toEqual(['c1 b']);
    expect(await rowsOn(node(1, 2))).toEqual(await rowsOn(node(1)));
  });
});

test('a duplicate on another shard: no shard shows it alone, not even FINAL over all; verification names it, relabelling leaves one row', async () => {
  await center.addChats(chats(6));
  expect((await relabel()).status).toBe('SUCCESS');
  expect((await verify()).passed).toBe(true);

  // An old sharding key by agent put this version elsewhere.
  const home = (await rowsOn(node(1))).includes('c3 b') ? 1 : 2;
  await plant(3 - home, { conversation_id: 'c3', agent_user_id: 'a', usecase_id: 'chat' });
  for (const one of cluster.nodes) {
    expect(
      await one.clickhouse.rows(`SELECT conversation_id FROM ${table} GROUP BY conversation_id HAVING count() > 1`),
    ).toEqual([]);
  }
  const found = await verify();
  expect(found.failed).toEqual(expect.arrayContaining(['duplicates']));
  expect(found.points.find((point) => point.name === 'duplicates')?.description).toBe(
    '7 rows of 6 conversations on all shards (1 too many); 7 rows with FINAL (1 too many).',
  );
  expect(found.named).toMatchObject([
    {
      kind: 'duplicate',
      conversation_id: 'c3',
      description: expect.stringMatching(/^chat\/c3: 2 label rows .*agent “a”, usecase “chat”/) as string,
    },
  ]);
  expect(found.text).toContain('FAIL  duplicates');

  expect(await relabel()).toMatchObject({ status: 'SUCCESS', result: { rows: 6, verified: true } });
  expect([...(await rowsOn(node(1))), ...(await rowsOn(node(2)))].filter((text) => text.startsWith('c3 '))).toEqual([
    'c3 b',
  ]);
});

test('replicas of one shard that differ fail verification by name', async () => {
  await center.addChats(chats(6));
  await relabel();
  await node(1, 2).clickhouse.command(`ALTER TABLE ${table} DELETE WHERE 1`, { settings: { mutations_sync: '2' } });
  const found = await verify();
  expect(found.failed).toEqual(['replicas']);
  const rows = (await rowsOn(node(1))).length;
  expect(found.points.find((point) => point.name === 'replicas')?.description).toBe(
    `3 replicas of 2 shards, 1 shards disagree (shard 1: shard1-replica1 ${rows}, shard1-replica2 0).`,
  );
});

test('what still waits in a Distributed table is flushed before the delete, so it cannot come in after it', async () => {
  await center.addChats(chats(6));
  await plant(1, { conversation_id: 'c1' });
  cluster.enqueue(node(2), [labelRow({ conversation_id: 'c1', agent_user_id: 'queued' })]);
  expect(await relabel()).toMatchObject({ status: 'SUCCESS', result: { rows: 6, verified: true } });
  expect((await rowsOn(node(2))).filter((text) => text.includes('queued'))).toEqual([]);
});

test('the delete stalls on one shard only: the others being done does not count, the replica is named, all are killed', async () => {
  await center.addChats(chats(6));
  await plant(1, { conversation_id: 'c1' });
  await plant(2, { conversation_id: 'c2' });
  await node(2).clickhouse.command(`SYSTEM STOP MERGES ${table}`);
  const run = await relabel({ mutation_timeout_seconds: 4 });
  expect(run.error).toMatchObject({ code: 'LABELS_MUTATION_FAILED', trouble: 'stalled' });
  expect(String(run.error)).toMatch(/mutation_\d+\.txt on replica 3 \(shard2-replica1\), 1 parts to do/);
  expect(await rowsOn(node(2))).toEqual(['c2 a']);
  for (const { clickhouse } of cluster.nodes) {
    expect(
      await clickhouse.rows(`SELECT 1 FROM system.mutations WHERE database = '${center.database}' AND is_done = 0`),
    ).toEqual([]);
  }
  await node(2).clickhouse.command(`SYSTEM START MERGES ${table}`);
  expect(await relabel()).toMatchObject({ status: 'SUCCESS', result: { rows: 6, verified: true } });
});

test('a replica that goes away after the delete was sent: unknown is not done, and nothing is inserted', async () => {
  await center.addChats(chats(6));
  await plant(1, { conversation_id: 'c1' });
  const leaving = tamper(cluster.clickhouse, {
    command: async (sql, pass) => {
      const done = await pass(sql);
      if (isDelete(sql)) node(1, 2).down = true;
      return done;
    },
  });
  const checkpoints = new Map<string, Json>();
  const same = { partitions: [partition()], runId: 'SAME', checkpoints };
  const config = { cluster: CLUSTER, mode: 'delete-insert' };
  const run = await center.run({ ...same, clickhouse: leaving, config: { ...config, mutation_timeout_seconds: 1 } });
  expect(run.error).toMatchObject({ code: 'LABELS_MUTATION_FAILED', trouble: 'unknown', retryable: true });
  expect(String(run.error)).toContain('Only 2 of 3 replicas of');
  expect([...(await rowsOn(node(1))), ...(await rowsOn(node(2)))]).toEqual([]);
  node(1, 2).down = false;
  expect(await center.run({ ...same, clickhouse: cluster.clickhouse, config, attempt: 2 })).toMatchObject({
    status: 'SUCCESS',
    result: { rows: 6, verified: true },
  });
  expect(await rowsOn(node(1, 2))).toEqual(await rowsOn(node(1)));
});

test('while partitions are swapped, shard by shard, no server is ever seen without rows', async () => {
  await center.addChats(chats(60));
  await relabel({ mode: 'swap' });
  const lowest = new Map<string, number>();
  let [working, polls] = [true, 0];
  const reader = (async () => {
    while (working) {
      for (const one of cluster.nodes) {
        const [row] = await one.clickhouse.rows<{ n: string }>(`SELECT count() AS n FROM ${table}`);
        lowest.set(one.host, Math.min(lowest.get(one.host) ?? Infinity, Number(row?.n)));
      }
      polls++;
    }
  })();
  const run = await relabel({ mode: 'swap' });
  working = false;
  await reader;
  expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
  expect(polls).toBeGreaterThan(3);
  for (const one of cluster.nodes) expect(lowest.get(one.host)).toBe((await rowsOn(one)).length);
});

test('each process gets its part to the letter', async () => {
  await center.addChats(chats(4));
  await plant(1, { conversation_id: 'c1' });
  // Labelled while open: its row lies outside of the range and goes by its id.
  await plant(2, {
    conversation_id: 'c2',
    conversation_start_time: '2026-01-05 10:00:00.000',
    conversation_end_time: '2026-01-05 11:00:00.000',
  });
  await relabel();
  const part = (text: string) => text.replace(/\s+/g, ' ').replace(/\d+ rows/, 'n rows');
  const local = `\`${center.database}\`.\`conversation_with_labels\``;
  const scope = 'customer_id = {customer:String} AND profile_id IN {profiles:Array(String)}';
  const window = ['conversation_end_time', 'conversation_start_time']
    .map((column) => `(${column} >= {from0:DateTime64(3, 'UTC')} AND ${column} < {to0:DateTime64(3, 'UTC')})`)
    .join(' OR ');
  for (const one of cluster.nodes) {
    expect(one.received.map(part)).toEqual([
      `ALTER TABLE ${local} DELETE WHERE ${scope} AND (${window}) AND {mark:String} != ''`,
      `ALTER TABLE ${local} DELETE WHERE ${scope} AND (profile_id, conversation_id) IN (('chat', 'c2')) AND {mark:String} != ''`,
      `INSERT INTO ${center.database}.conversation_with_labels (n rows)`,
    ]);
  }
});
