/**
 * The asset over a number of days, in a process of its own: started by the bench to see how much memory it takes. Says
 * on stdout, as one JSON object, how long it took and the largest resident set.
 */

import {
  type ClickHouse,
  type Publisher,
  type RowMapper,
  openClickHouse,
  openKafkaPublisher,
  openRowMapper,
  readRawEventsSettings,
  reprocessRawEvents,
} from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { FIRST_DAY, ROWS_PER_DAY, TENANT } from './world.ts';

const DAY_MS = 86_400_000;

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

/**
 * A run for each day: `runAsset` keeps every line that is logged for assertions, where a worker hands it on, and a line
 * about a dropped event in memory is as large as the event.
 * @throws when not every row was found and dealt with
 */
export async function wholePath(
  clickhouse: ClickHouse,
  kafka: Publisher,
  mapper: RowMapper,
  topic: string,
  rows: number,
): Promise<number> {
  const started = performance.now();
  const settings = readRawEventsSettings({ FLEXPRICE_RAW_EVENTS_REPROCESSING_OUTPUT_TOPIC: topic });
  for (let day = 0; day * ROWS_PER_DAY < rows; day++) {
    const start = Date.parse(`${FIRST_DAY}T00:00:00Z`) + day * DAY_MS;
    const run = await runAsset(reprocessRawEvents, {
      config: {
        tenant_id: TENANT,
        start_date: new Date(start).toISOString(),
        end_date: new Date(start + DAY_MS - 1).toISOString(),
      },
      now: new Date('2027-01-01T00:00:00Z'),
      resources: { clickhouse, kafka, mapper, settings },
    });
    if (run.error) throw run.error as Error;
    const { total_events_found: found, total_events_published: sent, total_events_dropped: dropped } = run.result ?? {};
    const expected = Math.min(ROWS_PER_DAY, rows - day * ROWS_PER_DAY);
    if (found !== expected || Number(sent) + Number(dropped) !== expected)
      throw new RangeError(`found ${String(found)} of ${expected} rows`);
  }
  return (performance.now() - started) / 1_000;
}

async function main(order: Order): Promise<void> {
  const clickhouse = openClickHouse(order.clickhouseUrl);
  const kafka = openKafkaPublisher(order.brokers.split(','));
  const mapper = openRowMapper();
  const seconds = await wholePath(clickhouse, kafka, mapper, order.topic, order.rows);
  await mapper.close();
  await kafka.close();
  await clickhouse.close();
  const outcome: Outcome = { seconds, found: order.rows, maxRssMb: process.resourceUsage().maxRSS / 1024 };
  process.stdout.write(JSON.stringify(outcome));
}

if (process.argv[2]?.startsWith('{')) void main(JSON.parse(process.argv[2]) as Order);
