/**
 * What a request may bring along beside what is asked for: nothing. Every object of every body is closed but for the
 * few that are somebody's own document; keys that would reach a prototype are refused; headers give nothing away.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import fc from 'fast-check';

import { closeApis, openApi } from '../api/harness.ts';

afterEach(closeApis);

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
const document = JSON.parse(readFileSync(path.join(__dirname, '../../src/api/openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
const operations = Object.entries(document.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ url, method: method.toUpperCase(), operation })),
);

/** Documents of the caller's own: configs, cursors, tags; held against the schemas of jobs and sensors, not of the API. */
const OPEN = /\.(config|cursor|tags)$/;

function* openObjects(schema: Schema | undefined, at: string, depth = 0): Generator<string> {
  if (schema === undefined || depth > 12) return;
  if (schema.$ref !== undefined) {
    yield* openObjects(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''], at, depth + 1);
    return;
  }
  for (const one of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])])
    yield* openObjects(one, at, depth + 1);
  if (schema.items) yield* openObjects(schema.items, `${at}[]`, depth + 1);
  if (schema.type !== 'object' && schema.properties === undefined) return;
  if (schema.additionalProperties !== false) yield at;
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    yield* openObjects(inner, `${at}.${name}`, depth + 1);
}

test('no body takes a field that it does not name', () => {
  const bodies = operations.flatMap(({ operation }) =>
    Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => [operation.operationId, schema] as const),
  );
  expect(bodies.length).toBeGreaterThan(20);
  const open = bodies.flatMap(([id, schema]) => [...openObjects(schema, id)]);
  expect(open.filter((at) => !OPEN.test(at))).toEqual([]);
});

const PATHS: Readonly<Record<string, string>> = { key: 'events', id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', preset: 'mine' };
const ABOUT_OTHERS = [
  'createdBy',
  'created_by',
  'by',
  'actor',
  'role',
  'id',
  'status',
  'version',
  'epoch',
  'is_admin',
  'jobs',
];

test('fields of the author, the role or the state are refused wherever they are added', async () => {
  const api = await openApi();
  for (const { url, method, operation } of operations) {
    if (operation.requestBody === undefined) continue;
    const schema = Object.values(operation.requestBody.content)[0]?.schema;
    const named = Object.keys(
      (schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] : schema)?.properties ?? {},
    );
    for (const field of ABOUT_OTHERS.filter((one) => !named.includes(one))) {
      const at = url.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        name === 'id' && url.includes('audit') ? '1-1' : (PATHS[name] ?? 'feed'),
      );
      const { status, text } =
        method === 'POST'
          ? await api.post(at, { [field]: 'admin' })
          : await api.send(method as 'PUT', at, { [field]: 'admin' });
      expect([operation.operationId, field, status, text.includes(field)]).toEqual([
        operation.operationId,
        field,
        400,
        true,
      ]);
    }
  }
});

test('no prototype is reached by configs, tags, cursors or query strings', async () => {
  const api = await openApi();
  const poison = fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    '__defineGetter__',
    'toString',
    'hasOwnProperty',
  );
  const tree = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(1, 'x', null, true),
      fc.array(fc.tuple(fc.oneof(poison, fc.constantFrom('note', 'dry_run')), tie('node')), { maxLength: 3 }).map(
        // As text, because an object literal would set the prototype instead of a field.
        (entries) => ({
          raw: `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join(',')}}`,
        }),
      ),
    ),
  })).node;
  const before = Object.getOwnPropertyNames(Object.prototype).sort();
  await fc.assert(
    fc.asyncProperty(tree, tree, poison, async (config, tags, name) => {
      const payload = `{"job":"events_job","partitions":["1_2024-01-15"],"config":${textOf(config)},"tags":${textOf(tags)}}`;
      for (const request of [
        { method: 'POST' as const, url: '/api/v1/launch/check', payload },
        {
          method: 'PUT' as const,
          url: '/api/v1/sensors/feed/cursor',
          payload: `{"cursor":${textOf(config)},"reason":"x"}`,
        },
        { method: 'GET' as const, url: `/api/v1/runs?${name}=1&${name}[polluted]=1&tag=${name}%3Dx` },
      ]) {
        const reply = await api.app.inject({
          ...request,
          headers: {
            host: 'localhost',
            'if-match': '*',
            ...('payload' in request ? { 'content-type': 'application/json' } : {}),
          },
        });
        expect(reply.statusCode).toBeLessThan(500);
      }
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    }),
    { numRuns: Math.min(10_000, Number(process.env.SKEIN_FUZZ_RUNS ?? 150)) },
  );
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
  expect(Object.keys(Object.prototype)).toEqual([]);
}, 86_400_000);

function textOf(value: unknown): string {
  const raw = (value as { raw?: string } | null)?.raw;
  return raw ?? JSON.stringify(value);
}

test('every answer carries the headers of its kind, and none says what made it', async () => {
  const api = await openApi();
  for (const url of [
    '/api/v1/me',
    '/api/v1/nothing',
    '/api/v1/runs?limit=0',
    '/',
    '/healthz',
    '/readyz',
    '/metrics',
    '/api/v1/docs',
  ]) {
    const { headers } = await api.get(url);
    expect([url, headers]).toEqual([
      url,
      expect.objectContaining({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      }),
    ]);
    for (const name of ['server', 'x-powered-by', 'via']) expect([url, headers[name]]).toEqual([url, undefined]);
    if (url.startsWith('/api/')) expect([url, headers['cache-control']]).toEqual([url, 'no-store']);
    expect(JSON.stringify(headers)).not.toMatch(/fastify|node\.js|express/i);
  }
});
