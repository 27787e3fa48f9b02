import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const FEED = '/api/v1/sensors/feed';

test('a sensor: listed, turned on and off, evaluated now, its ticks seen', async () => {
  const api = await openApi();
  await api.worker();
  expect((await api.get('/api/v1/sensors')).body.items).toMatchObject([
    {
      name: 'feed',
      job: 'events_job',
      status: 'STOPPED',
      status_by: 'definition',
      last_tick: null,
      every_ms: 3_600_000,
    },
  ]);
  expect((await api.get(FEED)).body).toMatchObject({
    cursor: { next: 1, until: 3, pause_ms: 0 },
    cursor_version: 1,
    cursor_generation: 1,
    initial_cursor: { next: 1 },
    cursor_schema: { type: 'object', properties: { next: { type: 'number', default: 1 } } },
  });
  const evaluated = await api.post(`${FEED}/evaluate`);
  expect([evaluated.status, evaluated.body]).toEqual([202, { tick: 'feed.1' }]);
  const tick = await api.until(
    async () => (await api.get(`${FEED}/ticks/feed.1`)).body,
    (body) => body.ended_at !== null,
  );
  expect(tick).toMatchObject({
    decision: 'requested',
    status: 'SUCCESS',
    trigger: 'api:local',
    requested: 1,
    run_ids: [expect.any(String)],
    cursor_before: { next: 1 },
    cursor_after: { next: 2 },
    duration_ms: expect.any(Number),
  });
  const [runId] = tick.run_ids as unknown as string[];
  const why = (await api.get(`/api/v1/runs/${String(runId)}/why`)).body;
  expect(why).toMatchObject({ cause: { kind: 'sensor', name: 'feed', tick: 'feed.1' } });
  expect((why.sentences as unknown as string[])[1]).toMatch(
    /^Its tick of .*Z, on version 1 of the cursor, requested 1 runs/,
  );
  expect((why.sentences as unknown as string[])[2]).toMatch(/^Nothing was launched before with its run key “.*”\.$/);

  expect((await api.post(`${FEED}/start`)).body).toEqual({ status: 'RUNNING', before: 'STOPPED', version: 1 });
  await api.until(
    async () => (await api.get(FEED)).body,
    (body) => body.last_tick?.id !== undefined && String(body.last_tick.id) === 'feed.2',
  );
  expect((await api.get(FEED)).body).toMatchObject({ status: 'RUNNING', status_by: 'api:local' });
  expect((await api.post(`${FEED}/stop`, { reason: 'enough' })).body).toEqual({
    status: 'STOPPED',
    before: 'RUNNING',
    version: 2,
  });
  const ticks = await api.get(`${FEED}/ticks?limit=1`);
  expect(ticks.body).toMatchObject({ items: [{ id: 'feed.2' }], next: 'feed.2' });
  expect((await api.get(`${FEED}/ticks?limit=1&after=feed.2`)).body).toMatchObject({ items: [{ id: 'feed.1' }] });
  expect((await api.get(`${FEED}/ticks?decision=failed`)).body).toEqual({ items: [], next: null });
  // Its timeline, what each decided, and those of a range, whose ends count.
  const marks = (await api.get(`${FEED}/timeline`)).body.items as unknown as { at: string }[];
  expect(marks).toMatchObject([
    { id: 'feed.1', decision: 'requested', requested: 1, duration_ms: expect.any(Number) as number },
    { id: 'feed.2' },
  ]);
  expect((await api.get(FEED)).body.recent).toEqual(['requested', expect.any(String)]);
  const first = encodeURIComponent(marks[0]?.at ?? '');
  expect((await api.get(`${FEED}/ticks?from=${first}&to=${first}`)).body).toMatchObject({
    items: [{ id: 'feed.1' }],
    next: null,
  });
  expect((await api.get(`${FEED}/ticks?from=${first}&limit=1&after=feed.2`)).body).toMatchObject({
    items: [{ id: 'feed.1' }],
  });
  expect((await api.get(`${FEED}/ticks?from=yesterday`)).status).toBe(400);
  for (const [method, url] of [
    ['GET', '/api/v1/sensors/nope'],
    ['GET', '/api/v1/sensors/nope/ticks'],
    ['GET', `${FEED}/ticks/feed.99`],
    ['POST', '/api/v1/sensors/nope/start'],
    ['POST', '/api/v1/sensors/nope/evaluate'],
  ] as const) {
    const answer = method === 'GET' ? await api.get(url) : await api.post(url);
    expect([url, answer.status]).toEqual([url, 404]);
  }
  expect((await api.get(`${FEED}/ticks?decision=happy`)).status).toBe(400);
});

