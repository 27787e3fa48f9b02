/**
 * Who may do what: every operation of the OpenAPI document × every kind of caller × a thing of its own jobs, of other
 * jobs, and one that does not exist. The expectation is made from the tables of permissions and scope; a route without
 * an entry here or there fails.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { z } from 'zod';

import { ACCESS, PERMISSIONS } from '../../src/api/access/permissions.ts';
import { type Role, isAtLeast } from '../../src/api/access/principal.ts';
import { aboutOf } from '../../src/api/access/scope.ts';
import { createSight } from '../../src/api/access/sight.ts';
import { appendAudit, readAudit } from '../../src/api/audit.ts';
import { createToken } from '../../src/api/access/tokens.ts';
import { defineDeployment, defineSchedule, defineSensor, lookUp, skip } from '../../src/index.ts';
import type { JsonObject } from '../../src/index.ts';
import { createBackfill } from '../../src/engine/backfill.ts';
import { setCursor } from '../../src/engine/cursor.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { submit } from '../../src/engine/submit.ts';
import { openTick } from '../../src/engine/tick.ts';
import { type ApiHarness, apiDeployment, closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const ENV = {
  SKEIN_AUTH_MODE: 'token',
  SKEIN_AUTH_ADMIN_TOKEN: 'root-of-the-test-0123456789',
  SKEIN_REQUESTS_PER_MINUTE: '1000000',
};

const WHERE = ['own', 'other', 'missing'] as const;
type Where = (typeof WHERE)[number];

/** Of `events_job`, to which the limited callers are limited, of `chunks_job`, and of nothing. */
const NAMES: Readonly<Record<'asset' | 'job' | 'sensor' | 'schedule', Readonly<Record<Where, string>>>> = {
  asset: { own: 'events', other: 'chunks', missing: 'nope' },
  job: { own: 'events_job', other: 'chunks_job', missing: 'nope_job' },
  sensor: { own: 'feed', other: 'other_feed', missing: 'nope' },
  schedule: { own: 'nightly', other: 'other_nightly', missing: 'nope' },
};

function deployment(): ReturnType<typeof defineDeployment> {
  const base = apiDeployment();
  const job = lookUp('job', base.jobs, 'chunks_job');
  const about = { description: 'Of another job.', job };
  return defineDeployment({
    definitions: {
      jobs: [...base.jobs.values()],
      sensors: [
        ...base.sensors.values(),
        defineSensor({
          ...about,
          name: 'other_feed',
          every: '1h',
          cursor: z.object({ next: z.number().default(1) }),
          evaluate: async () => skip('nothing'),
        }),
      ],
      schedules: [
        ...base.schedules.values(),
        defineSchedule({ ...about, name: 'other_nightly', cron: '0 3 * * *', requests: () => [] }),
      ],
      pools: base.pools,
    },
  });
}

interface Asked {
  readonly query?: string;
  readonly body?: object;
  /** Names in the path that are of no job. */
  readonly path?: Readonly<Record<string, string>>;
}

const DAY = '2024-01-15';
const because = { reason: 'the matrix' };
const range = { rows: ['1'], from: 0, to: 3 };
const bulk = { body: { q: 'status:canceled', before: '2020-01-01T00:00:00Z', ...because } };

