/**
 * The original's HTTP routes in front of Skein's runs: `POST /events/raw/reprocess` launches one, `GET` of its workflow
 * id (or its run's) shows how far it is and what came of it, `…/drops` the events behind each drop reason. Faults are
 * answered in the original's words and envelope.
 */

import {
  ConfigInvalidError,
  type JsonObject,
  NotFoundError,
  PartitionKeyInvalidError,
  type RouteContext,
  type RouteFamily,
  type RunDetail,
} from '@skein/orchestrator';

import { clickhouse } from '../resources/clickhouse.ts';
import { NOTHING } from './counters.ts';
import { dropsOf } from './drops.ts';
import { RawEventsReprocessingDisabledError } from './errors.ts';
import { parseRequest, runIdOf, workflowId } from './request.ts';
import { rawEventsSettings } from './settings.ts';

/** What we need of Fastify's request and reply. */
interface Request {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body?: unknown;
  readonly params: unknown;
}
interface Reply {
  code(status: number): Reply;
  send(body: unknown): unknown;
}

const JOB = 'reprocess_raw_events_job';
const TASK_QUEUE = 'events';
const PREFIXES = ['', '/api/v1'];

export const rawEventsRoutes: RouteFamily = {
  register(app, context) {
    void app.register(async (scope) => {
      // A body that is not JSON is answered in the original's words too, so it is parsed here.
      scope.removeContentTypeParser('application/json');
      scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
      for (const prefix of PREFIXES) {
        scope.post(`${prefix}/events/raw/reprocess`, (request, reply) => launch(context, request, reply));
        scope.get(`${prefix}/events/raw/reprocess/:workflow_id`, (request) => show(context, request));
        scope.get(`${prefix}/events/raw/reprocess/:workflow_id/drops`, (request) => showDrops(context, request));
      }
    });
  },
};

async function launch(context: RouteContext, request: Request, reply: Reply) {
  const settings = await context.open(rawEventsSettings);
  if (!settings.enabled) throw new RawEventsReprocessingDisabledError();
  const caller = {
    tenantId: headerOf(request, 'x-tenant-id') ?? settings.tenant_id ?? undefined,
    environmentId: headerOf(request, 'x-environment-id') ?? settings.environment_id ?? undefined,
  };
  const parsed = parseRequest(typeof request.body === 'string' ? request.body : '', caller, new Date());
  if ('hint' in parsed) return fault(reply, parsed.hint, parsed.internal);
  try {
    const client = await context.client();
    const { runId } = await client.submit({ job: JOB, config: parsed.config, cause: 'api:events/raw/reprocess' });
    return {
      message: 'Raw events reprocessing workflow started successfully',
      workflow_id: workflowId(parsed.config, runId),
      run_id: runId,
      task_queue: TASK_QUEUE,
    };
  } catch (error) {
    if (error instanceof ConfigInvalidError || error instanceof PartitionKeyInvalidError) {
      return fault(reply, error.message, error.code);
    }
    throw error;
  }
}

/** @throws NotFoundError */
async function runOf(context: RouteContext, request: Request): Promise<{ workflow: string; run: RunDetail }> {
  const { workflow_id: asked = '' } = request.params as { readonly workflow_id?: string };
  const runId = runIdOf(asked);
  const run = runId === undefined ? undefined : await (await context.client()).run(runId);
  const workflow = run?.job === JOB ? workflowId(run.config, run.id) : undefined;
  if (run === undefined || workflow === undefined || (asked !== workflow && asked !== run.id)) {
    throw new NotFoundError(`No workflow has the id “${asked.slice(0, 200)}”.`);
  }
  return { workflow, run };
}

async function showDrops(context: RouteContext, request: Request) {
  const { workflow, run } = await runOf(context, request);
  const drops = await dropsOf(run, await context.open(clickhouse), await context.open(rawEventsSettings));
  return { workflow_id: workflow, run_id: run.id, drops };
}

async function show(context: RouteContext, request: Request) {
  const { workflow, run } = await runOf(context, request);
  return {
    workflow_id: workflow,
    run_id: run.id,
    task_queue: TASK_QUEUE,
    status: run.status,
    progress: run.progress ?? null,
    days: run.counts,
    result: run.endedAt === undefined ? null : resultOf(run, run.endedAt),
    error: run.error ?? null,
  };
}

/** The original's result: the counters, zeros where the run failed before it had any. */
function resultOf(run: RunDetail, endedAt: Date): JsonObject {
  const counters = Object.keys(NOTHING.counters).map((name) => [name, run.result?.[name] ?? 0] as const);
  const completedAt = run.result?.completed_at ?? endedAt.toISOString().replace(/\.\d+Z$/, 'Z');
  return { ...Object.fromEntries(counters), completed_at: completedAt };
}

/** The envelopes of both revisions in one, so that clients of either find what they look for. */
function fault(reply: Reply, hint: string, internal: string): unknown {
  return reply.code(400).send({
    success: false,
    error: { message: hint, internal_error: internal, details: {} },
    code: 'validation_error',
    message: hint,
    http_status_code: 400,
    details: {},
  });
}

function headerOf(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
