/** Ducklings in other accounts, on an S3 and STS that enforce IAM: roles, external ids, renewal, refusals. */

import { type Duckling, ducklingEventsBackfill } from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { type TestS3, testS3 } from '../../../../infra/embedded/test-services/index.ts';
import { countDay } from '../../src/duckling/registration.ts';
import { EVENTS } from '../../src/duckling/dataset.ts';
import { findOrphans } from '../../src/duckling/orphans.ts';
import { checkPermissions } from '../../src/duckling/permission-check.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';
import { type RecordingProxy, type Refusal, startRecordingProxy } from './recording-proxy.ts';

const NEVER = new AbortController().signal;
const EXTERNAL_ID = 'ext-4711';
let s3: TestS3;
let proxy: RecordingProxy;
let house: LakeHouse;
let bucket: string;
let clockMs: number;

beforeEach(async () => {
  s3 = testS3();
  proxy = await startRecordingProxy(s3.url);
  clockMs = Date.now();
  house = await openLakeHouse(
    {
      SKEIN_OBJECT_STORE: 's3://',
      AWS_ENDPOINT_URL: proxy.url,
      AWS_ACCESS_KEY_ID: s3.key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.key.secretAccessKey,
      AWS_REGION: s3.region,
    },
    { now: () => clockMs },
  );
  bucket = await s3.createBucket('duckling');
});
afterEach(async () => {
  await house.close();
  await proxy.close();
});

const addDuckling = async (
  facts: { readonly externalId?: string; readonly buckets?: string[]; readonly actions?: string[] } = {},
) => {
  const role = await s3.createRole({
    externalId: EXTERNAL_ID,
    buckets: facts.buckets ?? [bucket],
    ...(facts.actions ? { actions: facts.actions } : {}),
  });
  return house.addDuckling(2, {
    bucket,
    cross_account_role_arn: role,
    cross_account_external_id: facts.externalId ?? EXTERNAL_ID,
  });
};
const run = (day: string, runId: string) =>
  runAsset(ducklingEventsBackfill, { partition: `2_${day}`, resources: house, runId });
const inLake = (duckling: Duckling, day: string) =>
  house.ducklings.lake(duckling).read(NEVER, (db) => countDay(db, EVENTS, { id: 2, day }));
const assumed = () => proxy.seen.filter((r) => r.body.includes('Action=AssumeRole'));
const keysOf = (userAgent: RegExp) =>
  new Set(proxy.seen.filter((r) => r.path !== '/' && userAgent.test(r.userAgent)).map((r) => r.keyId));
const keysOfDuckDb = () => keysOf(/duckdb/i);

test('ClickHouse writes with its keys; DuckDB and Skein read as the assumed role, which is assumed once', async () => {
  const duckling = await addDuckling();
  await seedEvents(house, 2, '2024-01-15', 1_000);
  const result = await run('2024-01-15', 'RUN1');
  expect(result.error).toBeUndefined();
  expect(result.result).toMatchObject({
    rows: 1_000,
    rows_in_lake: 1_000,
    path: `s3://${bucket}/backfill/events/team_id=2/year=2024/month=01/day=15/RUN1.parquet`,
  });
  expect(result.result?.bytes).toBeGreaterThan(10_000);
  expect(await inLake(duckling, '2024-01-15')).toBe(1_000);

  expect(assumed()).toHaveLength(1);
  const body = new URLSearchParams(assumed()[0]?.body);
  expect(Object.fromEntries(body)).toMatchObject({
    ExternalId: EXTERNAL_ID,
    RoleSessionName: 'skein-duckling-2',
    DurationSeconds: '3600',
  });
  // Every request of DuckDB, and every one of Skein's own to the bucket, is signed with what AssumeRole gave.
  expect(proxy.assumedKeys).toHaveLength(1);
  expect(keysOfDuckDb()).toEqual(new Set(proxy.assumedKeys));
  expect(keysOf(/aws-sdk/)).toEqual(new Set(proxy.assumedKeys));
  const writes = proxy.seen.filter(
    (r) => r.path.includes('RUN1.parquet') && (r.method === 'PUT' || r.method === 'POST'),
  );
  expect(new Set(writes.map((r) => r.keyId))).toEqual(new Set([s3.key.accessKeyId]));
});

test('a wrong external id is refused with a message that names role and duckling, and nothing is exported', async () => {
  const duckling = await addDuckling({ externalId: 'ext-wrong' });
  await seedEvents(house, 2, '2024-01-15', 10);
  const { error } = await run('2024-01-15', 'RUN1');
  expect(error).toMatchObject({ system: 'sts', retryable: false });
  expect((error as Error).message).toContain(duckling.cross_account_role_arn);
  expect((error as Error).message).toMatch(/duckling of team 2.*AccessDenied/);
  expect((error as Error).message).not.toContain('ext-wrong');
  expect(proxy.seen.filter((r) => r.path.includes('.parquet'))).toEqual([]);
});

