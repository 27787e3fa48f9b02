/** Who may label a customer: one at a time, a backfill for its whole length, over the deaths of its workers. */

import { REGULAR_TAG } from '@skein/jobs';

import { claim, holding, liveLeases, release } from '../../src/conversation-labels/lease.ts';
import { type CallCenter, CUSTOMER, NOW, openCallCenter, partition } from './call-center.ts';
import { tamper } from './tampering.ts';

let center: CallCenter;
beforeEach(async () => {
  center = await openCallCenter();
  await center.addChats([{ id: 'c1' }, { id: 'c2', created: '2026-02-11T01:00:00Z', ended: '2026-02-11T02:00:00Z' }]);
});
afterEach(() => center.close());

const RANGE = [partition('2026-02-10'), partition('2026-02-11')];

/** Runs `during` while the run stands before its first insert. */
function whileInserting(during: () => Promise<void>) {
  let once = false;
  return tamper(center.clickhouse, {
    insert: async (table, pass) => {
      if (!once && table.endsWith('`conversation_with_labels`')) {
        once = true;
        await during();
      }
      await pass();
    },
  });
}

test('a second backfill of the customer is refused, and names the first', async () => {
  let second: Awaited<ReturnType<CallCenter['run']>> | undefined;
  const clickhouse = whileInserting(async () => {
    second = await center.run({ partitions: RANGE, runId: 'SECOND', config: { mode: 'delete-insert' } });
  });
  const first = await center.run({ partitions: RANGE, runId: 'FIRST', config: { mode: 'delete-insert' }, clickhouse });

  expect([first.error, first.status]).toEqual([undefined, 'SUCCESS']);
  expect(second?.error).toMatchObject({ code: 'REFUSED', details: { run_id: 'FIRST', kind: 'backfill' } });
  expect(String(second?.error)).toContain('Customer alaska-air is held by a backfill: run FIRST, since');
  expect(await center.labels()).toHaveLength(2);
});

test('the relabelling of one day is refused as well while a backfill holds the customer', async () => {
  let day: Awaited<ReturnType<CallCenter['run']>> | undefined;
  const clickhouse = whileInserting(async () => {
    day = await center.run({ partitions: [partition('2026-02-20')] });
  });
  const first = await center.run({ partitions: RANGE, config: { mode: 'delete-insert' }, clickhouse });
  expect([first.error, first.status]).toEqual([undefined, 'SUCCESS']);
  expect(day?.error).toMatchObject({ code: 'REFUSED' });
});

test('the regular labelling skips a customer that is held and says so; the partition stays as it was', async () => {
  let regular: Awaited<ReturnType<CallCenter['run']>> | undefined;
  const clickhouse = whileInserting(async () => {
    regular = await center.run({ partitions: [partition()], tags: REGULAR_TAG });
  });
  const first = await center.run({ partitions: RANGE, runId: 'FIRST', config: { mode: 'delete-insert' }, clickhouse });

  expect([first.error, first.status]).toEqual([undefined, 'SUCCESS']);
  expect(regular?.status).toBe('SUCCESS');
  expect(regular?.partitions.get(partition())).toMatchObject({
    kind: 'rehearsed',
    reason: expect.stringContaining('held by a backfill: run FIRST'),
  });
  expect(regular?.logs).toContainEqual(
    expect.objectContaining({ level: 'warn', message: 'The customer is held; the regular labelling skips it.' }),
  );
  expect(regular?.result).toMatchObject({ held: [{ customer_id: CUSTOMER }] });
  // Not confirmed, so the sensor asks for the same range again.
  expect((await center.appDb.query('SELECT * FROM skein_labels.regular_labelling')).rows).toEqual([]);
});

test('a confirmed regular run is written down for the sensor', async () => {
  const run = await center.run({
    partitions: [partition()],
    tags: REGULAR_TAG,
    config: { range_start: '2026-02-10T01:00:00Z', range_end: '2026-02-10T02:00:00Z' },
  });
  expect(run.status).toBe('SUCCESS');
  expect(
    (await center.appDb.query('SELECT customer_id, range_start, range_end FROM skein_labels.regular_labelling')).rows,
  ).toEqual([
    {
      customer_id: CUSTOMER,
      range_start: new Date('2026-02-10T01:00:00Z'),
      range_end: new Date('2026-02-10T02:00:00Z'),
    },
  ]);
});

test('single days of one customer take turns', async () => {
  const runs = await Promise.all(
    ['2026-02-10', '2026-02-11', '2026-02-12'].map((day) => center.run({ partitions: [partition(day)] })),
  );
  expect(runs.map((run) => run.status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
  expect(await center.labels()).toHaveLength(2);
});

describe('the lease', () => {
  const request = (runId: string, kind: 'regular' | 'day' | 'backfill' = 'backfill', ttlMs = 60_000) => ({
    db: center.appDb,
    customerId: CUSTOMER,
    runId,
    kind,
    terms: { ttlMs, patienceMs: 300 },
    signal: new AbortController().signal,
  });
  beforeEach(() => center.run({ partitions: [partition()], now: NOW }));

  test('belongs to the run: its next step takes it again, another run only when nobody renewed it', async () => {
    await claim(request('A', 'backfill', 200));
    await claim(request('A', 'backfill', 200));
    await expect(claim(request('B'))).rejects.toThrow('held by a backfill: run A');
    await until(async () => (await liveLeases(center.appDb, CUSTOMER)).length === 0);
    await claim(request('B'));
    expect(await liveLeases(center.appDb)).toMatchObject([{ run_id: 'B' }]);
  });

  test('a worker that comes back from the dead finds itself replaced and stops', async () => {
    let reason: unknown;
    const old = holding(request('A', 'backfill', 300), async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      reason = signal.reason;
    });
    await until(async () => (await liveLeases(center.appDb, CUSTOMER)).length === 1);
    await claim(request('A', 'backfill', 60_000));
    await old;
    expect(reason).toMatchObject({ code: 'LEASE_LOST', retryable: true });
  });

  test('is renewed for as long as the work takes', async () => {
    await holding(request('A', 'backfill', 250), async (signal) => {
      const begun = performance.now();
      await until(async () => performance.now() - begun > 900);
      expect(signal.aborted).toBe(false);
      await expect(claim(request('B'))).rejects.toThrow('run A');
    });
  });

  test('a day waits for a regular run, but not for ever', async () => {
    await claim(request('R', 'regular'));
    await expect(claim(request('D', 'day'))).rejects.toThrow('held by the regular labelling');
    setTimeout(() => void release(center.appDb, CUSTOMER, 'R'), 50);
    await claim(request('D', 'day'));
    expect(await release(center.appDb, CUSTOMER, 'R')).toBe(false);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition was not met in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
