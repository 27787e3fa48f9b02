/** Owns creating Kafka topics: brokers here never create one by accident. */

import kafkajs from 'kafkajs';

import { messageOf, ServicesError } from './errors.ts';

/** @param brokers `host:port,…`; topics that exist are left as they are */
export async function createTopics(brokers: string, topics: readonly string[], partitions = 1): Promise<void> {
  const { Kafka, logLevel } = kafkajs;
  const admin = new Kafka({ clientId: 'skein-setup', brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !there.has(topic));
    if (missing.length === 0) return;
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map((topic) => ({ topic, numPartitions: partitions, replicationFactor: -1 })),
    });
  } catch (error) {
    // Another process may have made the same topic between the look and the call.
    if ((error as { type?: string } | null)?.type === 'TOPIC_ALREADY_EXISTS') return;
    throw new ServicesError('SCHEMA_FAILED', `Topics cannot be created at ${brokers}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
