/** A config that destroys more than its partitions is an administrator's, on every way that leads to a launch. */

import { z } from 'zod';

import { defineAsset, defineDeployment, defineJob, materialized } from '../../src/index.ts';
import { teamDays } from '../engine/harness.ts';
import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const TOKEN_MODE = { SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: 'root-of-the-test-0123456789' };
const DESTROYED = { name: 'events', what: 'the table lake.events, all days of it' };
const lake = defineAsset({
  key: 'lake',
  description: 'A day in a lake.',
  partitions: teamDays,
  config: z.object({ dry_run: z.boolean().default(false), delete_tables: z.boolean().default(false) }),
  destroys: (config) => (config.delete_tables && !config.dry_run ? DESTROYED : undefined),
  materialize: async () => materialized({}),
});
const deployment = defineDeployment({ definitions: { jobs: [defineJob({ name: 'lake_job', assets: [lake] })] } });
const RUN = { job: 'lake_job', partitions: ['1_2024-01-01'] };
const BACKFILL = { job: 'lake_job', ids: ['1'], from: '2024-01-01', to: '2024-01-02' };
const DESTRUCTIVE = { config: { delete_tables: true } };

test('an operator may launch, but not what drops a table: not by a launch, a backfill or a retry', async () => {
  const api = await openApi(undefined, { deployment, env: TOKEN_MODE });
  const as = (token: string) => (url: string, payload: object) =>
    api.post(`/api/v1${url}`, payload, { headers: { authorization: `Bearer ${token}` } });
  const admin = as((await api.token('admin')).token);
  const operator = as((await api.token('operator')).token);
  const forbidden = {
    status: 403,
    body: {
      code: 'FORBIDDEN',
      detail:
        'This config destroys the table lake.events, all days of it. That needs the role admin; yours is operator.',
    },
  };

  expect(await operator('/launch', RUN)).toMatchObject({ status: 202 });
  for (const rehearsal of [{ dry_run: true }, { config: { delete_tables: true, dry_run: true } }])
    expect(await operator('/launch', { ...RUN, ...DESTRUCTIVE, ...rehearsal })).toMatchObject({ status: 202 });
  expect(await operator('/launch', { ...RUN, ...DESTRUCTIVE })).toMatchObject(forbidden);
  expect(await operator('/launch/check', { ...RUN, ...DESTRUCTIVE })).toMatchObject(forbidden);
  expect(await operator('/backfills', BACKFILL)).toMatchObject({ status: 201 });
  expect(await operator('/backfills', { ...BACKFILL, ...DESTRUCTIVE })).toMatchObject(forbidden);
  // What is wrong is said as to anybody.
  expect(await operator('/launch', { ...RUN, config: { delete_tables: 'yes' } })).toMatchObject({ status: 422 });
  expect(await operator('/launch', { ...RUN, job: 'nope', ...DESTRUCTIVE })).toMatchObject({ status: 404 });

  expect(await admin('/launch/check', { ...RUN, ...DESTRUCTIVE })).toMatchObject({
    status: 200,
    body: { ok: true, destroys: DESTROYED },
  });
  expect((await admin('/launch/check', RUN)).body.destroys).toBeNull();
  const launched = await admin('/launch', { ...RUN, ...DESTRUCTIVE });
  expect(launched.status).toBe(202);
  const run = String(launched.body.run_id);
  expect(await admin(`/runs/${run}/cancel`, {})).toMatchObject({ status: 202, body: { status: 'CANCELED' } });
  expect(await operator(`/runs/${run}/retry`, {})).toMatchObject(forbidden);
  const bulk = { q: 'status:canceled', before: new Date(Date.now() + 60_000).toISOString(), reason: 'again' };
  const stepped = await operator('/runs/retry', bulk);
  expect(stepped.body).toMatchObject({
    matched: 1,
    done: 0,
    refused: [{ run_id: run, reason: forbidden.body.detail }],
  });
  expect(await admin(`/runs/${run}/retry`, {})).toMatchObject({ status: 202 });

  const backfill = await admin('/backfills', { ...BACKFILL, ...DESTRUCTIVE });
  expect(backfill.status).toBe(201);
  const id = String(backfill.body.id);
  expect(await admin(`/backfills/${id}/cancel`, {})).toMatchObject({ status: 200 });
  expect(await operator(`/backfills/${id}/retry`, {})).toMatchObject(forbidden);
  expect(await admin(`/backfills/${id}/retry`, {})).toMatchObject({ status: 201 });
});
