/**
 * Acts on all runs that a query matches. A call takes a bounded number of them and says where to go on, so nothing
 * runs behind anyone's back: whoever asked sees each step, can stop between two, and the audit log has every one.
 */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { RunSummary } from '../../definitions/client.ts';
import { RequestError } from '../../definitions/errors.ts';
import { cancelRun } from '../../engine/cancel.ts';
import type { Engine } from '../../engine/engine.ts';
import { readRun } from '../../engine/reads/runs.ts';
import { retryRun } from '../../engine/retry.ts';
import { refuseDestruction } from '../access/destruction.ts';
import type { Principal } from '../access/principal.ts';
import { ofJobsOf } from '../access/scope.ts';
import { type Routes, actorOf } from '../context.ts';
import { RequestInvalidError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { COUNTED_PAGE, MOST_COUNTED, countRuns, countedRuns, lastOfRuns, pageOfRuns } from '../reads/run-list.ts';
import { type RunQuery, parseRunQuery } from '../reads/run-query.ts';
import { Reason, Time, given, named } from '../schema.ts';
import { RunStatus } from './run-schemas.ts';

const SAMPLE = 5;

const Matching = named(
  'MatchingRuns',
  z.object({
    count: z.number(),
    exact: z.boolean().describe(`False when there are more than were counted (${MOST_COUNTED} at most).`),
    active: z.number().describe('Of those counted, how many have not ended.'),
    by_status: z.partialRecord(RunStatus, z.number()),
    oldest_at: Time.nullable(),
    newest_at: Time.nullable(),
    as_of: Time.describe('Runs created later are not counted; pass it as `before` to act on exactly these.'),
    sample: z.array(z.object({ id: z.string(), job: z.string(), status: RunStatus })),
  }),
);

const Step = named(
  'BulkStep',
  z.object({
    matched: z.number(),
    done: z.number(),
    refused: z.array(z.object({ run_id: z.string(), reason: z.string() })),
    next: z.string().nullable().describe('`after` of the next call; null at the end.'),
  }),
);

const StepBody = {
  q: z.string().max(500),
  before: z.iso.datetime().describe('`as_of` of the count: what came later is left alone.'),
  after: z.string().max(1_000).optional(),
  limit: z.number().int().min(1).max(200).default(100),
  reason: Reason.min(1, 'say why, for the audit log'),
};

export const bulkRunRoutes: Routes = (app, { engine }) => {
  app.get(
    `${API_PREFIX}/runs/count`,
    {
      schema: {
        operationId: 'countMatchingRuns',
        summary: 'How many runs a query matches; by an index where one tells, else counted one by one',
        tags: ['runs'],
        querystring: z.strictObject({ q: z.string().max(500).default('') }),
        response: { 200: Matching },
      },
    },
    async ({ query, principal }) => count(engine, principal, query.q),
  );

  app.post(
    `${API_PREFIX}/runs/cancel`,
    {
      schema: {
        operationId: 'cancelRuns',
        summary: 'Cancel the runs that a query matches, a page a call',
        tags: ['runs'],
        body: z.strictObject(StepBody),
        response: { 200: Step },
      },
    },
    async (request) =>
      step(engine, request, request.body, async (run) => {
        if (run.endedAt !== undefined) throw new RequestInvalidError('It has ended.');
        await cancelRun(engine, run.id, actorOf(request));
      }),
  );

  app.post(
    `${API_PREFIX}/runs/retry`,
    {
      schema: {
        operationId: 'retryRuns',
        summary: 'Launch the runs that a query matches again, a page a call',
        tags: ['runs'],
        body: z.strictObject({ ...StepBody, only_failed: z.boolean().default(false) }),
        response: { 200: Step },
      },
    },
    async (request) =>
      step(engine, request, request.body, async (run) => {
        refuseDestruction(engine, request.principal, run.job, (await readRun(engine, run.id)).config);
        await retryRun(engine, run.id, request.body.only_failed && run.counts.total > 1 ? 'failed' : 'all');
      }),
  );
};

async function count(engine: Engine, principal: Principal | undefined, q: string): Promise<z.input<typeof Matching>> {
  const asOf = new Date();
  const asked = ofJobsOf(engine, principal, parseRunQuery(q, asOf));
  const query = upTo(asked, asOf);
  if (asked.status !== undefined) {
    const total = await countRuns(engine, asked);
    if (total !== null && total > COUNTED_PAGE) return countOfStatus(engine, asked, asked.status, total, asOf);
  }
  const byStatus: Partial<Record<RunSummary['status'], number>> = {};
  const sample: RunSummary[] = [];
  let [matched, active, exact] = [0, 0, false];
  let [newest, oldest]: (Date | undefined)[] = [];
  for await (const { runs, isLast } of countedRuns(engine, query)) {
    for (const run of runs) {
      byStatus[run.status] = (byStatus[run.status] ?? 0) + 1;
      if (run.endedAt === undefined) active++;
      if (sample.length < SAMPLE) sample.push(run);
      newest ??= run.createdAt;
      oldest = run.createdAt;
    }
    matched += runs.length;
    exact = isLast;
  }
  return {
    count: matched,
    exact,
    active,
    by_status: byStatus,
    oldest_at: oldest?.toISOString() ?? null,
    newest_at: newest?.toISOString() ?? null,
    as_of: asOf.toISOString(),
    sample: sample.map(({ id, job, status }) => ({ id, job, status })),
  };
}

/** Of one status alone there is an index: a million runs are counted without looking at them. */
async function countOfStatus(
  engine: Engine,
  query: RunQuery,
  status: RunSummary['status'],
  total: number,
  asOf: Date,
): Promise<z.input<typeof Matching>> {
  const [{ items }, last] = await Promise.all([
    pageOfRuns(engine, query, { limit: SAMPLE }),
    lastOfRuns(engine, query),
  ]);
  return {
    count: total,
    exact: true,
    active: status === 'QUEUED' ? total : 0,
    by_status: { [status]: total },
    oldest_at: last?.createdAt.toISOString() ?? null,
    newest_at: items[0]?.createdAt.toISOString() ?? null,
    as_of: asOf.toISOString(),
    sample: items.map(({ id, job, status: one }) => ({ id, job, status: one })),
  };
}

type Body = { q: string; before: string; after?: string | undefined; limit: number; reason: string };

async function step(
  engine: Engine,
  request: FastifyRequest,
  body: Body,
  act: (run: RunSummary) => Promise<void>,
): Promise<z.input<typeof Step>> {
  const before = new Date(body.before);
  const target = `runs: ${body.q}`;
  request.auditNote = { target, reason: body.reason };
  // `after:-24h` counts from when the runs were counted, not from this call.
  const query = upTo(ofJobsOf(engine, request.principal, parseRunQuery(body.q, before)), before);
  const page = await pageOfRuns(engine, query, { after: body.after, limit: body.limit });
  const done: string[] = [];
  const refused: { run_id: string; reason: string }[] = [];
  for (const run of page.items) {
    try {
      await act(run);
      done.push(run.id);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      refused.push({ run_id: run.id, reason: error.message });
    }
  }
  request.auditNote = { target, reason: body.reason, after: { done, refused: refused.length } };
  return { matched: page.items.length, done: done.length, refused, next: page.next };
}

function upTo(query: RunQuery, asOf: Date): RunQuery {
  const { createdBefore } = query;
  return { ...query, ...given({ createdBefore: createdBefore && createdBefore < asOf ? createdBefore : asOf }) };
}
