import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { createClient } from '@clickhouse/client';
import { Redis } from 'ioredis';
import pg from 'pg';

import { removeServicesDirectory, servicesStatus, startServices, stopServices } from '../src/index.ts';
import { waitUntil } from '../src/ports.ts';
import { runCli } from './run-cli.ts';

interface StatusRow {
  readonly service: string;
  readonly status: string;
  readonly pid: number | null;
}

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'skein-services-'));
});

afterEach(async () => {
  await stopServices({ dir });
  removeServicesDirectory(dir);
});

const statusOf = async () => {
  const { stdout } = await runCli(['services', 'status', '--dir', dir, '--json']);
  const rows = (JSON.parse(stdout) as { services: StatusRow[] }).services;
  return Object.fromEntries(rows.map((row) => [row.service, row]));
};

test('what is removed is the services, not the test runs that are under way beside them', () => {
  for (const name of ['redis', 'test-17', 'test-data']) mkdirSync(path.join(dir, name));
  removeServicesDirectory(dir);
  expect(readdirSync(dir)).toEqual(['test-17']);
  rmSync(path.join(dir, 'test-17'), { recursive: true });
  removeServicesDirectory(dir);
  expect(existsSync(dir)).toBe(false);
});

test('up, status, env, down: what the command promises', async () => {
  const up = await runCli(['services', 'up', '--dir', dir, '--only', 'redis', '--json']);
  expect(up.code).toBe(0);
  expect(up.stderr).toMatch(/redis: ready after \d/);
  const { env } = JSON.parse(up.stdout) as { env: Record<string, string> };
  expect(Object.keys(env)).toEqual(['SKEIN_REDIS_URL']);

  const status = await statusOf();
  expect(status.redis).toMatchObject({ status: 'running', pid: expect.any(Number) as number });
  expect(status.postgres).toMatchObject({ status: 'stopped', pid: null });

  const shell = await runCli(['services', 'env', '--dir', dir]);
  expect(execFileSync('sh', ['-c', `${shell.stdout}\nprintf %s "$SKEIN_REDIS_URL"`]).toString()).toBe(
    env.SKEIN_REDIS_URL,
  );
  // The server goes on although the command has ended.
  const redis = new Redis(env.SKEIN_REDIS_URL ?? '');
  expect(await redis.ping()).toBe('PONG');
  await redis.quit();

  const down = await runCli(['services', 'down', '--dir', dir, '--json']);
  expect(JSON.parse(down.stdout)).toEqual({ stopped: ['redis'] });
  expect((await statusOf()).redis).toMatchObject({ status: 'stopped', pid: null });
  expect((await runCli(['services', 'env', '--dir', dir])).code).toBe(3);
});

test('a value in the environment wins, and its service is not started', async () => {
  const elsewhere = { SKEIN_REDIS_URL: 'redis://elsewhere:1/0', SKEIN_OBJECT_STORE: 'file:///elsewhere' };
  const up = await runCli(['services', 'up', '--dir', dir, '--only', 'redis,s3', '--json'], elsewhere);
  expect(JSON.parse(up.stdout)).toMatchObject({ env: elsewhere });
  expect(servicesStatus({ dir, given: elsewhere }).find(({ service }) => service === 'redis')?.status).toBe(
    'elsewhere',
  );
});

test('names that do not exist are refused before anything starts', async () => {
  const { code, stderr } = await runCli(['services', 'up', '--dir', dir, '--only', 'redis,mysql']);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/no service “mysql”.*Known: redis, postgres/);
  expect(existsSync(path.join(dir, 'services.json'))).toBe(false);
});

test.each(['up', 'down', 'status', 'env', 'logs'])('“services %s --help” shows examples', async (command) => {
  const { stdout } = await runCli(['services', command, '--help']);
  expect(stdout).toMatch(/Examples:\n {2}\S*.*skein services/);
});

test('after down and up the URLs and the data are the same; a second up changes nothing', async () => {
  const options = { dir, only: ['redis', 'postgres', 'clickhouse'] as const, given: {} };
  const { env } = await startServices(options);
  await write(env);
  const pids = servicesStatus({ dir, given: {} }).map(({ pid }) => pid);
  await startServices(options);
  expect(servicesStatus({ dir, given: {} }).map(({ pid }) => pid)).toEqual(pids);

  expect((await stopServices({ dir })).sort()).toEqual(['clickhouse', 'postgres', 'redis']);
  const again = await startServices(options);
  expect(again.env).toEqual(env);
  expect(await read(env)).toEqual({ redis: 'kept', postgres: 'kept', clickhouse: 'kept' });
});