test('a second evaluation while one is under way is refused', async () => {
  const api = await openApi();
  expect((await api.post(`${FEED}/evaluate`)).status).toBe(202); // no worker takes it
  expect(await api.post(`${FEED}/evaluate`)).toMatchObject({ status: 409, body: { code: 'REFUSED' } });
});

test('a preview runs ahead from the stored or a given cursor and changes nothing', async () => {
  const api = await openApi();
  const preview = await api.post(`${FEED}/preview`, { ticks: 4 });
  expect(preview.body).toMatchObject({
    requests_total: 3,
    cut: false,
    ticks: [
      { requests: [{ partitions: ['1_2024-01-01'] }], cursor_before: { next: 1 }, cursor_after: { next: 2 } },
      { requests: [{ partitions: ['1_2024-01-02'] }] },
      { requests: [{ partitions: ['1_2024-01-03'] }] },
      { requests: [], skip_reason: 'complete up to day 3' },
    ],
  });
  const given = await api.post(`${FEED}/preview`, { cursor: { next: 3 } });
  expect(given.body).toMatchObject({ ticks: [{ requests: [{ partitions: ['1_2024-01-03'] }] }] });
  expect((await api.get(FEED)).body).toMatchObject({ cursor: { next: 1 }, cursor_version: 1 });
  expect((await api.get('/api/v1/runs')).body.total).toBe(0);
  expect(await api.post(`${FEED}/preview`, { cursor: { next: 'soon' } })).toMatchObject({
    status: 422,
    body: { code: 'CONFIG_INVALID', errors: [{ path: 'next' }] },
  });
  expect((await api.post(`${FEED}/preview`, { ticks: 0 })).status).toBe(400);
  expect((await api.post('/api/v1/sensors/nope/preview', {})).status).toBe(404);
});

test('a preview tells what its run keys would suppress', async () => {
  const api = await openApi();
  await api.worker();
  await api.post(`${FEED}/evaluate`);
  const tick = await api.until(
    async () => (await api.get(`${FEED}/ticks/feed.1`)).body,
    (body) => body.ended_at !== null,
  );
  const [runId] = tick.run_ids as unknown as string[];
  const again = await api.post(`${FEED}/preview`, { cursor: { next: 1 }, ticks: 2 });
  expect(again.body).toMatchObject({
    requests_total: 2,
    suppressed_total: 1,
    ticks: [{ requests: [{ suppressed_by: runId }] }, { requests: [{ suppressed_by: null }] }],
  });
  const reset = await api.post(`${FEED}/preview`, { cursor: { next: 1 }, ticks: 2, as_reset: true });
  expect(reset.body).toMatchObject({ requests_total: 2, suppressed_total: 0 });
});

test('a cursor is written on top of the version that its writer saw', async () => {
  const api = await openApi();
  const url = `${FEED}/cursor`;
  const read = await api.get(url);
  expect(read.body).toEqual({ cursor: { next: 1, until: 3, pause_ms: 0 }, version: 1, generation: 1 });
  expect(read.headers.etag).toBe('"1"');
  const put = (cursor: unknown, ifMatch?: string, more: object = {}) =>
    api.send(
      'PUT',
      url,
      { cursor, reason: 'test', ...more },
      ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } },
    );

  const ana = await put({ next: 2 }, '"1"');
  expect([ana.status, ana.body, ana.headers.etag]).toEqual([
    200,
    { cursor: { next: 2 }, version: 2, generation: 1 },
    '"2"',
  ]);
  const ben = await put({ next: 9 }, '"1"');
  expect(ben).toMatchObject({
    status: 412,
    body: { code: 'PRECONDITION_FAILED', current_version: 2, current: { next: 2 } },
  });
  expect(await put({ next: 9 }, undefined, { if_version: 1 })).toMatchObject({
    status: 409,
    body: { code: 'CONFLICT', current_version: 2, current: { next: 2 } },
  });
  expect(await put({ next: 9 })).toMatchObject({ status: 428, body: { code: 'PRECONDITION_REQUIRED' } });
  expect((await put({ next: 9 }, 'yesterday')).status).toBe(400);
  expect(await put({ next: 'x' }, '*')).toMatchObject({ status: 422, body: { errors: [{ path: 'next' }] } });
  expect(await put({ next: 1, colour: 'red' }, '*')).toMatchObject({ status: 422 });
  expect((await api.send('PUT', url, { cursor: { next: 3 } }, { headers: { 'if-match': '*' } })).status).toBe(400);
  expect((await put(undefined, '*')).status).toBe(400);
  expect((await put(null, '*')).status).toBe(422);
  expect((await put({ next: 3 }, '*')).body).toMatchObject({ version: 3 });
  expect(
    (await api.send('PUT', '/api/v1/sensors/nope/cursor', { cursor: {}, reason: 'x', if_version: 1 })).status,
  ).toBe(404);
});

