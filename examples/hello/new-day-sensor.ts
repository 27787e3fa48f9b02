import { defineSensor, request, skip } from '@skein/orchestrator';
import { z } from 'zod';

import { orderTotalsJob } from './order-totals.ts';
import { orders } from './orders.ts';

export const newDaySensor = defineSensor({
  name: 'new_day_sensor',
  description: 'Asks for the first day that was delivered and not asked for yet.',
  job: orderTotalsJob,
  every: '5s',
  cursor: z.object({ last_day: z.string().default('2026-01-02') }),
  resources: { orders },
  async evaluate({ cursor, resources }) {
    const day = (await resources.orders.days()).find((one) => one > cursor.last_day);
    if (day === undefined) return skip(`nothing was delivered after ${cursor.last_day}`);
    const shops = await resources.orders.shopsOf(day);
    return request(
      shops.map((shop) => ({ partitions: [`${shop}_${day}`] })),
      { cursor: { last_day: day } },
    );
  },
});