test('services that were killed are noticed, and started again with their data', async () => {
  const options = { dir, only: ['redis', 'postgres', 'clickhouse'] as const, given: {} };
  const { env } = await startServices(options);
  await write(env);
  // appendfsync everysec: what was acknowledged within the last second may not be on disk after a power cut, but it is
  // in the kernel's hands after a killed process.
  for (const { pid } of servicesStatus({ dir, given: {} })) if (pid !== null) process.kill(pid, 'SIGKILL');
  const died = () => servicesStatus({ dir, given: {} }).filter(({ status }) => status === 'died').length;
  expect(
    await waitUntil(
      async () => died() === 3,
      () => undefined,
      10_000,
    ),
  ).toBeUndefined();

  await startServices(options);
  expect(await read(env)).toEqual({ redis: 'kept', postgres: 'kept', clickhouse: 'kept' });
});

test('stop() of a start ends only what that start started', async () => {
  await startServices({ dir, only: ['redis'], given: {} });
  const second = await startServices({ dir, only: ['redis', 'postgres'], given: {} });
  await second.stop();
  const status = Object.fromEntries(servicesStatus({ dir, given: {} }).map((row) => [row.service, row.status]));
  expect(status).toMatchObject({ redis: 'running', postgres: 'stopped' });
});

test('passwords are in no arguments and in no file that others can read', async () => {
  const { env } = await startServices({ dir, only: ['redis', 'clickhouse'], given: {} });
  const passwords = Object.values(env).map((url) => new URL(url).password);
  const processes = execFileSync('ps', ['-eo', 'args']).toString();
  for (const password of passwords) expect(processes.includes(password)).toBe(false);
  for (const file of ['services.json', 'redis/redis.conf', 'clickhouse/bridge.json']) {
    expect(statSync(path.join(dir, file)).mode & 0o077).toBe(0);
  }
});

test('the object store is a directory unless a real S3 is asked for', async () => {
  rmSync(dir, { recursive: true });
  const up = await startServices({
    dir,
    given: {
      SKEIN_REDIS_URL: 'x',
      SKEIN_CLICKHOUSE_URL: 'x',
      SKEIN_KAFKA_BROKERS: 'x',
      SKEIN_DUCKDB_EXTENSIONS: 'x',
      PERSONS_DB_READER_URL: 'x',
      PERSONS_DB_WRITER_URL: 'x',
      SKEIN_APP_DB_URL: 'x',
    },
  });
  expect(up.env.SKEIN_OBJECT_STORE).toMatch(/^file:\/\/\/.*\/s3\/objects$/);
});

async function write(env: Readonly<Record<string, string>>): Promise<void> {
  await onAll(env, {
    redis: async (redis) => void (await redis.set('k', 'kept')),
    postgres: async (client) => void (await client.query("CREATE TABLE k AS SELECT 'kept' AS v")),
    clickhouse: async (client) =>
      void (await client.command({ query: "CREATE TABLE k ENGINE = MergeTree ORDER BY v AS SELECT 'kept' AS v" })),
  });
}

function read(env: Readonly<Record<string, string>>) {
  return onAll(env, {
    redis: async (redis) => redis.get('k'),
    postgres: async (client) => (await client.query<{ v: string }>('SELECT v FROM k')).rows[0]?.v,
    clickhouse: async (client) =>
      (await (await client.query({ query: 'SELECT v FROM k', format: 'JSONEachRow' })).json<{ v: string }>())[0]?.v,
  });
}

async function onAll<T>(
  env: Readonly<Record<string, string>>,
  work: {
    readonly redis: (redis: Redis) => Promise<T>;
    readonly postgres: (client: pg.Client) => Promise<T>;
    readonly clickhouse: (client: ReturnType<typeof createClient>) => Promise<T>;
  },
): Promise<{ redis: T; postgres: T; clickhouse: T }> {
  const redis = new Redis(env.SKEIN_REDIS_URL ?? '');
  const client = new pg.Client({ connectionString: env.SKEIN_APP_DB_URL });
  const clickhouse = createClient({ url: env.SKEIN_CLICKHOUSE_URL ?? '' });
  await client.connect();
  try {
    return {
      redis: await work.redis(redis),
      postgres: await work.postgres(client),
      clickhouse: await work.clickhouse(clickhouse),
    };
  } finally {
    redis.disconnect();
    await client.end();
    await clickhouse.close();
  }
}

test('a port that somebody has taken meanwhile is given up for another', async () => {
  const { env } = await startServices({ dir, only: ['redis'], given: {} });
  await stopServices({ dir });
  const { port } = new URL(env.SKEIN_REDIS_URL ?? '');
  const squatter = createServer().listen(Number(port), '127.0.0.1');
  await once(squatter, 'listening');
  const again = await startServices({ dir, only: ['redis'], given: {} });
  squatter.close();
  expect(new URL(again.env.SKEIN_REDIS_URL ?? '').port).not.toBe(port);
});
