/** `/api/v1/ducklings…` on real catalogs, lakes and objects. */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { clickhouse, ducklingEventsBackfill, ducklings, ducklingsRoutes } from '@skein/jobs';
import { type Resource, type SkeinClient, SkeinError } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';
import Fastify, { type InjectOptions } from 'fastify';

import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

let house: LakeHouse;
beforeEach(async () => {
  house = await openLakeHouse();
  await house.addDuckling(2, { cross_account_external_id: 'top-secret' });
  await seedEvents(house, 2, '2024-01-15', 10);
});
afterEach(() => house.close());

function openApp(client: Partial<SkeinClient> = {}) {
  const app = Fastify();
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof SkeinError ? error.httpStatus : 500).send({ message: (error as Error).message }),
  );
  ducklingsRoutes.register(app, {
    env: house.env,
    open: async <T>(token: Resource<T>) =>
      ({ [ducklings.name]: house.ducklings, [clickhouse.name]: house.clickhouse })[token.name] as T,
    client: async () => client as SkeinClient,
  });
  return async (
    method: NonNullable<InjectOptions['method']>,
    url: string,
    payload?: object,
  ): Promise<{ status: number; body: Record<string, unknown>; text: string }> => {
    const reply = await app.inject({ method, url: `/api/v1/ducklings${url}`, ...(payload ? { payload } : {}) });
    return { status: reply.statusCode, body: reply.json(), text: reply.body };
  };
}

const run = async (runId: string, config = {}) => {
  const result = await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-15', resources: house, runId, config });
  if (result.error) throw result.error as Error;
  return result.result;
};

test('the list and one duckling, without secrets; how its lake is before, after one and after two exports', async () => {
  const ask = openApp();
  const { body, text } = await ask('GET', '');
  expect(body).toMatchObject({ items: [{ team_id: 2, bucket: 'bucket-2', enabled: true, has_external_id: true }] });
  expect(text).not.toContain('top-secret');
  expect((await ask('GET', '/2')).body).toMatchObject({ lake: { state: 'new', snapshot: null, tables: [] } });

  const first = await run('A');
  expect((await ask('GET', '/2')).body).toMatchObject({
    problem: null,
    lake: {
      state: 'ready',
      snapshot: {
        id: first?.snapshot,
        at: expect.stringMatching(/^20\d\d-.*Z$/),
        author: 'skein',
        message: 'events 2_2024-01-15, run A, attempt 1',
      },
      tables: [{ name: 'posthog.events', files: 1, rows: 10, bytes: first?.bytes }],
      replaced: { files: 0, bytes: 0 },
      scheduled_for_deletion: 0,
    },
  });
  await seedEvents(house, 2, '2024-01-15', 5);
  await run('B');
  expect((await ask('GET', '/2')).body).toMatchObject({
    lake: { tables: [{ files: 1, rows: 15 }], replaced: { files: 1, bytes: first?.bytes } },
  });
});

test('it answers while a writer holds the lock, and counts rows that others have deleted', async () => {
  await run('A');
  await house.ducklings
    .lake(await house.ducklings.catalog.get(2))
    .write(new AbortController().signal, (tx) =>
      tx.rows('DELETE FROM lake.posthog.events WHERE properties < \'{"n":4\''),
    );
  const holder = await house.catalog(2);
  await holder.query('SELECT pg_advisory_lock($1, $2)', [0x534b4e, 1]);
  const { body } = await openApp()('GET', '/2');
  await holder.end();
  const rows = Number((await house.lake<{ n: string }>(2, 'SELECT count(uuid) AS n FROM events'))[0]?.n);
  expect(rows).toBeLessThan(10);
  expect(body).toMatchObject({ lake: { tables: [{ name: 'posthog.events', rows }] } });
});

test('a lake that cannot be reached is an answer that says why, without the password', async () => {
  await house.addDuckling(3, { db_port: 1 });
  await house.addDuckling(4, { db_password: 'env:NOT_SET_ANYWHERE' });
  const ask = openApp();
  expect(await ask('GET', '/3')).toMatchObject({
    status: 200,
    body: { lake: null, problem: { code: 'SERVICE_UNAVAILABLE', message: expect.stringContaining('does not answer') } },
  });
  const fourth = await ask('GET', '/4');
  expect(fourth.body).toMatchObject({ lake: null, problem: { message: expect.stringContaining('NOT_SET_ANYWHERE') } });
  expect(fourth.text).not.toContain(house.env.LAKE_HOUSE_PASSWORD);
});

