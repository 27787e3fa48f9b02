/**
 * Two assets of which one is made from the other: readings of each day, and the mean of each month. The dependency is a
 * time window, so a month is stale when one of its days was made anew after it; a schedule makes it on the first of the
 * next month.
 */

import {
  AssetFailedError,
  daily,
  defineAsset,
  defineJob,
  defineSchedule,
  materialized,
  monthly,
} from '@skein/orchestrator';
import { z } from 'zod';

import { store } from './store.ts';

const readings = defineAsset({
  key: 'readings',
  description: 'A day’s temperature, as the station reports it.',
  partitions: daily({ start: '2026-01-01' }),
  config: z.object({ celsius: z.number().min(-90).max(60).default(10) }),
  resources: { store },
  freshness: { within: '30h' }, // after the day has ended
  async materialize({ partitionKey, config, resources }) {
    await resources.store.write('readings', partitionKey, config.celsius);
    return materialized({ celsius: config.celsius });
  },
});

export const monthMeans = defineAsset({
  key: 'month_means',
  description: 'The mean temperature of a month.',
  partitions: monthly({ start: '2026-01-01' }),
  config: z.object({}),
  resources: { store },
  dependsOn: [{ asset: 'readings', mapping: 'time_window' }],
  async materialize({ partitionKey, resources }) {
    const days = daysOf(partitionKey);
    const found = await Promise.all(days.map((day) => resources.store.read('readings', day)));
    const missing = days.filter((_day, i) => found[i] === undefined);
    if (missing.length > 0)
      throw new AssetFailedError(`${missing.length} days are missing, the first is ${missing[0]}.`);
    const mean = found.reduce<number>((sum, one) => sum + (one ?? 0), 0) / days.length;
    await resources.store.write('month_means', partitionKey, mean);
    return materialized({ celsius: mean, days: days.length });
  },
});

export const readingsJob = defineJob({ name: 'readings_job', assets: [readings] });
export const monthMeansJob = defineJob({ name: 'month_means_job', assets: [monthMeans] });

export const monthEnds = defineSchedule({
  name: 'month_ends',
  description: 'The month that has ended, on the morning after.',
  job: monthMeansJob,
  cron: '0 6 1 * *',
  timeZone: 'Europe/Berlin',
  catchUp: 'all',
  requests: (at) => {
    const before = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - 1, 1));
    return [{ partitions: [before.toISOString().slice(0, 7)] }];
  },
});

/** `2026-02` → `2026-02-01` … `2026-02-28`. */
function daysOf(month: string): string[] {
  const days: string[] = [];
  for (const day = new Date(`${month}-01T00:00:00Z`); day.toISOString().startsWith(month);) {
    days.push(day.toISOString().slice(0, 10));
    day.setUTCDate(day.getUTCDate() + 1);
  }
  return days;
}
