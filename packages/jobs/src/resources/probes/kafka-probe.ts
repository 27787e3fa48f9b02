/**
 * How far the readers of a topic are behind: messages that a consumer group has still to read, over all partitions. What
 * publishes to a topic whose readers do not keep up should publish less.
 */

import { type ProbeContext, type ProbeVerdict, ServiceError } from '@skein/orchestrator';
import { Kafka, logLevel } from 'kafkajs';

import { limitFor } from './load.ts';

export interface LagOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  /** Messages behind at which the topic counts as full. */
  readonly lag: number;
}

/** Asks the broker with a connection of its own, which it closes. */
export function kafkaLagProbe(options: LagOptions) {
  return async ({ signal, min, max }: ProbeContext<unknown>): Promise<ProbeVerdict> => {
    const value = await readLag(options, signal);
    return limitFor([{ what: `messages that ${options.groupId} has still to read`, value, full: options.lag }], {
      min,
      max,
    });
  };
}

/** A group that has committed nothing yet has everything to read. @throws ServiceError (`kafka`) */
export async function readLag({ brokers, topic, groupId }: LagOptions, signal?: AbortSignal): Promise<number> {
  const kafka = new Kafka({
    clientId: 'skein-probe',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 5_000,
    // A group's coordinator moves; what is asked meanwhile is asked again.
    retry: { retries: 5, initialRetryTime: 200 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    signal?.throwIfAborted();
    const [ends, groups] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const read = new Map(groups.flatMap((one) => one.partitions.map((p) => [p.partition, BigInt(p.offset)] as const)));
    const behind = ends.reduce((sum, { partition, low, high }) => {
      const committed = read.get(partition) ?? -1n;
      const from = committed < BigInt(low) ? BigInt(low) : committed;
      return sum + (BigInt(high) > from ? BigInt(high) - from : 0n);
    }, 0n);
    return Number(behind);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ServiceError('kafka', `Kafka does not say how far ${groupId} has read ${topic}.`, { cause: error });
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
