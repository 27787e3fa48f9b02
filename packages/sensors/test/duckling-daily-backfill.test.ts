/** The daily sensors: yesterday, once, with retries; and their division of labour with the full ones. */

import {
  ducklingEventsDailyBackfillSensor,
  ducklingEventsFullBackfillSensor,
  ducklingPersonsDailyBackfillSensor,
} from '@skein/sensors';

import { createWorld } from './duckling-ledger.ts';

const SENSOR = ducklingEventsDailyBackfillSensor;
const keys = (outcome: { requests: readonly { partitions?: readonly string[] }[] }) =>
  outcome.requests.flatMap((r) => r.partitions ?? []);

test.each([
  ['an ordinary day', '2026-02-10T05:00:00Z', '2026-02-09'],
  ['just after midnight', '2026-01-01T00:00:00Z', '2025-12-31'],
  ['after a leap day', '2024-03-01T00:30:00Z', '2024-02-29'],
])('%s: yesterday of every duckling', async (_, now, day) => {
  const world = createWorld({ 7: null, 2: null });
  const tick = await world.tick(SENSOR, now);
  expect(keys(tick)).toEqual([`2_${day}`, `7_${day}`]);
  expect(tick.cursor).toEqual({ day, position: `${day}: 2 launched` });
  expect(tick.requests[0]).toMatchObject({ tags: { duckling_backfill_type: 'daily' }, priority: 10 });
});

test('queued, running and done ones are left alone; the words say how many are what', async () => {
  const world = createWorld({ 1: null, 2: null, 3: null, 4: null, 5: null });
  world.states.set('1_2026-02-09', { outcome: 'missing', activity: 'queued' });
  world.states.set('2_2026-02-09', { outcome: 'failed', activity: 'running' });
  world.states.set('3_2026-02-09', { outcome: 'materialized', activity: 'idle' });
  world.end('4_2026-02-09', 'failed', '2026-02-10T04:58:00Z');
  for (let i = 0; i < 5; i++) world.end('5_2026-02-09', 'failed', '2026-02-10T00:00:00Z');
  const tick = await world.tick(SENSOR, '2026-02-10T05:00:00Z');
  expect(tick.requests).toEqual([]);
  expect(tick.skipReason).toBe(
    '2026-02-09: 2 queued or running, 1 waiting to be tried again, 1 done, 1 given up after repeated failures',
  );
});

test.each(['failed', 'cancelled'] as const)('%s ones are launched again after their wait', async (as) => {
  const world = createWorld({ 1: null });
  world.end('1_2026-02-09', as, '2026-02-10T04:56:00Z');
  expect(keys(await world.tick(SENSOR, '2026-02-10T05:00:59Z'))).toEqual([]);
  expect(keys(await world.tick(SENSOR, '2026-02-10T05:01:00Z'))).toEqual(['1_2026-02-09']);
});

test('a new duckling is picked up by the next tick', async () => {
  const world = createWorld({ 1: null });
  const first = await world.tick(SENSOR, '2026-02-10T05:00:00Z');
  world.firstDays[2] = null;
  expect(keys(await world.tick(SENSOR, '2026-02-10T06:00:00Z', first.cursor))).toEqual(['2_2026-02-09']);
});

test('daily and full sensors never ask for the same partition', async () => {
  const world = createWorld({ 1: '2026-01-20', 2: '2026-02-09' });
  const daily = await world.tick(SENSOR, '2026-02-10T00:00:00Z');
  const full = await world.tick(ducklingEventsFullBackfillSensor, '2026-02-10T00:00:00Z');
  expect(keys(full).filter((k) => keys(daily).includes(k))).toEqual([]);
  expect(keys(full)).toHaveLength(20);
});

test('persons have a sensor of their own, every hour', () => {
  expect(ducklingPersonsDailyBackfillSensor).toMatchObject({
    name: 'duckling_persons_daily_backfill_sensor',
    everyMs: 3_600_000,
  });
  expect(ducklingPersonsDailyBackfillSensor.job.name).toBe('duckling_persons_backfill_job');
});
