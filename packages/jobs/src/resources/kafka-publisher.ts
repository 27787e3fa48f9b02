/**
 * The publisher that speaks to a broker: an idempotent producer, acknowledged by all replicas, one request under way at
 * a time whoever publishes. The last is not a matter of taste: of two requests that are under way at once the client
 * gives both the same sequence, and the broker acknowledges the second without keeping it (measured: of 20, 1 arrived).
 * For the same reason a producer that failed is thrown away: what it thinks of its sequences may be wrong.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import type { MessageToProduce, Producer } from '@platformatic/kafka';
import { orAborted, provide } from '@skein/orchestrator';

import { type Message, type Publisher, type Refusal, bytesOf, kafka, parseBrokers, withTopicPrefix } from './kafka.ts';
import { asKafkaError, isTooLarge, isTransient } from './kafka-errors.ts';
import { partitionOf } from './kafka-partition.ts';

export const kafkaBinding = provide(kafka, {
  open: async ({ env }) =>
    withTopicPrefix(openKafkaPublisher(parseBrokers(env.SKEIN_KAFKA_BROKERS)), env.KAFKA_PREFIX ?? ''),
  close: (publisher) => publisher.close(),
  ping: (publisher) => publisher.ping(),
});

/** Messages in one request. Small ones pay for round trips; larger ones than this only hold more memory. */
const BATCH = 500;
/** Brokers take batches up to 1,048,588 bytes unless configured otherwise. */
const BATCH_BYTES = 950_000;
const MAX_TRIES = 4;
/** Of the client's own tries within one of ours, which keep the sequence, so that the broker leaves out what it has. */
const CLIENT_RETRIES = 4;
const clientDelayMs = (_client: object, _operation: string, attempt: number) => Math.min(2_000, 125 * 2 ** attempt);

/** Connects at first use. */
export function openKafkaPublisher(brokers: readonly string[]): Publisher {
  let producer: Promise<Producer> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let turn = Math.trunc(Math.random() * 1_000);
  let closed = false;

  const discard = async () => {
    const old = producer;
    producer = undefined;
    await old?.then(drop).catch(() => {});
  };

  const send = async (topic: string, batch: readonly Message[], signal: AbortSignal | undefined) => {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const connected = await (producer ??= connect(brokers, CLIENT_RETRIES));
        const { topics } = await orAborted(connected.metadata({ topics: [topic] }), signal);
        const partitions = topics.get(topic)?.partitionsCount ?? 0;
        await orAborted(connected.send({ messages: recordsOf(topic, batch, partitions, turn++) }), signal);
        return;
      } catch (error) {
        // With it goes what is still under way: an attempt that has lost its lease writes nothing later.
        await discard();
        signal?.throwIfAborted();
        if (closed || attempt >= MAX_TRIES || !isTransient(error)) throw asKafkaError(error, topic);
        await sleep(250 * 2 ** attempt, undefined, signal && { signal }).catch(() => {});
      }
    }
  };

  /** After whatever is under way, and whatever became of it. */
  const sendInTurn = (topic: string, batch: readonly Message[], signal: AbortSignal | undefined): Promise<void> => {
    const sent = last.then(() => send(topic, batch, signal));
    last = sent.catch(() => {});
    return orAborted(sent, signal);
  };

  /** A batch that is too large is halved until the one message that is too large is left. */
  const sendOrRefuse = async (
    topic: string,
    batch: readonly Message[],
    signal: AbortSignal | undefined,
    first: number,
  ): Promise<Refusal[]> => {
    try {
      await sendInTurn(topic, batch, signal);
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
      for (const { batch } of batchesOf(messages)) await sendInTurn(topic, batch, options.signal);
    },
    async publishEach(topic, messages, options = {}) {
      const refused: Refusal[] = [];
      for (const { batch, first } of batchesOf(messages))
        refused.push(...(await sendOrRefuse(topic, batch, options.signal, first)));
      return refused;
    },
    async ping() {
      const asking = await connect(brokers, 0);
      try {
        const { brokers: found } = await asking.metadata({ topics: [] });
        return `Kafka, ${found.size} broker${found.size === 1 ? '' : 's'}`;
      } catch (error) {
        throw asKafkaError(error, undefined);
      } finally {
        await drop(asking).catch(() => {});
      }
    },
    async close() {
      closed = true;
      await discard();
    },
  };
}

/** Without waiting for what it has still to write: a broker that hangs would never take it. */
async function drop(producer: Producer): Promise<void> {
  for (const [, { socket }] of producer.connections) socket?.destroy();
  await producer.close();
}

/** The client is loaded at first use: it takes half a second and 50 MB, which most processes that know of it do not need. */
async function connect(brokers: readonly string[], retries: number): Promise<Producer> {
  const { Producer: Client } = await import('@platformatic/kafka');
  return new Client({
    clientId: 'skein',
    bootstrapBrokers: [...brokers],
    // Without retries of its own an idempotent one would try for ever.
    idempotent: retries > 0,
    retries,
    retryDelay: clientDelayMs,
    // As Kafka’s own clients have it.
    metadataMaxAge: 300_000,
    // A new leader is looked for by a new producer.
    repeatOnStaleMetadata: false,
  });
}

/**
 * What comes together often has its key and most headers in common, as the events of one customer do: these become bytes
 * once in a row.
 */
function recordsOf(topic: string, batch: readonly Message[], partitions: number, turn: number): MessageToProduce[] {
  const names = new Map<string, { readonly name: Buffer; text: string; value: Buffer }>();
  let last: { readonly key: Message['key']; readonly bytes: Buffer | null; readonly partition: number } | undefined;
  return batch.map(({ key, value, headers }) => {
    if (last === undefined || last.key !== key) {
      const bytes = bytesFrom(key);
      last = { key, bytes, partition: partitionOf(bytes, partitions, turn) };
    }
    const record = { topic, partition: last.partition, key: last.bytes, value: bytesFrom(value) };
    if (headers === undefined) return record as MessageToProduce;
    const map = new Map<Buffer, Buffer>();
    for (const name in headers) {
      const text = headers[name] as string;
      let header = names.get(name);
      if (header === undefined) names.set(name, (header = { name: Buffer.from(name), text, value: Buffer.from(text) }));
      else if (header.text !== text) {
        header.text = text;
        header.value = Buffer.from(text);
      }
      map.set(header.name, header.value);
    }
    // The client writes null as what it is, a tombstone or no key; only its types do not say so.
    return { ...record, headers: map } as MessageToProduce;
  });
}

function bytesFrom(part: string | Buffer | null): Buffer | null {
  return typeof part === 'string' ? Buffer.from(part) : part;
}

/** In order, each within the limits of one request; a message that is larger than they are goes alone. */
function batchesOf(messages: readonly Message[]): { readonly batch: readonly Message[]; readonly first: number }[] {
  const batches: { batch: Message[]; first: number }[] = [];
  let room = 0;
  messages.forEach((message, index) => {
    const bytes = bytesOf(message);
    const current = batches.at(-1);
    if (current === undefined || current.batch.length >= BATCH || bytes > room) {
      batches.push({ batch: [message], first: index });
      room = BATCH_BYTES - bytes;
    } else {
      current.batch.push(message);
      room -= bytes;
    }
  });
  return batches;
}
