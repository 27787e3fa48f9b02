import { defineDeployment } from '@skein/orchestrator';

import { newDaySensor } from './new-day-sensor.ts';
import { orderTotalsJob } from './order-totals.ts';
import { ordersBinding } from './orders.ts';

export const deployment = defineDeployment({
  definitions: { jobs: [orderTotalsJob], sensors: [newDaySensor] },
  resources: [ordersBinding],
});
