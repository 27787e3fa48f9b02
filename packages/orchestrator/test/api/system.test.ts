/** Schedules, pools, backfills, the overview, failures, search, the system. */

import { createToken } from '../../src/api/access/tokens.ts';
import { patternOf } from '../../src/api/reads/failures.ts';
import { defineDeployment, defineJob, lookUp } from '../../src/index.ts';
import { type ApiHarness, apiDeployment, closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const ended = (api: ApiHarness, id: unknown) =>
  api.until(
    async () => (await api.get(`/api/v1/runs/${String(id)}`)).body,
    (run) => run.ended_at !== null,
  );

test('schedules: listed with their next times, turned on and off', async () => {
  const api = await openApi();
  const { items } = (await api.get('/api/v1/schedules')).body;
  expect(items).toMatchObject([{ name: 'nightly', cron: '0 3 * * *', status: 'STOPPED', time_zone: 'UTC' }]);
  const one = (await api.get('/api/v1/schedules/nightly')).body;
  const times = one.next_times as unknown as string[];
  expect(times).toHaveLength(5);
  expect(times.every((at) => at.endsWith('T03:00:00.000Z') && Date.parse(at) > Date.now())).toBe(true);
  expect((await api.post('/api/v1/schedules/nightly/start')).body).toEqual({
    status: 'RUNNING',
    before: 'STOPPED',
    version: 1,
  });
  expect((await api.post('/api/v1/schedules/nightly/stop')).body).toEqual({
    status: 'STOPPED',
    before: 'RUNNING',
    version: 2,
  });
  expect((await api.get('/api/v1/schedules/nightly/ticks')).body).toEqual({ items: [], next: null });
  for (const url of ['/api/v1/schedules/nope', '/api/v1/schedules/nope/ticks'])
    expect((await api.get(url)).status).toBe(404);
  expect((await api.post('/api/v1/schedules/nope/start')).status).toBe(404);
});

test('pools: a person’s limit over the definition’s, and back', async () => {
  const api = await openApi(undefined, { definitions: { pool: 'narrow' } });
  expect((await api.get('/api/v1/pools')).body.items).toEqual([
    {
      name: 'narrow',
      limit: 2,
      default_limit: 2,
      set_limit: null,
      live_limit: null,
      limit_by: 'definition',
      reason: '',
      bounds: null,
      used: 0,
      version: 0,
      assets: ['events'],
    },
  ]);
  const set = (limit: unknown) => api.send('PUT', '/api/v1/pools/narrow', { limit } as object);
  expect((await set(7)).body).toMatchObject({ limit: 7, default_limit: 2, set_limit: 7 });
  const reset = await api.send('DELETE', '/api/v1/pools/narrow?reason=it+is+quick+again');
  expect(reset.body).toMatchObject({ limit: 2, set_limit: null });
  expect((await api.get('/api/v1/audit?limit=1')).body.items).toMatchObject([{ reason: 'it is quick again' }]);
  for (const bad of [-1, 1.5, 'many', 1e9]) expect([bad, (await set(bad)).status]).toEqual([bad, 400]);
  expect((await api.send('PUT', '/api/v1/pools/nope', { limit: 1 })).status).toBe(404);
  expect((await api.send('DELETE', '/api/v1/pools/nope')).status).toBe(404);
});

test('a backfill: planned exactly, started, paused, changed, resumed, cancelled, retried', async () => {
  const api = await openApi();
  const request = { job: 'events_job', ids: ['1..3'], from: '2024-01-01', to: '2024-01-04', max_active: 2 };
  const plan = await api.post('/api/v1/backfills/plan', request);
  expect(plan.body).toEqual({
    total: 12,
    to_run: 12,
    by_status: { missing: 12, materialized: 0, failed: 0, skipped: 0, active: 0 },
    first: '1_2024-01-01',
    last: '3_2024-01-04',
    upstream_not_made: {},
  });
  expect((await api.get('/api/v1/backfills')).body.items).toEqual([]);
  const made = await api.post('/api/v1/backfills', { ...request, reason: 'new customer' });
  expect([made.status, made.body]).toMatchObject([
    201,
    {
      status: 'IN_PROGRESS',
      asset: 'events',
      total: 12,
      rows: ['1', '2', '3'],
      from_label: '2024-01-01',
      by: 'api:local',
    },
  ]);
  const url = `/api/v1/backfills/${String(made.body.id)}`;
  expect((await api.post(`${url}/pause`, { reason: 'lunch' })).body).toMatchObject({
    status: 'PAUSED',
    status_reason: 'lunch',
  });
  expect((await api.send('PATCH', url, { max_active: 5 })).body).toMatchObject({ max_active: 5 });
  expect((await api.post(`${url}/resume`)).body).toMatchObject({ status: 'IN_PROGRESS' });
  expect((await api.post(`${url}/cancel`, { running: true })).body).toMatchObject({ status: 'CANCELED' });
  const again = await api.post(`${url}/retry`, {});
  expect([again.status, again.body]).toMatchObject([201, { total: 12, statuses: ['failed', 'missing'] }]);
  expect((await api.get('/api/v1/backfills?limit=1')).body.items).toHaveLength(1);
  expect((await api.get(url)).body).toMatchObject({ id: made.body.id });

  for (const [body, status] of [
    [{ job: 'nope' }, 404],
    [{ ...request, to: '2023-01-01' }, 400],
    [{ ...request, ids: ['x'] }, 400],
    [{ ...request, statuses: [] }, 400],
    [{ ...request, config: { dry_run: 3 } }, 422],
    [{ ...request, colour: 1 }, 400],
  ] as const) {
    expect([body, (await api.post('/api/v1/backfills/plan', body)).status]).toEqual([body, status]);
    expect([body, (await api.post('/api/v1/backfills', body)).status]).toEqual([body, status]);
  }
  for (const verb of ['pause', 'resume', 'cancel', 'retry'])
    expect((await api.post(`/api/v1/backfills/NOPE/${verb}`, {})).status).toBe(404);
  expect((await api.get('/api/v1/backfills/NOPE')).status).toBe(404);
  expect((await api.send('PATCH', url, { max_active: 0 })).status).toBe(400);
});

test('the overview, failures by cause, and the system of a company that has worked', async () => {
  const api = await openApi(({ key }) => {
    if (key.startsWith('2_')) throw new TypeError(`team ${key} has ${key.length} bad rows`);
    return { rows: 1 };
  });
  await api.worker();
  const ids = [];
  for (const partition of ['1_2024-01-01', '2_2024-01-01', '2_2024-01-02'])
    ids.push((await api.post('/api/v1/launch', { job: 'events_job', partitions: [partition] })).body.run_id);
  for (const id of ids) await ended(api, id);
  const overview = (await api.get('/api/v1/overview')).body;
  expect(overview).toMatchObject({
    runs: { success: 1, failure: 2, queued: 0, active: 0 },
    sensors: { running: 0, stopped: 1, failing: [], late: [] },
    workers: 1,
    backfills_live: 0,
  });
  const hours = overview.hours as unknown as { success: number; failure: number }[];
  expect(hours).toHaveLength(24);
  expect(hours.at(-1)).toMatchObject({ success: 1, failure: 2 });
  expect(overview.assets).toContainEqual({
    key: 'events',
    counts: expect.objectContaining({ materialized: 1, failed: 2 }),
  });

  const failures = (await api.get('/api/v1/failures')).body;
  expect(failures).toMatchObject({
    looked_at: 2,
    items: [{ code: 'ASSET_FAILED', runs: 2, pattern: 'team <n>_<time> has <n> bad rows', jobs: ['events_job'] }],
  });
  expect((await api.get('/api/v1/failures?job=chunks_job')).body).toMatchObject({ looked_at: 0, items: [] });
  expect((await api.get('/api/v1/failures?runs=0')).status).toBe(400);

  // A worker says what it is at with each heartbeat.
  const system = await api.until(
    async () => (await api.get('/api/v1/system')).body,
    ({ workers }) => (workers as unknown as { active: number }[]).every(({ active }) => active === 0),
  );
  expect(system).toMatchObject({
    workers: [{ concurrency: 10, active: 0 }],
    warnings: [],
    redis: { policy: 'noeviction', aof: true, state_version: 1 },
    queues: { outbox: 0, leases: 0 },
    auth_mode: 'none',
  });
});

test('a run whose partitions failed one by one is grouped by their error', async () => {
  const api = await openApi(({ key }) => (key.startsWith('2_') ? { fail: true } : { rows: 1 }));
  await api.worker();
  const { body } = await api.post('/api/v1/launch', { job: 'chunks_job', config: { team_ids: [1, 2] } });
  await ended(api, body.run_id);
  expect((await api.get('/api/v1/failures')).body.items).toMatchObject([{ code: 'BAD_TEAM', partitions_failed: 1 }]);
});

test('messages that differ only in what varies have one pattern', () => {
  expect(patternOf('run 01ARZ3NDEKTSV4RRFFQ69G5FAV of team 12 at 2026-01-02T03:04:05Z')).toBe(
    'run <id> of team <n> at <time>',
  );
  expect(patternOf('Table “events” (id 3f2b8c1e-0000-4000-8000-1234567890ab) has 1.5 GB')).toBe(
    'Table <text> (id <uuid>) has <n> GB',
  );
  expect(patternOf('hash deadbeef01 failed')).toBe('hash <hex> failed');
});

test('waiting work without a worker is a warning', async () => {
  const api = await openApi();
  await api.post('/api/v1/launch', { job: 'events_job', partitions: ['1_2024-01-01'] });
  const warnings = await api.until(
    async () => (await api.get('/api/v1/system')).body.warnings as unknown as string[],
    (found) => found.length > 0,
  );
  expect(warnings[0]).toBe('1 units wait and no worker is alive: start “skein worker”.');
});

test('search finds definitions by name, runs by the beginning of their id, partitions by key', async () => {
  const api = await openApi();
  const { body } = await api.post('/api/v1/launch', { job: 'events_job', partitions: ['1_2024-01-01'] });
  const id = String(body.run_id);
  const find = async (q: string) =>
    (await api.get(`/api/v1/search?q=${encodeURIComponent(q)}`)).body.items as unknown as {
      kind: string;
      id: string;
    }[];
  expect(await find('feed')).toMatchObject([{ kind: 'sensor', id: 'feed' }]);
  expect(await find(id)).toMatchObject([{ kind: 'run', id }]);
  expect(await find(id.slice(0, 12).toLowerCase())).toMatchObject([{ kind: 'run', id }]);
  expect(await find('1_2024-01-01')).toContainEqual(
    expect.objectContaining({ kind: 'partition', asset: 'events', id: '1_2024-01-01' }),
  );
  expect((await find('event'))[0]).toMatchObject({ kind: 'asset', id: 'events' });
  expect(await find('zzzz')).toEqual([]);
  expect((await api.get('/api/v1/search?q=')).status).toBe(400);
});

test('routes of a job family stand behind the same door', async () => {
  const deployment = apiDeployment(undefined, {}, [
    {
      register(app, context) {
        app.delete('/family/all', async () => ({ gone: true }));
        app.get('/family/hello', async () => ({ hello: Object.keys(context.env).length > 0 }));
        app.post('/family/launch', async (request) => {
          const client = await context.client();
          return client.submit({
            job: 'events_job',
            partitions: [(request.body as { key: string }).key],
            cause: 'family',
          });
        });
      },
    },
  ]);
  const api = await openApi(undefined, { deployment, env: { SKEIN_AUTH_MODE: 'token' } });
  const as = async (role: 'viewer' | 'operator' | 'admin') => ({
    headers: { authorization: `Bearer ${(await api.token(role)).token}` },
  });
  const [viewer, operator] = [await as('viewer'), await as('operator')];
  expect((await api.get('/family/hello')).status).toBe(401);
  expect((await api.get('/family/hello', viewer)).body).toEqual({ hello: true });
  expect((await api.post('/family/launch', { key: '1_2024-01-01' }, viewer)).status).toBe(403);
  expect((await api.post('/family/launch', { key: '1_2024-01-01' }, operator)).body).toMatchObject({ isNew: true });
  // What deletes is an administrator's.
  expect((await api.send('DELETE', '/family/all', undefined, operator)).status).toBe(403);
  expect((await api.send('DELETE', '/family/all', undefined, await as('admin'))).body).toEqual({ gone: true });
  expect(await api.post('/family/launch', { key: 'bad' }, operator)).toMatchObject({
    status: 400,
    body: { code: 'PARTITION_KEY_INVALID' },
  });
});

test('how overdue ticks and leases are, how long runs wait and how old the backup is, is measured by Redis’s clock', async () => {
  const api = await openApi();
  const { redis, keys } = api.engine;
  expect((await api.get('/metrics')).text).not.toMatch(/^skein_backup_age_seconds\{/m);
  const [seconds] = await redis.time();
  const ago = (ms: number) => Number(seconds) * 1_000 - ms;
  await redis.zadd(keys.due, ago(60_000), 'feed');
  await redis.zadd(keys.leases, ago(40_000), 'a.b.c.1');
  await redis.zadd(keys.runsByStatus('QUEUED'), ago(600_000), '01ARZ3NDEKTSV4RRFFQ69G5FAV');
  await redis.hset(keys.meta, 'backup_at', ago(7_200_000));
  await redis.set(keys.pulse, ago(90_000));
  await redis.hset(keys.sensor('feed'), 'status', 'RUNNING', 'every', 20_000);
  await redis.hset(keys.lags, 'feed', JSON.stringify({ lag: 9, from: 4, since: ago(100_000), version: '1' }));
  const { text } = await api.get('/metrics');
  for (const [name, least] of [
    ['skein_tick_lag_seconds', 60],
    ['skein_lease_overdue_seconds', 40],
    ['skein_oldest_queued_seconds', 600],
    ['skein_backup_age_seconds{kind="ledger"}', 7_200],
    ['skein_pulse_age_seconds', 90],
    ['skein_tick_lag_intervals', 3],
    ['skein_cursor_stands_intervals{sensor="feed"}', 5],
    ['skein_source_lag{sensor="feed"}', 9],
    ['skein_redis_unsafe', 0],
    ['skein_worker_slots', 0],
  ] as const) {
    const value = Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
    expect([name, value >= least && value < least + 30]).toEqual([name, true]);
  }
});

test('what definitions bound is listed in pages, too, in their order', async () => {
  const api = await openApi();
  for (const [list, name] of [
    ['assets', 'key'],
    ['jobs', 'name'],
    ['sensors', 'name'],
    ['schedules', 'name'],
    ['pools', 'name'],
  ] as const) {
    const read = async (query: string) => {
      const { items, next } = (await api.get(`/api/v1/${list}${query}`)).body as unknown as {
        items: Record<string, string>[];
        next: string | null;
      };
      return { names: items.map((item) => item[name]), next };
    };
    const { names: all, next: end } = await read('');
    expect([list, all.length > 0, end]).toEqual([list, true, null]);
    const paged: unknown[] = [];
    for (let after: string | null = ''; after !== null;) {
      const page = await read(`?limit=1${after === '' ? '' : `&after=${after}`}`);
      expect(page.names).toHaveLength(1);
      paged.push(...page.names);
      after = page.next;
    }
    expect(paged).toEqual(all);
    expect(await read('?after=nope')).toEqual({ names: [], next: null });
    expect((await api.get(`/api/v1/${list}?nope=1`)).status).toBe(400);
  }
});

test('backfills are listed in pages, newest first', async () => {
  const api = await openApi();
  const ids: string[] = [];
  for (const row of ['1', '2', '3']) {
    const range = { from: '2024-01-01', to: '2024-01-02' };
    ids.unshift(String((await api.post('/api/v1/backfills', { job: 'events_job', ids: [row], ...range })).body.id));
  }
  const page = async (query: string) => {
    const { items, next } = (await api.get(`/api/v1/backfills?${query}`)).body as unknown as {
      items: { id: string }[];
      next: string | null;
    };
    return [items.map(({ id }) => id), next] as const;
  };
  expect(await page('limit=2')).toEqual([ids.slice(0, 2), ids[1]]);
  expect(await page(`limit=2&after=${ids[1]}`)).toEqual([ids.slice(2), null]);
  expect(await page(`after=${ids[2]}`)).toEqual([[], null]);
  expect(await page('after=nope')).toEqual([[], null]);
});

test('limits of runs at once tell who holds them and who waits; who is limited to a job sees its own', async () => {
  const base = apiDeployment();
  const [events, chunks] = ['events_job', 'chunks_job'].map((name) => lookUp('job', base.jobs, name));
  const jobs = [
    defineJob({ name: 'one_job', assets: events?.assets ?? [], maxActiveRuns: 1 }),
    ...(chunks ? [chunks] : []),
  ];
  const tagLimits = [
    { tag: 'customer', perValue: true, limit: 1 },
    { tag: 'team', value: 'red', limit: 3 },
  ];
  const api = await openApi(undefined, {
    deployment: defineDeployment({ definitions: { jobs, tagLimits, pools: base.pools } }),
    env: { SKEIN_AUTH_MODE: 'token' },
  });
  const as = { headers: { authorization: `Bearer ${(await api.token('operator')).token}` } };
  for (const day of ['15', '16', '17']) {
    const launch = { job: 'one_job', partitions: [`1_2024-01-${day}`], tags: { customer: 'a', team: 'red' } };
    expect((await api.post('/api/v1/launch', launch, as)).status).toBe(202);
  }
  const one = { kind: 'job', name: 'one_job', value: null, per_value: false, limit: 1 };
  const { items } = (await api.get('/api/v1/limits', as)).body;
  expect(items).toEqual([
    { ...one, slots: [{ slot: 'job:one_job', used: 1, waiting: 2 }] },
    { kind: 'tag', name: 'customer', value: null, per_value: true, limit: 1, slots: [] },
    {
      ...{ kind: 'tag', name: 'team', value: 'red', per_value: false, limit: 3 },
      slots: [{ slot: 'tag:team=red', used: 1, waiting: 0 }],
    },
  ]);
  for (const job of ['one_job', 'chunks_job']) {
    const { token } = await createToken(api.engine, { name: job, role: 'viewer', by: 'test', jobs: [job] });
    const seen = (await api.get('/api/v1/limits', { headers: { authorization: `Bearer ${token}` } })).body.items;
    expect(seen).toMatchObject(job === 'one_job' ? [one] : []);
  }
});
