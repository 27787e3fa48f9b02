/** Runs: lists, one, its partitions and events, cancel, retry. */

import { z } from 'zod';

import { cancelRun } from '../../engine/cancel.ts';
import { retryRun } from '../../engine/retry.ts';
import { refuseDestruction } from '../access/destruction.ts';
import { ofJobsOf } from '../access/scope.ts';
import { type Routes, actorOf } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { pageOfAllRuns } from '../reads/run-pages.ts';
import { type RunQuery, parseRunQuery, parseStatus, parseTag } from '../reads/run-query.ts';
import { Reason, given, pageQuery } from '../schema.ts';
import {
  RunCancelled,
  RunEventPage,
  RunPage,
  RunPartitionPage,
  RunRetried,
  RunWithPartitions,
  toEvent,
  toPartition,
  toRun,
  toRunWithPartitions,
} from './run-schemas.ts';

export const RunParams = z.object({ id: z.string().regex(/^[0-9A-Za-z]{1,60}$/, 'is not an id of a run') });
/** Redis takes 64 bits: with twenty digits an id may be beyond them. */
export const StreamPlace = z
  .string()
  .regex(/^(0|[1-9]\d{0,18})(-(0|[1-9]\d{0,18}))?$/, 'must be an id of an earlier answer')
  .optional();

const ListQuery = z.strictObject({
  job: z.string().max(100).optional(),
  status: z.string().max(20).optional().describe('In lower case; `failed` stands for FAILURE.'),
  tag: z
    .union([z.string(), z.array(z.string()).max(20)])
    .optional()
    .describe('`name=value`, may be repeated.'),
  partition: z.string().max(600).optional(),
  cause: z.string().max(200).optional().describe('Prefix, such as `sensor:NAME`.'),
  q: z
    .string()
    .max(500)
    .optional()
    .describe('`status:failed asset:x partition:"a_2024-01-01" after:-24h duration:>5m` and free words.'),
  ...pageQuery,
});

function toQuery(query: z.output<typeof ListQuery>): RunQuery {
  const tags = query.tag === undefined ? [] : [query.tag].flat();
  return {
    ...(query.q === undefined ? {} : parseRunQuery(query.q, new Date())),
    ...given({
      job: query.job,
      partition: query.partition,
      cause: query.cause,
      status: query.status === undefined ? undefined : parseStatus(query.status),
      tags: tags.length === 0 ? undefined : Object.assign({}, ...tags.map(parseTag)),
    }),
  };
}

export const runRoutes: Routes = (app, { engine, archive, runs, log }) => {
  app.get(
    `${API_PREFIX}/runs`,
    {
      schema: {
        operationId: 'listRuns',
        summary: 'Runs, newest first',
        tags: ['runs'],
        querystring: ListQuery,
        response: { 200: RunPage },
      },
    },
    async ({ query, principal }) => {
      const filter = ofJobsOf(engine, principal, toQuery(query));
      const page = await pageOfAllRuns(engine, archive, filter, query, (error) =>
        log.warn('history cannot be read: runs of the ledger only', { error: error.message }),
      );
      return { items: page.items.map(toRun), next: page.next, total: page.total };
    },
  );

  app.get(
    `${API_PREFIX}/runs/:id`,
    {
      schema: {
        operationId: 'getRun',
        summary: 'A run with its config, result and first partitions',
        tags: ['runs'],
        params: RunParams,
        response: { 200: RunWithPartitions },
      },
    },
    async ({ params }) => toRunWithPartitions(await runs.read(params.id)),
  );

  app.get(
    `${API_PREFIX}/runs/:id/partitions`,
    {
      schema: {
        operationId: 'listRunPartitions',
        summary: 'The partitions of a run with their outcomes',
        tags: ['runs'],
        params: RunParams,
        querystring: z.strictObject({
          outcome: z.enum(['materialized', 'failed', 'skipped', 'open']).optional(),
          ...pageQuery,
          after: z
            .string()
            .regex(/^\d{1,9}$/)
            .optional(),
        }),
        response: { 200: RunPartitionPage },
      },
    },
    async ({ params, query }) => {
      const { partitions } = await runs.read(params.id);
      const wanted = partitions.filter(
        (one) => query.outcome === undefined || one.outcome === (query.outcome === 'open' ? null : query.outcome),
      );
      const from = Number(query.after ?? 0);
      const items = wanted.slice(from, from + query.limit).map(toPartition);
      return { items, next: from + query.limit < wanted.length ? String(from + query.limit) : null };
    },
  );

  app.get(
    `${API_PREFIX}/runs/:id/events`,
    {
      schema: {
        operationId: 'listRunEvents',
        summary: 'What happened in a run, oldest first',
        tags: ['runs'],
        params: RunParams,
        querystring: z.strictObject({ ...pageQuery, after: StreamPlace }),
        response: { 200: RunEventPage },
      },
    },
    async ({ params, query }) => {
      await runs.read(params.id);
      const events = await runs.events(params.id, { limit: query.limit, ...given({ after: query.after }) });
      return { items: events.map(toEvent), next: events.length === query.limit ? (events.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    `${API_PREFIX}/runs/:id/cancel`,
    {
      schema: {
        operationId: 'cancelRun',
        summary: 'Ask a run to stop',
        description: 'What has not begun ends now; what runs is told within two seconds.',
        tags: ['runs'],
        params: RunParams,
        body: z.strictObject({ reason: Reason.optional() }).nullish(),
        response: { 202: RunCancelled },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      request.auditNote = { target: `run:${id}`, reason: request.body?.reason };
      const status = await cancelRun(engine, id, actorOf(request));
      request.auditNote = { target: `run:${id}`, reason: request.body?.reason, after: { status } };
      return reply.code(202).send({ status });
    },
  );

  app.post(
    `${API_PREFIX}/runs/:id/retry`,
    {
      schema: {
        operationId: 'retryRun',
        summary: 'Launch the same run again: whole, for the partitions that failed, or from where it failed',
        tags: ['runs'],
        params: RunParams,
        body: z
          .strictObject({
            only_failed: z.boolean().default(false).describe('Only the partitions that failed, all their steps.'),
            from_failure: z
              .boolean()
              .default(false)
              .describe('What failed and what was not reached; steps that succeeded are taken over from this run.'),
            reason: Reason.optional(),
          })
          .nullish(),
        response: { 202: RunRetried },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { only_failed: onlyFailed = false, from_failure: fromFailure = false } = request.body ?? {};
      request.auditNote = { target: `run:${id}`, reason: request.body?.reason };
      const old = await runs.read(id);
      refuseDestruction(engine, request.principal, old.job, old.config);
      const scope = fromFailure ? 'from_failure' : onlyFailed ? 'failed' : 'all';
      const { runId, partitions, carried } = await retryRun(engine, id, scope);
      request.auditNote = { target: `run:${id}`, reason: request.body?.reason, after: { run_id: runId } };
      return reply.code(202).send({ run_id: runId, partitions: partitions.length, carried });
    },
  );
};
