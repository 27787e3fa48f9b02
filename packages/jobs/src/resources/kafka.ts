/**
 * Publishing to Kafka behind a small port: whatever publishes, jobs see acknowledged counts. The real one is an
 * idempotent kafkajs producer; deployments without Kafka (the demo) provide another that fills the same tables.
 */

import { ServiceError, provide, resource } from '@skein/orchestrator';
import {
  CompressionTypes,
  type ICustomPartitioner,
  Kafka,
  type Message as KafkaMessage,
  Partitioners,
  type Producer,
  logLevel,
} from 'kafkajs';

export interface Message {
  readonly key: string | Buffer | null;
  /** null is a tombstone. */
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A message that was not taken, though the broker is well: it is too large. */
export interface Refusal {
  /** Of the message in the list. */
  readonly index: number;
  readonly reason: string;
}

export interface PublishOptions {
  readonly signal?: AbortSignal;
}

export interface Publisher {
  /**
   * Resolves when every message is acknowledged by all replicas; order is kept within a key.
   * @throws ServiceError (`kafka`) when the broker is away or refuses after retries; what was acknowledged is unknown then
   */
  publish(topic: string, messages: readonly Message[], options?: PublishOptions): Promise<void>;
  /**
   * Like `publish`, but a message that is too large for the broker is left out and reported, and the others are sent.
   * A publisher that knows no such limit need not have it; call `publishEach` of this module.
   */
  publishEach?(topic: string, messages: readonly Message[], options?: PublishOptions): Promise<readonly Refusal[]>;
  ping(): Promise<string>;
  close(): Promise<void>;
}

export const kafka = resource<Publisher>('kafka', 'Kafka, at SKEIN_KAFKA_BROKERS');

export const kafkaBinding = provide(kafka, {
  open: async ({ env }) =>
    withTopicPrefix(openKafkaPublisher(parseBrokers(env.SKEIN_KAFKA_BROKERS)), env.KAFKA_PREFIX ?? ''),
  close: (publisher) => publisher.close(),
  ping: (publisher) => publisher.ping(),
});

/** Puts the deployment's prefix before every topic, as `skein schemas apply` does in ClickHouse's Kafka tables. */
export function withTopicPrefix(publisher: Publisher, prefix: string): Publisher {
  if (prefix === '') return publisher;
  const { publishEach: each } = publisher;
  return {
    ...publisher,
    publish: (topic, messages, options) => publisher.publish(prefix + topic, messages, options),
    ...(each && { publishEach: (topic, messages, options) => each(prefix + topic, messages, options) }),
  };
}

/** Sends what can be sent; gives what was refused for its size, by us or by the broker. @throws ServiceError (`kafka`) */
export async function publishEach(
  publisher: Publisher,
  topic: string,
  messages: readonly Message[],
  options: PublishOptions & { readonly maxMessageBytes?: number } = {},
): Promise<readonly Refusal[]> {
  const limit = options.maxMessageBytes ?? Infinity;
  const refused: Refusal[] = [];
  const sendable: Message[] = [];
  const indexes: number[] = [];
  messages.forEach((message, index) => {
    const bytes = bytesOf(message);
    if (bytes > limit) {
      refused.push({ index, reason: `the message has ${bytes} bytes, more than the limit of ${limit}` });
    } else {
      sendable.push(message);
      indexes.push(index);
    }
  });
  if (sendable.length === 0) return refused;
  if (publisher.publishEach === undefined) {
    await publisher.publish(topic, sendable, options);
    return refused;
  }
  const byBroker = await publisher.publishEach(topic, sendable, options);
  return [...refused, ...byBroker.map(({ index, reason }) => ({ index: indexes[index] as number, reason }))];
}

/** Room for a record's own lengths, offsets and the names of headers. */
const RECORD_OVERHEAD_BYTES = 64;

/** Never less than the record takes. */
function bytesOf({ key, value, headers = {} }: Message): number {
  let bytes = RECORD_OVERHEAD_BYTES + sizeOf(key) + sizeOf(value);
  for (const name in headers)
    bytes += name.length + (headers[name]?.length ?? 0) * MAX_UTF8_BYTES + RECORD_OVERHEAD_BYTES / 8;
  return bytes;
}

const MAX_UTF8_BYTES = 3;

function sizeOf(part: string | Buffer | null): number {
  return part === null ? 0 : typeof part === 'string' ? Buffer.byteLength(part) : part.length;
}

export function parseBrokers(text: string | undefined): string[] {
  const brokers = (text ?? '')
    .split(',')
    .map((b) => b.trim())
    .filter(Boolean);
  if (brokers.length > 0) return brokers;
  throw new ServiceError('kafka', 'SKEIN_KAFKA_BROKERS is not set, so Kafka cannot be reached. Set it to host:port,…', {
    retryable: false,
  });
}

/**
 * Messages in one request. Small ones pay for round trips (measured: 100 a batch costs half the speed), large ones for
 * kafkajs's grouping, which copies a list for each message (measured: 1,000 a batch take 15 % more CPU than 500).
 */
const BATCH = 500;
/** Brokers take batches up to 1,048,588 bytes unless configured otherwise. */
const BATCH_BYTES = 950_000;
const MAX_TRIES = 4;

/** Connects at first use; a producer that failed is thrown away, because the outcome of its last request is unknown. */
export function openKafkaPublisher(brokers: readonly string[]): Publisher {
  const client = new Kafka({
    clientId: 'skein',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 5, maxRetryTime: 5_000 },
  });
  let producer: Promise<Producer> | undefined;

