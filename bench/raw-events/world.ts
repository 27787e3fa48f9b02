/** A database and a topic of the bench's own on the services of the environment, and raw events of 1 KB in it. */

import { applySchemas } from '@skein/embedded';
import { type ClickHouse, type Publisher, openClickHouse, openKafkaPublisher } from '@skein/jobs';
import kafkajs from 'kafkajs';

export const TENANT = 't1';
export const FIRST_DAY = '2026-01-01';
export const ROWS_PER_DAY = 100_000;

export interface BenchWorld {
  readonly clickhouse: ClickHouse;
  readonly clickhouseUrl: string;
  readonly brokers: string;
  readonly publisher: Publisher;
  readonly topic: string;
  close(): Promise<void>;
}

export async function openBenchWorld(): Promise<BenchWorld> {
  const name = `bench_raw_events_${process.pid}`;
  const base = process.env.SKEIN_CLICKHOUSE_URL ?? '';
  const brokers = process.env.SKEIN_KAFKA_BROKERS ?? '';
  const url = new URL(base);
  url.pathname = `/${name}`;
  const owner = openClickHouse(base);
  await owner.command(`CREATE DATABASE ${name}`);
  await applySchemas({ only: ['raw-events'], env: { SKEIN_CLICKHOUSE_URL: url.href } });
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  // Millions of messages are measured, not kept.
  const configEntries = [
    { name: 'retention.bytes', value: '268435456' },
    { name: 'segment.bytes', value: '67108864' },
  ];
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: name, numPartitions: 1, replicationFactor: 1, configEntries }],
  });
  const clickhouse = openClickHouse(url.href);
  const publisher = openKafkaPublisher(brokers.split(','));
  return {
    clickhouse,
    clickhouseUrl: url.href,
    brokers,
    publisher,
    topic: name,
    async close() {
      await publisher.close();
      await admin.deleteTopics({ topics: [name] });
      await admin.disconnect();
      await clickhouse.close();
      await owner.command(`DROP DATABASE ${name} SYNC`);
      await owner.close();
    },
  };
}

/** As a payload comes from the collector, keys sorted; about 1,030 bytes. Of 100 events one has no customer. */
const PAYLOAD_SQL = `concat('{"byok":false,"createdAt":"', formatDateTime(at, '%Y-%m-%dT%H:%i:%S'), '.', leftPad(toString(toUnixTimestamp64Milli(at) % 1000), 3, '0'),
  'Z","data":{"attributes":{"a":[1,2.5,"x"],"b":null},"cachedPromptTokens":', toString(number % 700), ',"channels":2,"completionTokens":', toString(number % 911),
  ',"durationMS":', toString(500 + number % 90000), ',"latency":{"value":', toString(number % 1000 / 8), '},"modelName":"gpt-4.1","notes":"', repeat(concat('text ', toString(number % 10007), ' '), 50),
  '","promptTokens":', toString(number % 5000), '},"dataInterface":"MODEL_USAGE_DATA_TYPE","id":"evt-', toString(number), '","methodName":"modeling"',
  if(number % 100 = 99, '', concat(',"orgId":"', customer, '"')), ',"providerName":"openai","referenceCost":0.001994,"referenceType":"completion","targetItemId":"call-', toString(number % 5000), '","targetItemType":"call"}')`;

export async function insertRawEvents(clickhouse: ClickHouse, rows: number): Promise<void> {
  for (let first = 0; first < rows; first += ROWS_PER_DAY) {
    await clickhouse.command(
      `INSERT INTO raw_events (id, tenant_id, environment_id, external_customer_id, event_name, payload, timestamp, version)
       WITH concat('org-', leftPad(toString(number % 40), 3, '0')) AS customer,
         addMilliseconds(addDays(toDateTime64('${FIRST_DAY} 00:00:00', 3, 'UTC'), {day:UInt32}), number % 100000 * 860) AS at
       SELECT concat('evt-', toString(number)), '${TENANT}', 'e1', customer, 'openai-modeling-gpt-4.1', ${PAYLOAD_SQL}, at, 1
       FROM numbers({first:UInt64}, {rows:UInt64})`,
      { params: { day: first / ROWS_PER_DAY, first, rows: Math.min(ROWS_PER_DAY, rows - first) } },
    );
  }
}
