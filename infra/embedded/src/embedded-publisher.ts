/**
 * A publisher for places without Kafka, such as the demo on a machine without Java: it writes each message into the
 * tables that ClickHouse's Kafka tables and their views would fill from it. What it acknowledges can be read at once.
 * Topics are data: another family adds its own to the map.
 */

import { type ClickHouse, type Message, type Publisher, kafka, openClickHouse } from '@skein/jobs';
import { type JsonObject, ServiceError, provide } from '@skein/orchestrator';

import { RAW_EVENT_TOPICS } from './raw-events-topics.ts';

/** What the views read of Kafka itself. */
interface Delivery {
  /** `YYYY-MM-DD HH:MM:SS`, UTC. */
  readonly timestamp: string;
  readonly offset: number;
}

/** One materialized view of a topic. */
interface TopicTable {
  readonly table: string;
  /** The row of a message, or undefined when the view leaves it out. */
  row(message: JsonObject, delivery: Delivery): object | undefined;
}

export type TopicTables = Readonly<Record<string, readonly TopicTable[]>>;

const pick = (message: JsonObject, ...columns: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(columns.map((column) => [column, message[column]]));

const mapping = (message: JsonObject, { timestamp, offset }: Delivery) => ({
  ...pick(message, 'team_id', 'distinct_id', 'person_id', 'is_deleted', 'version'),
  _timestamp: timestamp,
  _offset: offset,
  _partition: 0,
});

/** As persons-kafka.sql has them. */
export const PERSON_TOPICS: TopicTables = {
  clickhouse_person: [
    {
      table: 'person',
      row: (message, { timestamp, offset }) => ({
        ...pick(message, 'id', 'created_at', 'team_id', 'properties', 'is_identified', 'is_deleted', 'version'),
        _timestamp: timestamp,
        _offset: offset,
      }),
    },
  ],
  clickhouse_person_distinct_id: [
    { table: 'person_distinct_id2', row: mapping },
    {
      table: 'person_distinct_id_overrides',
      row: (message, delivery) => (Number(message.version) > 0 ? mapping(message, delivery) : undefined),
    },
  ],
};

/** Every topic that a job of this repository publishes to. */
const ALL_TOPICS: TopicTables = { ...PERSON_TOPICS, ...RAW_EVENT_TOPICS };

/** Rows of one insert; a call may bring a hundred thousand messages. */
const BATCH = 10_000;

/** @throws ServiceError (`kafka`) for a topic that is not in the map, as a broker without auto-creation does */
export function createEmbeddedPublisher(clickhouse: ClickHouse, topics: TopicTables = ALL_TOPICS): Publisher {
  // Not persisted: after a restart the versions decide, and offsets only order the rows of one second.
  const offsets = new Map<string, number>();

  return {
    async publish(topic, messages, options = {}) {
      const tables = topics[topic];
      if (tables === undefined) {
        throw new ServiceError(
          'kafka',
          `The embedded publisher has no topic “${topic}”. Known: ${Object.keys(topics).join(', ')}.`,
          { retryable: false },
        );
      }
      const first = offsets.get(topic) ?? 0;
      offsets.set(topic, first + messages.length);
      for (let i = 0; i < messages.length; i += BATCH) {
        const timestamp = new Date().toISOString().slice(0, 19).replace('T', ' ');
        const parsed = messages.slice(i, i + BATCH).flatMap((message, j) => {
          const value = parse(topic, message);
          return value === undefined ? [] : [{ value, delivery: { timestamp, offset: first + i + j } }];
        });
        for (const { table, row } of tables) {
          const rows = parsed.map(({ value, delivery }) => row(value, delivery)).filter((one) => one !== undefined);
          if (rows.length > 0) await clickhouse.insert(table, rows, options.signal ? { signal: options.signal } : {});
        }
      }
    },
    ping: async () => `embedded publisher into ${await clickhouse.ping()}`,
    close: async () => {},
  };
}

/** In the place of `kafkaBinding` where no Kafka is. */
export function embeddedPublisherBinding(topics: TopicTables = ALL_TOPICS) {
  const connections = new Map<Publisher, ClickHouse>();
  return provide(kafka, {
    async open({ env }) {
      const clickhouse = openClickHouse(env.SKEIN_CLICKHOUSE_URL ?? '');
      const publisher = createEmbeddedPublisher(clickhouse, topics);
      connections.set(publisher, clickhouse);
      return publisher;
    },
    async close(publisher) {
      await publisher.close();
      await connections.get(publisher)?.close();
    },
    ping: (publisher) => publisher.ping(),
  });
}

/** A message without a value is a tombstone of the topic, which the Kafka tables pass over. */
function parse(topic: string, { value }: Message): JsonObject | undefined {
  if (value === null) return undefined;
  try {
    return JSON.parse(String(value)) as JsonObject;
  } catch (error) {
    throw new ServiceError('kafka', `A message of “${topic}” is not JSON: ${(error as Error).message}`, {
      retryable: false,
      cause: error,
    });
  }
}
