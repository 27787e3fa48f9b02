/** Every operation of the document with odd values in every place: an answer that the document knows, never a fault. */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import fc from 'fast-check';

import { buildApp } from '../../src/api/app.ts';
import type { App } from '../../src/api/context.ts';
import { SILENT } from '../engine/harness.ts';
import { type ApiHarness, closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const ODD = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  'null',
  'live',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '..%2f',
  '%00',
  'a:b',
  '*',
  '{}',
  "'; DROP TABLE x; --",
  '\u0000',
  '\u202e',
  '\ud800',
  'é',
  '1_2024-02-30',
  '1..9007199254740991',
  '1..9007199254740991_2024-01-01',
  'x'.repeat(2_000),
];

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly $ref?: string;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const document = JSON.parse(readFileSync(path.join(__dirname, '../../src/api/openapi.json'), 'utf8')) as Document;
const operations = Object.entries(document.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ url, method: method.toUpperCase(), operation })),
);

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  key: ['events', 'chunks'],
  name: ['feed', 'nightly', 'events_job', 'narrow'],
};

const valueFor = (name: string) =>
  fc.oneof(fc.constantFrom(...ODD, ...(KNOWN[name] ?? [])), fc.string({ maxLength: 30 }));

function bodyFor(schema: Schema | undefined): fc.Arbitrary<unknown> {
  const at = schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] : schema;
  const fields = Object.keys(at?.properties ?? {});
  const odd = fc.oneof(
    fc.constantFrom<unknown>(...ODD, null, true, -1, 0, 1e308, 2 ** 53, [], {}, [[]], ['x'], [null]),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.dictionary(fc.constantFrom(...fields, 'colour'), odd, { maxKeys: 6 }) },
    { weight: 1, arbitrary: odd },
  );
}

function requestFor({ url, method, operation }: (typeof operations)[number]) {
  const places = operation.parameters ?? [];
  const query = places.filter((one) => one.in === 'query').map((one) => one.name);
  const inPath = places.filter((one) => one.in === 'path').map((one) => one.name);
  return fc.record({
    operation: fc.constant({ url, method, id: operation.operationId }),
    path: fc
      .tuple(...inPath.map((name) => valueFor(name)))
      .map((values) => inPath.map((name, i) => [name, values[i] ?? ''] as const)),
    query: fc.dictionary(fc.constantFrom(...query, 'colour'), valueFor('q'), { maxKeys: 3 }),
    body: bodyFor(operation.requestBody?.content['application/json']?.schema),
  });
}

async function answerTo(
  api: ApiHarness,
  request: {
    operation: { url: string; method: string };
    path: (readonly [string, string])[];
    query: Record<string, string>;
    body: unknown;
  },
): Promise<{ status: number; type: string; text: string }> {
  const encode = (value: string) => encodeURIComponent(value.toWellFormed());
  const url = request.path.reduce((at, [name, value]) => at.replace(`{${name}}`, encode(value)), request.operation.url);
  const query = Object.entries(request.query).map(([name, value]) => `${name}=${encode(value)}`);
  const hasBody = !['GET', 'DELETE'].includes(request.operation.method);
  const reply = await api.app.inject({
    method: request.operation.method as 'GET',
    url: query.length > 0 ? `${url}?${query.join('&')}` : url,
    headers: { host: 'localhost', ...(hasBody ? { 'content-type': 'application/json' } : {}) },
    ...(hasBody ? { payload: JSON.stringify(request.body) } : {}),
  });
  return { status: reply.statusCode, type: String(reply.headers['content-type'] ?? ''), text: reply.body };
}

test('no operation fails at odd values, and every refusal is a problem with a code', async () => {
  const api = await openApi();
  const asked = operations.filter((one) => one.operation.operationId !== 'streamEvents');
  const counts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.oneof(...asked.map((one) => requestFor(one))), async (request) => {
      const answer = await answerTo(api, request);
      counts.set(request.operation.id, (counts.get(request.operation.id) ?? 0) + 1);
      if (answer.status >= 500) throw new RangeError(`${answer.status}: ${answer.text}`);
      if (answer.status >= 400) {
        expect(answer.type).toContain('application/problem+json');
        expect(JSON.parse(answer.text)).toMatchObject({
          code: expect.stringMatching(/^[A-Z_]+$/),
          status: answer.status,
        });
      }
    }),
    { numRuns: Number(process.env.SKEIN_FUZZ_RUNS ?? 600) },
  );
  expect(counts.size).toBeGreaterThan(asked.length * 0.9);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('ranges that would not fit into memory are refused before anything is made of them', async () => {
  const api = await openApi();
  for (const [url, body] of [
    ['/api/v1/launch', { job: 'events_job', partitions: ['1..900000000_2024-01-01'] }],
    [
      '/api/v1/launch',
      { job: 'events_job', partitions: Array.from({ length: 100 }, () => '1..1000_2024-01-01..2024-03-01') },
    ],
    [
      '/api/v1/assets/events/partitions/mark',
      { as: 'skipped', partitions: ['1..9007199254740991_2024-01-01'], reason: 'x' },
    ],
    ['/api/v1/backfills/plan', { job: 'events_job', ids: ['1..9007199254740991'] }],
  ] as const) {
    const answer = await api.post(url, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'PARTITION_KEY_INVALID']);
  }
});

test('while Redis is away the answer is 503, not a fault', async () => {
  const api = await openApi();
  for (const message of [
    'Connection is closed.',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'LOADING Redis is loading',
  ]) {
    const { hgetall } = api.engine.redis;
    api.engine.redis.hgetall = () => Promise.reject(new RangeError(message));
    const answer = await api.get('/api/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV');
    api.engine.redis.hgetall = hgetall;
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'SERVICE_UNAVAILABLE' },
      headers: { 'retry-after': '2' },
    });
  }
});

test('guessing tokens is slowed down', async () => {
  const api = await openApi(undefined, { env: { SKEIN_AUTH_MODE: 'token' } });
  const statuses = [];
  for (let i = 0; i < 25; i++) statuses.push((await api.post('/api/v1/session', { token: `skein_${i}` })).status);
  expect(statuses.slice(0, 20).every((status) => status === 401)).toBe(true);
  const last = await api.post('/api/v1/session', { token: 'skein_x' });
  expect(last).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
  expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
});

test('requests of one address are counted over all servers, also those that nobody lets in', async () => {
  const env = { SKEIN_AUTH_MODE: 'token', SKEIN_REQUESTS_PER_MINUTE: '5' };
  const api = await openApi(undefined, { env });
  const second = await buildApp(await api.another(), { log: SILENT });
  try {
    const ask = async (app: App, url = '/api/v1/me') =>
      (await app.inject({ method: 'GET', url, headers: { authorization: 'Bearer skein_guess' } })).statusCode;
    const statuses = [];
    for (const app of [api.app, second, api.app, second, api.app]) statuses.push(await ask(app));
    expect(statuses).toEqual([401, 401, 401, 401, 401]);
    expect([await ask(second), await ask(api.app)]).toEqual([429, 429]);
    expect(await ask(api.app, '/healthz')).toBe(200);
  } finally {
    await second.close();
  }
});