test('a duckling without an external id never sends one, not even an empty one', async () => {
  await addDuckling({ externalId: '' });
  await run('2024-01-15', 'RUN1');
  expect(assumed().length).toBeGreaterThan(0);
  for (const request of assumed()) expect(request.body).not.toContain('ExternalId');
});

test('credentials that end are renewed before they do, under a lake that stays attached', async () => {
  const duckling = await addDuckling();
  await seedEvents(house, 2, '2024-01-15', 10);
  await seedEvents(house, 2, '2024-01-16', 11);
  expect((await run('2024-01-15', 'A')).error).toBeUndefined();
  const first = keysOfDuckDb();
  clockMs += 54 * 60_000;
  await inLake(duckling, '2024-01-15');
  expect(assumed()).toHaveLength(1);
  clockMs += 2 * 60_000;
  proxy.seen.length = 0;
  expect((await run('2024-01-16', 'B')).error).toBeUndefined();
  // The endpoint's own clock has not moved, so by ours every answer is as good as ended and is renewed at each use.
  expect(assumed().length).toBeGreaterThan(0);
  const second = keysOfDuckDb();
  expect([...second].some((id) => first.has(id))).toBe(false);
  expect(await inLake(duckling, '2024-01-15')).toBe(10);
});

/** From now on the credentials so far are refused; what was asked until now is forgotten. */
const endCredentials = (as: Refusal) => {
  for (const key of proxy.assumedKeys) proxy.ended.set(key, as);
  proxy.seen.length = 0;
};
/** What DuckDB and Skein had to say after `endCredentials` that was not refused. */
const acceptedKeys = () => [...keysOfDuckDb(), ...keysOf(/aws-sdk/)].filter((key) => !proxy.ended.has(key));

test('credentials that end in the middle of a run are renewed for the rest of it, before anything is refused', async () => {
  const duckling = await addDuckling();
  await seedEvents(house, 2, '2024-01-15', 10);
  await seedEvents(house, 2, '2024-01-16', 11);
  expect((await run('2024-01-15', 'A')).error).toBeUndefined();
  const clickhouse: LakeHouse['clickhouse'] = {
    ...house.clickhouse,
    command: async (sql, options) => {
      const done = await house.clickhouse.command(sql, options);
      endCredentials('ExpiredToken');
      clockMs += 61 * 60_000;
      return done;
    },
  };
  const resources = { clickhouse, ducklings: house.ducklings };
  const result = await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-16', resources, runId: 'B' });
  expect(result.error).toBeUndefined();
  expect(result.result).toMatchObject({ rows: 11, rows_in_lake: 11 });
  for (const key of [...keysOfDuckDb(), ...keysOf(/aws-sdk/)]) expect(proxy.ended.has(key)).toBe(false);
  expect(keysOfDuckDb().size).toBeGreaterThan(0);
  expect(await inLake(duckling, '2024-01-15')).toBe(10);
});

test.each([
  ['ExpiredToken', 'the first request of Skein itself', /aws-sdk/],
  ['ExpiredToken', 'the first one of DuckDB', /duckdb/i],
  ['AccessDenied', 'the first one of DuckDB', /duckdb/i],
] as const)(
  'revoked before their end (%s) at %s after the export: renewed once, and the run goes on',
  async (as, _, who) => {
    const duckling = await addDuckling();
    await seedEvents(house, 2, '2024-01-15', 10);
    await seedEvents(house, 2, '2024-01-16', 11);
    expect((await run('2024-01-15', 'A')).error).toBeUndefined();
    proxy.before = ({ path, userAgent }) => {
      if (!path.includes('B.parquet') || !who.test(userAgent)) return;
      proxy.before = undefined;
      endCredentials(as);
    };
    const result = await run('2024-01-16', 'B');
    expect(proxy.before).toBeUndefined();
    expect(result.error).toBeUndefined();
    expect(result.result).toMatchObject({ rows: 11, rows_in_lake: 11 });
    expect(assumed()).toHaveLength(1);
    expect(new Set(acceptedKeys())).toEqual(new Set(proxy.assumedKeys.slice(1)));
    expect([await inLake(duckling, '2024-01-15'), await inLake(duckling, '2024-01-16')]).toEqual([10, 11]);
  },
);

