import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const DAY = '1_2024-01-15';

test('a run is launched, worked, and seen from every side', async () => {
  const api = await openApi(() => ({ rows: 7 }));
  await api.worker();
  const launched = await api.post('/api/v1/launch', { job: 'events_job', partitions: [DAY], tags: { why: 'test' } });
  expect(launched.status).toBe(202);
  expect(launched.body).toEqual({ run_id: expect.any(String), is_new: true });
  const url = `/api/v1/runs/${String(launched.body.run_id)}`;
  const run = await api.until(
    async () => (await api.get(url)).body,
    (body) => String(body.status) === 'SUCCESS',
  );
  expect(run).toMatchObject({
    job: 'events_job',
    cause: 'api:local',
    tags: { why: 'test' },
    counts: { total: 1, materialized: 1, failed: 0, skipped: 0 },
    result: { rows: 7 },
    partitions: [{ asset: 'events', key: DAY, outcome: 'materialized', error: null, metadata: { rows: 7 } }],
    partitions_total: 1,
    worker: expect.stringMatching(/./),
    code_version: null,
    error: null,
    ended_at: expect.stringMatching(/Z$/),
  });
  const took = async (words: string) =>
    ((await api.get(`/api/v1/runs?q=${encodeURIComponent(`duration:${words}`)}`)).body.items as unknown as []).length;
  expect([await took('<1d'), await took('>1d'), await took('1d')]).toEqual([1, 0, 0]);
  expect((await api.get(`${url}/partitions?outcome=materialized`)).body.items).toHaveLength(1);
  expect((await api.get(`${url}/partitions?outcome=failed`)).body.items).toHaveLength(0);
  const events = (await api.get(`${url}/events`)).body.items as unknown as { type: string }[];
  expect(events.map((one) => one.type)).toContain('run.ended');
  const why = await api.get(`${url}/why`);
  expect(why.body).toMatchObject({ cause: { kind: 'api', name: 'local' }, blocked: null });
  expect((why.body.sentences as unknown as string[])[0]).toBe('local launched it through the dashboard or the API.');
});

test('a list is filtered by job, status, tag, partition and words, and counts what an index knows', async () => {
  const api = await openApi();
  const launch = (body: object) => api.post('/api/v1/launch', body);
  await launch({ job: 'events_job', partitions: [DAY], tags: { team: 'a' } });
  await launch({ job: 'events_job', partitions: ['2_2024-01-15'], tags: { team: 'b' } });
  await launch({ job: 'chunks_job', config: { team_ids: [3] } });
  const jobs = async (query: string) => {
    const { status, body } = await api.get(`/api/v1/runs?${query}`);
    expect(status).toBe(200);
    return (body.items as unknown as { job: string; tags: object }[]).map((run) => run.job);
  };
  expect(await jobs('')).toEqual(['chunks_job', 'events_job', 'events_job']);
  expect(await jobs('job=chunks_job')).toEqual(['chunks_job']);
  // Admitted, but no worker is there to begin.
  await api.until(
    () => jobs('status=starting&job=chunks_job'),
    (found) => found.length === 1,
  );
  expect(await jobs('status=queued')).toEqual([]);
  expect(await jobs('status=failed')).toEqual([]);
  expect(await jobs('tag=team%3Db')).toEqual(['events_job']);
  expect(await jobs(`partition=${DAY}`)).toEqual(['events_job']);
  expect(await jobs('partition=1_2024-01-1')).toEqual([]);
  expect(await jobs(`q=${encodeURIComponent('job:events_job tag:team=a')}`)).toEqual(['events_job']);
  expect(await jobs(`q=${encodeURIComponent(`partition:"${DAY}" after:-1h`)}`)).toEqual(['events_job']);
  expect(await jobs('q=CHUNKS')).toEqual(['chunks_job']);
  expect(await jobs('q=asset:events')).toEqual(['events_job', 'events_job']);
  expect(await jobs(`q=${encodeURIComponent('asset:events job:chunks_job')}`)).toEqual([]);
  // None of them has begun.
  expect(await jobs(`q=${encodeURIComponent('duration:<1h')}`)).toEqual([]);
  for (const wrong of ['asset:nothing', 'duration:long', 'duration:>5'])
    expect((await api.get(`/api/v1/runs?q=${encodeURIComponent(wrong)}`)).status).toBe(400);
  expect((await api.get('/api/v1/runs')).body.total).toBe(3);
  expect((await api.get('/api/v1/runs?job=events_job')).body.total).toBe(2);
  expect((await api.get('/api/v1/runs?tag=team%3Db')).body.total).toBeNull();
});

