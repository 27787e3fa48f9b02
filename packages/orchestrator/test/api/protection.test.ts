/** Bad bodies, secrets, repeated requests, headers, the audit log, readiness. */

import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

test('poisoned, broken, huge and foreign bodies are refused with one clear problem', async () => {
  const api = await openApi();
  const raw = async (payload: string, type = 'application/json') => {
    const reply = await api.app.inject({
      method: 'POST',
      url: '/api/v1/launch',
      headers: { host: 'localhost', 'content-type': type },
      payload,
    });
    return { status: reply.statusCode, body: reply.json<{ code: string; detail: string }>() };
  };
  for (const payload of [
    '{"job":"events_job","config":{"__proto__":{"polluted":true}}}',
    '{"job":"events_job","config":{"constructor":{"prototype":{"polluted":true}}}}',
    '{"job":',
    '',
    '{"job":"events_job","config":{"a":NaN}}',
  ]) {
    const { status, body } = await raw(payload);
    expect([payload, status, body.code]).toEqual([payload, 400, 'REQUEST_INVALID']);
  }
  expect((await raw('{"__proto__":{}}')).body.detail).toContain('__proto__');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(await raw(JSON.stringify({ job: 'x'.repeat(1_100_000) }))).toMatchObject({
    status: 413,
    body: { code: 'TOO_LARGE' },
  });
  expect(await raw('job=events_job', 'application/x-www-form-urlencoded')).toMatchObject({
    status: 415,
    body: { code: 'UNSUPPORTED_MEDIA_TYPE' },
  });
  expect((await raw(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)).status).toBe(400);
});

test('an answer never holds a secret of the environment, nor of a config, nor a stack', async () => {
  const secret = 'canary-4711-do-not-show';
  const api = await openApi(
    () => {
      throw new TypeError(`connect to postgres://skein:${secret}@db.example/x failed`);
    },
    { env: { EVENTS_DB_PASSWORD: secret } },
  );
  await api.worker();
  const { body } = await api.post('/api/v1/launch', {
    job: 'events_job',
    partitions: ['1_2024-01-15'],
    tags: { note: secret },
    config: { note: secret },
  });
  const url = `/api/v1/runs/${String(body.run_id)}`;
  await api.until(
    async () => (await api.get(url)).body,
    (run) => run.ended_at !== null,
  );
  const everywhere = [
    url,
    '/api/v1/runs',
    `${url}/log`,
    `${url}/log/find?q=connect`,
    `${url}/events`,
    `${url}/why`,
    '/api/v1/failures',
    '/api/v1/audit',
    '/api/v1/system',
    '/api/v1/assets/events/partition?partition=1_2024-01-15',
    `/api/v1/search?q=${secret}`,
    '/metrics',
  ];
  for (const one of everywhere) {
    const answer = await api.get(one);
    expect([one, answer.status]).toEqual([one, 200]);
    expect([one, answer.raw.includes(secret)]).toEqual([one, false]);
  }
  const broken = await api.get('/api/v1/runs?limit=%00');
  expect(broken.text).not.toMatch(/at .*\.ts|node_modules/);
  // The fault of a server shows nothing of itself either.
  api.engine.redis.hgetall = () => Promise.reject(new TypeError(`secret ${secret} in a stack`));
  const fault = await api.get(url);
  expect(fault).toMatchObject({ status: 500, body: { code: 'INTERNAL', request_id: expect.any(String) } });
  expect(fault.text).not.toMatch(/canary|stack|TypeError/);
});

test('config values of secret fields are masked', async () => {
  const { maskSecrets } = await import('../../src/api/mask.ts');
  expect(
    maskSecrets({
      password: 'x1',
      nested: [{ api_key: 'x2', name: 'n' }],
      token_ref: 'env:TOKEN',
      secret: 7,
      ok: null,
    }),
  ).toEqual({ password: '***', nested: [{ api_key: '***', name: 'n' }], token_ref: 'env:TOKEN', secret: 7, ok: null });
});

test('a request sent twice with one Idempotency-Key is done once', async () => {
  const api = await openApi();
  const launch = (partition: string, key = 'abc') =>
    api.post('/api/v1/launch', { job: 'events_job', partitions: [partition] }, { headers: { 'idempotency-key': key } });
  const first = await launch('1_2024-01-15');
  const second = await launch('1_2024-01-15');
  expect(second.body).toEqual(first.body);
  expect([first.status, second.status]).toEqual([202, 202]);
  expect(second.headers['idempotency-replayed']).toBe('true');
  expect((await api.get('/api/v1/runs')).body.total).toBe(1);
  expect(await launch('2_2024-01-15')).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
  expect((await launch('2_2024-01-15', 'other')).status).toBe(202);
  expect((await launch('2_2024-01-15', 'no blanks')).status).toBe(400);
  const both = await Promise.all([launch('3_2024-01-15', 'race'), launch('3_2024-01-15', 'race')]);
  expect(both.map((one) => one.status).filter((status) => status === 202).length).toBeGreaterThan(0);
  expect((await api.get('/api/v1/runs?partition=3_2024-01-15')).body.items).toHaveLength(1);
  // A refusal is an answer too.
  const refused = await launch('nonsense', 'bad');
  expect([refused.status, (await launch('nonsense', 'bad')).headers['idempotency-replayed']]).toEqual([400, 'true']);
  const keys = await api.engine.redis.keys(`${api.engine.keys.prefix}:idem:*`);
  const ttl = await api.engine.redis.ttl(keys[0] ?? '');
  expect(ttl).toBeGreaterThan(86_000);
});

