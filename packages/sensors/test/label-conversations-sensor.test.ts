/** The regular labelling: watermarks, ranges, and customers that are left out; on real PostgreSQL and ClickHouse. */

import { labelConversationsSensor } from '@skein/sensors';
import { tickSensor } from '@skein/orchestrator/testing';
import type { Json } from '@skein/orchestrator';

import {
  type CallCenter,
  CUSTOMER,
  openCallCenter,
  partition,
} from '../../jobs/test/conversation-labels/call-center.ts';
import { claim, ensureOwnSchema } from '../../jobs/src/conversation-labels/lease.ts';

let center: CallCenter;
beforeEach(async () => {
  center = await openCallCenter();
});
afterEach(async () => {
  delete process.env.FILTER_CUSTOMER_IN_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE;
  delete process.env.ENABLE_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE;
  await center.close();
});

const tick = (now: string, cursor: unknown = {}, options: { activeRuns?: number } = {}) =>
  tickSensor(labelConversationsSensor, {
    now,
    cursor: cursor as Json,
    resources: { appDb: center.appDb, clickhouse: center.clickhouse },
    ...options,
  });
const customers = (cursor: unknown) => (cursor as { customers: unknown }).customers;

test('begins where the labels end, open conversations ignored', async () => {
  await center.plantLabels([{}, { conversation_id: 'open', conversation_end_time: '1970-01-01 00:00:00.000' }]);
  const { requests, cursor } = await tick('2026-02-10T02:20:00Z');
  expect(requests).toEqual([
    {
      partitions: [partition()],
      config: { range_start: '2026-02-10T01:50:00.000Z', range_end: '2026-02-10T02:20:00.000Z' },
      tags: { labelling: 'regular', customer: CUSTOMER },
      priority: 10,
      runKey: 'alaska-air|2026-02-10T01:50:00.000Z|2026-02-10T02:20:00.000Z',
    },
  ]);
  expect(customers(cursor)).toEqual({
    [CUSTOMER]: { labelled_to: '2026-02-10T01:50:00.000Z', requested_to: '2026-02-10T02:20:00.000Z' },
  });
});

test('without any label it begins a day ago, never at the epoch', async () => {
  const { requests } = await tick('2026-02-10T02:00:00Z');
  expect(requests[0]?.config).toEqual({
    range_start: '2026-02-09T00:00:00.000Z',
    range_end: '2026-02-10T02:00:00.000Z',
  });
  expect(requests[0]?.partitions).toEqual([partition('2026-02-09'), partition('2026-02-10')]);
});

test('the watermark moves when the range is confirmed, and the run really confirms it', async () => {
  await center.addChats([{ id: 'c1' }]);
  const start = { customers: { [CUSTOMER]: { labelled_to: '2026-02-10T01:00:00Z' } } };
  const first = await tick('2026-02-10T02:00:00Z', start);
  const again = await tick('2026-02-10T02:30:00Z', first.cursor);
  expect(again.requests[0]?.config).toMatchObject({
    range_start: '2026-02-10T01:00:00.000Z',
    range_end: '2026-02-10T02:30:00.000Z',
  });

  const [asked] = again.requests;
  const run = await center.run({
    partitions: asked?.partitions ?? [],
    config: asked?.config ?? {},
    tags: asked?.tags ?? {},
    now: new Date('2026-02-10T02:30:01Z'),
  });
  expect(run).toMatchObject({ status: 'SUCCESS', result: { rows: 1, verified: true } });
  const third = await tick('2026-02-10T03:00:00Z', again.cursor);
  expect(third.requests[0]?.config).toEqual({
    range_start: '2026-02-10T02:30:00.000Z',
    range_end: '2026-02-10T03:00:00.000Z',
  });
});

test('a day that ended is labelled once more as a whole', async () => {
  const cursor = { customers: { [CUSTOMER]: { labelled_to: '2026-02-10T23:40:00Z' } } };
  const { requests } = await tick('2026-02-11T00:10:00Z', cursor);
  expect(requests[0]).toMatchObject({
    partitions: [partition('2026-02-10'), partition('2026-02-11')],
    config: { range_start: '2026-02-10T00:00:00.000Z', range_end: '2026-02-11T00:10:00.000Z' },
  });
});

test('a watermark that a person sets back is where the next range begins', async () => {
  await center.addChats([{ id: 'c1' }]);
  await center.run({
    partitions: [partition()],
    tags: { labelling: 'regular' },
    config: { range_start: '2026-02-10T01:00:00Z', range_end: '2026-02-10T02:00:00Z' },
  });
  const cursor = { customers: { [CUSTOMER]: { labelled_to: '2026-02-09T12:00:00Z' } } };
  expect((await tick('2026-02-09T13:00:00Z', cursor)).requests[0]?.config).toMatchObject({
    range_start: '2026-02-09T12:00:00.000Z',
  });
});

test('a long stop is caught up with in bounded pieces', async () => {
  const cursor = { customers: { [CUSTOMER]: { labelled_to: '2025-01-01T00:00:00Z' } } };
  const { requests, cursor: next, lag } = await tick('2026-02-10T00:00:00Z', cursor);
  expect(requests[0]?.partitions).toHaveLength(31);
  expect(lag).toBe(405 * 86_400); // seconds from the oldest watermark
  expect(customers(next)).toMatchObject({ [CUSTOMER]: { requested_to: '2025-02-01T00:00:00.000Z' } });
});

test('a customer that a backfill holds is left out, and the tick says by which run; the others are asked for', async () => {
  await center.appDb.query(`INSERT INTO app.profiles VALUES ('other', 'chat', $1)`, [center.database]);
  await ensureOwnSchema(center.appDb);
  await claim({
    db: center.appDb,
    customerId: CUSTOMER,
    runId: 'RUN9',
    kind: 'backfill',
    terms: { ttlMs: 60_000, patienceMs: 0 },
    signal: new AbortController().signal,
  });
  const { requests, cursor } = await tick('2026-02-10T02:00:00Z');
  expect(requests.map((asked) => asked.tags?.customer)).toEqual(['other']);
  expect(cursor).toMatchObject({ position: '1 of 2 customers asked for; alaska-air is held by the backfill RUN9' });

  process.env.FILTER_CUSTOMER_IN_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE = CUSTOMER;
  expect(await tick('2026-02-10T02:00:00Z')).toMatchObject({
    requests: [],
    skipReason: 'alaska-air is held by the backfill RUN9',
  });
});

test('a customer whose last range is still being labelled waits', async () => {
  expect(await tick('2026-02-10T02:00:00Z', {}, { activeRuns: 1 })).toMatchObject({
    requests: [],
    skipReason: 'alaska-air is still being labelled',
  });
});

test('one customer by the filter, exactly; none is an error; the switch stops it', async () => {
  process.env.FILTER_CUSTOMER_IN_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE = 'alaska';
  await expect(tick('2026-02-10T02:00:00Z')).rejects.toThrow('No profile matches the customer “alaska”');
  process.env.ENABLE_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE = 'false';
  expect((await tick('2026-02-10T02:00:00Z')).skipReason).toContain('switched off');
});

test('a cursor that is not one is refused by field', async () => {
  await expect(tick('2026-02-10T02:00:00Z', { customers: { x: { labelled_to: 'yesterday' } } })).rejects.toThrow(
    'customers.x.labelled_to: is not an RFC 3339 instant',
  );
});
