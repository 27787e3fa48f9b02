/**
 * The door: who asks, whether the request may come from where it comes, whether the role has the permission. Runs before
 * any body is read.
 */

import type { FastifyRequest } from 'fastify';

import { ForbiddenError, UnauthenticatedError } from '../errors.ts';
import type { ApiContext } from '../context.ts';
import { ACCESS, type Need, judge, needOfFamilyRoute } from './permissions.ts';
import type { Principal } from './principal.ts';
import { SESSION_COOKIE, findSession } from './sessions.ts';
import { equalSecrets, findToken } from './tokens.ts';

const LOCAL: Principal = { name: 'local', role: 'admin', via: 'none', tokenId: undefined };
const ROOT: Principal = { name: 'root', role: 'admin', via: 'token', tokenId: undefined };
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @throws UnauthenticatedError, ForbiddenError */
export async function enter(context: ApiContext, request: FastifyRequest, isFamily: boolean): Promise<void> {
  const need = needOf(request, isFamily);
  checkHost(context, request);
  const principal = await whoAsks(context, request);
  request.principal = principal;
  if (principal?.via !== 'token') checkOrigin(request);
  const verdict = judge(need, principal);
  if (verdict.allowed) return;
  if (!principal) throw new UnauthenticatedError('Sign in, or send a token as “Authorization: Bearer skein_…”.');
  throw new ForbiddenError(verdict.reason, { details: { reason: verdict.reason } });
}

/** @throws ForbiddenError when the route stands in no table */
function needOf(request: FastifyRequest, isFamily: boolean): Need {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const need = ACCESS[`${method} ${request.routeOptions.url ?? ''}`];
  if (need !== undefined) return need;
  if (isFamily) return needOfFamilyRoute(request.method);
  throw new ForbiddenError('This route is in no authorization table, so nobody may use it.');
}

export async function whoAsks(context: ApiContext, request: FastifyRequest): Promise<Principal | undefined> {
  const { settings, engine } = context;
  if (settings.authMode !== 'token') return LOCAL;
  const header = request.headers.authorization;
  if (header !== undefined) {
    const token = /^Bearer (\S{1,200})$/i.exec(header)?.[1];
    if (token === undefined) return undefined;
    if (settings.rootToken !== undefined && equalSecrets(token, settings.rootToken)) return ROOT;
    return findToken(engine, token);
  }
  const cookie = request.cookies[SESSION_COOKIE];
  return cookie === undefined ? undefined : findSession(engine, cookie);
}

/** A token typed by a person who signs in. */
export async function whoHas(context: ApiContext, token: string): Promise<Principal | undefined> {
  const { settings, engine } = context;
  if (settings.authMode !== 'token') return LOCAL;
  if (settings.rootToken !== undefined && equalSecrets(token, settings.rootToken)) return ROOT;
  return findToken(engine, token);
}

const hostName = (host: string) =>
  host
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
export const isLoopbackName = (name: string) =>
  name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name) || name.endsWith('.localhost');

/**
 * Without sign-in, a web page of another site must not reach this server by a name that points to loopback (DNS
 * rebinding).
 */
function checkHost({ settings }: ApiContext, request: FastifyRequest): void {
  if (settings.authMode !== 'none') return;
  const name = hostName(request.headers.host ?? '');
  if (isLoopbackName(name) || settings.allowedHosts.includes(name)) return;
  throw new ForbiddenError(
    `Without sign-in this server answers only under a loopback name, not “${name.slice(0, 100)}”.`,
    { hint: 'Use 127.0.0.1, list the name in SKEIN_AUTH_ALLOWED_HOSTS, or turn sign-in on (SKEIN_AUTH_MODE=token).' },
  );
}

/** Writes that a browser makes on its own authority (cookie, or no sign-in at all) must come from our own pages. */
function checkOrigin(request: FastifyRequest): void {
  if (SAFE.has(request.method)) return;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new ForbiddenError('This request comes from another site and is refused.');
  }
  const { origin } = request.headers;
  if (origin === undefined) return;
  const expected = request.headers.host;
  let host: string | undefined;
  try {
    host = new URL(origin).host;
  } catch {
    host = undefined;
  }
  if (host !== expected) throw new ForbiddenError('This request comes from another origin and is refused.');
}
