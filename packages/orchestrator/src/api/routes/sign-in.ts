/** Signing in by a browser: which ways there are, and the way to a provider and back. */

import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { FLOW_TTL_MS, createSignIn } from '../access/oidc.ts';
import { readOidcSettings } from '../access/oidc-settings.ts';
import { SESSION_COOKIE, openSession } from '../access/sessions.ts';
import { NotFoundError, SkeinError } from '../../definitions/errors.ts';
import type { Routes } from '../context.ts';
import { UnauthenticatedError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { named } from '../schema.ts';

const BEGIN = `${API_PREFIX}/session/oidc`;
const CALLBACK = `${BEGIN}/callback`;
const FLOW_COOKIE = 'skein_sign_in';
const SIGN_INS_PER_MINUTE = 20;

const SignInMethods = named(
  'SignInMethods',
  z.object({
    token: z.boolean().describe('By a token.'),
    oidc: z
      .object({ label: z.string(), url: z.string().describe('Where the browser goes; takes `return_to`.') })
      .nullable()
      .describe('By a provider.'),
  }),
);

/** A page of ours: never another site. */
const LocalPath = z
  .string()
  .max(2_000)
  .regex(/^\/(?![/\\])[^\\\p{Cc}]*$/u, 'must be a path of this site')
  .default('/');

export const signInRoutes: Routes = (app, { engine, settings, log }) => {
  const oidc = readOidcSettings(engine.env);
  const port =
    oidc && createSignIn(engine, oidc, CALLBACK, (why) => log.warn('a sign-in by the provider was refused', why));
  const secure = oidc?.publicUrl.protocol === 'https:';
  const setCookie = (reply: FastifyReply, name: string, value: string, path: string, ttlMs: number) =>
    reply.setCookie(name, value, {
      path,
      httpOnly: true,
      sameSite: 'lax',
      secure,
      maxAge: Math.round(ttlMs / 1_000),
    });
  const limited = { rateLimit: { max: SIGN_INS_PER_MINUTE, timeWindow: '1 minute' }, secretAnswer: true };

  app.get(
    `${API_PREFIX}/session/methods`,
    {
      schema: {
        operationId: 'listSignInMethods',
        summary: 'The ways to sign in here',
        tags: ['access'],
        response: { 200: SignInMethods },
      },
    },
    () => ({
      token: settings.authMode === 'token',
      oidc: oidc ? { label: oidc.label, url: BEGIN } : null,
    }),
  );

  app.get(
    BEGIN,
    { config: limited, schema: { hide: true, querystring: z.strictObject({ return_to: LocalPath }) } },
    async ({ query }, reply) => {
      if (!port) throw new NotFoundError('No sign-in provider is configured here.');
      const { flow, url } = await port.begin(query.return_to);
      return setCookie(reply, FLOW_COOKIE, flow, BEGIN, FLOW_TTL_MS).redirect(url, 303);
    },
  );

  app.get(CALLBACK, { config: limited, schema: { hide: true } }, async (request, reply) => {
    if (!port) throw new NotFoundError('No sign-in provider is configured here.');
    const flow = request.cookies[FLOW_COOKIE];
    reply.clearCookie(FLOW_COOKIE, { path: BEGIN });
    try {
      if (flow === undefined) throw new UnauthenticatedError('The sign-in did not succeed; begin again.');
      const at = request.url.indexOf('?');
      const { principal, returnTo } = await port.finish(flow, at < 0 ? '' : request.url.slice(at));
      // Always a new one: a session that somebody planted in the browser stays nobody's.
      const id = await openSession(engine, principal, settings);
      request.principal = principal;
      request.auditNote = { target: `session:${principal.name}`, after: { role: principal.role, by: 'oidc' } };
      return setCookie(reply, SESSION_COOKIE, id, '/', settings.sessionTtlMs).redirect(returnTo, 303);
    } catch (error) {
      // A person comes here with a browser: the page tells them, and offers to try again.
      const isBrowser = String(request.headers.accept ?? '').includes('text/html');
      if (!isBrowser || !(error instanceof SkeinError)) throw error;
      return reply.redirect(`/?sign_in=${error.code.toLowerCase()}`, 303);
    }
  });
};
