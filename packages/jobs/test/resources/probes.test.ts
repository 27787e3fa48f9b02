/** The ready-made probes, on the real services: what they read is what was done to the destination. */

import { openClickHouse } from '@skein/jobs';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';

import { testClickHouse, testDatabase, testKafka } from '../../../../infra/embedded/test-services/index.ts';
import { clickhouseProbe } from '../../src/resources/probes/clickhouse-probe.ts';
import { kafkaLagProbe, readLag } from '../../src/resources/probes/kafka-probe.ts';
import { limitFor } from '../../src/resources/probes/load.ts';
import { postgresProbe } from '../../src/resources/probes/postgres-probe.ts';

const signal = new AbortController().signal;
const bounds = { min: 1, max: 9 };

test('half of what a measure may be leaves the pool whole, from there it shrinks, and the fullest decides', () => {
  const at = (value: number, full = 100) => limitFor([{ what: 'parts', value, full }], bounds);
  expect([0, 50, 60, 75, 99, 100, 500].map((value) => at(value).limit)).toEqual([9, 9, 7, 5, 1, 1, 1]);
  expect(
    limitFor(
      [
        { what: 'parts', value: 1_200, full: 2_000 },
        { what: 'mutations', value: 3, full: 4 },
        { what: 'left out', value: 99, full: 0 },
      ],
      bounds,
    ),
  ).toEqual({ limit: 5, reason: 'mutations: 3 of 4' });
  expect(limitFor([], bounds)).toEqual({ limit: 9, reason: 'nothing was measured' });
});

test('ClickHouse: parts of the fullest partition lower the limit, merging them raises it', async () => {
  const service = await testClickHouse();
  const clickhouse = openClickHouse(service.url);
  const table = `${service.database}.many_parts`;
  const look = (full: Parameters<typeof clickhouseProbe>[0]) =>
    clickhouseProbe(full)({ resources: { clickhouse }, signal, ...bounds });
  try {
    await clickhouse.command(`CREATE TABLE ${table} (n UInt64) ENGINE = MergeTree ORDER BY n`);
    await clickhouse.command(`SYSTEM STOP MERGES ${table}`);
    for (let i = 0; i < 40; i++) await clickhouse.command(`INSERT INTO ${table} VALUES (${i})`);
    const only = { mutations: 0, runningQueries: 0 };
    const full = await look({ ...only, parts: 40 });
    expect(full.limit).toBe(1);
    expect(full.reason).toMatch(/^parts of the fullest partition: \d+ of 40$/);
    expect(Number(/: (\d+)/.exec(full.reason)?.[1])).toBeGreaterThanOrEqual(40);
    expect((await look({ ...only, parts: 100_000 })).limit).toBe(9);
    // The query that looks runs itself.
    expect((await look({ parts: 0, mutations: 0, runningQueries: 1 })).reason).toMatch(/^running queries: \d+ of 1$/);
    expect((await look({ ...only, parts: 0, memoryBytes: 1 })).limit).toBe(1);
    const aborted = AbortSignal.abort(new TypeError('no longer'));
    await expect(clickhouseProbe()({ resources: { clickhouse }, signal: aborted, ...bounds })).rejects.toThrow(
      'no longer',
    );
  } finally {
    await clickhouse.close();
    await service.drop();
  }
});

test('PostgreSQL: connections lower the limit', async () => {
  const database = await testDatabase('persons');
  const pool = new pg.Pool({ connectionString: database.url, max: 10 });
  const look = (connections?: number) =>
    postgresProbe<{ pool: pg.Pool }>(
      ({ pool: one }) => one,
      connections === undefined ? {} : { connections },
    )({
      resources: { pool },
      signal,
      ...bounds,
    });
  const held = await Promise.all(Array.from({ length: 6 }, () => pool.connect()));
  try {
    const full = await look(7);
    expect(full).toMatchObject({ limit: 1, reason: expect.stringMatching(/^connections: \d+ of 7$/) as string });
    expect(Number(/: (\d+)/.exec(full.reason)?.[1])).toBeGreaterThanOrEqual(7);
    expect((await look(10_000)).limit).toBe(9);
    expect((await look()).reason).toMatch(/^connections: \d+ of \d+$/);
  } finally {
    for (const client of held) client.release();
    await pool.end();
    await database.drop();
  }
});

test('Kafka: what a group has still to read lowers the limit, and reading it raises it', async () => {
  const service = testKafka();
  const [topic = ''] = await service.createTopics(['lag'], 2);
  const groupId = `${topic}.readers`;
  const kafka = new Kafka({ brokers: service.brokers.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: Array.from({ length: 100 }, (_, i) => ({ key: `${i}`, value: 'x' })) });
  await producer.disconnect();
  const options = { brokers: service.brokers.split(','), topic, groupId, lag: 100 };
  const look = () => kafkaLagProbe(options)({ resources: {}, signal, ...bounds });
  expect(await look()).toEqual({ limit: 1, reason: `messages that ${groupId} has still to read: 100 of 100` });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.setOffsets({
    groupId,
    topic,
    partitions: ends.map(({ partition, high }) => ({ partition, offset: high })),
  });
  await admin.disconnect();
  expect(await readLag(options)).toBe(0);
  expect((await look()).limit).toBe(9);
  await expect(readLag({ ...options, brokers: ['127.0.0.1:1'] })).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    message: `Kafka does not say how far ${groupId} has read ${topic}.`,
  });
});