test('orphans are counted and listed by age', async () => {
  await run('KEPT');
  await run('LEFT', { skip_ducklake_registration: true });
  const ask = openApp();
  expect((await ask('GET', '/2/orphans')).body).toEqual({
    team_id: 2,
    older_than: '24h',
    count: 0,
    bytes: 0,
    items: [],
  });
  const { body } = await ask('GET', '/2/orphans?older_than=0');
  expect(body).toMatchObject({
    count: 1,
    items: [{ key: 'backfill/events/team_id=2/year=2024/month=01/day=15/LEFT.parquet' }],
  });
  expect(body.bytes).toBeGreaterThan(0);
});

test('the check names the step that fails, and leaves nothing', async () => {
  const ask = openApp();
  expect((await ask('POST', '/2/check')).body).toMatchObject({ team_id: 2, ok: true });
  expect(readdirSync(join(house.root, 'bucket-2/backfill/.skein-check'))).toEqual([]);
  await house.addDuckling(3);
  writeFileSync(join(house.root, 'bucket-3'), 'a file where a bucket should be');
  const { body } = await ask('POST', '/3/check');
  expect(body.ok).toBe(false);
  const steps = body.steps as { step: string; outcome: string }[];
  expect(steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step)).toContain('put');
});

test('on and off; anything else is not changed here', async () => {
  const ask = openApp();
  expect((await ask('PATCH', '/2', { enabled: false })).body).toMatchObject({ team_id: 2, enabled: false });
  expect(await house.ducklings.catalog.get(2)).toMatchObject({
    enabled: false,
    cross_account_external_id: 'top-secret',
  });
  for (const bad of [{}, { enabled: 'no' }, { enabled: true, db_host: 'evil.example' }])
    expect((await ask('PATCH', '/2', bad)).status).toBe(422);
  expect(await house.ducklings.catalog.get(2)).toMatchObject({ enabled: false });
});

test('the reset asks for the team’s id, says what would happen, and then does it', async () => {
  await run('A');
  const calls: string[] = [];
  const ask = openApp({
    partitionStatus: async () => new Map(),
    forgetPartitions: async (asset, { row }, by) => {
      calls.push(`${asset} ${row} ${by}`);
      return 1;
    },
    cursor: async () => ({ cursor: {}, version: 1 }),
    resetCursor: async () => ({ version: 2 }),
  });
  for (const url of ['/2/lake', '/2/lake?confirm=3', '/2/lake?confirm='])
    expect(await ask('DELETE', url)).toMatchObject({
      status: 409,
      body: { message: expect.stringMatching(/drop the tables.*Nothing was done: confirm it with confirm=2/s) },
    });
  expect(await house.lake(2, 'SELECT count(uuid) AS n FROM events')).toEqual([{ n: '10' }]);
  expect((await ask('DELETE', '/2/lake?confirm=2')).body).toMatchObject({
    tables_dropped: ['events'],
    partitions_forgotten: { duckling_events_backfill: 1, duckling_persons_backfill: 1 },
  });
  expect(calls).toEqual(['duckling_events_backfill 2 api:local', 'duckling_persons_backfill 2 api:local']);
  expect((await ask('GET', '/2')).body).toMatchObject({ lake: { state: 'ready', tables: [] } });
});

test('bad ids, unknown teams and bad durations', async () => {
  const ask = openApp();
  for (const id of ['0', '-2', '2e3', 'x', '%20', '99999999999999999'])
    expect(await ask('GET', `/${id}`)).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('team_id') },
    });
  expect(await ask('GET', '/77')).toMatchObject({ status: 404 });
  for (const query of ['older_than=soon', 'older_than=-1h', 'oldest=1h'])
    expect((await ask('GET', `/2/orphans?${query}`)).status).toBe(422);
});
