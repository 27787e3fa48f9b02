/** Sign-in by a provider: a real one that is honest, and one that lies in every way that a provider can. */

import { spawn } from 'node:child_process';
import { type KeyObject, createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { nameOf, readOidcSettings, roleOf } from '../../src/api/access/oidc-settings.ts';
import { type Answer, type ApiHarness, closeApis, openApi } from './harness.ts';

const PUBLIC = 'http://localhost:3070';
const BEGIN = '/api/v1/session/oidc';
const SECRET = 'the-secret-of-this-test';

afterEach(closeApis);

const envOf = (issuer: string) => ({
  SKEIN_AUTH_MODE: 'token',
  SKEIN_AUTH_ADMIN_TOKEN: 'an-administrator-for-this-test',
  SKEIN_AUTH_PUBLIC_URL: PUBLIC,
  SKEIN_AUTH_OIDC_ISSUER: issuer,
  SKEIN_AUTH_OIDC_CLIENT_ID: 'skein',
  SKEIN_AUTH_OIDC_CLIENT_SECRET: SECRET,
  SKEIN_AUTH_OIDC_ADMIN: 'skein-admins',
  SKEIN_AUTH_OIDC_OPERATOR: 'skein-operators, other-operators',
});

function cookieOf(answer: Answer, name: string): string {
  const all = [answer.headers['set-cookie']].flat().map(String);
  return all.find((text) => text.startsWith(`${name}=`)) ?? '';
}
const pair = (cookie: string) => cookie.split(';')[0] ?? '';

async function begin(api: ApiHarness, query = ''): Promise<{ readonly url: URL; readonly cookie: string }> {
  const answer = await api.get(`${BEGIN}${query}`);
  expect(answer.status).toBe(303);
  return { url: new URL(String(answer.headers.location)), cookie: cookieOf(answer, 'skein_sign_in') };
}

const comeBack = (api: ApiHarness, query: string, cookie: string, accept = '*/*') =>
  api.get(`${BEGIN}/callback${query}`, { headers: { cookie: pair(cookie), accept } });

const me = (api: ApiHarness, session: string) => api.get('/api/v1/me', { headers: { cookie: pair(session) } });

describe('an honest provider', () => {
  let issuer = '';
  let stop = () => {};
  beforeAll(async () => {
    const script = path.join(__dirname, 'oidc-provider.mjs');
    const child = spawn(process.execPath, [script, `${PUBLIC}${BEGIN}/callback`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    stop = () => child.kill('SIGKILL');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    issuer = line.toString().trim();
  });
  afterAll(() => stop());

  /** As a browser: follows the provider's pages with its cookies until it is sent back to us; gives the query. */
  async function signInThere(url: URL, person: string): Promise<string> {
    const jar = new Map<string, string>();
    url.searchParams.set('login_hint', person);
    for (let next = url; ;) {
      if (next.href.startsWith(PUBLIC)) return next.search;
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(next, { redirect: 'manual', headers: { cookie } });
      for (const text of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
        jar.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) throw new TypeError(`${response.status}: ${await response.text()}`);
      next = new URL(location, next);
    }
  }

  test('signs people in with the role of their groups; signing out ends the session at once', async () => {
    const api = await openApi(undefined, { env: envOf(issuer) });
    expect((await api.get('/api/v1/session/methods')).body).toEqual({
      token: true,
      oidc: { label: 'Sign in with single sign-on', url: BEGIN },
    });
    const { url, cookie } = await begin(api, '?return_to=/runs/1?tab=log');
    expect(url.origin).toBe(issuer);
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    const back = await comeBack(api, await signInThere(url, 'ana'), cookie);
    expect([back.status, back.headers.location]).toEqual([303, '/runs/1?tab=log']);
    const session = cookieOf(back, 'skein_session');
    expect(session).toMatch(/HttpOnly.*SameSite=Lax/);
    expect((await me(api, session)).body).toMatchObject({ name: 'ana@example.org', role: 'admin', via: 'session' });
    const audit = await api.get('/api/v1/audit', { headers: { cookie: pair(session) } });
    expect(audit.body.items?.[0]).toMatchObject({
      actor: 'api:ana@example.org',
      target: 'session:ana@example.org',
      after: { role: 'admin', by: 'oidc' },
    });
    await api.send('DELETE', '/api/v1/session', undefined, { headers: { cookie: pair(session) } });
    expect((await me(api, session)).status).toBe(401);
  });

  test('an operator is one; who has no role, says no, or comes back twice gets in nowhere', async () => {
    const api = await openApi(undefined, { env: envOf(issuer) });
    const operator = await begin(api);
    const query = await signInThere(operator.url, 'otto');
    const back = await comeBack(api, query, operator.cookie);
    expect(back.headers.location).toBe('/');
    expect((await me(api, cookieOf(back, 'skein_session'))).body).toMatchObject({ role: 'operator' });
    expect((await comeBack(api, query, operator.cookie)).status).toBe(401);

    const stranger = await begin(api);
    const refused = await comeBack(api, await signInThere(stranger.url, 'vera'), stranger.cookie);
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
    expect(cookieOf(refused, 'skein_session')).toBe('');

    const unwilling = await begin(api);
    const query2 = await signInThere(unwilling.url, 'nobody');
    expect(query2).toContain('access_denied');
    expect((await comeBack(api, query2, unwilling.cookie)).status).toBe(401);
    const again = await begin(api);
    const page = await comeBack(api, '?error=access_denied', again.cookie, 'text/html');
    expect([page.status, page.headers.location]).toEqual([303, '/?sign_in=unauthenticated']);
  });

  test('what comes back must be what was begun, in the browser that began it', async () => {
    const api = await openApi(undefined, { env: envOf(issuer) });
    const mine = await begin(api);
    const query = await signInThere(mine.url, 'ana');
    const other = await begin(api);
    // Without the cookie, with another browser's, with another state, without the code's proof.
    expect((await comeBack(api, query, '')).status).toBe(401);
    expect((await comeBack(api, query, other.cookie)).status).toBe(401);
    const changed = new URLSearchParams(query);
    changed.set('state', 'another');
    expect((await comeBack(api, `?${changed}`, mine.cookie)).status).toBe(401);
    // One try each: the right answer comes too late now.
    expect((await comeBack(api, query, mine.cookie)).status).toBe(401);
  });
});

/** Answers discovery, keys and tokens, with an ID token that each test bends. */
interface Liar {
  readonly issuer: string;
  forge: (honest: Claims, header: object, key: KeyObject) => string;
  readonly asked: string[];
}
type Claims = Record<string, unknown>;

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = (claims: object, header: object, key: KeyObject) => {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
};

describe('a provider that lies', () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const others = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let server: Server;
  let liar: Liar & { issuerSaid?: string };
  let nonce = '';
  let challenge = '';

  beforeEach(async () => {
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '', liar.issuer);
      liar.asked.push(pathname);
      const json = (value: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
      if (pathname.startsWith('/.well-known/')) {
        json({
          issuer: liar.issuerSaid ?? liar.issuer,
          authorization_endpoint: `${liar.issuer}/auth`,
          token_endpoint: `${liar.issuer}/token`,
          jwks_uri: `${liar.issuer}/jwks`,
          response_types_supported: ['code'],
          id_token_signing_alg_values_supported: ['RS256', 'none'],
        });
      } else if (pathname === '/jwks') {
        json({ keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }] });
      } else {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          const verifier = new URLSearchParams(body).get('code_verifier') ?? '';
          challenge = createHash('sha256').update(verifier).digest('base64url');
          const now = Math.floor(Date.now() / 1_000);
          const honest = {
            iss: liar.issuer,
            aud: 'skein',
            sub: 'ana',
            nonce,
            iat: now,
            exp: now + 300,
            groups: ['skein-admins'],
          };
          const idToken = liar.forge(honest, { alg: 'RS256', kid: '1' }, keys.privateKey);
          json({ access_token: 'x', token_type: 'Bearer', expires_in: 300, id_token: idToken });
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    liar = { issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, forge: signed, asked: [] };
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function signIn(): Promise<Answer> {
    const api = await openApi(undefined, { env: envOf(liar.issuer) });
    const { url, cookie } = await begin(api);
    nonce = url.searchParams.get('nonce') ?? '';
    const back = await comeBack(api, `?code=c&state=${url.searchParams.get('state')}`, cookie);
    expect(challenge).toBe(url.searchParams.get('code_challenge'));
    return back;
  }

  const now = () => Math.floor(Date.now() / 1_000);
  const bent = (change: (claims: Claims) => Claims): Liar['forge'] => {
    return (claims, header, key) => signed(change(claims), header, key);
  };

  test.each([
    ['an honest answer', signed],
    ['a clock that is 20 s behind', bent((c) => ({ ...c, iat: now() - 320, exp: now() - 20 }))],
    ['a clock that is 20 s ahead', bent((c) => ({ ...c, iat: now() + 20, nbf: now() + 20 }))],
    ['several audiences, we the authorized one', bent((c) => ({ ...c, aud: ['skein', 'b'], azp: 'skein' }))],
  ])('%s is taken', async (_what, forge) => {
    liar.forge = forge;
    expect((await signIn()).status).toBe(303);
  });

  test.each([
    ['another issuer', bent((c) => ({ ...c, iss: 'https://elsewhere.example.org' }))],
    ['another audience', bent((c) => ({ ...c, aud: 'another-client' }))],
    ['several audiences, another the authorized one', bent((c) => ({ ...c, aud: ['skein', 'b'], azp: 'b' }))],
    ['no audience', bent(({ aud: _aud, ...c }) => c)],
    ['a token that is over', bent((c) => ({ ...c, iat: now() - 900, exp: now() - 600 }))],
    ['a token of tomorrow', bent((c) => ({ ...c, nbf: now() + 3_600 }))],
    ['no end', bent(({ exp: _exp, ...c }) => c)],
    ['another nonce', bent((c) => ({ ...c, nonce: 'another' }))],
    ['no nonce', bent(({ nonce: _nonce, ...c }) => c)],
    ['no subject', bent(({ sub: _sub, ...c }) => c)],
    ['alg none', (claims: Claims) => `${part({ alg: 'none' })}.${part(claims)}.`],
    ['alg none under a signature', (c: Claims, _h: object, key: KeyObject) => signed(c, { alg: 'none' }, key)],
    ['a signature by another key', (c: Claims, header: object) => signed(c, header, others.privateKey)],
    [
      'claims changed after they were signed',
      (claims: Claims, header: object, key: KeyObject) => {
        const [head, , signature] = signed({ ...claims, groups: [] }, header, key).split('.');
        return `${head}.${part(claims)}.${signature}`;
      },
    ],
    ['what is no token', () => 'nonsense'],
  ] satisfies [string, Liar['forge']][])('%s: 401 without a word on why, and no session', async (_what, forge) => {
    liar.forge = forge;
    const back = await signIn();
    expect([back.status, back.body.detail]).toEqual([401, 'The sign-in did not succeed; begin again.']);
    expect(cookieOf(back, 'skein_session')).toBe('');
  });

  test('one that says that it is another, or is away, is 503; later it is asked anew', async () => {
    const api = await openApi(undefined, { env: envOf(liar.issuer) });
    liar.issuerSaid = 'https://elsewhere.example.org';
    expect((await api.get(BEGIN)).status).toBe(503);
    liar.issuerSaid = liar.issuer;
    await begin(api);
  });

  test.each(['//evil.example.org', 'https://evil.example.org', '/\\evil.example.org', '/a\nb'])(
    'it is never returned to another site: %j',
    async (target) => {
      const api = await openApi(undefined, { env: envOf(liar.issuer) });
      expect((await api.get(`${BEGIN}?return_to=${encodeURIComponent(target)}`)).status).toBe(400);
    },
  );
});

test('without a provider there is no way to one, and guessing at one is counted', async () => {
  const api = await openApi(undefined, { env: { SKEIN_AUTH_MODE: 'token' } });
  expect((await api.get('/api/v1/session/methods')).body).toEqual({ token: true, oidc: null });
  expect((await api.get(BEGIN)).status).toBe(404);
  expect((await api.get(`${BEGIN}/callback?code=x`)).status).toBe(404);
});

test('settings that are wrong are told together, by name, without the secret', () => {
  const issuer = 'https://login.example.org';
  expect(readOidcSettings({})).toBeUndefined();
  expect(readOidcSettings(envOf(issuer))).toMatchObject({ roleClaim: 'groups', scopes: 'openid profile email' });
  const wrong = (changes: Record<string, string | undefined>) => () =>
    readOidcSettings({ ...envOf(issuer), ...changes });
  expect(wrong({ SKEIN_AUTH_MODE: 'none', SKEIN_AUTH_PUBLIC_URL: 'nope' })).toThrow(
    /SKEIN_AUTH_MODE.*SKEIN_AUTH_PUBLIC_URL/,
  );
  expect(wrong({ SKEIN_AUTH_OIDC_ISSUER: 'http://login.example.org' })).toThrow(
    /OIDC_ISSUER: must be the issuer: https/,
  );
  expect(wrong({ SKEIN_AUTH_OIDC_CLIENT_SECRET: undefined })).toThrow(/CLIENT_SECRET/);
  expect(wrong({ SKEIN_AUTH_OIDC_ADMIN: '', SKEIN_AUTH_OIDC_OPERATOR: '' })).toThrow(/nobody could sign in/);
});

test('roles and names come from claims, the greatest role counts, and nothing is inherited', () => {
  const settings = {
    roleClaim: 'realm_access.roles',
    roleValues: { admin: ['boss'], operator: ['ops'], viewer: ['*'] },
  };
  expect(roleOf(settings, { realm_access: { roles: ['ops', 'boss'] } })).toBe('admin');
  expect(roleOf(settings, { 'realm_access.roles': 'ops' })).toBe('operator');
  expect(roleOf(settings, {})).toBe('viewer');
  const strict = { roleClaim: 'constructor.name', roleValues: { admin: ['Object'], operator: [], viewer: [] } };
  expect(roleOf(strict, {})).toBeUndefined();
  expect(nameOf({ email: 'a@b', email_verified: false, preferred_username: 'ana', sub: '1' })).toBe('ana');
  expect(nameOf({ sub: '1' })).toBe('1');
});