/** What a valid request of each operation brings along. `{job}` stands for the job that is asked about. */
const REQUESTS: Readonly<Record<string, Asked>> = {
  getMe: {},
  listSignInMethods: {},
  signIn: { body: { token: ENV.SKEIN_AUTH_ADMIN_TOKEN } },
  signOut: {},
  listTokens: {},
  createToken: { body: { name: 'made', role: 'viewer' } },
  revokeToken: { path: { id: '{token}' } },
  listAudit: {},
  undoChange: { path: { id: '{entry}' } },
  getOverview: {},
  search: { query: 'q=events' },
  listViews: {},
  getView: { path: { name: '{view}' } },
  saveView: { path: { name: '{name}' }, body: { q: 'status:failed' } },
  deleteView: { path: { name: '{view}' } },
  listPresets: {},
  getPreset: { path: { preset: '{preset}' } },
  savePreset: { path: { preset: 'mine' }, body: { config: {} } },
  deletePreset: { path: { preset: '{preset}' } },
  listFailures: {},
  listAssets: {},
  getAsset: {},
  listFreshness: {},
  listJobs: {},
  getJob: {},
  getPartitionCounts: {},
  listPartitionRows: {},
  readPartitionTile: { body: range },
  searchPartitions: {},
  getPartition: { query: `partition=1_${DAY}` },
  readPartitionValues: { body: { ...range, of: 'duration' } },
  markPartitions: { body: { as: 'skipped', partitions: [`1_${DAY}`], ...because } },
  forgetPartitions: { body: { partitions: [`1_${DAY}`], ...because } },
  launchRun: { body: { job: '{job}', partitions: [`5_${DAY}`] } },
  checkLaunch: { body: { job: '{job}', partitions: [`5_${DAY}`] } },
  countMatchingRuns: {},
  cancelRuns: bulk,
  retryRuns: bulk,
  listRuns: {},
  getRun: {},
  listRunPartitions: {},
  listRunEvents: {},
  cancelRun: {},
  retryRun: {},
  readRunLog: {},
  readLogWindow: {},
  downloadRunLog: {},
  listLogTemplates: {},
  listSimilarFailures: {},
  groupRuns: { query: 'by=cause' },
  findInRunLog: { query: 'q=x' },
  explainRun: {},
  listSensors: {},
  getSensor: {},
  startSensor: {},
  stopSensor: {},
  evaluateSensor: {},
  previewSensor: { body: {} },
  listTicks: {},
  getTickTimeline: {},
  getTick: { path: { tick: '{tick}' } },
  getCursor: {},
  setCursor: { body: { cursor: { next: 1 }, ...because } },
  applyCursor: { body: { cursor: { next: 1 }, if_version: 0, ...because } },
  listCursorHistory: {},
  resetCursor: { body: because },
  restoreCursor: { body: { version: '{version}', ...because } },
  listSchedules: {},
  getSchedule: {},
  startSchedule: {},
  stopSchedule: {},
  listScheduleTicks: {},
  listRunLimits: {},
  listPools: {},
  getPool: { path: { name: 'narrow' } },
  setPool: { path: { name: 'narrow' }, body: { limit: 3 } },
  resetPool: { path: { name: 'narrow' } },
  listBackfills: {},
  createBackfill: { body: { job: '{job}', ids: ['7'], from: DAY, to: DAY } },
  getBackfill: {},
  getBackfillPace: {},
  changeBackfill: { body: { max_active: 2 } },
  planBackfill: { body: { job: '{job}', ids: ['7'], from: DAY, to: DAY } },
  pauseBackfill: {},
  resumeBackfill: {},
  cancelBackfill: {},
  retryBackfill: { body: {} },
  getSystem: {},
  querySql: { body: { query: 'SELECT count(*) FROM runs' } },
  // Refused after the door and the scope, because the stream itself has no end.
  streamEvents: { query: 'nope=1' },
};

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly template: string;
  readonly route: string;
}