  const connect = (): Promise<Producer> => {
    producer ??= (async () => {
      const made = client.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: keyByKey,
      });
      await made.connect();
      return made;
    })();
    return producer;
  };
  const discard = async () => {
    const old = producer;
    producer = undefined;
    await old?.then((p) => p.disconnect()).catch(() => {});
  };

  const sendBatch = async (topic: string, batch: readonly Message[], signal: AbortSignal | undefined) => {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const connected = await connect();
        await connected.send({
          topic,
          acks: -1,
          compression: CompressionTypes.None,
          // kafkajs does not write to what it is given; only its types say that it might.
          messages: batch as KafkaMessage[],
        });
        return;
      } catch (error) {
        await discard();
        if (attempt >= MAX_TRIES || !isTransient(error)) throw asKafkaError(error, topic);
        await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
      }
    }
  };

  /** A batch that is too large is halved until the one message that is too large is left. */
  const sendOrRefuse = async (
    topic: string,
    batch: readonly Message[],
    signal: AbortSignal | undefined,
    first: number,
  ): Promise<Refusal[]> => {
    try {
      await sendBatch(topic, batch, signal);
      return [];
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      if (batch.length === 1) return [{ index: first, reason: 'the broker refuses the message: it is too large' }];
      const half = batch.length >> 1;
      const before = await sendOrRefuse(topic, batch.slice(0, half), signal, first);
      return [...before, ...(await sendOrRefuse(topic, batch.slice(half), signal, first + half))];
    }
  };

  return {
    async publish(topic, messages, options = {}) {
      for (const { batch } of batchesOf(messages)) await sendBatch(topic, batch, options.signal);
    },
    async publishEach(topic, messages, options = {}) {
      const refused: Refusal[] = [];
      for (const { batch, first } of batchesOf(messages))
        refused.push(...(await sendOrRefuse(topic, batch, options.signal, first)));
      return refused;
    },
    async ping() {
      const admin = client.admin();
      try {
        await admin.connect();
        const { brokers: found } = await admin.describeCluster();
        return `Kafka, ${found.length} broker${found.length === 1 ? '' : 's'}`;
      } catch (error) {
        throw asKafkaError(error, undefined);
      } finally {
        await admin.disconnect().catch(() => {});
      }
    },
    close: discard,
  };
}

/**
 * kafkajs's default, which asks for a partition of every message and hashes keys in big integers; messages that come by
 * key, as those of a customer do, need it once a key.
 */
const keyByKey: ICustomPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  let last = { key: '', partitions: 0, chosen: 0 };
  return (args) => {
    const { key } = args.message;
    if (typeof key !== 'string') return choose(args);
    const partitions = args.partitionMetadata.length;
    if (key !== last.key || partitions !== last.partitions) last = { key, partitions, chosen: choose(args) };
    return last.chosen;
  };
};

/** In order, each within the limits of one request; a message that is larger than they are goes alone. */
function batchesOf(messages: readonly Message[]): { readonly batch: readonly Message[]; readonly first: number }[] {
  const batches: { batch: Message[]; first: number }[] = [];
  let room = 0;
  messages.forEach((message, index) => {
    const bytes = bytesOf(message);
    const last = batches.at(-1);
    if (last === undefined || last.batch.length >= BATCH || bytes > room) {
      batches.push({ batch: [message], first: index });
      room = BATCH_BYTES - bytes;
    } else {
      last.batch.push(message);
      room -= bytes;
    }
  });
  return batches;
}

function isTooLarge(error: unknown): boolean {
  return (
    error instanceof ServiceError &&
    (error.details.kafka_type === 'MESSAGE_TOO_LARGE' || error.details.kafka_type === 'RECORD_LIST_TOO_LARGE')
  );
}

/** kafkajs calls a refused connection not retriable; for a broker that restarts it is. */
function isTransient(error: unknown): boolean {
  const e = error as { retriable?: boolean; name?: string; message?: string; type?: string };
  if (e.type === 'MESSAGE_TOO_LARGE' || e.type === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
  return (
    e.retriable === true ||
    /ECONNREFUSED|ECONNRESET|Connection|timeout|NumberOfRetriesExceeded/i.test(`${e.name} ${e.message}`)
  );
}

function asKafkaError(error: unknown, topic: string | undefined): ServiceError {
  const message = error instanceof Error ? error.message : String(error);
  const type = (error as { type?: string } | null)?.type;
  const where = topic === undefined ? '' : ` for topic ${topic}`;
  return new ServiceError(
    'kafka',
    `Kafka does not take messages${where}: ${message}. Check SKEIN_KAFKA_BROKERS and that the broker runs.`,
    {
      cause: error,
      details: { kafka_type: type ?? null },
      retryable: type !== 'MESSAGE_TOO_LARGE',
    },
  );
}
