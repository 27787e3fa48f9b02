/**
 * Requests forged by the server (SSRF) need an address that a caller may choose. Nobody may: no field of the API or of a
 * job's config is an address, and what opens connections takes its address from the environment or from a row of
 * `ducklake_catalog`, which only the command line and the database write, and which holds no address of the machine itself.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { DucklingRow } from '../../packages/jobs/src/resources/duckling-catalog.ts';
import { deployment } from '../../skein.config.ts';
import { sourcesOf } from './sources.ts';

const ADDRESS =
  /url|uri|href|host|endpoint|address|server|broker|webhook|callback|proxy|domain|redirect|region|bucket/i;

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly format?: string;
  readonly [keyword: string]: unknown;
}

/** Names of fields, and of what has a format of an address, anywhere in a JSON schema. */
function* fieldsOf(schema: unknown): Generator<string> {
  if (Array.isArray(schema)) for (const one of schema) yield* fieldsOf(one);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return;
  const { properties = {}, format, ...rest } = schema as Node;
  if (typeof format === 'string' && /^(uri|url|hostname|ip)/.test(format)) yield format;
  for (const [name, inner] of Object.entries(properties)) {
    yield name;
    yield* fieldsOf(inner);
  }
  yield* fieldsOf(Object.values(rest));
}

test('no field of a request is an address', () => {
  const file = path.join(__dirname, '../../packages/orchestrator/src/api/openapi.json');
  const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Record<string, Record<string, { parameters?: { name: string }[]; requestBody?: unknown }>>;
    components: { schemas: Record<string, unknown> };
  };
  const resolve = (node: unknown): unknown =>
    JSON.parse(
      JSON.stringify(node ?? null, (_key, value: { $ref?: string } | null) =>
        value?.$ref === undefined ? value : components.schemas[value.$ref.split('/').at(-1) ?? ''],
      ),
    );
  const all = Object.values(paths).flatMap((methods) => Object.values(methods));
  const fields = all.flatMap(({ parameters = [], requestBody }) => [
    ...parameters.map(({ name }) => name),
    ...fieldsOf(resolve(requestBody)),
  ]);
  expect(fields.length).toBeGreaterThan(150);
  expect(fields.filter((name) => ADDRESS.test(name))).toEqual([]);
});

test('no field of a config or a cursor is an address', () => {
  const schemas = [
    ...[...deployment.assets.values()].map(({ key, config }) => [key, config] as const),
    ...[...deployment.sensors.values()].map(({ name, cursor }) => [name, cursor] as const),
  ];
  const fields = schemas.flatMap(([name, schema]) =>
    [...fieldsOf(z.toJSONSchema(schema as z.ZodType, { unrepresentable: 'any', io: 'input' }))].map(
      (field) => `${name}.${field}`,
    ),
  );
  expect(fields.length).toBeGreaterThan(40);
  expect(fields.filter((field) => ADDRESS.test(field.split('.').at(-1) ?? ''))).toEqual([]);
});

/** Whatever opens a connection, and where its address comes from. */
const CLIENTS: Readonly<Record<string, string>> = {
  'jobs/src/resources/clickhouse.ts': 'SKEIN_CLICKHOUSE_URL',
  'jobs/src/resources/ducklake-instance.ts': 'the object store’s endpoint of the environment; the catalog of a row',
  'jobs/src/resources/ducklake-lock.ts': 'the catalog of a row',
  'jobs/src/resources/kafka.ts': 'SKEIN_KAFKA_BROKERS',
  'jobs/src/resources/object-store-s3.ts':
    'the environment; without an endpoint Amazon’s, by bucket and region of a row',
  'jobs/src/resources/postgres.ts': 'URLs of the environment',
  'jobs/src/resources/probes/kafka-probe.ts': 'SKEIN_KAFKA_BROKERS',
  'jobs/src/resources/sts.ts': 'the environment',
  'orchestrator/src/history/duckdb.ts': 'SKEIN_HISTORY_URL and the endpoint of the environment',
  'orchestrator/src/store/redis.ts': 'SKEIN_REDIS_URL',
  'orchestrator/src/cli/remote/server.ts': 'the command line’s own --server; not a part of a server',
};
const OPENS =
  /new (S3Client|STSClient|Redis|Kafka|pg\.Pool|pg\.Client)\b|DuckDBInstance\.create|@clickhouse\/client'|\bfetch\(|\bhttps?\.(request|get)\(|\b(net|tls)\.connect|createConnection\(/;

test('what opens connections is known, and takes its address from no caller', () => {
  const found = [...sourcesOf(['orchestrator', 'jobs', 'sensors'])]
    .filter(([, text]) => OPENS.test(text.replaceAll(/^import type .*$/gm, '')))
    .map(([file]) => file);
  expect(found.filter((file) => CLIENTS[file] === undefined)).toEqual([]);
  expect(found.length).toBeGreaterThanOrEqual(10);
});

const row = { team_id: 2, bucket: 'lake', db_host: 'catalog.example', db_username: 'u', db_password: 'env:P' };
const takes = (more: object) => DucklingRow.safeParse({ ...row, ...more }).success;

test.each([
  '169.254.169.254',
  '169.254.1.1',
  '0.0.0.0',
  '0',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '0xa9.0xfe.0xa9.0xfe',
  '[::]',
  '::',
  'fe80::1',
  'fd00:ec2::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  'metadata.google.internal',
  'METADATA.google.internal.',
  'user:password@evil.example',
  'evil.example/path',
  'evil.example#',
  'evil.example?x=y',
  'evil.example:5433',
  'a.example,b.example',
  'file:///etc/passwd',
  'gopher://evil.example',
  '/var/run/secrets',
  'a b',
  'a\nhost=evil.example',
  "a' sslmode=disable",
  'evil。example',
  '224.0.0.1',
  '255.255.255.255',
])('a catalog at %s is refused', (db_host) => expect(takes({ db_host })).toBe(false));

test.each(['catalog', 'db-1.internal.example', 'db_1', '10.0.0.5', '127.0.0.1', '192.168.1.9', '::1', 'fd12:3456::5'])(
  'a catalog at %s is taken',
  (db_host) => expect(takes({ db_host })).toBe(true),
);

test.each([
  [{ bucket: 'evil.example/#' }],
  [{ bucket: 'user@evil' }],
  [{ bucket: '../other' }],
  [{ bucket: '..' }],
  [{ bucket: 'a%2f..' }],
  [{ bucket_region: 'x.evil.example/' }],
  [{ bucket_region: 'us-east-1.evil' }],
  [{ bucket_region: '@evil' }],
])('%p is refused: it would lead the request to another host or folder', (more) => expect(takes(more)).toBe(false));
