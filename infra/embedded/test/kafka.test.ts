import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import kafkajs from 'kafkajs';

import { applySchemas } from '../src/index.ts';
import { waitUntil } from '../src/ports.ts';
import { serviceIsAvailable, testClickHouse, type TestKafka, testKafka } from '../test-services/index.ts';

const { Kafka, logLevel } = kafkajs;
const describeKafka = serviceIsAvailable('kafka') ? describe : describe.skip;

describeKafka('Kafka', () => {
  let brokers: string;
  let topicPrefix: string;
  let createTopics: TestKafka['createTopics'];
  let client: InstanceType<typeof Kafka>;

  beforeAll(() => {
    ({ brokers, topicPrefix, createTopics } = testKafka());
    client = new Kafka({ clientId: 'test', brokers: [brokers], logLevel: logLevel.NOTHING });
  });

  test('what is produced is consumed, in order', async () => {
    const [topic = ''] = await createTopics(['letters']);
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: ['a', 'b', 'c'].map((value) => ({ key: 'k', value })) });
    await producer.disconnect();

    const consumer = client.consumer({ groupId: `${topicPrefix}readers`, maxWaitTimeInMs: 200 });
    const seen: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => void (await Promise.resolve(seen.push(String(message.value)))),
    });
    expect(
      await waitUntil(
        async () => seen.length === 3,
        () => undefined,
        20_000,
      ),
    ).toBeUndefined();
    await consumer.disconnect();
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('a topic is not created by accident', async () => {
    const producer = client.producer({ allowAutoTopicCreation: true, retry: { retries: 0 } });
    await producer.connect();
    await expect(producer.send({ topic: `${topicPrefix}mistyped`, messages: [{ value: 'x' }] })).rejects.toThrow();
    await producer.disconnect();
    const admin = client.admin();
    await admin.connect();
    expect(await admin.listTopics()).not.toContain(`${topicPrefix}mistyped`);
    await admin.disconnect();
  });

  test('person messages reach ClickHouse; a broken one is set aside and stops nobody; overrides take versions above 0', async () => {
    const { url, drop } = await testClickHouse();
    const house = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
    const env = {
      SKEIN_CLICKHOUSE_URL: url,
      SKEIN_KAFKA_BROKERS: brokers,
      PERSONS_DB_WRITER_URL: process.env.PERSONS_DB_WRITER_URL,
    };
    expect(await applySchemas({ only: ['persons'], env, topicPrefix })).toContain('persons: Kafka → ClickHouse');
    const uuid = '01890000-0000-7000-8000-000000000001';
    const producer = client.producer();
    await producer.connect();
    await producer.send({
      topic: `${topicPrefix}clickhouse_person`,
      messages: [
        { value: 'not json' },
        {
          value: JSON.stringify({
            id: uuid,
            team_id: 1,
            properties: '{}',
            is_identified: 0,
            is_deleted: 1,
            created_at: '2024-01-15 10:00:00.123456',
            version: 7,
            _timestamp: '2024-01-15 10:00:00',
          }),
        },
      ],
    });
    const mapping = { distinct_id: 'd', person_id: uuid, team_id: 1, is_deleted: 0 };
    await producer.send({
      topic: `${topicPrefix}clickhouse_person_distinct_id`,
      messages: [0, 3].map((version) => ({ value: JSON.stringify({ ...mapping, version }) })),
    });
    await producer.disconnect();

    const look = async () => {
      const query =
        'SELECT (SELECT count() FROM person WHERE version = 7 AND is_deleted = 1) AS persons, (SELECT max(version) FROM person_distinct_id2) AS mapping, (SELECT count() FROM person_distinct_id_overrides) AS overrides, (SELECT count() FROM kafka_errors) AS broken';
      return (await (await house.query({ query, format: 'JSONEachRow' })).json())[0];
    };
    const expected = { persons: 1, mapping: 3, overrides: 1, broken: 1 };
    await waitUntil(
      async () => JSON.stringify(await look()) === JSON.stringify(expected),
      () => undefined,
      30_000,
    );
    expect(await look()).toEqual(expected);
    await house.close();
    await drop();
  });
});
