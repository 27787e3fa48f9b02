/** Who may do what: every operation of the OpenAPI document against every kind of caller. */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { ACCESS, PERMISSIONS } from '../../src/api/access/permissions.ts';
import { type Role, isAtLeast } from '../../src/api/access/principal.ts';
import { type ApiHarness, closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const TOKEN_MODE = { env: { SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: 'root-of-the-test-0123456789' } };
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

interface Operation {
  readonly method: string;
  readonly url: string;
  readonly needed: Role | 'public' | 'signed_in';
}

/** Out of the committed document, with ids that do not exist: what is asked is who gets past the door. */
function operations(): Operation[] {
  const file = path.join(__dirname, '../../src/api/openapi.json');
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as { paths: Record<string, Record<string, unknown>> };
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.keys(methods).map((method): Operation => {
      const route = template.replaceAll(/\{(\w+)\}/g, ':$1');
      const need = ACCESS[`${method.toUpperCase()} ${route}`];
      if (need === undefined) throw new RangeError(`${method} ${route} is in no table`);
      return {
        method: method.toUpperCase(),
        url: template.replaceAll(/\{\w+\}/g, 'nope'),
        needed: need === 'public' || need === 'signed_in' ? need : PERMISSIONS[need],
      };
    }),
  );
}

/** Past the door, whatever comes after it: an unknown id, an empty body, an answer. */
async function isLetIn(api: ApiHarness, { method, url }: Operation, token: string | undefined): Promise<number> {
  const headers = token === undefined ? {} : bearer(token).headers;
  // The stream never ends, so it is asked with a query that is refused after the door.
  const asked = url.endsWith('/events') && !url.includes('/runs/') ? `${url}?nope=1` : url;
  const body = method === 'GET' || method === 'DELETE' ? {} : { payload: {} };
  const reply = await api.app.inject({
    method: method as 'GET',
    url: asked,
    headers: { host: 'skein.example', ...headers },
    ...body,
  });
  return reply.statusCode;
}

test('every operation lets in exactly those whom the table names', async () => {
  const api = await openApi(undefined, TOKEN_MODE);
  const tokens = {
    viewer: (await api.token('viewer')).token,
    operator: (await api.token('operator')).token,
    admin: (await api.token('admin')).token,
  };
  const expired = (await api.token('admin', new Date(Date.now() - 1_000))).token;
  const revoked = await api.token('admin');
  await api.send('DELETE', `/api/v1/tokens/${revoked.id}`, undefined, bearer(tokens.admin));

  const wrong: string[] = [];
  const all = operations();
  expect(all.length).toBeGreaterThan(50);
  for (const operation of all) {
    const { needed } = operation;
    for (const [who, token] of [
      ['anonymous', undefined],
      ['expired', expired],
      ['revoked', revoked.token],
      ['made up', 'skein_made_up'],
    ] as const) {
      const status = await isLetIn(api, operation, token);
      const expected = needed === 'public' ? 'in' : 'out';
      // Signing in with nothing valid is 400 or 401 behind the door.
      if ((status === 401 && operation.url !== '/api/v1/session' ? 'out' : 'in') !== expected)
        wrong.push(`${who}: ${operation.method} ${operation.url} gave ${status}`);
    }
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const status = await isLetIn(api, operation, tokens[role]);
      const allowed = needed === 'public' || needed === 'signed_in' || isAtLeast(role, needed);
      if ((status !== 403 && status !== 401) !== allowed)
        wrong.push(`${role}: ${operation.method} ${operation.url} gave ${status}`);
      if (status >= 500) wrong.push(`${role}: ${operation.method} ${operation.url} failed with ${status}`);
    }
  }
  expect(wrong).toEqual([]);
});

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
  const gone = await api.send('DELETE', `/api/v1/tokens/${String(made.body.id)}`, undefined, root);
  expect(gone.body).toEqual({ ok: true });
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