test('every write is in the audit log: who, what, why, before, after, and how it ended', async () => {
  const api = await openApi();
  await api.send('PUT', '/api/v1/pools/narrow', { limit: 5, reason: 'more hands' });
  await api.post('/api/v1/sensors/feed/start', { reason: 'go' });
  await api.send(
    'PUT',
    '/api/v1/sensors/feed/cursor',
    { cursor: { next: 2 }, reason: 'skip a day' },
    { headers: { 'if-match': '99', 'x-request-id': 'req-1' } },
  );
  const { items } = (await api.get('/api/v1/audit')).body;
  expect(items).toMatchObject([
    {
      actor: 'api:local',
      action: 'PUT /api/v1/sensors/:name/cursor',
      target: 'sensor:feed/cursor',
      reason: 'skip a day',
      before: { version: 1 },
      request_id: 'req-1',
      result: '412',
    },
    {
      action: 'POST /api/v1/sensors/:name/start',
      reason: 'go',
      before: { status: 'STOPPED' },
      after: { status: 'RUNNING' },
    },
    { target: 'pool:narrow', role: 'admin', before: { limit: 2 }, after: { limit: 5 }, result: '200' },
  ]);
  const page = await api.get('/api/v1/audit?limit=1');
  const rest = await api.get(`/api/v1/audit?limit=10&after=${String(page.body.next)}`);
  expect(rest.body.items).toHaveLength(2);
  expect((await api.get('/api/v1/audit?after=nonsense')).status).toBe(400);
  expect((await api.get('/api/v1/audit?after=0-0')).body.items).toEqual([]);
});

test('answers carry the headers that keep browsers in bounds', async () => {
  const api = await openApi();
  const { headers } = await api.get('/api/v1/me', { headers: { 'x-request-id': 'from-the-caller' } });
  expect(headers).toMatchObject({
    'x-request-id': 'from-the-caller',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  });
  expect(headers['content-security-policy']).toContain("script-src 'self';");
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(headers['x-powered-by']).toBeUndefined();
  const odd = await api.get('/api/v1/me', { headers: { 'x-request-id': 'a b\u0001' } });
  expect(odd.headers['x-request-id']).toMatch(/^[0-9A-Z]{26}$/);
});

test('large answers are compressed for those who take it', async () => {
  const api = await openApi();
  const small = await api.get('/api/v1/openapi.json', { headers: { 'accept-encoding': 'gzip' } });
  const plain = await api.get('/api/v1/openapi.json');
  expect(small.headers['content-encoding']).toBe('gzip');
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(small.raw.length * 5).toBeLessThan(plain.raw.length);
});

test('alive, ready, metrics; and an unfit Redis is not ready', async () => {
  const api = await openApi();
  expect((await api.get('/healthz')).body).toEqual({ ok: true });
  expect(await api.get('/readyz')).toMatchObject({ status: 200, body: { ready: true } });
  const metrics = await api.get('/metrics');
  expect(metrics.text).toContain('skein_runs{status="queued"} 0');
  expect(metrics.text).toContain('skein_clock_skew_seconds');
  api.engine.redis.info = (() => Promise.resolve('maxmemory_policy:allkeys-lru\naof_enabled:0\n')) as never;
  const unfit = await api.get('/readyz');
  expect(unfit.status).toBe(503);
  expect(unfit.text).toContain('maxmemory-policy is allkeys-lru');
  const secured = await openApi(undefined, { env: { SKEIN_AUTH_MODE: 'token' } });
  const outside = { remoteAddress: '192.0.2.7' };
  expect((await secured.get('/metrics', outside)).status).toBe(401);
  const { token } = await secured.token('viewer');
  expect((await secured.get('/metrics', { ...outside, headers: { authorization: `Bearer ${token}` } })).status).toBe(
    200,
  );
  expect((await secured.get('/metrics', { remoteAddress: '127.0.0.1' })).status).toBe(200);
});

test('what is not there is said so; pages are the status page until the dashboard is built', async () => {
  const api = await openApi();
  expect(await api.get('/api/v1/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  expect((await api.post('/runs', {})).status).toBe(404);
  expect((await api.get('/api/v1/runs/%zz')).status).toBe(400);
  for (const [url, type] of [
    ['/', 'text/html'],
    ['/runs', 'text/html'],
    ['/status.js', 'text/javascript'],
    ['/status.css', 'text/css'],
    ['/api/v1/docs', 'text/html'],
    ['/api/v1/docs/page.js', 'text/javascript'],
    ['/api/v1/docs/page.css', 'text/css'],
  ] as const) {
    const answer = await api.get(url);
    expect([url, answer.status, String(answer.headers['content-type']).startsWith(type)]).toEqual([url, 200, true]);
  }
});
