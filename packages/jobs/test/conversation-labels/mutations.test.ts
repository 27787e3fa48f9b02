/** Mutations that stall, fail, wait behind somebody else's, vanish from the list, or are cancelled: on real ClickHouse. */

import { CancelledError } from '@skein/orchestrator';

import { type MutationRow, judge } from '../../src/conversation-labels/mutations.ts';
import { type CallCenter, openCallCenter, partition } from './call-center.ts';
import { clickhouseError, isDelete, isMutationList, tamper } from './tampering.ts';

let center: CallCenter;
let table: string;
beforeEach(async () => {
  center = await openCallCenter();
  table = `${center.database}.conversation_with_labels`;
  await center.plantLabels([{}]);
  await center.addChats([{ id: 'c1', agent: 'b' }]);
});
afterEach(() => center.close());

const relabel = (options: Partial<Parameters<CallCenter['run']>[0]> = {}, timeout = 30) =>
  center.run({
    partitions: [partition()],
    ...options,
    config: { mode: 'delete-insert', mutation_timeout_seconds: timeout, ...options.config },
  });
const agents = async () => (await center.labels()).map((row) => row.agent_user_id);
const mutations = () =>
  center.clickhouse.rows<{ mutation_id: string; command: string; is_done: number }>(
    `SELECT mutation_id, command, is_done FROM system.mutations WHERE database = '${center.database}' ORDER BY mutation_id`,
  );

test('nothing to delete: no mutation, no wait', async () => {
  await center.clickhouse.command(`TRUNCATE TABLE ${table}`);
  const run = await relabel();
  expect(run.status).toBe('SUCCESS');
  expect(await mutations()).toEqual([]);
  expect(run.events).toContainEqual({
    name: 'labels_deleted',
    fields: expect.objectContaining({ rows: 0, mutations: 0 }),
  });
});

test('merges stopped: the delete is called stalled, by its name and its parts, is killed, and nothing is inserted', async () => {
  await center.clickhouse.command(`SYSTEM STOP MERGES ${table}`);
  const run = await relabel({}, 0.6);
  expect(run.status).toBe('FAILURE');
  expect(run.error).toMatchObject({ code: 'LABELS_MUTATION_FAILED', trouble: 'stalled', retryable: false });
  expect(String(run.error)).toMatch(
    /stalled: no progress and no error within .*mutation_\d+\.txt on replica 1 .*, 1 parts to do/,
  );
  expect(await agents()).toEqual(['a']);
  expect(await mutations()).toEqual([]);

  await center.clickhouse.command(`SYSTEM START MERGES ${table}`);
  expect((await relabel()).status).toBe('SUCCESS');
  expect(await agents()).toEqual(['b']);
});

test('a delete of ours that fails is reported with its reason and killed', async () => {
  const clickhouse = tamper(center.clickhouse, {
    command: (sql, pass) =>
      pass(isDelete(sql) ? `${sql} AND throwIf(conversation_id = 'c1', 'the disk is full') = 0` : sql),
  });
  const run = await relabel({ clickhouse });
  expect(run.error).toMatchObject({ code: 'LABELS_MUTATION_FAILED', trouble: 'failing' });
  expect(String(run.error)).toContain('the disk is full');
  expect(await mutations()).toEqual([]);
  expect(await agents()).toEqual(['a']);
});

test('a foreign mutation that fails blocks ours: it is named, ours is killed, the foreign one is left alone', async () => {
  await center.clickhouse.command(
    `ALTER TABLE ${table} UPDATE usecase_id = toString(throwIf(1, 'somebody else')) WHERE 1`,
    { settings: { mutations_sync: '0' } },
  );
  const run = await relabel();
  expect(run.error).toMatchObject({ trouble: 'blocked' });
  expect(String(run.error)).toMatch(
    /waits behind a failing mutation of somebody else: mutation_\d+\.txt.*somebody else/s,
  );
  expect(await mutations()).toMatchObject([{ command: expect.stringContaining('UPDATE'), is_done: 0 }]);
  expect(await agents()).toEqual(['a']);
});

test('a delete that was pruned from the list is believed only when no row is left', async () => {
  let seen = 0;
  const pruned = tamper(center.clickhouse, {
    rows: async (sql, pass) => (isMutationList(sql) && ++seen > 0 ? [] : pass(sql)),
  });
  expect((await relabel({ clickhouse: pruned })).status).toBe('SUCCESS');
  expect(seen).toBeGreaterThan(0);
  expect(await agents()).toEqual(['b']);

  const killed = tamper(center.clickhouse, {
    command: async (sql, pass) => (isDelete(sql) ? { writtenRows: undefined } : pass(sql)),
    rows: async (sql, pass) => (isMutationList(sql) ? [] : pass(sql)),
  });
  const run = await relabel({ clickhouse: killed }, 0.3);
  expect(run.error).toMatchObject({ trouble: 'vanished', retryable: true });
  expect(await agents()).toEqual(['b']);
});

