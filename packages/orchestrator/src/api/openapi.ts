/** The OpenAPI 3.1 document, made from the zod schemas that validate. */

import fastifySwagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { RouteOptions } from 'fastify';
import { z } from 'zod';

import type { App } from './context.ts';
import { ACCESS, PERMISSIONS } from './access/permissions.ts';
import { isRemembered } from './idempotency.ts';
import { Problem } from './schema.ts';

export const API_PREFIX = '/api/v1';

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
});

/** Checked where the answer is recalled, for routes of job families too. */
const IdempotencyKey = {
  'idempotency-key': z
    .string()
    .optional()
    .describe(
      '1 to 200 printable characters without blanks. For a day the same request with the same key is done once, and ' +
        'answered again with `Idempotency-Replayed: true`; another request with it is refused with 409.',
    ),
};

/** Every route says which problems it may answer with, and whether it takes a key; one place, so none is forgotten. */
export function describeRoute(route: RouteOptions): void {
  if (!route.url.startsWith(API_PREFIX) || !route.schema || route.schema.hide) return;
  const need = ACCESS[`${String(route.method)} ${route.url}`];
  const role = need === undefined || need === 'public' || need === 'signed_in' ? undefined : PERMISSIONS[need];
  const headers = (route.schema.headers ?? z.object({})) as z.ZodObject;
  route.schema = {
    ...route.schema,
    ...(isRemembered(route) ? { headers: headers.extend(IdempotencyKey) } : {}),
    ...(role === undefined
      ? {}
      : { description: [route.schema.description, `Needs the role ${role} (${need}).`].filter(Boolean).join(' ') }),
    ...(need === 'public' ? { security: [] } : {}),
    response: {
      ...(route.schema.response as Record<string, unknown>),
      '4xx': problem('The request is refused; `code` says why.'),
      '5xx': problem('Skein or a service that it needs has a fault.'),
    },
  };
}

export async function registerOpenApi(app: App): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Skein',
        description: 'Runs, partitions, sensors and their cursors, backfills: what the dashboard and scripts speak to.',
        version: '1',
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'An API token, `skein_…`.' },
          session: { type: 'apiKey', in: 'cookie', name: 'skein_session' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  });
}

interface OpenApi {
  readonly paths?: object;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

/** Every named schema comes in an input and an output form; only those that something refers to stay. */
function withoutUnused<T extends object>(whole: T): T {
  const document: OpenApi = whole;
  const schemas = document.components?.schemas ?? {};
  const refs = (value: unknown) =>
    [...JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
  const used = new Set<string>();
  const queue = refs(document.paths ?? {});
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    queue.push(...refs(schemas[name] ?? {}));
  }
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...whole, components: { ...document.components, schemas: kept } };
}