test('pages follow each other without gaps, also through runs of the same millisecond', async () => {
  const api = await openApi();
  const partitions = Array.from({ length: 25 }, (_, i) => `${i + 1}_2024-01-15`);
  await Promise.all(partitions.map((one) => api.post('/api/v1/launch', { job: 'events_job', partitions: [one] })));
  // All at one moment, as the runs of one tick are.
  const ids = await api.engine.redis.zrange(api.engine.keys.runs, 0, '-1');
  for (const id of ids) await api.engine.redis.zadd(api.engine.keys.runs, 1_700_000_000_000, id);
  const seen: string[] = [];
  let after = '';
  for (let pages = 0; pages < 10; pages++) {
    const { body } = await api.get(`/api/v1/runs?limit=7${after}`);
    seen.push(...(body.items as unknown as { id: string }[]).map((run) => run.id));
    if (body.next === null) break;
    after = `&after=${String(body.next)}`;
  }
  expect(seen).toEqual([...ids].sort().reverse());
  const filtered = await api.get('/api/v1/runs?limit=3&q=events_job');
  expect(filtered.body.items).toHaveLength(3);
  const rest = await api.get(`/api/v1/runs?limit=100&q=events_job&after=${String(filtered.body.next)}`);
  expect(rest.body.items).toHaveLength(22);
});

test('bad questions are answered by a problem that names the field', async () => {
  const api = await openApi();
  for (const [query, word] of [
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['status=happy', 'status'],
    ['tag=novalue', 'tag'],
    ['after=%00', 'after'],
    ['after=Zm9v', 'after'],
    ['q=colour%3Ared', 'colour'],
    ['statuss=failed', 'statuss'],
  ] as const) {
    const answer = await api.get(`/api/v1/runs?${query}`);
    expect([query, answer.status]).toEqual([query, 400]);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'REQUEST_INVALID', status: 400, request_id: expect.any(String) });
    expect(answer.text).toContain(word);
  }
  const missing = await api.get('/api/v1/runs/01NOSUCHRUN');
  expect(missing.body).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  for (const part of ['partitions', 'events', 'log', 'log/find?q=x', 'why'])
    expect((await api.get(`/api/v1/runs/nope/${part}`)).status).toBe(404);
  expect((await api.post('/api/v1/runs/nope/cancel')).status).toBe(404);
  expect((await api.post('/api/v1/runs/nope/retry')).status).toBe(404);
});

test('cancelling and retrying: whole, or only what failed', async () => {
  const bad = new Set(['2_2024-01-01']);
  const api = await openApi(({ key }) => (bad.has(key) ? { fail: true } : { rows: 1 }));
  const queued = await api.post('/api/v1/launch', { job: 'events_job', partitions: [DAY] });
  const early = await api.post(`/api/v1/runs/${String(queued.body.run_id)}/retry`);
  expect(early.body).toMatchObject({ code: 'REFUSED', status: 409 });
  const cancelled = await api.post(`/api/v1/runs/${String(queued.body.run_id)}/cancel`, { reason: 'not needed' });
  expect([cancelled.status, cancelled.body]).toEqual([202, { status: 'CANCELED' }]);

  await api.worker();
  const failing = await api.post('/api/v1/launch', { job: 'chunks_job', config: { team_ids: [1, 2, 3] } });
  const ended = (id: unknown) =>
    api.until(
      async () => (await api.get(`/api/v1/runs/${String(id)}`)).body,
      (body) => body.ended_at !== null,
    );
  expect(await ended(failing.body.run_id)).toMatchObject({ status: 'FAILURE', counts: { failed: 1, materialized: 2 } });
  bad.clear();
  const again = await api.post(`/api/v1/runs/${String(failing.body.run_id)}/retry`, { only_failed: true });
  expect([again.status, again.body.partitions]).toEqual([202, 1]);
  expect(await ended(again.body.run_id)).toMatchObject({
    status: 'SUCCESS',
    cause: `retry:${String(failing.body.run_id)}`,
    counts: { total: 1, materialized: 1 },
  });
  const nothing = await api.post(`/api/v1/runs/${String(again.body.run_id)}/retry`, { only_failed: true });
  expect(nothing.body).toMatchObject({ code: 'REFUSED' });
});
