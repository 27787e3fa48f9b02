/** Small definitions with the troubles that pages must bear: odd keys, HTML in words, slow work, failures. */

import { setTimeout } from 'node:timers/promises';

import {
  type Deployment,
  WorkError,
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSchedule,
  defineSensor,
  dynamic,
  exponential,
  materialized,
  request,
  skip,
  text,
} from '@skein/orchestrator';
import { z } from 'zod';

export const HTML = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
/** Ids that break what splits, escapes or trusts. */
export const ODD_IDS = ['a,b|c/d', 'rocket🚀ship', 'שלום', HTML.slice(0, 40), 'x'.repeat(120)];
const FIRST_DAY = '2026-01-01';

class BadSourceError extends WorkError {
  readonly code = 'BAD_SOURCE';
}

export function dashboardDeployment(firstDay: string = FIRST_DAY): Deployment {
  const partitions = composite({ id: dynamic('customer', text), day: daily({ start: firstDay }) });
  const events = defineAsset({
    key: 'events',
    description: `A day of a customer’s events ${HTML}`,
    group: 'lake',
    partitions,
    pool: 'narrow',
    retries: { attempts: 1, backoff: exponential('20ms') },
    config: z.object({
      mode: z.enum(['quick', 'full']).default('quick').describe('How much is read.'),
      lines: z.number().int().min(0).max(30_000).default(3).describe('Lines that are logged.'),
      pause_ms: z.number().int().min(0).max(20_000).default(0).describe('Rests between lines.'),
    }),
    materialize: async ({ config, partitionKey, log, phase, signal }) => {
      await phase('read', async () => {
        for (let line = 1; line <= config.lines; line++) {
          log.info(`line ${line} of ${partitionKey}`, { line });
          if (config.pause_ms > 0) await rest(config.pause_ms, signal);
        }
      });
      if (partitionKey.startsWith('bad')) throw new BadSourceError(`the source said ${HTML}`);
      return materialized({ rows: config.lines, mode: config.mode, note: HTML });
    },
  });
  const report = defineAsset({
    key: 'report',
    description: 'A report of the day.',
    freshness: { within: '6h', cron: '0 9 * * *', timeZone: 'Asia/Kathmandu' },
    group: 'reports',
    partitions,
    config: z.object({ drop_table: z.boolean().default(false) }),
    destroys: (config) =>
      config.drop_table ? { name: 'reports', what: 'the table of reports, all days of it' } : undefined,
    dependsOn: [{ asset: 'events', mapping: 'identity' }],
    materialize: () => Promise.resolve(materialized({ rows: 1 })),
  });
  const eventsJob = defineJob({ name: 'events_job', assets: [events] });
  const reportJob = defineJob({ name: 'report_job', assets: [report] });
  const feed = defineSensor({
    name: 'feed',
    description: 'Asks for the next day of one customer.',
    job: eventsJob,
    every: '1h',
    cursor: z.object({
      next: z.number().int().min(1).max(28).default(1).describe('The day of January that comes next.'),
      until: z.number().int().default(3),
      note: z.string().default(''),
      since: z.iso.datetime().default('2026-01-05T00:00:00Z').meta({ watermark: true }),
    }),
    evaluate({ cursor, log }) {
      log.info(`looks at day ${cursor.next} ${HTML}`, { until: cursor.until });
      if (cursor.next > cursor.until) return Promise.resolve(skip(`complete up to day ${cursor.until}`));
      const day = String(cursor.next).padStart(2, '0');
      const requests = [{ partitions: [`acme_2026-01-${day}`] }];
      return Promise.resolve(request(requests, { cursor: { ...cursor, next: cursor.next + 1 } }));
    },
  });
  const nightly = defineSchedule({
    name: 'nightly',
    description: 'The day before, every night.',
    job: reportJob,
    cron: '0 3 * * *',
    requests: (at) => [{ partitions: [`acme_${at.toISOString().slice(0, 10)}`] }],
  });
  return defineDeployment({
    definitions: { jobs: [eventsJob, reportJob], sensors: [feed], schedules: [nightly], pools: { narrow: 2 } },
  });
}

/** As long as it is not aborted. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
