/**
 * One attempt in a process of its own, for tests that kill it: checkpoints go to a file, and a line on stdout says when
 * a page goes out and when it has been remembered.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

import {
  defineReprocessRawEvents,
  openClickHouse,
  openKafkaPublisher,
  openRowMapper,
  readRawEventsSettings,
} from '@skein/jobs';
import type { Json, JsonObject } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

export interface ChildOrder {
  readonly clickhouseUrl: string;
  readonly brokers: string;
  readonly output: string;
  readonly checkpointFile: string;
  readonly config: JsonObject;
  readonly rowsPerQuery: number;
  readonly now: string;
}

/** Written whole or not at all, as the ledger's are. */
export class FileCheckpoints extends Map<string, Json> {
  private readonly file: string;

  constructor(file: string) {
    super();
    this.file = file;
    const saved = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as [string, Json][]) : [];
    for (const [slot, value] of saved) super.set(slot, value);
  }

  override set(slot: string, value: Json): this {
    super.set(slot, value);
    writeFileSync(`${this.file}.new`, JSON.stringify([...this]));
    renameSync(`${this.file}.new`, this.file);
    return this;
  }
}

export async function attempt(order: ChildOrder, say: (line: string) => void): Promise<JsonObject> {
  const clickhouse = openClickHouse(order.clickhouseUrl);
  const publisher = openKafkaPublisher([order.brokers]);
  const mapper = openRowMapper();
  const checkpoints = new FileCheckpoints(order.checkpointFile);
  const run = await runAsset(defineReprocessRawEvents({ rowsPerQuery: order.rowsPerQuery }), {
    config: order.config,
    now: new Date(order.now),
    checkpoints: new Proxy(checkpoints, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'set') {
          return (slot: string, saved: Json) => {
            target.set(slot, saved);
            say('saved');
          };
        }
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    }),
    resources: {
      clickhouse,
      kafka: {
        ...publisher,
        async publishEach(topic, messages, options) {
          say('sending');
          const refused = await publisher.publishEach?.(topic, messages, options);
          say('sent');
          return refused ?? [];
        },
      },
      mapper,
      settings: readRawEventsSettings({ FLEXPRICE_RAW_EVENTS_REPROCESSING_OUTPUT_TOPIC: order.output }),
    },
  });
  await mapper.close();
  await publisher.close();
  await clickhouse.close();
  if (run.error) throw run.error as Error;
  return { ...run.result } as JsonObject;
}

if (process.argv[2]?.startsWith('{')) {
  void attempt(JSON.parse(process.argv[2]) as ChildOrder, (line) => process.stdout.write(`${line}\n`));
}
