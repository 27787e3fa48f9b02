/**
 * The HTTP API as a Fastify application: the door, the routes, the way answers go out. It does not listen; `server.ts`
 * does. Nothing is asked of Redis until a request comes.
 */

import fastifyCookie from '@fastify/cookie';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import { type ZodTypeProvider, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { ulid } from 'ulid';

import type { Logger } from '../definitions/context.ts';
import { createClient } from '../engine/client.ts';
import type { Engine } from '../engine/engine.ts';
import { createAllRuns } from '../history/all-runs.ts';
import { openRunArchive } from '../history/run-archive.ts';
import { redisIsAway } from '../store/redis.ts';
import { type Metrics, createMetrics } from '../telemetry/metrics.ts';
import { createScrub } from '../telemetry/scrub.ts';
import { type ResourcePool, createResourcePool } from '../worker/resources.ts';
import { enter } from './access/authenticate.ts';
import { stayInScope } from './access/scope.ts';
import { finishAnswer } from './answer.ts';
import { checkDepth } from './body-depth.ts';
import { answerBrokenRequest } from './broken-requests.ts';
import type { ApiContext, App } from './context.ts';
import { createChangeFeed } from './events/change-feed.ts';
import { RateLimitedError } from './errors.ts';
import { takeExactBodies } from './exact-body.ts';
import { registerFamilies } from './families.ts';
import { recallAnswer } from './idempotency.ts';
import { describeRoute, registerOpenApi } from './openapi.ts';
import { sendProblem } from './problem.ts';
import { ALL_ROUTES } from './routes/index.ts';
import { readApiSettings } from './settings.ts';
import { traceChange } from './trace-change.ts';
import { serveSite } from './site.ts';

export interface AppOptions {
  readonly log: Logger;
  /** Shared with others in this process; otherwise the app opens and closes its own. */
  readonly resources?: ResourcePool;
  readonly metrics?: Metrics;
  /** Where the built dashboard lies; default: beside this package. */
  readonly uiRoot?: string;
}

const BODY_LIMIT_BYTES = 1_048_576;

export async function buildApp(engine: Engine, options: AppOptions): Promise<App> {
  const settings = readApiSettings(engine.env);
  const { log } = options;
  const archive = openRunArchive(engine);
  const context: ApiContext = {
    engine,
    client: createClient(engine),
    settings,
    resources: options.resources ?? createResourcePool(engine.deployment, engine.env, log),
    metrics: options.metrics ?? createMetrics(),
    scrub: createScrub(engine.env),
    log,
    changes: createChangeFeed(engine),
    archive,
    runs: createAllRuns(engine, archive),
  };
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: settings.trustProxy,
    routerOptions: { maxParamLength: 1_000 },
    // Streams of changes never end by themselves.
    forceCloseConnections: true,
    // Whoever sends slowly is looked for every few seconds, and let go.
    requestTimeout: 60_000,
    http: { headersTimeout: 20_000, connectionsCheckingInterval: 5_000 },
    clientErrorHandler: answerBrokenRequest,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : ulid();
    },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, context.scrub, () => {}),
  }).withTypeProvider<ZodTypeProvider>();
  // A form of another site can send text/plain without asking first; nothing here takes it.
  app.removeContentTypeParser('text/plain');
  takeExactBodies(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  app.addHook('onRoute', describeRoute);
  await registerOpenApi(app);
  await app.register(fastifyCookie);
  await app.register(fastifyHelmet, HEADERS);
  await limitRates(app, context);

  guard(app, context);
  for (const routes of ALL_ROUTES) routes(app, context);
  await registerFamilies(app, context);
  await serveSite(app, context, options.uiRoot);

  app.addHook('onClose', async () => {
    context.changes.close();
    await archive.close();
    if (!options.resources) await context.resources.close();
  });
  return app;
}

/** Counted in Redis, so that several servers share one count; before the door, so that guessing at it is counted too. */
async function limitRates(app: App, { engine, settings }: ApiContext): Promise<void> {
  await app.register(fastifyRateLimit, {
    global: false,
    max: settings.requestsPerMinute,
    timeWindow: '1 minute',
    redis: engine.redis,
    nameSpace: `${engine.keys.prefix}:rate:`,
    // While Redis is away the request itself says so.
    skipOnError: true,
  });
  const count = app.createRateLimit();
  app.addHook('onRequest', async (request, reply) => {
    // Liveness asks nothing of Redis; pages are files.
    if (request.is404 || request.routeOptions.url === '/healthz') return;
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return;
    reply.header('retry-after', counted.ttlInSeconds);
    throw new RateLimitedError('Too many requests from this address; wait a moment.');
  });
}

function guard(app: App, context: ApiContext): void {
  const { engine, log, scrub } = context;
  app.decorateRequest('principal', undefined);
  app.decorateRequest('auditNote', undefined);
  app.decorateRequest('idempotencySlot', undefined);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
    if (!request.is404) await enter(context, request, request.routeOptions.config.family === true);
  });
  app.addHook('preValidation', async ({ body }) => checkDepth(body));
  if (engine.tracing) app.addHook('preHandler', traceChange(engine.tracing));
  app.addHook('preHandler', async (request, reply) => {
    await stayInScope(context, request);
    if (await recallAnswer(engine, request, reply)) return reply;
  });
  app.addHook('onSend', (request, reply, payload) => finishAnswer(context, request, reply, payload));
  app.setErrorHandler((error, request, reply) =>
    sendProblem(error, request, reply, scrub, (fault) => {
      // Whoever asked has gone, or was let go by a server that stops and has ended its connection to Redis since.
      if (request.raw.destroyed && redisIsAway(fault)) return;
      log.error('a request failed', {
        request_id: request.id,
        route: request.routeOptions.url,
        error: scrub(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)),
      });
    }),
  );
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route of a job family, which stands in no authorization table. */
    family?: boolean;
    /** The answer holds a secret that is shown once: it is never remembered. */
    secretAnswer?: boolean;
    /** A POST that only asks: doing it twice does no harm, and its answer may be large, so it is not remembered. */
    changesNothing?: boolean;
  }
}

const HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'self'"],
      'script-src': ["'self'"],
      // Components of the dashboard set sizes and colours by style attributes; no style can run code here.
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'worker-src': ["'self'", 'blob:'],
      'object-src': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'self'"],
      'frame-ancestors': ["'none'"],
    },
  },
  frameguard: { action: 'deny' as const },
  referrerPolicy: { policy: 'no-referrer' as const },
  // Skein itself speaks HTTP; whoever puts TLS before it says so there.
  strictTransportSecurity: false,
};
