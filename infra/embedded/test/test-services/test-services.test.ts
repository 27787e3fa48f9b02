import { Redis } from 'ioredis';
import pg from 'pg';

import { testClickHouse, testDatabase, testKafka, testRedis, testS3 } from '../../test-services/index.ts';

test('a test database has its schema, is its own, and is gone after drop', async () => {
  const [first, second] = await Promise.all([testDatabase('persons'), testDatabase('persons')]);
  const client = new pg.Client({ connectionString: first.url });
  await client.connect();
  await client.query('INSERT INTO posthog_person (created_at, uuid, team_id) VALUES (now(), gen_random_uuid(), 1)');
  await client.end();
  const other = new pg.Client({ connectionString: second.url });
  await other.connect();
  expect((await other.query('SELECT count(*)::int AS n FROM posthog_person')).rows).toEqual([{ n: 0 }]);
  await other.end();
  await Promise.all([first.drop(), second.drop()]);
  await expect(new pg.Client({ connectionString: first.url }).connect()).rejects.toThrow(/does not exist/);
});

test('a test ClickHouse has the tables that were asked for', async () => {
  const { client, database, drop } = await testClickHouse({
    schemas: ['persons', 'events', 'raw-events', 'conversations'],
  });
  const result = await client.query({
    query: 'SELECT name FROM system.tables WHERE database = {database:String}',
    query_params: { database },
    format: 'JSONEachRow',
  });
  const names = (await result.json<{ name: string }>()).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['events', 'person', 'person_distinct_id2', 'raw_events', 'usage_events']),
  );
  await drop();
});

test('prefixes differ', async () => {
  expect(testKafka().topicPrefix).not.toBe(testKafka().topicPrefix);
  const { url, prefix } = testRedis();
  const redis = new Redis(url);
  await redis.set(`${prefix}:a`, '1');
  expect(await redis.get(`${prefix}:a`)).toBe('1');
  expect(await redis.config('GET', 'appendfsync')).toEqual(['appendfsync', 'everysec']);
  await redis.quit();
});

test('buckets and roles are made on demand', async () => {
  const s3 = testS3();
  const bucket = await s3.createBucket();
  expect(await s3.createRole({ externalId: 'x-1', buckets: [bucket] })).toMatch(/^arn:aws:iam::\d+:role\//);
});
