/** Tokens, sessions, origins: how one comes in. Who may do what is in matrix.test.ts. */

import { PERMISSIONS } from '../../src/api/access/permissions.ts';
import { type ApiHarness, closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const TOKEN_MODE = { env: { SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: 'root-of-the-test-0123456789' } };
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test('a token is shown once, kept as a hash, listed without its text and revoked at once', async () => {
  const api = await openApi(undefined, TOKEN_MODE);
  const root = bearer(TOKEN_MODE.env.SKEIN_AUTH_ADMIN_TOKEN);
  const made = await api.post('/api/v1/tokens', { name: 'ci', role: 'viewer' }, root);
  expect(made.status).toBe(201);
  const token = String(made.body.token);
  expect(token).toMatch(/^skein_[\w-]{43}$/);
  expect((await api.get('/api/v1/me', bearer(token))).body).toMatchObject({ name: 'ci', role: 'viewer', via: 'token' });
  const listed = await api.get('/api/v1/tokens', root);
  expect(listed.body.items).toEqual([expect.objectContaining({ name: 'ci', last_used_at: expect.any(String) })]);
  expect(listed.text).not.toContain(token);
  const dump = await everythingInRedis(api);
  expect(dump).not.toContain(token.slice('skein_'.length));
  const gone = await api.send('DELETE', `/api/v1/tokens/${String(made.body.id)}?reason=it+leaked`, undefined, root);
  expect(gone.body).toEqual({ ok: true });
  expect((await api.get('/api/v1/audit?limit=1', root)).body.items).toMatchObject([{ reason: 'it leaked' }]);
  expect((await api.get('/api/v1/me', bearer(token))).status).toBe(401);
  expect((await api.send('DELETE', '/api/v1/tokens/nope', undefined, root)).status).toBe(404);
  for (const [body, field] of [
    [{ name: '', role: 'viewer' }, 'name'],
    [{ name: 'x', role: 'king' }, 'role'],
    [{ name: 'x', role: 'viewer', expires_at: 'soon' }, 'expires_at'],
    [{ name: 'x', role: 'viewer', is_root: true }, 'is_root'],
  ] as const) {
    const refused = await api.post('/api/v1/tokens', body, root);
    expect([refused.status, refused.text.includes(field)]).toEqual([400, true]);
  }
});

test('a browser session: cookie, same site only, ended by sign-out and with its token', async () => {
  const api = await openApi(undefined, TOKEN_MODE);
  const { token, id } = await api.token('operator');
  expect((await api.post('/api/v1/session', { token: 'skein_wrong' })).status).toBe(401);
  const signed = await api.post('/api/v1/session', { token });
  expect(signed.body).toMatchObject({ role: 'operator', via: 'session' });
  const cookie = String(signed.headers['set-cookie']);
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
  const session = { cookie: cookie.split(';')[0] ?? '' };
  expect((await api.get('/api/v1/me', { headers: session })).body).toMatchObject({ via: 'session', role: 'operator' });

  const stop = (headers: Record<string, string>) =>
    api.post('/api/v1/sensors/feed/stop', {}, { headers: { ...session, ...headers } });
  expect((await stop({})).status).toBe(200);
  expect((await stop({ origin: 'http://localhost' })).status).toBe(200);
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])
    expect([headers, (await stop(headers)).status]).toEqual([headers, 403]);
  // A script with a token is no browser: its origin does not matter.
  const script = { authorization: `Bearer ${token}`, origin: 'https://elsewhere.example' };
  expect((await api.post('/api/v1/sensors/feed/stop', {}, { headers: script })).status).toBe(200);

  const second = String((await api.post('/api/v1/session', { token })).headers['set-cookie']).split(';')[0] ?? '';
  await api.send('DELETE', '/api/v1/session', undefined, { headers: session });
  expect((await api.get('/api/v1/me', { headers: session })).status).toBe(401);
  expect((await api.get('/api/v1/me', { headers: { cookie: second } })).status).toBe(200);
  await api.send('DELETE', `/api/v1/tokens/${id}`, undefined, bearer(TOKEN_MODE.env.SKEIN_AUTH_ADMIN_TOKEN));
  expect((await api.get('/api/v1/me', { headers: { cookie: second } })).status).toBe(401);
});

test('without sign-in only loopback names are answered, and other sites cannot write', async () => {
  const api = await openApi();
  const me = (host: string) => api.get('/api/v1/me', { headers: { host } });
  for (const host of ['localhost', 'localhost:3070', '127.0.0.1:3070', '[::1]:3070', 'skein.localhost'])
    expect([host, (await me(host)).status]).toEqual([host, 200]);
  for (const host of ['evil.example', '127.0.0.1.evil.example', '10.0.0.1', 'localhost.evil.example'])
    expect([host, (await me(host)).status]).toEqual([host, 403]);
  const write = await api.post('/api/v1/sensors/feed/stop', {}, { headers: { origin: 'https://evil.example' } });
  expect(write.body).toMatchObject({ code: 'FORBIDDEN', status: 403 });
  const text = await api.app.inject({
    method: 'POST',
    url: '/api/v1/launch',
    headers: { host: 'localhost', 'content-type': 'text/plain' },
    payload: '{"job":"events_job"}',
  });
  expect(text.statusCode).toBe(415);
});

test('what a role may do is told with the reason', async () => {
  const api = await openApi(undefined, TOKEN_MODE);
  const { token } = await api.token('viewer');
  const { permissions } = (await api.get('/api/v1/me', bearer(token))).body;
  expect(permissions).toMatchObject({
    read: { allowed: true },
    launch_run: { allowed: false, reason: 'This needs the role operator; yours is viewer.' },
    manage_tokens: { allowed: false },
  });
  expect(Object.keys(permissions ?? {}).sort()).toEqual(Object.keys(PERMISSIONS).sort());
});

async function everythingInRedis(api: ApiHarness): Promise<string> {
  const { redis, keys } = api.engine;
  const names = await redis.keys(`${keys.prefix}:*`);
  const dumps = await Promise.all(names.map((name) => redis.dumpBuffer(name)));
  return names.join('\n') + Buffer.concat(dumps.filter((one) => one !== null)).toString('latin1');
}
