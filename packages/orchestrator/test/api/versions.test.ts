/** What people change has a version: two who build on the same one do not overwrite each other unseen. */

import { type ApiHarness, closeApis, openApi, yearOfBackfill } from './harness.ts';

afterEach(closeApis);

interface Change {
  readonly method: 'PUT' | 'PATCH' | 'DELETE' | 'POST';
  readonly url: string;
  readonly body?: object;
}

const change = (api: ApiHarness, { method, url, body }: Change, etag: string | undefined) =>
  api.app.inject({
    method,
    url,
    headers: { host: 'localhost', ...(etag === undefined ? {} : { 'if-match': etag }) },
    ...(body === undefined ? {} : { payload: body }),
  });

const etagOf = async (api: ApiHarness, url: string) => String((await api.get(url)).headers.etag);

/** What people change of a thing; a backfill goes on meanwhile. */
const shown = (thing: unknown) => {
  const { limit, max_active: most, status, config: preset, q } = thing as Record<string, unknown>;
  return { limit, most, status, preset, q };
};

/** What is read, and two ways to change it; the race is between as many of the first as there are writers. */
async function things(api: ApiHarness): Promise<readonly (readonly [string, (n: number) => Change, Change])[]> {
  const backfill = await yearOfBackfill(api);
  const [pool, sensor, schedule] = ['/api/v1/pools/narrow', '/api/v1/sensors/feed', '/api/v1/schedules/nightly'];
  const [preset, view] = ['/api/v1/jobs/events_job/presets/quick', '/api/v1/views/mine'];
  await api.send('PUT', preset, { config: {} });
  await api.send('PUT', view, { q: '' });
  const cursor = (next: number) => ({ cursor: { next }, reason: 'a race' });
  return [
    [pool, (n) => ({ method: 'PUT', url: pool, body: { limit: 10 + n } }), { method: 'DELETE', url: pool }],
    [
      backfill,
      (n) => ({ method: 'PATCH', url: backfill, body: { max_active: 10 + n } }),
      { method: 'POST', url: `${backfill}/pause` },
    ],
    [sensor, () => ({ method: 'POST', url: `${sensor}/start` }), { method: 'POST', url: `${sensor}/stop` }],
    [schedule, () => ({ method: 'POST', url: `${schedule}/start` }), { method: 'POST', url: `${schedule}/stop` }],
    [
      preset,
      (n) => ({ method: 'PUT', url: preset, body: { config: { mode: String(n) } } }),
      { method: 'DELETE', url: preset },
    ],
    [view, (n) => ({ method: 'PUT', url: view, body: { q: `job:x${n}` } }), { method: 'DELETE', url: view }],
    [
      `${sensor}/cursor`,
      (n) => ({ method: 'PUT', url: `${sensor}/cursor`, body: cursor(n) }),
      { method: 'POST', url: `${sensor}/cursor/reset`, body: { reason: 'a race' } },
    ],
  ];
}

test('of ten who change the same version at once, one does, and the others are told what is there now', async () => {
  const api = await openApi();
  for (const [url, write, other] of await things(api)) {
    const etag = await etagOf(api, url);
    const replies = await Promise.all(Array.from({ length: 10 }, (_, n) => change(api, write(n), etag)));
    const won = replies.filter(({ statusCode }) => statusCode === 200);
    expect([url, won.length, replies.map(({ statusCode }) => statusCode).filter((one) => one !== 412)]).toEqual([
      url,
      1,
      [200],
    ]);
    const now = await api.get(url);
    expect([url, won[0]?.headers.etag, etag === now.headers.etag]).toEqual([url, now.headers.etag, false]);
    for (const late of replies.filter(({ statusCode }) => statusCode === 412)) {
      const { code, current_version: version, current } = late.json<Record<string, unknown>>();
      expect([url, code, `"${String(version)}"`]).toEqual([url, 'PRECONDITION_FAILED', now.headers.etag]);
      if (url.endsWith('/cursor')) expect(current).toEqual(now.body.cursor);
      else expect([url, shown(current)]).toEqual([url, shown(now.body)]);
    }
    // The other way to change it is held to the same version.
    expect([url, (await change(api, other, etag)).statusCode]).toEqual([url, 412]);
    expect([url, (await change(api, other, '"x"')).statusCode]).toEqual([url, 400]);
    expect([url, (await change(api, other, String(now.headers.etag))).statusCode]).toEqual([url, 200]);
  }
});

test('a version is of what people say, not of progress; without If-Match the last word counts; 0 is what is not there', async () => {
  const api = await openApi(() => ({ rows: 1 }));
  const [pool, view] = ['/api/v1/pools/narrow', '/api/v1/views/mine'];
  expect(await etagOf(api, pool)).toBe('"0"');
  await api.engine.script('set-pool', 'narrow', 'live', 1, 'probe', 'it is slow');
  expect(await etagOf(api, pool)).toBe('"0"');
  expect((await api.send('PUT', pool, { limit: 3 })).body).toMatchObject({ limit: 3, version: 1 });
  expect((await api.send('PUT', pool, { limit: 4 })).body).toMatchObject({ limit: 4, version: 2 });

  const made = await api.post('/api/v1/backfills', {
    job: 'events_job',
    ids: ['9'],
    from: '2024-01-01',
    to: '2024-01-02',
  });
  const backfill = `/api/v1/backfills/${String(made.body.id)}`;
  const before = await etagOf(api, backfill);
  await api.until(
    () => api.get(backfill),
    ({ body }) => Number(body.requested) > 0,
  );
  expect(await etagOf(api, backfill)).toBe(before);
  await api.worker();
  const ended = await api.until(
    () => api.get(backfill),
    ({ body }) => String(body.status) === 'COMPLETED',
  );
  expect(ended.headers.etag).not.toBe(before);
  const limits = { method: 'PATCH', url: backfill, body: { max_active: 3 } } as const;
  expect((await change(api, limits, before)).json()).toMatchObject({ current: { status: 'COMPLETED' } });

  const put = (q: string, etag: string) => change(api, { method: 'PUT', url: view, body: { q } }, etag);
  const first = await put('status:failed', '"0"');
  expect(first.statusCode).toBe(200);
  expect((await put('job:x', '"0"')).json()).toMatchObject({ status: 412, current: { q: 'status:failed' } });
  await api.send('DELETE', view);
  expect((await put('job:x', String(first.headers.etag))).json()).toMatchObject({ current: null, current_version: 0 });
  // One that was removed and made anew is another.
  expect((await put('job:y', '"0"')).headers.etag).not.toBe(first.headers.etag);
  expect((await api.send('PUT', view, { q: 'job:z' })).status).toBe(200);
});
