import { runAsset, tickSensor } from '@skein/orchestrator/testing';

import { newDaySensor } from '../examples/hello/new-day-sensor.ts';
import { orderTotals } from '../examples/hello/order-totals.ts';

/** Two shops in memory: no folder, no Redis. */
const delivered: Record<string, string[]> = { '7_2026-01-03': ['1,100', '2,250'], '8_2026-01-03': ['3,12 EUR'] };
const now = '2026-01-04T06:00:00Z';
const written = new Map<string, unknown>();
const orders = {
  read: async (shop: number, day: string) => delivered[`${shop}_${day}`],
  days: async () => ['2026-01-03'],
  shopsOf: async () => ['7', '8'],
  writeTotal: async (key: string, total: unknown) => void written.set(key, total),
};

test('sums a day up, and a closed shop is skipped', async () => {
  const run = await runAsset(orderTotals, { partition: '7_2026-01-03', resources: { orders } });
  expect(run.result).toEqual({ rows: 2, cents: 350 });
  expect(written.get('7_2026-01-03')).toEqual({ orders: 2, cents: 350 });

  const closed = await runAsset(orderTotals, { partition: '9_2026-01-03', resources: { orders } });
  expect(closed.partitions.get('9_2026-01-03')).toMatchObject({ kind: 'skipped', reason: 'the shop was closed' });
});

test('a bad amount fails and names the order', async () => {
  const run = await runAsset(orderTotals, { partition: '8_2026-01-03', resources: { orders } });
  expect(String(run.error)).toContain('Order 3: “12 EUR” is not an amount in cents.');
});

test('the sensor asks once for a new day, then waits', async () => {
  const tick = await tickSensor(newDaySensor, { cursor: {}, now, resources: { orders } });
  expect(tick.requests.map(({ partitions }) => partitions)).toEqual([['7_2026-01-03'], ['8_2026-01-03']]);
  const next = await tickSensor(newDaySensor, { cursor: { last_day: '2026-01-03' }, now, resources: { orders } });
  expect(next.skipReason).toBe('nothing was delivered after 2026-01-03');
});