function operations(): Operation[] {
  const file = path.join(__dirname, '../../src/api/openapi.json');
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, { operationId: id }]) => ({
      id,
      method: method.toUpperCase(),
      template,
      route: `${method.toUpperCase()} ${template.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    })),
  );
}

/** Makes what the path and the body name, anew for every request, because some requests end it. */
async function request(
  api: ApiHarness,
  { id, template, route }: Operation,
  where: Where,
  who: string,
): Promise<{ url: string; body?: object }> {
  const asked = REQUESTS[id] ?? {};
  const { engine } = api;
  const job = NAMES.job[where];
  const existing = where === 'missing' ? NAMES.job.own : job;
  const sensor = NAMES.sensor[where === 'other' ? 'other' : 'own'];
  const made: Record<string, () => Promise<string>> = {
    '{token}': async () =>
      where === 'missing' ? 'nope' : (await createToken(engine, { name: 't', role: 'viewer', by: 'test' })).record.id,
    '{view}': () => keep(engine.keys.saved('views'), { q: '' }),
    '{preset}': () => keep(engine.keys.saved(`presets:${existing}`), { job: existing, description: '', config: {} }),
    '{name}': async () => `of ${who}`,
    '{entry}': async () => {
      if (where === 'missing') return '1-1';
      const entry = { role: '', ip: '', requestId: '', result: '200', before: { status: 'STOPPED' } };
      await appendAudit(engine, { ...entry, actor: 'test', action: 'x', target: 'x', after: { status: 'RUNNING' } });
      return (await readAudit(engine, { limit: 1 }))[0]?.id ?? '';
    },
    '{tick}': async () =>
      (await openTick(engine, sensor, 'test')) ?? (await engine.redis.hget(engine.keys.sensor(sensor), 'tick')) ?? '',
  };
  const keep = async (key: string, fields: object): Promise<string> => {
    await engine.redis.hset(key, 'kept', JSON.stringify({ ...fields, name: 'kept', by: `api:${who}`, at: '' }));
    return where === 'missing' ? 'gone' : 'kept';
  };
  const about = aboutOf(route);
  const subject = async (): Promise<string> => {
    switch (about) {
      case 'run': {
        if (where === 'missing') return '01ARZ3NDEKTSV4RRFFQ69G5FAV';
        const { runId } = await submit(engine, { job, partitions: [`${++count}_${DAY}`], config: {}, cause: 'test' });
        if (id === 'retryRun') await engine.script('cancel', runId, 'test');
        return runId;
      }
      case 'backfill': {
        if (where === 'missing') return '01ARZ3NDEKTSV4RRFFQ69G5FAV';
        const made = await createBackfill(engine, { job, ids: [String(++count)], from: DAY, to: DAY }, 'test');
        return made.id;
      }
      case 'asset':
      case 'job':
      case 'sensor':
      case 'schedule':
        return NAMES[about][where];
      default:
        return where === 'missing' ? 'nope' : '';
    }
  };
  const named = new Map<string, string>();
  for (const [, name = ''] of template.matchAll(/\{(\w+)\}/g)) {
    const given = asked.path?.[name];
    const own = given === undefined || where !== 'missing' || made[given] ? given : 'nope';
    named.set(name, own === undefined ? await subject() : await (made[own]?.() ?? Promise.resolve(own)));
  }
  const url = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(named.get(name) ?? ''));
  const filled = JSON.stringify(asked.body ?? null)
    .replace('{job}', job)
    .replace('"{version}"', String(id === 'restoreCursor' ? await changeCursor(engine, sensor) : 0));
  const body = JSON.parse(filled) as object | null;
  return { url: asked.query === undefined ? url : `${url}?${asked.query}`, ...(body === null ? {} : { body }) };
}

/** Gives the version that was changed. */
async function changeCursor(engine: Engine, sensor: string): Promise<number> {
  const { version } = await setCursor(
    engine,
    sensor,
    { next: 1 },
    { by: 'test', reason: 'so that there is a history' },
  );
  return version;
}

let count = 100;

/** A preset or a view is made anew by saving it: a name that is not there is no mistake. */
const MAKES_ANEW = new Set(['saveView']);
/** The stream’s query is refused, because the stream has no end; signing in is counted. */
const OTHERWISE: Readonly<Record<string, number>> = { streamEvents: 400, signIn: 429 };
const NEEDS_MATCH = new Set(['setCursor', 'resetCursor', 'restoreCursor']);

interface Caller {
  readonly token: string | undefined;
  readonly role: Role | undefined;
  readonly limited: boolean;
}

/** `in` is any answer of the operation itself; a refusal for what it is asked (409) is one. */
type Expected = 'in' | 401 | 403 | 404;

function expected({ id, route, template }: Operation, { role, limited }: Caller, where: Where): Expected {
  const need = ACCESS[route];
  const about = aboutOf(route);
  if (need === undefined || about === undefined || REQUESTS[id] === undefined)
    throw new RangeError(`${route} is in no table`);
  if (need !== 'public') {
    if (role === undefined) return 401;
    if (need !== 'signed_in' && !isAtLeast(role, PERMISSIONS[need])) return 403;
  }
  if (limited && about === 'all jobs') return 403;
  const isThing = template.includes('{') || about === 'body';
  if (!isThing || MAKES_ANEW.has(id)) return 'in';
  if (where === 'missing') return 404;
  // A view is its author’s, whatever it asks for; `saved.test.ts` has those of others.
  return limited && where === 'other' && about !== 'anyone' && about !== 'list' ? 404 : 'in';
}

test('every operation answers every caller about everything as the tables say', async () => {
  const api = await openApi(undefined, { env: ENV, deployment: deployment() });
  const { engine } = api;
  const token = async (role: Role, more: { name?: string; expiresAt?: Date; jobs?: string[] } = {}) =>
    (await createToken(engine, { name: role, role, by: 'test', ...more })).token;
  const limited = async (role: 'viewer' | 'operator') =>
    token(role, { name: `limited ${role}`, jobs: [NAMES.job.own] });
  const revoked = await api.token('admin');
  await api.send('DELETE', `/api/v1/tokens/${revoked.id}`, undefined, {
    headers: { authorization: `Bearer ${ENV.SKEIN_AUTH_ADMIN_TOKEN}` },
  });
  const nobody = { role: undefined, limited: false };
  const callers: Readonly<Record<string, Caller>> = {
    anonymous: { ...nobody, token: undefined },
    revoked: { ...nobody, token: revoked.token },
    expired: { ...nobody, token: await token('admin', { expiresAt: new Date(Date.now() - 1_000) }) },
    'made up': { ...nobody, token: 'skein_made_up' },
    viewer: { role: 'viewer', limited: false, token: await token('viewer') },
    operator: { role: 'operator', limited: false, token: await token('operator') },
    admin: { role: 'admin', limited: false, token: await token('admin') },
    'limited viewer': { role: 'viewer', limited: true, token: await limited('viewer') },
    'limited operator': { role: 'operator', limited: true, token: await limited('operator') },
  };

  const wrong: string[] = [];
  const all = operations();
  for (const operation of all) {
    for (const [who, caller] of Object.entries(callers)) {
      for (const where of WHERE) {
        const { url, body } = await request(api, operation, where, who);
        const reply = await api.app.inject({
          method: operation.method as 'GET',
          url,
          headers: {
            host: 'skein.example',
            ...(caller.token === undefined ? {} : { authorization: `Bearer ${caller.token}` }),
            ...(NEEDS_MATCH.has(operation.id) ? { 'if-match': '*' } : {}),
          },
          ...(body === undefined ? {} : { payload: body }),
        });
        const { statusCode: status } = reply;
        const wanted = expected(operation, caller, where);
        const isIn = (status >= 200 && status < 300) || status === 409 || OTHERWISE[operation.id] === status;
        if (wanted === 'in' ? !isIn : status !== wanted)
          wrong.push(
            `${who}, ${where}: ${operation.id} ${url} gave ${status}, not ${wanted}: ${reply.body.slice(0, 200)}`,
          );
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(Object.keys(REQUESTS).sort()).toEqual(all.map(({ id }) => id).sort());
}, 240_000);

test('what is listed, counted, found or streamed to a limited caller names nothing of other jobs', async () => {
  const api = await openApi(undefined, { env: ENV, deployment: deployment() });
  const { engine } = api;
  const made = async (job: string) => {
    const { runId } = await submit(engine, { job, partitions: [`1_${DAY}`], config: {}, cause: 'test' });
    const { id } = await createBackfill(engine, { job, ids: ['2'], from: DAY, to: DAY }, 'test');
    return [runId, id];
  };
  const [own, other] = [await made('events_job'), await made('chunks_job')];
  const { token } = await createToken(engine, { name: 'some', role: 'operator', by: 'test', jobs: ['events_job'] });
  const headers = { authorization: `Bearer ${token}` };
  const foreign = ['chunks', 'other_feed', 'other_nightly', ...other];
  const lists = operations().filter(
    ({ method, route }) => method === 'GET' && aboutOf(route) === 'list' && !route.includes(':'),
  );
  expect(lists.length).toBeGreaterThan(8);
  for (const { id, template } of lists) {
    if (id === 'streamEvents') continue;
    for (const query of [REQUESTS[id]?.query, id === 'search' ? `q=${other[0]}` : undefined, 'q=chunks']) {
      const answer = await api.get(query === undefined ? template : `${template}?${query}`, { headers });
      if (answer.status !== 400) expect([id, query, answer.status]).toEqual([id, query, 200]);
      for (const name of foreign)
        expect([id, name, answer.text.replace('q=chunks', '').includes(name)]).toEqual([id, name, false]);
    }
  }
  const listed = (await api.get('/api/v1/runs', { headers })).body.items as unknown as { id: string; job: string }[];
  expect(listed.map(({ id }) => id)).toContain(own[0]);
  expect(new Set(listed.map(({ job }) => job))).toEqual(new Set(['events_job']));
  expect((await api.get('/api/v1/backfills', { headers })).body.items).toMatchObject([{ id: own[1] }]);
  const bulk = { q: '', before: new Date(Date.now() + 1_000).toISOString(), reason: 'all that I may' };
  const cancelled = (await api.post('/api/v1/runs/cancel', bulk, { headers })).body;
  expect(cancelled).toMatchObject({ refused: [], next: null });
  expect(await engine.redis.hget(engine.keys.run(other[0] ?? ''), 'status')).not.toMatch(/CANCEL/);

  const sees = createSight(engine, {
    name: 'some',
    role: 'operator',
    via: 'token',
    tokenId: 't',
    jobs: ['events_job'],
  });
  const change = (run: string | undefined, facts: JsonObject) =>
    sees({ id: '1-0', type: 'x', at: '', run_id: run ?? null, facts });
  expect([
    await change(own[0], {}),
    await change(other[0], {}),
    await change('nope', {}),
    await change(undefined, { sensor: 'feed' }),
    await change(undefined, { sensor: 'other_feed' }),
    await change(undefined, { job: 'chunks_job' }),
    await change(undefined, {}),
  ]).toEqual([true, false, false, true, false, false, false]);
});

test('a token is limited to jobs that exist, and an administrator to none', async () => {
  const api = await openApi(undefined, { env: ENV });
  const headers = { authorization: `Bearer ${ENV.SKEIN_AUTH_ADMIN_TOKEN}` };
  const make = (role: string, jobs: unknown) => api.post('/api/v1/tokens', { name: 't', role, jobs }, { headers });
  const { body } = await make('operator', ['events_job']);
  expect(body).toMatchObject({ jobs: ['events_job'] });
  const mine = { headers: { authorization: `Bearer ${String(body.token)}` } };
  expect((await api.get('/api/v1/me', mine)).body).toMatchObject({ jobs: ['events_job'] });
  expect((await api.get('/api/v1/tokens', { headers })).body.items).toMatchObject([{ jobs: ['events_job'] }]);
  for (const [role, jobs, status] of [
    ['operator', ['nope'], 404],
    ['operator', [], 400],
    ['operator', 'events_job', 400],
    ['admin', ['events_job'], 400],
  ] as const)
    expect([role, jobs, (await make(role, jobs)).status]).toEqual([role, jobs, status]);
});
