import {
  AssetFailedError,
  composite,
  daily,
  defineAsset,
  defineJob,
  dynamic,
  materialized,
  positiveInteger,
  rehearsed,
  skipped,
} from '@skein/orchestrator';
import { z } from 'zod';

import { orders } from './orders.ts';

/** Keys such as `7_2026-01-01`: a shop and a UTC day. */
const shopDays = composite({
  id: dynamic('shop_id', positiveInteger),
  day: daily({ start: '2026-01-01' }),
});

export const orderTotals = defineAsset({
  key: 'order_totals',
  description: 'A day of one shop’s orders, summed up.',
  partitions: shopDays,
  config: z.object({ dry_run: z.boolean().default(false) }),
  resources: { orders },
  async materialize({ partition, partitionKey, config, resources, log }) {
    const lines = await resources.orders.read(partition.id, partition.day);
    if (lines === undefined) return skipped('the shop was closed');
    const cents = lines.map(centsOf).reduce((sum, one) => sum + one, 0);
    const found = { rows: lines.length, cents };
    if (config.dry_run) return rehearsed('nothing was written', found);
    await resources.orders.writeTotal(partitionKey, { orders: lines.length, cents });
    log.info('summed up', found);
    return materialized(found);
  },
});

function centsOf(line: string): number {
  const [order, cents = ''] = line.split(',');
  if (!/^\d+$/.test(cents)) throw new AssetFailedError(`Order ${order}: “${cents}” is not an amount in cents.`);
  return Number(cents);
}

export const orderTotalsJob = defineJob({ name: 'order_totals_job', assets: [orderTotals] });