test('a cursor is applied with what it asks for, and a wrong version tells the current one', async () => {
  const api = await openApi();
  const apply = (cursor: unknown, version: number) =>
    api.post(`${FEED}/apply`, { cursor, reason: 'now', if_version: version });
  expect(await apply({ next: 2 }, 1)).toMatchObject({
    status: 200,
    body: {
      cursor: { next: 3 },
      version: 3,
      generation: 1,
      tick: { decision: 'requested', requested: 1, trigger: 'api:local', cursor_before: { next: 2 } },
    },
  });
  expect(await apply({ next: 1 }, 1)).toMatchObject({
    status: 409,
    body: { code: 'CONFLICT', current_version: 3, current: { next: 3 } },
  });
  expect(await apply({ next: 'x' }, 3)).toMatchObject({ status: 422, body: { errors: [{ path: 'next' }] } });
  expect((await apply(undefined, 3)).status).toBe(400);
  expect((await api.get('/api/v1/runs')).body.total).toBe(1);
  // Reset to a place that a person chose: run keys begin anew there.
  const reset = await api.post(`${FEED}/cursor/reset`, { cursor: { next: 2 }, reason: 'from the second day' });
  expect(reset.body).toEqual({ cursor: { next: 2 }, version: 4, generation: 2 });
  expect((await api.post(`${FEED}/cursor/reset`, { cursor: { next: 'x' }, reason: 'x' })).status).toBe(422);
});

test('of many writers on one version exactly one wins', async () => {
  const api = await openApi();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      api.send('PUT', `${FEED}/cursor`, { cursor: { next: i }, reason: 'race' }, { headers: { 'if-match': '1' } }),
    ),
  );
  const statuses = answers.map((one) => one.status).sort();
  expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 412)]);
  expect((await api.get(`${FEED}/cursor`)).body).toMatchObject({ version: 2 });
});

test('history, restore and reset', async () => {
  const api = await openApi();
  const url = `${FEED}/cursor`;
  for (const next of [2, 3])
    await api.send('PUT', url, { cursor: { next }, reason: `to ${next}` }, { headers: { 'if-match': '*' } });
  const history = await api.get(`${url}/history`);
  expect(history.body.items).toMatchObject([
    { version: 3, by: 'api:local', reason: 'to 3', before: { next: 2 }, after: { next: 3 } },
    { version: 2, reason: 'to 2', after: { next: 2 } },
  ]);
  const page = await api.get(`${url}/history?limit=1`);
  expect(page.body.next).toBe('3');
  expect((await api.get(`${url}/history?limit=1&after=3`)).body).toMatchObject({ items: [{ version: 2 }], next: null });
  expect((await api.post(`${url}/restore`, { version: 2, reason: 'was better' })).body).toEqual({
    cursor: { next: 2 },
    version: 4,
    generation: 2,
  });
  expect((await api.post(`${url}/restore`, { reason: 'undo' })).body).toMatchObject({
    cursor: { next: 3 },
    version: 5,
  });
  expect(await api.post(`${url}/reset`, { reason: 'stale', if_version: 4 })).toMatchObject({
    status: 409,
    body: { current_version: 5 },
  });
  expect((await api.post(`${url}/reset`, { reason: 'all over' })).body).toMatchObject({
    cursor: { next: 1, until: 3 },
    version: 6,
    generation: 4,
  });
  expect((await api.post(`${url}/restore`, { version: 99, reason: 'x' })).status).toBe(404);
  expect((await api.post(`${url}/reset`, {})).status).toBe(400);
  expect((await api.get('/api/v1/sensors/nope/cursor/history')).status).toBe(404);
});
