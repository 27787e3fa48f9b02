/**
 * The asset over a number of days, in a process of its own: started by the bench to see how much memory it takes. Says
 * on stdout, as one JSON object, how long it took and the largest resident set.
 */

import {
  type ClickHouse,
  type Publisher,
  openClickHouse,
  openKafkaPublisher,
  readRawEventsSettings,
  reprocessRawEvents,
} from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { FIRST_DAY, ROWS_PER_DAY, TENANT } from './world.ts';

export interface Order {
  readonly clickhouseUrl: string;
  readonly brokers: string;
  readonly topic: string;
  readonly rows: number;
}

export interface Outcome {
  readonly seconds: number;
  readonly found: number;
  readonly maxRssMb: number;
}

/** @throws when not every row was found and dealt with */
export async function wholePath(
  clickhouse: ClickHouse,
  kafka: Publisher,
  topic: string,
  rows: number,
): Promise<number> {
  const start = Date.parse(`${FIRST_DAY}T00:00:00Z`);
  const days = Math.ceil(rows / ROWS_PER_DAY);
  const started = performance.now();
  const run = await runAsset(reprocessRawEvents, {
    config: {
      tenant_id: TENANT,
      start_date: new Date(start).toISOString(),
      end_date: new Date(start + days * 86_400_000 - 1).toISOString(),
    },
    now: new Date('2027-01-01T00:00:00Z'),
    resources: {
      clickhouse,
      kafka,
      settings: readRawEventsSettings({ FLEXPRICE_RAW_EVENTS_REPROCESSING_OUTPUT_TOPIC: topic }),
    },
  });
  if (run.error) throw run.error as Error;
  const {
    total_events_found: found,
    total_events_published: published,
    total_events_dropped: dropped,
  } = run.result ?? {};
  if (found !== rows || Number(published) + Number(dropped) !== rows)
    throw new RangeError(`found ${String(found)} of ${rows} rows`);
  return (performance.now() - started) / 1_000;
}

async function main(order: Order): Promise<void> {
  const clickhouse = openClickHouse(order.clickhouseUrl);
  const kafka = openKafkaPublisher(order.brokers.split(','));
  const seconds = await wholePath(clickhouse, kafka, order.topic, order.rows);
  await kafka.close();
  await clickhouse.close();
  const outcome: Outcome = { seconds, found: order.rows, maxRssMb: process.resourceUsage().maxRSS / 1024 };
  process.stdout.write(JSON.stringify(outcome));
}

if (process.argv[2]?.startsWith('{')) void main(JSON.parse(process.argv[2]) as Order);
