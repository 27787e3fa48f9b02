/** The embedded publisher leaves the tables as Kafka and its views leave them. */

import { type ClickHouse, openClickHouse, openKafkaPublisher } from '@skein/jobs';

import { PERSON_TOPICS, createEmbeddedPublisher } from '../src/embedded-publisher.ts';
import { applySchemas } from '../src/schemas.ts';
import { testClickHouse, testDatabase, testKafka } from '../test-services/index.ts';

const person = (n: number, more: object = {}) =>
  JSON.stringify({
    id: `018f3c5e-0000-7000-8000-00000000000${n}`,
    team_id: 7,
    properties: '{"name":"Zoë \\"Z\\""}',
    is_identified: 1,
    is_deleted: 0,
    created_at: '2024-02-29 12:00:00.123456',
    version: 3,
    _timestamp: '2024-02-29 12:00:00',
    ...more,
  });
const id = (distinctId: string, version: number, deleted = 0) =>
  JSON.stringify({
    distinct_id: distinctId,
    person_id: '018f3c5e-0000-7000-8000-000000000001',
    team_id: 7,
    version,
    is_deleted: deleted,
  });

const MESSAGES = {
  clickhouse_person: [person(1), person(2, { is_deleted: 1, version: 4, properties: '{}' })],
  clickhouse_person_distinct_id: [id('a', 0), id('é 😀', 2), id('gone', 5, 1)],
};

const read = (clickhouse: ClickHouse) =>
  Promise.all([
    clickhouse.rows(
      'SELECT id, created_at, team_id, properties, is_identified, is_deleted, version, _offset FROM person ORDER BY id',
    ),
    clickhouse.rows(
      'SELECT team_id, distinct_id, person_id, is_deleted, version, _offset, _partition FROM person_distinct_id2 ORDER BY distinct_id',
    ),
    clickhouse.rows(
      'SELECT team_id, distinct_id, person_id, is_deleted, version, _offset, _partition FROM person_distinct_id_overrides ORDER BY distinct_id',
    ),
  ]);

test('the same rows as through Kafka', async () => {
  const [store, other, database, broker] = [
    await testClickHouse({ schemas: ['persons'] }),
    await testClickHouse(),
    await testDatabase('empty'),
    testKafka(),
  ];
  await applySchemas({
    only: ['persons'],
    env: { SKEIN_CLICKHOUSE_URL: other.url, SKEIN_KAFKA_BROKERS: broker.brokers, PERSONS_DB_WRITER_URL: database.url },
    topicPrefix: broker.topicPrefix,
  });
  const [here, there] = [openClickHouse(store.url), openClickHouse(other.url)];
  const [embedded, real] = [createEmbeddedPublisher(here), openKafkaPublisher([broker.brokers])];
  try {
    for (const [topic, values] of Object.entries(MESSAGES)) {
      const messages = [...values.map((value) => ({ key: null, value })), { key: 'k', value: null }];
      await embedded.publish(topic, messages);
      await real.publish(broker.topicPrefix + topic, messages);
    }
    const ours = await read(here);
    expect(ours.map((rows) => rows.length)).toEqual([2, 3, 2]);
    const deadline = Date.now() + 20_000;
    let theirs = await read(there);
    while (theirs.some((rows, i) => rows.length < (ours[i]?.length ?? 0)) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      theirs = await read(there);
    }
    expect(ours).toEqual(theirs);
  } finally {
    await Promise.all([real.close(), here.close(), there.close()]);
    await Promise.all([store.drop(), other.drop(), database.drop()]);
  }
});

test('an unknown topic and a message that is no JSON are refused; a family adds its topics to the map', async () => {
  const inserted: unknown[] = [];
  const fake = {
    insert: async (table: string, rows: readonly object[]) => void inserted.push([table, rows]),
  } as unknown as ClickHouse;
  const publisher = createEmbeddedPublisher(fake, {
    ...PERSON_TOPICS,
    mine: [{ table: 'my_table', row: (message) => ({ n: message.n }) }],
  });
  await expect(publisher.publish('other', [])).rejects.toMatchObject({
    system: 'kafka',
    retryable: false,
    message: expect.stringContaining('clickhouse_person, ') as string,
  });
  await expect(publisher.publish('mine', [{ key: null, value: '{' }])).rejects.toMatchObject({
    system: 'kafka',
    retryable: false,
  });
  await publisher.publish(
    'mine',
    Array.from({ length: 10_001 }, (_, n) => ({ key: null, value: JSON.stringify({ n }) })),
  );
  expect(inserted).toMatchObject([
    ['my_table', { length: 10_000 }],
    ['my_table', [{ n: 10_000 }]],
  ]);
});
