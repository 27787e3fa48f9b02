/** The OpenAPI document, and a small page to try it. */

import { readFileSync } from 'node:fs';

import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';

const page = (name: string) => readFileSync(new URL(`../pages/${name}`, import.meta.url), 'utf8');

export const docsRoutes: Routes = (app) => {
  let document: string | undefined;
  app.get(`${API_PREFIX}/openapi.json`, { schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type('application/json').send(document);
  });
  app.get(`${API_PREFIX}/docs`, { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(page('docs.html')),
  );
  app.get(`${API_PREFIX}/docs/page.js`, { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(page('docs.js')),
  );
  app.get(`${API_PREFIX}/docs/page.css`, { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/css; charset=utf-8').send(page('docs.css')),
  );
};
