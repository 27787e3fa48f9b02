/** The other Kafka client that is at hand, as fast as it goes: idempotent, acknowledged by all, 500 messages a request. */

import type { Message } from '@skein/jobs';
import kafkajs from 'kafkajs';

import type { BenchWorld } from './world.ts';

/** More messages a request make it slower: it copies a list for each. */
const BATCH = 500;

export async function openKafkaJs({ brokers, topic }: Pick<BenchWorld, 'brokers' | 'topic'>) {
  const client = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  return {
    async send(messages: readonly Message[]): Promise<void> {
      for (let at = 0; at < messages.length; at += BATCH)
        await producer.send({ topic, acks: -1, messages: messages.slice(at, at + BATCH) as kafkajs.Message[] });
    },
    close: () => producer.disconnect(),
  };
}
