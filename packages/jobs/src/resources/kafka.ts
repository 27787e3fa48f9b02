/**
 * Publishing to Kafka behind a small port: whatever publishes, jobs see acknowledged counts. The real one is
 * `kafka-publisher.ts`; deployments without Kafka (the demo) provide another that fills the same tables.
 */

import { ServiceError, resource } from '@skein/orchestrator';

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
export function bytesOf({ key, value, headers = {} }: Message): number {
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