test('of many that find their credentials revoked together one renews them; what is refused again is an error', async () => {
  const duckling = await addDuckling();
  await seedEvents(house, 2, '2024-01-15', 10);
  const skipped = { skip_ducklake_registration: true };
  const facts = { partition: '2_2024-01-15', resources: house, runId: 'A', config: skipped };
  const path = String((await runAsset(ducklingEventsBackfill, facts)).result?.path);
  // No count of the lake: DuckDB keeps what it has read once, and asks nobody.
  const read = () =>
    house.ducklings
      .lake(duckling)
      .read(NEVER, (db) => db.rows(`SELECT count(event) AS n FROM read_parquet('${path}')`));
  endCredentials('ExpiredToken');
  const counts = await Promise.all(Array.from({ length: 10 }, read));
  expect(counts).toEqual(Array(10).fill([{ n: '10' }]));
  expect(assumed()).toHaveLength(1);

  proxy.before = ({ path: at, keyId }) => void (at !== '/' && proxy.ended.set(keyId, 'ExpiredToken'));
  proxy.seen.length = 0;
  const missing = house.ducklings
    .lake(duckling)
    .read(NEVER, (db) => db.rows(`SELECT event FROM read_parquet('${path}.other')`));
  await expect(missing).rejects.toMatchObject({
    system: 'ducklake',
    retryable: false,
    details: { trouble: 'refused' },
  });
  expect(keysOfDuckDb().size).toBe(2);
});

test('keys of Skein’s own cannot be renewed: what they are refused is asked once', async () => {
  const duckling = await house.addDuckling(2, { bucket });
  proxy.ended.set(s3.key.accessKeyId, 'ExpiredToken');
  const own = house.ducklings.bucket(duckling);
  await expect(own.bytes('nothing')).rejects.toMatchObject({ system: 's3', retryable: false });
  own.close();
  expect(proxy.seen).toHaveLength(1);
});

test('ten days at once share one assumed role', async () => {
  await addDuckling();
  const days = Array.from({ length: 10 }, (_, i) => `2024-01-${10 + i}`);
  for (const day of days) await seedEvents(house, 2, day, 20);
  const results = await Promise.all(days.map((day) => run(day, 'R')));
  expect(results.map((r) => r.error)).toEqual(days.map(() => undefined));
  expect(assumed()).toHaveLength(1);
});

test('a role that may not read the bucket fails at registration, and the day stays as it was', async () => {
  await addDuckling({ buckets: ['another-bucket'] });
  await seedEvents(house, 2, '2024-01-15', 10);
  const { error } = await run('2024-01-15', 'RUN1');
  expect(error).toMatchObject({ system: 's3', retryable: false });
  expect((error as Error).message).toContain(bucket);
  // Revoked credentials look the same, so the role is assumed anew, once.
  expect(assumed()).toHaveLength(2);
});

test('keys that ClickHouse may not write with are named as the object store’s refusal', async () => {
  await addDuckling();
  await seedEvents(house, 2, '2024-01-15', 10);
  const { openDucklings } = await import('@skein/jobs');
  const ducklings = openDucklings({
    ...house.env,
    SKEIN_CLICKHOUSE_S3_ACCESS_KEY_ID: 'AKIANOBODY0000000000',
    SKEIN_CLICKHOUSE_S3_SECRET_ACCESS_KEY: 'n0b0dys-secret',
  });
  const result = await runAsset(ducklingEventsBackfill, {
    partition: '2_2024-01-15',
    resources: { clickhouse: house.clickhouse, ducklings },
  });
  await ducklings.close();
  expect(result.error).toMatchObject({ system: 's3', message: expect.stringContaining(`s3://${bucket}/backfill`) });
  expect(JSON.stringify([result, String((result.error as Error).message)])).not.toContain('n0b0dys-secret');
});

test('check names the missing permission; orphans are listed and deleted with the role', async () => {
  const duckling = await addDuckling();
  const resources = { ducklings: house.ducklings, clickhouse: house.clickhouse };
  expect((await checkPermissions(duckling, resources, NEVER)).map((s) => `${s.step}: ${s.outcome}`)).toEqual([
    'assume role: ok',
    'list: ok',
    'put: ok',
    'get: ok',
    'delete: ok',
    'clickhouse put: ok',
    'catalog connect: ok',
    'lake attach: ok',
  ]);
  const role = await s3.createRole({
    externalId: EXTERNAL_ID,
    buckets: [bucket],
    actions: ['s3:ListBucket', 's3:GetObject'],
  });
  const poor = { ...duckling, cross_account_role_arn: role };
  const steps = await checkPermissions(poor, resources, NEVER);
  expect(steps.filter((s) => s.outcome === 'failed').map((s) => s.step)).toEqual(['put']);
  expect(steps.find((s) => s.step === 'put')?.detail).toContain(`s3://${bucket}/backfill/.skein-check`);

  await seedEvents(house, 2, '2024-01-15', 10);
  await run('2024-01-15', 'KEPT');
  await runAsset(ducklingEventsBackfill, {
    partition: '2_2024-01-15',
    resources: house,
    runId: 'LEFT',
    config: { skip_ducklake_registration: true },
  });
  const orphans = await findOrphans(house.ducklings, duckling, 0, new Date(Date.now() + 60_000), NEVER);
  expect(orphans.map((o) => o.key)).toEqual(['backfill/events/team_id=2/year=2024/month=01/day=15/LEFT.parquet']);
});
