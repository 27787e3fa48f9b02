/** How a lake and its objects are reached: addresses, secrets, limits, and what each error of theirs means. Cases of the reference. */

import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';

import {
  DucklingRow,
  ducklingEventsBackfill,
  ducklingEventsBackfillJob,
  ducklingPersonsBackfill,
  ducklingPersonsBackfillJob,
} from '@skein/jobs';
import type { DuckDBInstance } from '@duckdb/node-api';

import { asLakeError, lakeTroubleOf } from '../../src/resources/ducklake-errors.ts';
import {
  attachSql,
  catalogSecretSql,
  openInstance,
  s3SecretSql,
  withConnection,
} from '../../src/resources/ducklake-instance.ts';
import { type S3Settings, parseObjectStore } from '../../src/resources/object-store.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAOWN', AWS_SECRET_ACCESS_KEY: "it's secret" };
const s3 = (env: Record<string, string> = {}) => parseObjectStore({ SKEIN_OBJECT_STORE: 's3://', ...KEYS, ...env });
const settings = (env?: Record<string, string>) => s3(env).s3 as S3Settings;

test.each([
  ['bucket', 'us-east-1', 'path/file.parquet', 'https://bucket.s3.us-east-1.amazonaws.com/path/file.parquet'],
  ['my-bucket', 'eu-west-1', 'a/b/c.parquet', 'https://my-bucket.s3.eu-west-1.amazonaws.com/a/b/c.parquet'],
])('ClickHouse writes %s in %s to its address of Amazon', (bucket, region, key, url) => {
  const { sql, params } = s3().forClickHouse({ bucket, region, key });
  expect(params).toEqual({ object_url: url, s3_key_id: 'AKIAOWN', s3_secret: "it's secret" });
  expect(sql).not.toMatch(/secret'|AKIAOWN/);
});

test('a store that is not Amazon’s is addressed by path; ClickHouse without keys writes with its own role', () => {
  const place = { bucket: 'b', region: 'us-east-1', key: 'k' };
  expect(s3({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9000/' }).forClickHouse(place).params.object_url).toBe(
    'http://127.0.0.1:9000/b/k',
  );
  const own = parseObjectStore({ SKEIN_OBJECT_STORE: 's3://' }).forClickHouse(place);
  expect(own).toEqual({
    sql: "s3({object_url:String}, 'Parquet')",
    params: { object_url: 'https://b.s3.us-east-1.amazonaws.com/k' },
  });
});

test('DuckDB’s secret: region and scope of the duckling, a token only when there is one, quotes doubled', () => {
  const place = { bucket: 'lake', region: 'eu-west-1' };
  const keys = { accessKeyId: 'A', secretAccessKey: "it's", sessionToken: undefined, expiresAt: undefined };
  const production = s3SecretSql(settings(), place, keys);
  expect(production).toMatch(
    /TYPE s3, PROVIDER config, KEY_ID 'A', SECRET 'it''s', REGION 'eu-west-1', SCOPE 's3:\/\/lake'/,
  );
  expect(production).not.toMatch(/SESSION_TOKEN|ENDPOINT|USE_SSL|credential_chain/);
  const plain = s3SecretSql(settings({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9000' }), place, {
    ...keys,
    sessionToken: 't',
  });
  expect(plain).toMatch(/SESSION_TOKEN 't'.*ENDPOINT '127\.0\.0\.1:9000', URL_STYLE 'path', USE_SSL false/);
  expect(s3SecretSql(settings({ AWS_ENDPOINT_URL: 'https://store.example' }), place, keys)).toMatch(
    /ENDPOINT 'store\.example', URL_STYLE 'path', USE_SSL true/,
  );
});

test('half a pair of keys, and a store that is none, are refused by the variable’s name', () => {
  expect(() => parseObjectStore({ SKEIN_OBJECT_STORE: 's3://', AWS_ACCESS_KEY_ID: 'A' })).toThrow(
    /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together/,
  );
  for (const store of ['', 's3://bucket', 'file://relative', 'gs://x'])
    expect(() => parseObjectStore({ SKEIN_OBJECT_STORE: store })).toThrow(/SKEIN_OBJECT_STORE/);
  // An empty variable counts as unset.
  expect(settings({ AWS_ENDPOINT_URL: '', AWS_REGION: '' })).toMatchObject({
    endpoint: undefined,
    region: 'us-east-1',
  });
});

test('a row’s defaults; an empty region, role or external id is none', () => {
  const row = { team_id: 2, bucket: 'lake', db_host: 'h', db_username: 'u', db_password: 'env:P' };
  expect(DucklingRow.parse(row)).toEqual({
    ...row,
    bucket_region: 'us-east-1',
    db_port: 5432,
    db_name: 'ducklake',
    cross_account_role_arn: null,
    cross_account_external_id: null,
    enabled: true,
  });
  expect(
    DucklingRow.parse({ ...row, bucket_region: '', cross_account_role_arn: ' ', cross_account_external_id: '' }),
  ).toMatchObject({ bucket_region: 'us-east-1', cross_account_role_arn: null, cross_account_external_id: null });
  for (const bucket of ['in.valid;x', 'UPPER', 'sp ace', 'a', '../up', '-x-'])
    expect(DucklingRow.safeParse({ ...row, bucket }).success).toBe(false);
});

test('DuckDB is limited to 4 GB unless told otherwise, spills into the system’s folder, and speaks UTC', async () => {
  const extensionDirectory = process.env.SKEIN_DUCKDB_EXTENSIONS;
  const instance: DuckDBInstance = await openInstance({
    extensionDirectory,
    memoryLimit: '4GB',
    threads: 1,
    needsS3: false,
  });
  try {
    const [row] = await withConnection(instance, undefined, (db) =>
      db.rows<Record<'memory' | 'folder' | 'zone', string>>(
        "SELECT current_setting('memory_limit') AS memory, current_setting('temp_directory') AS folder, current_setting('TimeZone') AS zone",
      ),
    );
    const [amount = '', unit] = row?.memory.split(' ') ?? [];
    expect(unit).toMatch(/^Gi?B$/);
    expect(Number(amount)).toBeGreaterThan(3.5);
    expect(Number(amount)).toBeLessThan(4.5);
    expect(row?.folder.startsWith(tmpdir())).toBe(true);
    expect(row?.zone).toBe('UTC');
  } finally {
    instance.closeSync();
  }
});

test('a catalog that takes the connection and says nothing is given up, as one that cannot be reached', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const extensionDirectory = process.env.SKEIN_DUCKDB_EXTENSIONS;
  const instance = await openInstance({ extensionDirectory, memoryLimit: '1GB', threads: 1, needsS3: false });
  const catalog = { host: '127.0.0.1', port, database: 'lake', user: 'lake', password: 'lake-secret' };
  try {
    const attaching = withConnection(instance, undefined, async (db) => {
      await db.rows(catalogSecretSql(catalog));
      await db.rows(attachSql('disable', '/nowhere/', 2)); // the shortest that libpq takes
    });
    const error: unknown = await attaching.catch((refused: unknown) => refused);
    expect(asLakeError(error, 'the lake of team 2')).toMatchObject({
      retryable: true,
      details: { trouble: 'connection' },
    });
    expect(String(error)).toContain('timeout expired');
    expect(String(error)).not.toContain('lake-secret');
  } finally {
    instance.closeSync();
    silent.close();
  }
});

test.each([
  ['TransactionContext Error: Transaction conflict: write-write', 'conflict', true],
  ['TransactionContext Error: Transaction conflict on table', 'conflict', true],
  ['TransactionContext Error: cannot rollback - no transaction is active', 'other', true],
  ['Catalog Error: Table with name events does not exist!', 'no_table', false],
  ['IO Error: server closed the connection unexpectedly', 'connection', true],
  ['IO Error: connection to server was lost', 'connection', true],
  ['IO Error: terminating connection due to administrator command', 'connection', true],
  ['Constraint Error: Duplicate key "id: 1" violates primary key', 'other', true],
  ["HTTP Error: HTTP GET error on 's3://b/k' (HTTP 503 Service Unavailable)", 'absent', true],
  ["HTTP Error: HTTP GET error on 's3://b/k' (HTTP 429 Too Many Requests)", 'absent', true],
  ['HTTP Error: Unable to connect to URL (HTTP 403 Forbidden)', 'refused', false],
  ["HTTP Error: HTTP GET error on 's3://b/k' (HTTP 400 Bad Request)", 'refused', false],
  ['Invalid Input Error: Failed to map column "v" from file "f" to the column in table "t"', 'schema', false],
])('%s is %s', (text, trouble, retryable) => {
  expect(lakeTroubleOf(new Error(text))).toBe(trouble);
  // A conflict that outlives all retries ends its run as just that.
  const reason = trouble === 'conflict' ? 'conflict_retry_exhausted' : 'infra:ducklake';
  expect(asLakeError(new Error(text), 'the lake of team 2')).toMatchObject({ retryable, reason, details: { trouble } });
});

test('both jobs share the tag by which all backfills of ducklings may be limited together', () => {
  for (const job of [ducklingEventsBackfillJob, ducklingPersonsBackfillJob])
    expect(job.tags.duckling_backfill_concurrency).toBe('duckling_v1');
  expect(ducklingEventsBackfillJob.tags.duckling_events_backfill_concurrency).toBe('duckling_events_v1');
  expect(ducklingPersonsBackfillJob.tags.duckling_persons_backfill_concurrency).toBe('duckling_persons_v1');
});

test('delete_tables is an administrator’s: the assets say what it destroys, unless nothing is written', () => {
  for (const [asset, table] of [
    [ducklingEventsBackfill, 'posthog.events'],
    [ducklingPersonsBackfill, 'posthog.persons'],
  ] as const) {
    const of = (config: object) => asset.destroys(asset.config.parse(config));
    expect(of({ delete_tables: true })?.what).toContain(table);
    expect([of({}), of({ delete_tables: true, dry_run: true })]).toEqual([undefined, undefined]);
    expect(of({ delete_tables: true, skip_ducklake_registration: true })).toBeUndefined();
  }
});
