/** What becomes of records when they are restored; without services. */

import type { BackupRecord } from '../../src/history/backup/format.ts';
import { EPOCH_STEP, asRestored } from '../../src/history/backup/restored.ts';
import { addStates, emptyTally, unequal } from '../../src/history/backup/tally.ts';
import { toRunRecord } from '../../src/history/run-record.ts';

const MOVE = { fromPrefix: '{a}', toPrefix: '{b}', nowMs: 7 };
const become = (record: BackupRecord) => asRestored(record, MOVE).v;

test('units keep their work, with an epoch that nobody of the old world has', () => {
  expect(become({ k: 'u:R.0.m', t: 'hash', v: ['state', 'RUNNING', 'epoch', '3', 'lost', '2', 'ckpt', 'c'] })).toEqual([
    'state',
    'RUNNING',
    'epoch',
    String(3 + EPOCH_STEP),
    'lost',
    '-1',
    'ckpt',
    'c',
  ]);
});

test('leases are over, bells are due, other scores stay', () => {
  expect(become({ k: 'leases', t: 'zset', v: ['A.0.m.1', '99', 'B.0.m.1', '98'] })).toEqual([
    'A.0.m.1',
    '0',
    'B.0.m.1',
    '0',
  ]);
  expect(become({ k: 'outbox', t: 'zset', v: ['A', '5'] })).toEqual(['A', '0']);
  expect(become({ k: 'delayed', t: 'zset', v: ['A', '5'] })).toEqual(['A', '5']);
});

test('a tick under way ends as lost, an ended one stays; the sensor is free and its ticks count on far ahead', () => {
  expect(
    become({ k: 'sensor:s', t: 'hash', v: ['cursor', '{}', 'tick', 's.4', 'tick_deadline', '9', 'tick_epoch', '4'] }),
  ).toEqual(['cursor', '{}', 'tick_epoch', String(4 + EPOCH_STEP)]);
  expect(become({ k: 'tick:s.4', t: 'hash', v: ['status', 'STARTED'] }).slice(2, 6)).toEqual([
    'status',
    'FAILURE',
    'decision',
    'timed_out',
  ]);
  expect(become({ k: 'tick:s.3', t: 'hash', v: ['status', 'SUCCESS'] })).toEqual(['status', 'SUCCESS']);
  expect(become({ k: 'sensor:s:hist', t: 'stream', v: ['1-0', '2', 'tick', 'x'] })).toEqual(['1-0', '2', 'tick', 'x']);
});

test('a parked run waits at the key of the new prefix', () => {
  expect(become({ k: 'run:R', t: 'hash', v: ['parked', '{a}:wait:events:1', 'cause', '{a}:x'] })).toEqual([
    'parked',
    '{b}:wait:events:1',
    'cause',
    '{a}:x',
  ]);
});

test('states are counted as the ledger counts them', () => {
  const tally = emptyTally();
  // materialized and idle, failed and running; skipped and queued, nothing
  expect(addStates(tally, Uint8Array.of(0x4a, 0xd0))).toBe(3);
  expect(tally).toEqual({ o1: 1, o2: 1, o3: 1, a1: 1, a2: 1, a3: 0 });
  expect(unequal(tally, { ...tally, a3: 1, o1: 0 })).toEqual(['o1', 'a3']);
});

test('a run of one partition keeps that one’s record in its own; Lua’s empty list is an object', () => {
  const fields = {
    id: 'R',
    steps: '[{"asset":"a"}]',
    parts: '[["k","r",0]]',
    part: '{"o":"materialized","m":{"n":1}}',
  };
  expect(toRunRecord({ ...fields, lane: 'l' }, {}, [], [])).toMatchObject({
    partitions: [{ asset: 'a', key: 'k', outcome: 'materialized', metadata: '{"n":1}' }],
    record: JSON.stringify({ steps: fields.steps, lane: 'l' }),
  });
  expect(toRunRecord({ id: 'R', steps: '[]', parts: '{}' }, {}, [], []).partitions).toEqual([]);
  const { part: _part, ...several } = fields;
  const parts = { 'a|k': '{"o":"failed","e":{"code":"BAD","message":"no"}}' };
  expect(toRunRecord(several, parts, [], []).partitions).toEqual([
    expect.objectContaining({ outcome: 'failed', error_code: 'BAD', error_message: 'no' }),
  ]);
});
