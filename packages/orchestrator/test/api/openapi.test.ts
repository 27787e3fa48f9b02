/** The committed OpenAPI document is the one that the routes make. `SKEIN_UPDATE_OPENAPI=1` writes it anew (then format it). */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { buildApp } from '../../src/api/app.ts';
import { ACCESS } from '../../src/api/access/permissions.ts';
import { defineDeployment } from '../../src/index.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { SILENT } from '../engine/harness.ts';

const FILE = path.join(__dirname, '../../src/api/openapi.json');

const TAKE_NO_KEY = [
  ...['checkLaunch', 'createToken', 'planBackfill', 'previewSensor'],
  ...['querySql', 'readPartitionTile', 'readPartitionValues', 'signIn'],
];

/** Making the document asks nothing of the engine but its definitions. */
const ENGINE = {
  deployment: defineDeployment({ definitions: { jobs: [] } }),
  env: {},
  keys: {},
  redis: { defineCommand() {} },
} as unknown as Engine;

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

async function documentOfRoutes(): Promise<{ document: Document; routes: string[] }> {
  const app = await buildApp(ENGINE, { log: SILENT });
  await app.ready();
  const document = app.swagger() as unknown as Document;
  const routes = app.printRoutes({ commonPrefix: false });
  await app.close();
  return { document, routes: parseRoutes(routes) };
}

/** `METHOD /path` of every route, out of Fastify's own tree. */
function parseRoutes(tree: string): string[] {
  const found: string[] = [];
  const stack: string[] = [];
  for (const line of tree.split('\n')) {
    const match = /^((?:│ {3}| {4})*)(?:├──|└──) (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (!match) continue;
    const depth = (match[1] ?? '').length / 4;
    stack.length = depth;
    stack.push(match[2] ?? '');
    for (const method of (match[3] ?? '').split(', ')) {
      if (method !== '' && method !== 'HEAD') found.push(`${method} ${stack.join('')}`);
    }
  }
  return found;
}

test('the committed OpenAPI document is the one that the routes make', async () => {
  const { document } = await documentOfRoutes();
  // Through JSON, as it is served.
  const served = JSON.parse(JSON.stringify(document)) as unknown;
  if (process.env.SKEIN_UPDATE_OPENAPI === '1') writeFileSync(FILE, `${JSON.stringify(served, undefined, 2)}\n`);
  expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(served);
});

test('every operation has an id, a summary, a success and its problems', async () => {
  const { document } = await documentOfRoutes();
  expect(document.openapi).toBe('3.1.0');
  const ids = new Set<string>();
  for (const [url, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method} ${url}`;
      expect([name, typeof operation.operationId, typeof operation.summary]).toEqual([name, 'string', 'string']);
      expect(ids.has(operation.operationId ?? '')).toBe(false);
      ids.add(operation.operationId ?? '');
      expect(Object.keys(operation.responses).some((code) => code.startsWith('2'))).toBe(true);
      expect(operation.responses['4XX']?.content).toHaveProperty(['application/problem+json']);
      expect(operation.responses['5XX']?.content).toHaveProperty(['application/problem+json']);
    }
  }
  expect(ids.size).toBeGreaterThan(50);
});

test('what a POST changes may be asked for twice with one key; what only asks, or answers with a secret, takes none', async () => {
  const { document } = await documentOfRoutes();
  const posts = Object.values(document.paths).flatMap(({ post }) => (post ? [post] : []));
  const takesNone = posts.filter(({ parameters = [] }) => !parameters.some(({ name }) => name === 'idempotency-key'));
  expect(takesNone.map(({ operationId }) => operationId).sort()).toEqual(TAKE_NO_KEY);
});

test('every route stands in the authorization table, and the table names no route that is not there', async () => {
  const { routes } = await documentOfRoutes();
  expect(routes.length).toBeGreaterThan(50);
  expect([...routes].sort()).toEqual(Object.keys(ACCESS).sort());
});
