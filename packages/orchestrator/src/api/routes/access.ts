/** Who am I, sign in and out, tokens, the audit log. */

import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import { NotFoundError } from '../../definitions/errors.ts';
import { whoHas } from '../access/authenticate.ts';
import { PERMISSIONS, type Permission, judge } from '../access/permissions.ts';
import { type Principal, ROLES } from '../access/principal.ts';
import { SESSION_COOKIE, closeSession, openSession } from '../access/sessions.ts';
import { createToken, listTokens, revokeToken } from '../access/tokens.ts';
import { findAudit, readAudit } from '../audit.ts';
import { type Routes, actorOf } from '../context.ts';
import { RequestInvalidError, UnauthenticatedError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { Done, Reason, Time, given, named, pageOf, pageQuery } from '../schema.ts';
import { undoChange } from '../undo.ts';
import { StreamPlace } from './runs.ts';

const Role = named('Role', z.enum(ROLES));

const Me = named(
  'Me',
  z.object({
    name: z.string(),
    role: Role,
    via: z.enum(['none', 'token', 'session']),
    auth_mode: z.string(),
    jobs: z.array(z.string()).nullable().describe('Jobs that one is limited to; null: all.'),
    permissions: z.record(z.string(), z.object({ allowed: z.boolean(), reason: z.string() })),
  }),
);

const Token = named(
  'Token',
  z.object({
    id: z.string(),
    name: z.string(),
    role: Role,
    jobs: z.array(z.string()).nullable().describe('Jobs that it is limited to; null: all.'),
    created_at: Time,
    created_by: z.string(),
    expires_at: Time.nullable(),
    last_used_at: Time.nullable(),
  }),
);

const AuditItem = named(
  'AuditEntry',
  z.object({
    id: z.string(),
    at: Time,
    actor: z.string(),
    role: z.string(),
    ip: z.string(),
    action: z.string(),
    target: z.string(),
    reason: z.string(),
    before: z.unknown(),
    after: z.unknown(),
    request_id: z.string(),
    result: z.string(),
  }),
);

/** Guessing tokens is hopeless; this keeps the attempts from costing anything. */
const SIGN_INS_PER_MINUTE = 20;

export const accessRoutes: Routes = (app, context) => {
  const { engine, settings } = context;
  const toMe = (principal: Principal): z.input<typeof Me> => ({
    name: principal.name,
    role: principal.role,
    via: principal.via,
    auth_mode: settings.authMode,
    jobs: principal.jobs === undefined ? null : [...principal.jobs],
    permissions: Object.fromEntries(
      (Object.keys(PERMISSIONS) as Permission[]).map((permission) => [permission, judge(permission, principal)]),
    ),
  });

  app.get(
    `${API_PREFIX}/me`,
    {
      schema: {
        operationId: 'getMe',
        summary: 'Who asks, and what they may do, with the reason',
        tags: ['access'],
        response: { 200: Me },
      },
    },
    async ({ principal }) => {
      if (!principal) throw new UnauthenticatedError('Sign in first.');
      return toMe(principal);
    },
  );

  app.post(
    `${API_PREFIX}/session`,
    {
      config: { secretAnswer: true, rateLimit: { max: SIGN_INS_PER_MINUTE, timeWindow: '1 minute' } },
      schema: {
        operationId: 'signIn',
        summary: 'Open a browser session with a token',
        tags: ['access'],
        body: z.strictObject({ token: z.string().min(1).max(200) }),
        response: { 200: Me },
      },
    },
    async (request, reply) => {
      const principal = await whoHas(context, request.body.token);
      if (!principal) throw new UnauthenticatedError('This token is unknown, expired or revoked.');
      const id = await openSession(engine, principal, settings);
      setCookie(reply, id, request.protocol === 'https', settings.sessionTtlMs);
      request.principal = principal;
      request.auditNote = { target: `session:${principal.name}` };
      return toMe({ ...principal, via: 'session' });
    },
  );

  app.delete(
    `${API_PREFIX}/session`,
    {
      schema: {
        operationId: 'signOut',
        summary: 'End the browser session',
        tags: ['access'],
        response: { 200: Done },
      },
    },
    async (request, reply) => {
      const id = request.cookies[SESSION_COOKIE];
      if (id !== undefined) await closeSession(engine, id);
      reply.clearCookie(SESSION_COOKIE, { path: '/' });
      return { ok: true as const };
    },
  );

  app.get(
    `${API_PREFIX}/tokens`,
    {
      schema: {
        operationId: 'listTokens',
        summary: 'API tokens, without their text',
        tags: ['access'],
        response: { 200: pageOf(Token) },
      },
    },
    async () => ({
      items: (await listTokens(engine)).map((one) => ({ ...one, jobs: one.jobs === null ? null : [...one.jobs] })),
      next: null,
    }),
  );

  app.post(
    `${API_PREFIX}/tokens`,
    {
      config: { secretAnswer: true },
      schema: {
        operationId: 'createToken',
        summary: 'Make an API token; its text is in this answer and nowhere else',
        tags: ['access'],
        body: z.strictObject({
          name: z.string().trim().min(1).max(100),
          role: Role,
          jobs: z
            .array(z.string().min(1).max(100))
            .min(1)
            .max(200)
            .optional()
            .describe('Limits it to these jobs, their assets, sensors, schedules, runs and backfills.'),
          expires_at: z.iso.datetime().optional(),
          reason: Reason.optional(),
        }),
        response: { 201: Token.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => {
      const { name, role, jobs, expires_at: expires, reason } = request.body;
      jobs?.forEach((job) => lookUp('job', engine.deployment.jobs, job));
      if (jobs !== undefined && role === 'admin')
        throw new RequestInvalidError('body.jobs: an administrator is not limited to jobs; give a lesser role.');
      const { token, record } = await createToken(engine, {
        name,
        role,
        by: actorOf(request),
        ...given({ jobs, expiresAt: expires === undefined ? undefined : new Date(expires) }),
      });
      request.auditNote = { target: `token:${record.id}`, reason, after: record };
      return reply.code(201).send({ ...record, jobs: jobs ?? null, token });
    },
  );

  app.delete(
    `${API_PREFIX}/tokens/:id`,
    {
      schema: {
        operationId: 'revokeToken',
        summary: 'Revoke a token and its sessions, at once',
        tags: ['access'],
        params: z.object({ id: z.string().regex(/^[0-9A-Za-z]{1,60}$/, 'is not an id of a token') }),
        querystring: z.strictObject({ reason: Reason.optional() }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const record = await revokeToken(engine, request.params.id);
      request.auditNote = { target: `token:${record.id}`, reason: request.query.reason, before: record };
      return { ok: true as const };
    },
  );

  app.get(
    `${API_PREFIX}/audit`,
    {
      schema: {
        operationId: 'listAudit',
        summary: 'Every change, newest first',
        tags: ['access'],
        querystring: z.strictObject({ limit: pageQuery.limit, after: StreamPlace }),
        response: { 200: pageOf(AuditItem) },
      },
    },
    async ({ query }) => {
      const items = await readAudit(engine, { limit: query.limit, ...given({ after: query.after }) });
      return { items, next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    `${API_PREFIX}/audit/:id/undo`,
    {
      schema: {
        operationId: 'undoChange',
        summary: 'Undo a change, where an inverse exists and nobody changed it since',
        tags: ['access'],
        params: z.object({ id: z.string().regex(/^\d{1,19}-\d{1,19}$/, 'is not an id of an audit entry') }),
        body: z.strictObject({ reason: Reason.optional() }).nullish(),
        response: { 200: z.object({ target: z.string(), before: z.unknown(), after: z.unknown() }) },
      },
    },
    async (request) => {
      const entry = await findAudit(engine, request.params.id);
      if (entry === undefined) throw new NotFoundError(`The audit log has no entry ${request.params.id}.`);
      const reason = request.body?.reason ?? `undo of ${entry.id}`;
      request.auditNote = { target: entry.target, reason };
      const undone = await undoChange({ engine, by: actorOf(request), reason }, entry);
      request.auditNote = { target: entry.target, reason, ...undone };
      return { target: entry.target, ...undone };
    },
  );
};

function setCookie(reply: FastifyReply, id: string, secure: boolean, ttlMs: number): void {
  reply.setCookie(SESSION_COOKIE, id, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    maxAge: Math.round(ttlMs / 1_000),
  });
}
