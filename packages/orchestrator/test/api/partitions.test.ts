import { z } from 'zod';

import { submit } from '../../src/engine/submit.ts';
import { markPartitions } from '../../src/engine/mark.ts';
import { defineAsset, defineDeployment, defineJob, lookUp, materialized } from '../../src/index.ts';
import { teamDays } from '../engine/harness.ts';
import { type ApiHarness, closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const events = (api: ApiHarness) => lookUp('asset', api.deployment.assets, 'events');
const column = (api: ApiHarness, day: string) => events(api).partitions.columns.column(day);

async function mark(api: ApiHarness, keys: string[], as: 'materialized' | 'skipped' = 'materialized') {
  await markPartitions(api.engine, events(api), keys, as, 'test');
}

test('assets: listed with counts, one with the JSON schema of its config', async () => {
  const api = await openApi();
  await mark(api, ['1_2024-01-01', '1_2024-01-02', '7_2024-01-01']);
  const list = await api.get('/api/v1/assets');
  expect((list.body.items as unknown as { key: string }[]).map((one) => one.key).sort()).toEqual([
    'chunks',
    'events',
    'report',
  ]);
  const { status, body } = await api.get('/api/v1/assets/events');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    key: 'events',
    partitions: { kind: 'composite', row_name: 'team_id', rows: 2, column_kind: 'time', first_column: '2015-01-01' },
    jobs: ['events_job', 'both_job'],
    sensors: ['feed'],
    schedules: ['nightly'],
    time_zone: 'UTC',
    counts: { materialized: 3, failed: 0 },
    can_rehearse: true,
    default_config: { dry_run: false },
    config_schema: {
      type: 'object',
      properties: { dry_run: { type: 'boolean', default: false } },
      additionalProperties: false,
    },
  });
  const days = Number(body.partitions?.last_complete_column) + 1;
  expect(body.total).toBe(2 * days);
  expect(body.missing).toBe(2 * days - 3);
  const job = await api.get('/api/v1/jobs/both_job');
  expect(job.body).toMatchObject({
    assets: ['events', 'report'],
    config_schema: { properties: { events: { type: 'object' }, report: { type: 'object' } } },
    runs: { active: 0, total: 0 },
  });
  expect((await api.get('/api/v1/jobs')).body.items).toHaveLength(3);
  expect((await api.get('/api/v1/assets/nope')).status).toBe(404);
  expect((await api.get('/api/v1/jobs/nope')).status).toBe(404);
});

test('rows with totals: by name, by prefix, by failures, page by page', async () => {
  const api = await openApi();
  await mark(
    api,
    Array.from({ length: 12 }, (_, i) => `${i + 1}_2024-01-01`),
  );
  // Failures come from runs; here the counter is set as a run would set it.
  await api.engine.redis.hset(api.engine.keys.rowCounts('events', '5'), 'o2', 3);
  const ids = async (query: string) =>
    ((await api.get(`/api/v1/assets/events/partitions/rows?${query}`)).body.items as unknown as { id: string }[]).map(
      (row) => row.id,
    );
  expect(await ids('limit=3')).toEqual(['1', '10', '11']);
  expect(await ids('q=1')).toEqual(['1', '10', '11', '12']);
  expect((await ids('sort=failed&limit=2'))[0]).toBe('5');
  const first = await api.get('/api/v1/assets/events/partitions/rows?limit=7');
  const rest = await ids(`limit=7&after=${String(first.body.next)}`);
  expect(rest).toHaveLength(5);
  const byFailed = await api.get('/api/v1/assets/events/partitions/rows?sort=failed&limit=10');
  expect(await ids(`sort=failed&limit=10&after=${String(byFailed.body.next)}`)).toHaveLength(2);
  expect((await api.get('/api/v1/assets/events/partitions/rows?sort=failed&after=-1')).status).toBe(400);
  expect((await api.get('/api/v1/assets/events/partitions/rows?sort=colour')).status).toBe(400);
  expect((await api.get('/api/v1/assets/events/partitions/counts')).body).toMatchObject({ materialized: 12 });
  expect((await api.get('/api/v1/assets/events/partitions/counts?row=3')).body).toMatchObject({ materialized: 1 });
});

test('rows by lag: how many complete days lie after the newest that is made', async () => {
  const api = await openApi();
  const back = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  // Read late in the evening, UTC, yesterday may have become the day before: the order and the differences stay.
  await mark(api, [`1_${back(4)}`, `2_${back(2)}`, '3_2015-01-01', `1_${back(20)}`]);
  await mark(api, [`4_${back(3)}`], 'skipped');
  const { items } = (await api.get('/api/v1/assets/events/partitions/rows?sort=lag')).body;
  const rows = items as unknown as { id: string; lag: number }[];
  expect(rows.map(({ id }) => id)).toEqual(['3', '1', '4', '2']);
  expect(rows[0]?.lag).toBe(512); // no further back is looked
  const [, one, four, two] = rows.map(({ lag }) => lag);
  expect([Number(one) - Number(two), Number(four) - Number(two)]).toEqual([2, 1]);
  expect((await api.get('/api/v1/assets/events/partitions/rows?sort=lag&limit=1&q=2')).body.items).toHaveLength(1);
});

