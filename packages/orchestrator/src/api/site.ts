/**
 * What is not the API: the built dashboard with its single-page fallback, or, until it is built, a live status page.
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { NotFoundError } from '../definitions/errors.ts';
import type { ApiContext, App } from './context.ts';

const DASHBOARD = new URL('../../../ui/dist/', import.meta.url);
const NOT_PAGES = /^\/(api\/|healthz|readyz|metrics)/;
/** Vite names these by their content, so they never change. */
const HASHED = /^\/assets\//;
const YEAR_SECONDS = 31_536_000;

const STATUS_PAGE: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['status.html', 'text/html; charset=utf-8'],
  '/status.js': ['status.js', 'text/javascript; charset=utf-8'],
  '/status.css': ['status.css', 'text/css; charset=utf-8'],
};

export async function serveSite(app: App, _context: ApiContext, uiRoot?: string): Promise<void> {
  const root = uiRoot ?? fileURLToPath(DASHBOARD);
  // The build leaves each file beside itself as brotli and gzip make it.
  await app.register(fastifyStatic, { root, serve: false, preCompressed: true });
  app.setNotFoundHandler((request, reply) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && !NOT_PAGES.test(pathname);
    if (!isPage) throw new NotFoundError(`There is nothing at ${request.method} ${pathname.slice(0, 200)}.`);
    // Looked for at each request, so that a dashboard built meanwhile is served.
    if (existsSync(path.join(root, 'index.html'))) return sendDashboard(root, pathname, request, reply);
    return sendStatusPage(pathname, reply);
  });
}

function sendDashboard(root: string, pathname: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isFile(root, pathname)) {
    if (HASHED.test(pathname)) return reply.sendFile(pathname, { maxAge: YEAR_SECONDS * 1_000, immutable: true });
    return reply.sendFile(pathname, { maxAge: 0 });
  }
  const wantsPage = String(request.headers.accept ?? '').includes('text/html');
  if (!wantsPage && path.extname(pathname) !== '')
    throw new NotFoundError(`There is no file ${pathname.slice(0, 200)}.`);
  return reply.sendFile('index.html', { maxAge: 0 });
}

/** `sendFile` keeps to the root by itself; this only tells a file from a page of the dashboard. */
function isFile(root: string, pathname: string): boolean {
  try {
    const file = path.join(root, decodeURIComponent(pathname));
    return file.startsWith(root) && statSync(file).isFile();
  } catch {
    return false;
  }
}

function sendStatusPage(pathname: string, reply: FastifyReply): FastifyReply {
  const [file, type] = STATUS_PAGE[pathname] ?? STATUS_PAGE['/'] ?? ['status.html', 'text/html'];
  return reply
    .type(type)
    .header('cache-control', 'no-cache')
    .send(readFileSync(new URL(`./pages/${file}`, import.meta.url), 'utf8'));
}
