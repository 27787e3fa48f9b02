/** Backfills: plan, create, lists, pause, resume, cancel, retry, limits. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { JsonObject } from '../../definitions/json.ts';
import {
  type Backfill,
  type BackfillLimits,
  type BackfillRequest,
  type BackfillWord,
  type ChangedBackfill,
  cancelBackfill,
  changeBackfill,
  createBackfill,
  listBackfills,
  pauseBackfill,
  planBackfill,
  readBackfill,
  readBackfillPace,
  resumeBackfill,
  retryBackfill,
} from '../../engine/backfill.ts';
import { refuseDestruction } from '../access/destruction.ts';
import { seesJob } from '../access/scope.ts';
import { type Routes, actorOf } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { checkIdRange } from '../ranges.ts';
import { Reason, given, pageOf, pageQuery } from '../schema.ts';
import { IfMatch, matchedVersion, onVersion, withETag } from '../versions.ts';
import { BackfillBody, BackfillItem, BackfillPaceItem, BackfillPlan, toBackfill, toPlan } from './backfill-schemas.ts';
import { Outcome } from './partitions.ts';

const Params = z.object({ id: z.string().regex(/^[0-9A-Z]{1,60}$/, 'is not an id of a backfill') });
const ReasonBody = z.strictObject({ reason: Reason.optional() }).nullish();

function toRequest(body: z.output<typeof BackfillBody>): BackfillRequest {
  body.ids?.forEach(checkIdRange);
  return {
    job: body.job,
    ...given({
      ids: body.ids,
      from: body.from,
      to: body.to,
      statuses: body.statuses,
      order: body.order,
      config: body.config as JsonObject | undefined,
      tags: body.tags,
      maxActive: body.max_active,
      stopAfterFailures: body.stop_after_failures,
      priority: body.priority,
    }),
  };
}

export const backfillRoutes: Routes = (app, { engine }) => {
  const { deployment } = engine;
  const note = (request: FastifyRequest, id: string, reason: string | undefined, after?: unknown, before?: unknown) => {
    request.auditNote = { target: `backfill:${id}`, reason, before, after };
  };

  app.get(
    `${API_PREFIX}/backfills`,
    {
      schema: {
        operationId: 'listBackfills',
        summary: 'Backfills, newest first',
        tags: ['backfills'],
        querystring: z.strictObject(pageQuery),
        response: { 200: pageOf(BackfillItem) },
      },
    },
    async ({ query, principal }) => {
      const { items, next } = await listBackfills(engine, query);
      return {
        items: items.filter(({ job }) => seesJob(principal, job)).map((one) => toBackfill(deployment, one)),
        next,
      };
    },
  );

  app.get(
    `${API_PREFIX}/backfills/:id`,
    {
      schema: {
        operationId: 'getBackfill',
        summary: 'A backfill with its progress; the version of its status and limits is also the ETag',
        tags: ['backfills'],
        params: Params,
        response: { 200: BackfillItem },
      },
    },
    async ({ params }, reply) => {
      const backfill = await readBackfill(engine, params.id);
      return withETag(reply, backfill.version, toBackfill(deployment, backfill));
    },
  );

  app.get(
    `${API_PREFIX}/backfills/:id/pace`,
    {
      schema: {
        operationId: 'getBackfillPace',
        summary: 'How many runs of a backfill ended when, oldest first',
        tags: ['backfills'],
        params: Params,
        response: { 200: z.object({ items: z.array(BackfillPaceItem) }) },
      },
    },
    async ({ params }) => ({
      items: (await readBackfillPace(engine, params.id)).map((one) => ({ ...one, from: one.from.toISOString() })),
    }),
  );

  app.post(
    `${API_PREFIX}/backfills/plan`,
    {
      config: { changesNothing: true },
      schema: {
        operationId: 'planBackfill',
        summary: 'Exactly which partitions a backfill would run; changes nothing',
        tags: ['backfills'],
        body: BackfillBody,
        response: { 200: BackfillPlan },
      },
    },
    async ({ body }) => toPlan(await planBackfill(engine, toRequest(body))),
  );

  app.post(
    `${API_PREFIX}/backfills`,
    {
      schema: {
        operationId: 'createBackfill',
        summary: 'Start a backfill',
        tags: ['backfills'],
        body: BackfillBody,
        response: { 201: BackfillItem },
      },
    },
    async (request, reply) => {
      const { job, config = {} } = request.body;
      refuseDestruction(engine, request.principal, job, config as JsonObject);
      const { id } = await createBackfill(engine, toRequest(request.body), actorOf(request));
      note(request, id, request.body.reason, { ...request.body });
      return reply.code(201).send(toBackfill(deployment, await readBackfill(engine, id)));
    },
  );

  /** Says what changed in the audit log, and answers with the backfill as it is now. */
  const change = async <Before>(
    request: FastifyRequest,
    reply: FastifyReply,
    act: (id: string, word: BackfillWord) => Promise<ChangedBackfill<Before>>,
    factsOf: (of: Before | Backfill) => object,
    options: object = {},
  ): Promise<z.input<typeof BackfillItem>> => {
    const { id } = request.params as z.output<typeof Params>;
    const { reason } = (request.body ?? {}) as { reason?: string };
    const word = { by: actorOf(request), reason, ifVersion: matchedVersion(request) };
    const { before, now } = await onVersion(
      () => act(id, word),
      async () => {
        const current = await readBackfill(engine, id);
        return { version: current.version, current: toBackfill(deployment, current) };
      },
    );
    note(request, id, reason, { ...factsOf(now), ...options }, factsOf(before));
    return withETag(reply, now.version, toBackfill(deployment, now));
  };
  const statusOf = ({ status }: Pick<Backfill, 'status'>) => ({ status });
  const limitsOf = ({ maxActive, priority }: BackfillLimits) => ({ max_active: maxActive, priority });

  app.post(
    `${API_PREFIX}/backfills/:id/pause`,
    {
      schema: {
        operationId: 'pauseBackfill',
        summary: 'Ask for no more runs; those that run go on',
        tags: ['backfills'],
        params: Params,
        headers: IfMatch,
        body: ReasonBody,
        response: { 200: BackfillItem },
      },
    },
    (request, reply) => change(request, reply, (id, word) => pauseBackfill(engine, id, word), statusOf),
  );

  app.post(
    `${API_PREFIX}/backfills/:id/resume`,
    {
      schema: {
        operationId: 'resumeBackfill',
        summary: 'Go on where it was paused',
        tags: ['backfills'],
        params: Params,
        headers: IfMatch,
        body: ReasonBody,
        response: { 200: BackfillItem },
      },
    },
    (request, reply) => change(request, reply, (id, word) => resumeBackfill(engine, id, word), statusOf),
  );

  app.post(
    `${API_PREFIX}/backfills/:id/cancel`,
    {
      schema: {
        operationId: 'cancelBackfill',
        summary: 'Cancel what is queued and, unless told otherwise, what runs',
        tags: ['backfills'],
        params: Params,
        headers: IfMatch,
        body: z.strictObject({ running: z.boolean().default(true), reason: Reason.optional() }).nullish(),
        response: { 200: BackfillItem },
      },
    },
    (request, reply) => {
      const running = request.body?.running ?? true;
      const cancel = (id: string, word: BackfillWord) => cancelBackfill(engine, id, { ...word, running });
      return change(request, reply, cancel, statusOf, { running });
    },
  );

  app.post(
    `${API_PREFIX}/backfills/:id/retry`,
    {
      schema: {
        operationId: 'retryBackfill',
        summary: 'A new backfill over the same partitions, for those in the given states',
        tags: ['backfills'],
        params: Params,
        body: z.strictObject({
          statuses: z.array(Outcome).min(1).max(4).default(['failed', 'missing']),
          reason: Reason.optional(),
        }),
        response: { 201: BackfillItem },
      },
    },
    async (request, reply) => {
      const { statuses, reason } = request.body;
      const old = await readBackfill(engine, request.params.id);
      refuseDestruction(engine, request.principal, old.job, old.config);
      const { id } = await retryBackfill(engine, request.params.id, { statuses }, actorOf(request));
      note(request, id, reason, { retry_of: request.params.id, statuses });
      return reply.code(201).send(toBackfill(deployment, await readBackfill(engine, id)));
    },
  );

  app.patch(
    `${API_PREFIX}/backfills/:id`,
    {
      schema: {
        operationId: 'changeBackfill',
        summary: 'Change how many runs it may have active, and the priority of those that it asks for from now on',
        tags: ['backfills'],
        params: Params,
        headers: IfMatch,
        body: z.strictObject({
          max_active: z.number().int().min(1).max(10_000).optional(),
          priority: z.number().int().min(-1_000).max(1_000).optional(),
          reason: Reason.optional(),
        }),
        response: { 200: BackfillItem },
      },
    },
    (request, reply) => {
      const { max_active: maxActive, priority } = request.body;
      const limits = given({ maxActive, priority });
      return change(request, reply, (id, word) => changeBackfill(engine, id, limits, word), limitsOf);
    },
  );
};