test('freshness: the assets that have a policy, with those of their rows that are late', async () => {
  const asset = (key: string, more: object) =>
    defineAsset({
      key,
      description: 'For a test.',
      partitions: teamDays,
      config: z.object({}),
      materialize: () => Promise.resolve(materialized({})),
      ...more,
    });
  const jobs = [
    asset('scores', { freshness: { within: '1h', cron: '0 * * * *', timeZone: 'Asia/Kathmandu' } }),
    asset('free', {}),
  ].map((one) => defineJob({ name: `${one.key}_job`, assets: [one] }));
  const api = await openApi(undefined, { deployment: defineDeployment({ definitions: { jobs } }) });
  const read = async () => (await api.get('/api/v1/freshness')).body.items;
  expect(await read()).toMatchObject([{ asset: 'scores', freshness: { state: 'unknown', rows: 0 } }]);
  expect((await api.get('/api/v1/assets/scores')).body.time_zone).toBe('Asia/Kathmandu');
  const due = String((await read())?.[0]?.freshness?.label);
  await markPartitions(
    api.engine,
    lookUp('asset', api.deployment.assets, 'scores'),
    [`1_${due}`, '2_2024-01-01'],
    'materialized',
    'test',
  );
  expect(await read()).toMatchObject([
    { asset: 'scores', freshness: { state: 'late', time_zone: 'Asia/Kathmandu', rows: 2, late_rows: 1, late: ['2'] } },
  ]);
});

test('a tile: one byte a cell, odd edges, empty rows, worst of several columns', async () => {
  const api = await openApi();
  await mark(api, ['1_2024-01-01', '1_2024-01-03', '2_2024-01-02']);
  await mark(api, ['2_2024-01-03'], 'skipped');
  const from = column(api, '2024-01-01');
  const tile = (body: object) => api.post('/api/v1/assets/events/partitions/tiles', body);
  const rows = ['1', '2', '404'];
  const cells = await tile({ rows, from, to: from + 3 });
  expect(cells.headers['content-type']).toContain('application/octet-stream');
  expect(cells.headers['x-skein-width']).toBe('4');
  expect([...cells.raw]).toEqual([4, 0, 4, 0, 0, 4, 12, 0, 0, 0, 0, 0]);
  // An odd first column begins in the middle of a byte.
  expect([...(await tile({ rows: ['1'], from: from + 1, to: from + 2 })).raw]).toEqual([0, 4]);
  expect([...(await tile({ rows: ['1'], from: from - 1, to: from })).raw]).toEqual([0, 4]);
  const worst = await tile({ rows: ['2'], from: from + 1, to: from + 3, step: 2 });
  expect([...worst.raw]).toEqual([12, 0]); // skipped is worse than made; a missing day is worse than both
  // Cells of different widths, such as months; the last one ends with the tile.
  const uneven = { rows, from, to: from + 2, starts: [from, from + 1] };
  expect([...(await tile(uneven)).raw]).toEqual([4, 0, 0, 12, 0, 0]);
  expect((await tile(uneven)).headers['x-skein-width']).toBe('2');
  for (const starts of [[from + 1], [from, from], [from, from + 3], []])
    expect([starts, (await tile({ ...uneven, starts })).status]).toEqual([starts, 400]);
  const text = await tile({ rows, from, to: from + 3, format: 'base64' });
  expect(text.body).toEqual({ rows: 3, width: 4, cells: cells.raw.toString('base64') });
  expect((await tile({ rows, from: 5, to: 4 })).status).toBe(400);
  expect((await tile({ rows, from: 0, to: 9_000_000 })).status).toBe(400);
  expect((await tile({ rows: [], from: 0, to: 4 })).status).toBe(400);
  expect((await tile({ rows, from: -1, to: 4 })).status).toBe(400);
});

test('a tile of 1,000 × 1,000 cells is read in one go and compresses well', async () => {
  const api = await openApi();
  const rows = Array.from({ length: 1_000 }, (_, i) => String(i + 1));
  const pipeline = api.engine.redis.pipeline();
  for (const row of rows) pipeline.set(api.engine.keys.states('events', row), Buffer.alloc(500, 0x44));
  await pipeline.exec();
  const body = { rows, from: 0, to: 999 };
  const tile = await api.post('/api/v1/assets/events/partitions/tiles', body);
  expect(tile.raw).toHaveLength(1_000_000);
  expect(tile.raw.every((byte) => byte === 4)).toBe(true);
  const small = await api.post('/api/v1/assets/events/partitions/tiles', body, {
    headers: { 'accept-encoding': 'gzip' },
  });
  expect(small.raw.length).toBeLessThan(20_000);
});

