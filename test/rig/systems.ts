/** The systems of this run that deeds can leave their effects in, each behind a proxy, and what lies in them afterwards. */

import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';

import {
  serviceIsAvailable,
  testClickHouse,
  testDatabase,
  testKafka,
  testS3,
} from '../../infra/embedded/test-services/index.ts';
import type { Found } from './checker.ts';
import { type Proxy, openProxy } from './proxy.ts';
import { type Effect, PLACE, SinkName, foundIn, s3Keys } from './sinks.ts';

export const SYSTEMS = SinkName.options.filter((name) => serviceIsAvailable(name));

/** A silence after which a client gives up, where its URL may say so; an attempt's own timeout is twice that. */
export const SILENCE_MS = 3_000;

interface System {
  readonly port: number;
  /** For the processes. */
  readonly env: Readonly<Record<string, string>>;
  read(): Promise<Effect[]>;
  /** All that is in it. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

const OPEN: Readonly<Record<SinkName, () => Promise<System>>> = {
  async clickhouse() {
    const { client, url, drop } = await testClickHouse();
    await client.command({
      query: `CREATE TABLE ${PLACE.table} (id String, epoch UInt64) ENGINE = MergeTree ORDER BY id
              SETTINGS non_replicated_deduplication_window = 1000`,
    });
    return {
      port: Number(new URL(url).port),
      env: { SKEIN_CLICKHOUSE_URL: withParameter(url, 'request_timeout') },
      read: async () =>
        (await client.query({ query: `SELECT id, epoch FROM ${PLACE.table}`, format: 'JSONEachRow' })).json<Effect>(),
      empty: async () => void (await client.command({ query: `TRUNCATE TABLE ${PLACE.table}` })),
      close: drop,
    };
  },
  async postgres() {
    const { url, drop } = await testDatabase('empty');
    const pool = new pg.Pool({ connectionString: url });
    await pool.query(`CREATE TABLE ${PLACE.table} (id text PRIMARY KEY, epoch bigint NOT NULL)`);
    return {
      port: Number(new URL(url).port),
      env: { SKEIN_APP_DB_URL: withParameter(url, 'query_timeout') },
      read: async () => (await pool.query<Effect>(`SELECT id, epoch FROM ${PLACE.table}`)).rows,
      empty: async () => void (await pool.query(`TRUNCATE ${PLACE.table}`)),
      async close() {
        await pool.end();
        await drop();
      },
    };
  },
  async kafka() {
    const { brokers, topicPrefix, createTopics } = testKafka();
    const [topic = ''] = await createTopics([PLACE.topic], 3);
    const client = new Kafka({ clientId: 'rig', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
    return {
      port: Number(brokers.split(':')[1]),
      env: { SKEIN_KAFKA_BROKERS: brokers, KAFKA_PREFIX: topicPrefix },
      read: () => readTopic(client, topic),
      async empty() {
        const admin = client.admin();
        await admin.connect();
        await admin.deleteTopicRecords({
          topic,
          partitions: (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
            partition,
            offset: high,
          })),
        });
        await admin.disconnect();
      },
      close: () => Promise.resolve(),
    };
  },
  async s3() {
    const { parseObjectStore } = await import('../../packages/jobs/src/resources/object-store.ts');
    const { url, region, key, createBucket } = testS3();
    const name = await createBucket('rig');
    const env = {
      SKEIN_OBJECT_STORE: 's3://',
      AWS_ENDPOINT_URL_S3: url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      RIG_BUCKET: name,
    };
    const bucket = parseObjectStore(env).bucket({ bucket: name, region }, s3Keys(env));
    const keys = async () => {
      const all: string[] = [];
      for await (const object of bucket.list('')) all.push(object.key);
      return all;
    };
    return {
      port: Number(new URL(url).port),
      env,
      read: async () =>
        Promise.all(
          (await keys()).map(async (one) => ({ id: decodeURIComponent(one), epoch: Number(await bucket.get(one)) })),
        ),
      async empty() {
        for (const one of await keys()) await bucket.delete(one);
      },
      close: async () => bucket.close(),
    };
  },
};

export interface Systems {
  readonly names: readonly SinkName[];
  readonly env: Readonly<Record<string, string>>;
  readonly proxies: Readonly<Partial<Record<SinkName, Proxy>>>;
  read(): Promise<Found[]>;
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** @param chance of the proxies' jitter */
export async function openSystems(chance: () => number): Promise<Systems> {
  const systems = await Promise.all(SYSTEMS.map(async (name) => ({ name, ...(await OPEN[name]()) })));
  const proxied = await Promise.all(systems.map(async (one) => ({ ...one, proxy: await openProxy(one.port, chance) })));
  return {
    names: SYSTEMS,
    env: Object.assign(
      { RIG_DETOURS: JSON.stringify(Object.fromEntries(proxied.map(({ port, proxy }) => [port, proxy.port]))) },
      ...systems.map(({ env }) => env),
    ) as Record<string, string>,
    proxies: Object.fromEntries(proxied.map(({ name, proxy }) => [name, proxy])),
    read: async () => (await Promise.all(systems.map(async ({ name, read }) => foundIn(name, await read())))).flat(),
    empty: async () => void (await Promise.all(systems.map(({ empty }) => empty()))),
    async close() {
      await Promise.all(proxied.map(({ proxy }) => proxy.close()));
      await Promise.all(systems.map(({ close }) => close()));
    },
  };
}

function withParameter(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.searchParams.set(name, String(SILENCE_MS));
  return parsed.href;
}

/** From its beginning to where it ends now. */
async function readTopic(client: Kafka, topic: string): Promise<Effect[]> {
  const admin = client.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const open = new Map(
    offsets
      .filter(({ low, high }) => Number(high) > Number(low))
      .map(({ partition, high }) => [partition, Number(high)]),
  );
  const consumer = client.consumer({ groupId: `${topic}-${performance.now()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const read: Effect[] = [];
  await new Promise<void>((resolve, reject) => {
    if (open.size === 0) resolve();
    consumer
      .run({
        eachMessage: async ({ message, partition }) => {
          read.push({ id: String(message.key), epoch: Number(message.value) });
          if (Number(message.offset) + 1 >= (open.get(partition) ?? Infinity)) open.delete(partition);
          if (open.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return read;
}
