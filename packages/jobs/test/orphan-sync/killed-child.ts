/**
 * A process that scans a team and kills itself with SIGKILL at a named point of its second batch. What it saved as a
 * checkpoint before that lies in a file, as it would lie in the ledger.
 */

import { writeFileSync } from 'node:fs';

import { type Publisher, openClickHouse, openKafkaPublisher, openPersonsDb } from '@skein/jobs';
import type { Json, JsonObject } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import { defineOrphanSync } from '../../src/orphan-sync/asset.ts';

export interface ChildOrder {
  readonly clickhouse: string;
  readonly persons: string;
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly partition: string;
  readonly config: JsonObject;
  readonly checkpointFile: string;
  /** Such as `published clickhouse_person`, and how often it must be passed. */
  readonly dieAt: string;
  readonly times: number;
}

async function main(order: ChildOrder): Promise<void> {
  let passed = 0;
  const reach = (point: string) => {
    if (point !== order.dieAt) return;
    passed++;
    if (passed === order.times) process.kill(process.pid, 'SIGKILL');
  };
  const checkpoints = new (class extends Map<string, Json> {
    override set(slot: string, value: Json): this {
      reach('saving');
      writeFileSync(order.checkpointFile, JSON.stringify(value));
      reach('saved');
      return super.set(slot, value);
    }
  })();
  const real = openKafkaPublisher([order.brokers]);
  const kafka: Publisher = {
    ...real,
    async publish(topic, messages, options) {
      reach(`publishing ${topic}`);
      await real.publish(order.topicPrefix + topic, messages, options);
      reach(`published ${topic}`);
    },
  };
  const resources = {
    clickhouse: openClickHouse(order.clickhouse),
    personsDb: openPersonsDb(order.persons, undefined),
    kafka,
  };
  const run = await runAsset(defineOrphanSync(), {
    partition: order.partition,
    config: order.config,
    resources,
    checkpoints,
  });
  process.stdout.write(run.error === undefined ? 'ended alive' : String(run.error));
  process.exit(1);
}

void main(JSON.parse(process.env.ORDER ?? '') as ChildOrder);