test('search by status, row and days, page by page; the card of one cell', async () => {
  const api = await openApi(({ key }) => {
    if (key === '2_2024-01-02') throw new TypeError('the day is bad');
    return { rows: 3 };
  });
  await mark(api, ['1_2024-01-01', '1_2024-01-02', '3_2024-01-05']);
  await api.worker();
  const { runId } = await submit(api.engine, { job: 'events_job', partitions: ['2_2024-01-02'], cause: 'test' });
  await api.until(
    async () => (await api.get(`/api/v1/runs/${runId}`)).body,
    (run) => run.ended_at !== null,
  );
  const keys = async (query: string) =>
    (
      (await api.get(`/api/v1/assets/events/partitions/search?${query}`)).body.items as unknown as { key: string }[]
    ).map((one) => one.key);
  expect(await keys('')).toEqual(['1_2024-01-01', '1_2024-01-02', '2_2024-01-02', '3_2024-01-05']);
  expect(await keys('status=failed')).toEqual(['2_2024-01-02']);
  expect(await keys('status=failed&status=materialized&to=2024-01-02')).toEqual([
    '1_2024-01-01',
    '1_2024-01-02',
    '2_2024-01-02',
  ]);
  expect(await keys('row=1&status=missing&from=2024-01-01&to=2024-01-04')).toEqual(['1_2024-01-03', '1_2024-01-04']);
  const seen: string[] = [];
  let after = '';
  for (let pages = 0; pages < 10; pages++) {
    const { body } = await api.get(`/api/v1/assets/events/partitions/search?limit=1${after}`);
    seen.push(...(body.items as unknown as { key: string }[]).map((one) => one.key));
    if (body.next === null) break;
    after = `&after=${String(body.next)}`;
  }
  expect(seen).toEqual(['1_2024-01-01', '1_2024-01-02', '2_2024-01-02', '3_2024-01-05']);

  const card = await api.get('/api/v1/assets/events/partition?partition=2_2024-01-02');
  expect(card.body).toMatchObject({
    key: '2_2024-01-02',
    row: '2',
    label: '2024-01-02',
    outcome: 'failed',
    activity: 'idle',
    last_run: { run_id: runId, status: 'FAILURE', failures: 1 },
    run: { id: runId },
    result: { outcome: 'failed', error: { message: 'the day is bad' } },
  });
  const never = await api.get('/api/v1/assets/events/partition?partition=9_2024-01-02');
  expect(never.body).toMatchObject({ outcome: 'missing', last_run: null, run: null, result: null });
  const wrong = await api.get('/api/v1/assets/events/partition?partition=nonsense');
  expect(wrong).toMatchObject({ status: 400, body: { code: 'PARTITION_KEY_INVALID' } });
  expect((await api.get('/api/v1/assets/events/partitions/search?from=yesterday')).status).toBe(400);
  expect((await api.get('/api/v1/assets/events/partitions/search?after=Zm9v')).status).toBe(400);
  expect((await api.get('/api/v1/assets/events/partitions/search?status=happy')).status).toBe(400);
});

test('marking and forgetting: keys, ranges, whole rows; a reason is needed', async () => {
  const api = await openApi();
  const url = '/api/v1/assets/events/partitions';
  const marked = await api.post(`${url}/mark`, {
    as: 'skipped',
    partitions: ['1_2024-01-01..2024-01-10', '2_2024-01-01'],
    reason: 'never had data',
  });
  expect(marked.body).toEqual({ changed: 11, busy: 0 });
  const counted = await api.post(`${url}/forget`, {
    row: '1',
    partitions: ['2_2024-01-01..2024-01-02'],
    reason: 'x',
    preview: true,
  });
  expect(counted.body).toEqual({ changed: 11, busy: 0 });
  expect(
    (await api.post(`${url}/mark`, { as: 'materialized', partitions: ['2_2024-01-01'], reason: 'x', preview: true }))
      .body,
  ).toEqual({
    changed: 1,
    busy: 0,
  });
  expect((await api.get(`${url}/counts`)).body).toMatchObject({ skipped: 11, materialized: 0 });
  expect((await api.post(`${url}/forget`, { partitions: ['1_2024-01-01'], reason: 'x' })).body).toEqual({
    changed: 1,
    busy: 0,
  });
  expect((await api.post(`${url}/forget`, { row: '1', reason: 'x' })).body).toEqual({ changed: 9, busy: 0 });
  await submit(api.engine, { job: 'events_job', partitions: ['5_2024-01-01'], cause: 'test' });
  expect(
    (await api.post(`${url}/mark`, { as: 'materialized', partitions: ['5_2024-01-01'], reason: 'x' })).body,
  ).toEqual({
    changed: 0,
    busy: 1,
  });
  for (const body of [
    { as: 'skipped', partitions: ['1_2024-01-01'] },
    { as: 'failed', partitions: ['1_2024-01-01'], reason: 'x' },
    { as: 'skipped', reason: 'x' },
    { as: 'skipped', partitions: ['bad'], reason: 'x' },
  ])
    expect([body, (await api.post(`${url}/mark`, body)).status]).toEqual([body, 400]);
});
