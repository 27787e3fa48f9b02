import { applySchemas, SCHEMA_NAMES } from '../src/index.ts';
import { testClickHouse, testDatabase } from '../test-services/index.ts';
import { runCli } from './run-cli.ts';

test('schemas apply makes every part, says so, and can be repeated', async () => {
  const [persons, app, house] = [await testDatabase('empty'), await testDatabase('empty'), await testClickHouse()];
  const env = { PERSONS_DB_WRITER_URL: persons.url, SKEIN_APP_DB_URL: app.url, SKEIN_CLICKHOUSE_URL: house.url };
  const first = await runCli(['schemas', 'apply', '--json'], env);
  expect(first).toMatchObject({ code: 0 });
  expect(JSON.parse(first.stdout)).toEqual({
    applied: [
      'persons: PostgreSQL',
      'persons: ClickHouse',
      'events: ClickHouse',
      'raw-events: ClickHouse',
      'conversations: PostgreSQL',
      'conversations: ClickHouse',
      'ducklings: PostgreSQL',
    ],
  });
  expect(await applySchemas({ env })).toHaveLength(7);
  await Promise.all([persons.drop(), app.drop(), house.drop()]);
});

test('a missing variable is named before anything is made', async () => {
  await expect(applySchemas({ only: ['ducklings'], env: {} })).rejects.toMatchObject({
    code: 'SERVICE_NOT_CONFIGURED',
    message: expect.stringContaining('SKEIN_APP_DB_URL is not set') as string,
  });
});

test('a schema that does not exist is refused with those that do', async () => {
  const { code, stderr } = await runCli(['schemas', 'apply', '--only', 'persons,nope']);
  expect(code).not.toBe(0);
  for (const name of SCHEMA_NAMES) expect(stderr).toContain(name);
});
