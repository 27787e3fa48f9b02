/** A test's own world: tables and topics of its own on the real services, raw rows, and what arrived in Kafka. */

import {
  type ClickHouse,
  type Publisher,
  type RawEventsSettings,
  defineReprocessRawEvents,
  openClickHouse,
  openKafkaPublisher,
  openRowMapper,
  readRawEventsSettings,
} from '@skein/jobs';
import type { Json, JsonObject } from '@skein/orchestrator';
import { type AssetRun, runAsset } from '@skein/orchestrator/testing';
import { type IHeaders, Kafka, logLevel } from 'kafkajs';

import { testClickHouse, testKafka } from '../../../../infra/embedded/test-services/index.ts';
import { B0 } from './cases.ts';

export const DAY = '2026-03-21';
export const NOW = new Date('2026-04-01T12:00:00Z');
export const WHOLE_DAY = { tenant_id: 't1', start_date: `${DAY}T00:00:00Z`, end_date: `${DAY}T23:59:59.999Z` };

export interface RawRowInput {
  readonly id: string;
  readonly payload?: string;
  readonly tenant_id?: string;
  readonly environment_id?: string;
  readonly external_customer_id?: string;
  readonly event_name?: string;
  readonly timestamp?: string;
  readonly version?: number;
}

export interface Received {
  readonly key: string | undefined;
  readonly value: Record<string, unknown>;
  readonly headers: Record<string, string>;
}

export interface World {
  readonly clickhouse: ClickHouse;
  readonly clickhouseUrl: string;
  readonly publisher: Publisher;
  readonly settings: RawEventsSettings;
  readonly brokers: string;
  readonly output: string;
  readonly deadLetters: string;
  insert(rows: readonly RawRowInput[]): Promise<void>;
  run(config: JsonObject, changes?: Changes): Promise<AssetRun>;
  /** All messages of a topic, in order. */
  received(topic?: string): Promise<Received[]>;
  close(): Promise<void>;
}

export interface Changes {
  readonly clickhouse?: ClickHouse;
  readonly kafka?: Publisher;
  readonly settings?: Partial<RawEventsSettings>;
  readonly rowsPerQuery?: number;
  readonly now?: Date;
  readonly checkpoints?: Map<string, Json>;
  readonly partitions?: readonly string[];
  readonly attempt?: number;
}

// A file's tests share one, as the runs of a process do; it starts when the first of them needs it.
const mapper = openRowMapper();
afterAll(() => mapper.close());

export async function openWorld(): Promise<World> {
  const database = await testClickHouse({ schemas: ['raw-events'] });
  const kafka = testKafka();
  const [output = '', deadLetters = ''] = await kafka.createTopics(['prod_events_v4', 'dead_letters'], 2);
  const clickhouse = openClickHouse(database.url);
  const publisher = openKafkaPublisher([kafka.brokers]);
  const settings = readRawEventsSettings({ FLEXPRICE_RAW_EVENTS_REPROCESSING_OUTPUT_TOPIC: output });
  return {
    clickhouse,
    clickhouseUrl: database.url,
    publisher,
    settings,
    brokers: kafka.brokers,
    output,
    deadLetters,
    insert: (rows) => clickhouse.insert('raw_events', rows.map(rawRow)),
    run: (config, changes = {}) =>
      runAsset(
        defineReprocessRawEvents(changes.rowsPerQuery === undefined ? {} : { rowsPerQuery: changes.rowsPerQuery }),
        {
          config,
          now: changes.now ?? NOW,
          resources: {
            clickhouse: changes.clickhouse ?? clickhouse,
            kafka: changes.kafka ?? publisher,
            mapper,
            settings: { ...settings, ...changes.settings },
          },
          ...(changes.checkpoints ? { checkpoints: changes.checkpoints } : {}),
          ...(changes.partitions ? { partitions: changes.partitions } : {}),
          ...(changes.attempt ? { attempt: changes.attempt } : {}),
        },
      ),
    received: (topic = output) => readTopic(kafka.brokers, topic),
    async close() {
      await publisher.close();
      await clickhouse.close();
      await database.drop();
    },
  };
}

/** A row as the collector would have stored it, unless it is told otherwise. */
export function rawRow(input: RawRowInput) {
  const customer = input.external_customer_id ?? 'org-1';
  const timestamp = input.timestamp ?? `${DAY}T00:00:37.092Z`;
  return {
    tenant_id: 't1',
    environment_id: 'e1',
    event_name: 'openai-modeling-gpt-4.1',
    ...input,
    external_customer_id: customer,
    timestamp,
    payload: input.payload ?? payloadOf(input.id, customer, timestamp),
  };
}

export function payloadOf(
  id: string,
  customer = 'org-1',
  createdAt = `${DAY}T00:00:37.092Z`,
  more: object = {},
): string {
  return JSON.stringify({ ...B0, id, orgId: customer, createdAt, ...more });
}

/** Everything up to the offsets that the topic had when the reading began. */
async function readTopic(brokers: string, topic: string): Promise<Received[]> {
  const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const missing = new Map(
    ends.filter(({ high, low }) => Number(high) > Number(low)).map((end) => [end.partition, Number(end.high)]),
  );
  const received: Received[] = [];
  if (missing.size === 0) return received;
  const consumer = client.consumer({ groupId: `${topic}.reader.${Math.random().toString(36).slice(2)}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ partition, message }) => {
          const value = JSON.parse(message.value?.toString() ?? 'null') as Record<string, unknown>;
          received.push({ key: message.key?.toString(), value, headers: textOf(message.headers) });
          if (Number(message.offset) + 1 >= (missing.get(partition) ?? 0)) missing.delete(partition);
          if (missing.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return received;
}

function textOf(headers: IHeaders | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}
