/** The launchpad: launch a run, or check a request without side effects and learn what would come of it. */

import { z } from 'zod';

import type { SubmitRequest } from '../../definitions/client.ts';
import { configOf, parseConfig } from '../../definitions/config.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { RequestError } from '../../definitions/errors.ts';
import type { Job } from '../../definitions/job.ts';
import type { JsonObject } from '../../definitions/json.ts';
import type { Engine } from '../../engine/engine.ts';
import { readStatuses } from '../../engine/partition-reader.ts';
import { MAX_PARTITIONS_PER_RUN, type SubmitSpec, planSubmit, submit } from '../../engine/submit.ts';
import { destroyedBy, refuseDestruction } from '../access/destruction.ts';
import { type Routes, actorOf } from '../context.ts';
import { maskSecrets } from '../mask.ts';
import { API_PREFIX } from '../openapi.ts';
import { expandRanges } from '../ranges.ts';
import { Facts, FieldError, Reason, TagMap, Tags, given, named } from '../schema.ts';
import { Activity, Outcome } from './partitions.ts';
import { RunLaunched } from './run-schemas.ts';

const LaunchRequest = named(
  'LaunchRequest',
  z.strictObject({
    job: z.string().min(1).max(100),
    partitions: z
      .array(z.string().min(1).max(600))
      .max(10_000)
      .default([])
      .describe('Keys, or ranges such as `1..50_2024-01-01..2024-03-31`.'),
    config: Facts.default({}),
    tags: Tags.default({}),
    priority: z.number().int().min(-1_000).max(1_000).optional(),
    run_key: z.string().min(1).max(500).optional().describe('The same key launches once.'),
    dry_run: z.boolean().default(false),
    reason: Reason.optional(),
  }),
);

const SHOWN_PARTITIONS = 100;

const LaunchCheck = named(
  'LaunchCheck',
  z.object({
    ok: z.boolean(),
    errors: z.array(FieldError),
    partitions_total: z.number(),
    partitions: z
      .array(z.object({ key: z.string(), outcome: Outcome, activity: Activity }))
      .describe(`The first ${SHOWN_PARTITIONS}.`),
    busy: z.number().describe('Of those, how many are queued or running: the run waits, joins or is refused.'),
    effective_config: Facts.nullable().describe('With defaults and what the partitions fill in; secrets masked.'),
    tags: TagMap,
    priority: z.number().nullable(),
    rehearsal: z.boolean().describe('The states of the partitions will stay as they are.'),
    on_busy: z.enum(['wait', 'join', 'refuse']).nullable(),
    destroys: z
      .object({ name: z.string(), what: z.string() })
      .nullable()
      .describe('What this config destroys beyond its partitions, if anything: an administrator types its name first.'),
  }),
);

export const launchRoutes: Routes = (app, { engine }) => {
  app.post(
    `${API_PREFIX}/launch`,
    {
      schema: {
        operationId: 'launchRun',
        summary: 'Launch a run',
        tags: ['launch'],
        body: LaunchRequest,
        response: { 202: RunLaunched },
      },
    },
    async (request, reply) => {
      const { body } = request;
      request.auditNote = { target: `job:${body.job}`, reason: body.reason };
      if (!body.dry_run) refuseDestruction(engine, request.principal, body.job, body.config as JsonObject);
      const { runId, isNew } = await submit(engine, toSubmit(engine, body, actorOf(request)));
      request.auditNote = {
        target: `run:${runId}`,
        reason: body.reason,
        after: {
          job: body.job,
          partitions: body.partitions.slice(0, SHOWN_PARTITIONS),
          config: maskSecrets(body.config),
        },
      };
      return reply.code(202).send({ run_id: runId, is_new: isNew });
    },
  );

  app.post(
    `${API_PREFIX}/launch/check`,
    {
      config: { changesNothing: true },
      schema: {
        operationId: 'checkLaunch',
        summary: 'What a launch would be, and what is wrong with it; changes nothing',
        tags: ['launch'],
        body: LaunchRequest,
        response: { 200: LaunchCheck },
      },
    },
    async (request) => {
      const { body, principal } = request;
      const found = await check(engine, body, actorOf(request));
      if (found.ok && !body.dry_run) refuseDestruction(engine, principal, body.job, body.config as JsonObject);
      const destroyed = body.dry_run ? undefined : destroyedBy(engine, body.job, body.config as JsonObject);
      return { ...found, destroys: destroyed ?? null };
    },
  );
};

type Launch = z.output<typeof LaunchRequest>;

/** Expands ranges. @throws RequestError */
function toSubmit(engine: Engine, body: Launch, cause: string): SubmitRequest {
  const job = lookUp('job', engine.deployment.jobs, body.job);
  const [first] = job.assets;
  return {
    job: job.name,
    partitions: first === undefined ? [] : expandRanges(first, body.partitions, MAX_PARTITIONS_PER_RUN),
    config: body.config as JsonObject,
    tags: body.tags,
    cause,
    ...given({ priority: body.priority, runKey: body.run_key }),
    ...(body.dry_run ? { dryRun: true } : {}),
  };
}

async function check(
  engine: Engine,
  body: Launch,
  cause: string,
): Promise<Omit<z.input<typeof LaunchCheck>, 'destroys'>> {
  const job = lookUp('job', engine.deployment.jobs, body.job);
  let spec: SubmitSpec;
  try {
    spec = planSubmit(engine, toSubmit(engine, body, cause), new Date(), { scope: 'launch' });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { ...NOTHING, tags: { ...job.tags, ...body.tags }, on_busy: job.onBusy, errors: errorsOf(error) };
  }
  const shown = spec.parts.slice(0, SHOWN_PARTITIONS).map(([key]) => key);
  const [first] = job.assets;
  const statuses = first === undefined ? new Map() : await readStatuses(engine, first, shown);
  const partitions = shown.map((key) => ({
    key,
    outcome: statuses.get(key)?.outcome ?? ('missing' as const),
    activity: statuses.get(key)?.activity ?? ('idle' as const),
  }));
  return {
    ok: true,
    errors: [],
    partitions_total: spec.parts.length,
    partitions,
    busy: partitions.filter((one) => one.activity !== 'idle').length,
    effective_config: maskSecrets(effectiveConfig(job, spec)) as Record<string, unknown>,
    tags: JSON.parse(spec.tags) as Record<string, string>,
    priority: spec.priority,
    rehearsal: spec.rehearsal,
    on_busy: job.onBusy,
  };
}

const NOTHING = {
  ok: false,
  partitions_total: 0,
  partitions: [],
  busy: 0,
  effective_config: null,
  priority: null,
  rehearsal: false,
};

function errorsOf(error: RequestError): { path: string; message: string }[] {
  const { fields } = error.details;
  if (Array.isArray(fields))
    return (fields as { path: string; message: string }[]).map(({ path, message }) => ({
      path: `config.${path}`,
      message,
    }));
  return [{ path: error.code === 'PARTITION_KEY_INVALID' ? 'partitions' : 'config', message: error.message }];
}

function effectiveConfig(job: Job, spec: SubmitSpec): JsonObject {
  const config = JSON.parse(spec.config) as JsonObject;
  const bound = job.assets.map((asset) => {
    const values = spec.parts.map(([key]) => asset.partitions.parse(key));
    return [asset.key, asset.bindConfig(parseConfig(asset, configOf(job, asset, config)), values)] as const;
  });
  const value = bound.length === 1 ? bound[0]?.[1] : Object.fromEntries(bound);
  // Through JSON, so that dates and the like are shown as they would be sent.
  return JSON.parse(JSON.stringify(value ?? {})) as JsonObject;
}