test('a time-out of the distributed DDL is not a failure: the work goes on behind it', async () => {
  const clickhouse = tamper(center.clickhouse, {
    command: async (sql, pass) => {
      const done = await pass(sql);
      if (isDelete(sql)) throw clickhouseError(159, 'Distributed DDL task is not finished');
      return done;
    },
  });
  expect((await relabel({ clickhouse })).status).toBe('SUCCESS');
  expect(await agents()).toEqual(['b']);
});

test('a cancelled run kills its delete and gives the customer back', async () => {
  await center.clickhouse.command(`SYSTEM STOP MERGES ${table}`);
  const cancel = new AbortController();
  const clickhouse = tamper(center.clickhouse, {
    rows: async (sql, pass) => {
      const found = await pass(sql);
      if (isMutationList(sql) && found.length > 0) cancel.abort(new CancelledError('A person cancelled the run.'));
      return found;
    },
  });
  const run = await relabel({ clickhouse, signal: cancel.signal });
  expect(run.error).toBeInstanceOf(CancelledError);
  expect(await mutations()).toEqual([]);
  expect((await center.appDb.query('SELECT * FROM skein_labels.leases')).rows).toEqual([]);
});

test('skip_delete does not believe that the rows are gone', async () => {
  const run = await relabel({ config: { skip_delete: true } });
  expect(run.error).toMatchObject({ code: 'LABELS_DISAGREE' });
  expect(String(run.error)).toContain('skip_delete is set, but 1 label rows');
  await center.clickhouse.command(`TRUNCATE TABLE ${table}`);
  expect((await relabel({ config: { skip_delete: true } })).status).toBe('SUCCESS');
});

test('a dry run says what it would do and touches nothing', async () => {
  const before = await center.labels();
  const run = await relabel({ config: { dry_run: true } });
  expect(run.result).toMatchObject({
    dry_run: true,
    customers: [
      {
        customer_id: 'alaska-air',
        databases: [
          {
            rows_in_windows: 1,
            rows_selected: 1,
            rows_to_write: 1,
            statement: expect.stringContaining('DELETE WHERE customer_id = '),
          },
        ],
      },
    ],
  });
  expect(await center.labels()).toEqual(before);
  expect(await mutations()).toEqual([]);
  expect(
    (await center.appDb.query(`SELECT 1 FROM information_schema.schemata WHERE schema_name = 'skein_labels'`)).rowCount,
  ).toBe(0);
  expect(
    await center.clickhouse.rows(
      `SELECT name FROM system.tables WHERE database = '${center.database}' AND name LIKE 'skein%'`,
    ),
  ).toEqual([]);
});

describe('the verdict on one poll', () => {
  const row = (fields: Partial<MutationRow>): MutationRow => ({
    replica: 1,
    host: 'h',
    mutation_id: 'mutation_9.txt',
    command: `(DELETE WHERE ('skein:op:1' != ''))`,
    is_done: 0,
    parts_to_do: '2',
    latest_fail_reason: '',
    ...fields,
  });
  const foreign = (mutation_id: string, latest_fail_reason: string) =>
    row({ mutation_id, command: '(UPDATE x = 1)', latest_fail_reason });
  const poll = (rows: MutationRow[], answered = [1, 2], expected = 2) =>
    judge({ rows, answered: new Set(answered), expected }, 'skein:op:1');

  test.each([
    ['done on every replica', [row({ is_done: 1 }), row({ replica: 2, is_done: 1 })], 'done'],
    ['no parts to do is not done', [row({ parts_to_do: 0 }), row({ replica: 2, is_done: 1 })], 'progressing'],
    ['listed on one replica only', [row({ is_done: 1 })], 'absent'],
    ['a fail reason', [row({ latest_fail_reason: 'no space' }), row({ replica: 2 })], 'failing'],
    [
      'a foreign one that works',
      [row({}), row({ replica: 2, is_done: 1 }), foreign('mutation_3.txt', '')],
      'progressing',
    ],
    [
      'an earlier foreign one that fails',
      [row({ latest_fail_reason: 'y' }), row({ replica: 2 }), foreign('mutation_3.txt', 'y')],
      'blocked',
    ],
    [
      'a later foreign one is not the reason',
      [row({ latest_fail_reason: 'y' }), row({ replica: 2 }), foreign('mutation_10.txt', 'y')],
      'failing',
    ],
    [
      'a foreign one does not matter when ours is done',
      [row({ is_done: 1 }), row({ replica: 2, is_done: 1 }), foreign('mutation_3.txt', 'y')],
      'done',
    ],
    ['a mark that only begins alike', [row({ command: `('skein:op:12' != '')`, is_done: 1 })], 'absent'],
  ])('%s', (_, rows, kind) => expect(poll(rows).kind).toBe(kind));

  test('a replica that does not answer is unknown, not done', () => {
    expect(poll([row({ is_done: 1 })], [1], 2)).toEqual({ kind: 'unknown', answered: 1, expected: 2 });
  });
});
