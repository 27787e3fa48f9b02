/**
 * Publishing to Kafka behind a small port: whatever publishes, jobs see acknowledged counts. The real one is an
 * idempotent kafkajs producer; deployments without Kafka (the demo) provide another that fills the same tables.
 */

import { ServiceError, provide, resource } from '@skein/orchestrator';
import { CompressionTypes, Kafka, type Producer, logLevel } from 'kafkajs';

export interface Message {
  readonly key: string | Buffer | null;
  /** null is a tombstone. */
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Publisher {
  /**
   * Resolves when every message is acknowledged by all replicas; order is kept within a key.
   * @throws ServiceError (`kafka`) when the broker is away or refuses after retries; what was acknowledged is unknown then
   */
  publish(topic: string, messages: readonly Message[], options?: { readonly signal?: AbortSignal }): Promise<void>;
  ping(): Promise<string>;
  close(): Promise<void>;
}

export const kafka = resource<Publisher>('kafka', 'Kafka, at SKEIN_KAFKA_BROKERS');

export const kafkaBinding = provide(kafka, {
  open: async ({ env }) => openKafkaPublisher(parseBrokers(env.SKEIN_KAFKA_BROKERS)),
  close: (publisher) => publisher.close(),
  ping: (publisher) => publisher.ping(),
});

export function parseBrokers(text: string | undefined): string[] {
  const brokers = (text ?? '').split(',').map((b) => b.trim()).filter(Boolean);
  if (brokers.length > 0) return brokers;
  throw new ServiceError('kafka', 'SKEIN_KAFKA_BROKERS is not set, so Kafka cannot be reached. Set it to host:port,…', { retryable: false });
}

/** Messages in one request; kafkajs is fastest with large batches (measured: 100 a batch costs half the speed). */
const BATCH = 1_000;
const MAX_TRIES = 4;

/** Connects at first use; a producer that failed is thrown away, because the outcome of its last request is unknown. */
export function openKafkaPublisher(brokers: readonly string[]): Publisher {
  const client = new Kafka({ clientId: 'skein', brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 5, maxRetryTime: 5_000 } });
  let producer: Promise<Producer> | undefined;

  const connect = (): Promise<Producer> => {
    producer ??= (async () => {
      const made = client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
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
        await connected.send({ topic, acks: -1, compression: CompressionTypes.None, messages: batch.map((m) => ({ ...m, headers: { ...m.headers } })) });
        return;
      } catch (error) {
        await discard();
        if (attempt >= MAX_TRIES || !isTransient(error)) throw asKafkaError(error, topic);
        await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
      }
    }
  };

  return {
    async publish(topic, messages, options = {}) {
      for (let i = 0; i < messages.length; i += BATCH) await sendBatch(topic, messages.slice(i, i + BATCH), options.signal);
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

/** kafkajs calls a refused connection not retriable; for a broker that restarts it is. */
function isTransient(error: unknown): boolean {
  const e = error as { retriable?: boolean; name?: string; message?: string; type?: string };
  if (e.type === 'MESSAGE_TOO_LARGE' || e.type === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
  return e.retriable === true || /ECONNREFUSED|ECONNRESET|Connection|timeout|NumberOfRetriesExceeded/i.test(`${e.name} ${e.message}`);
}

function asKafkaError(error: unknown, topic: string | undefined): ServiceError {
  const message = error instanceof Error ? error.message : String(error);
  const type = (error as { type?: string } | null)?.type;
  const where = topic === undefined ? '' : ` for topic ${topic}`;
  return new ServiceError('kafka', `Kafka does not take messages${where}: ${message}. Check SKEIN_KAFKA_BROKERS and that the broker runs.`, {
    cause: error,
    details: { kafka_type: type ?? null },
    retryable: type !== 'MESSAGE_TOO_LARGE',
  });
}
