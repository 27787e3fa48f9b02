/** What every route is given: the engine, what was opened for it, and who asks. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { FastifyBaseLogger, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { SkeinClient } from '../definitions/client.ts';
import type { Logger } from '../definitions/context.ts';
import type { Engine } from '../engine/engine.ts';
import type { AllRuns } from '../history/all-runs.ts';
import type { RunArchive } from '../history/run-archive.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Scrub } from '../telemetry/scrub.ts';
import type { ResourcePool } from '../worker/resources.ts';
import type { Principal } from './access/principal.ts';
import type { ApiSettings } from './settings.ts';
import type { ChangeFeed } from './events/change-feed.ts';

export interface ApiContext {
  readonly engine: Engine;
  readonly client: SkeinClient;
  readonly settings: ApiSettings;
  readonly resources: ResourcePool;
  readonly metrics: Metrics;
  readonly scrub: Scrub;
  readonly log: Logger;
  readonly changes: ChangeFeed;
  readonly archive: RunArchive;
  readonly runs: AllRuns;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** A resource's routes. */
export type Routes = (app: App, context: ApiContext) => void;

/** What a write leaves in the audit log; set by the route, written before its answer goes out. */
interface AuditNote {
  readonly target: string;
  readonly reason?: string | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
    auditNote: AuditNote | undefined;
    /** The key under which this request's answer is remembered; set when it has an Idempotency-Key. */
    idempotencySlot: string | undefined;
  }
}

/** Who did it, as runs, cursors and the audit log name them. */
export function actorOf(request: FastifyRequest): string {
  return `api:${request.principal?.name ?? 'anonymous'}`;
}
