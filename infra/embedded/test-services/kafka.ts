/** Kafka for one test: a prefix that keeps its topics and groups apart. */

import { createTopics } from '../src/topics.ts';
import { requireService, uniqueName } from './availability.ts';

export interface TestKafka {
  /** `host:port`, as in `SKEIN_KAFKA_BROKERS`. */
  readonly brokers: string;
  /** Ends with a dot; put it before the names of topics and of consumer groups. */
  readonly topicPrefix: string;
  /** Creates topics under the prefix and gives their full names. */
  createTopics(names: readonly string[], partitions?: number): Promise<string[]>;
}

export function testKafka(): TestKafka {
  const brokers = requireService('kafka');
  const topicPrefix = `${uniqueName('test')}.`;
  return {
    brokers,
    topicPrefix,
    async createTopics(names, partitions = 1) {
      const topics = names.map((name) => topicPrefix + name);
      await createTopics(brokers, topics, partitions);
      return topics;
    },
  };
}
