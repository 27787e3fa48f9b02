/**
 * `/api/v1/ducklings…`: what a page about ducklings shows and offers. Rows without secrets, how each lake is, orphaned
 * objects, the check of permissions, on and off, and the reset, which as a DELETE is an administrator's.
 */

import {
  ConfigInvalidError,
  type RouteContext,
  type RouteFamily,
  RefusedError,
  ServiceError,
} from '@skein/orchestrator';
import { z } from 'zod';

import { clickhouse } from '../resources/clickhouse.ts';
import { publicRow } from '../resources/duckling-catalog.ts';
import { ducklings } from '../resources/ducklake-ducklings.ts';
import { parseGraceMs } from './grace.ts';
import { lakeStatus } from './lake-status.ts';
import { bytesOf, findOrphans } from './orphans.ts';
import { checkPermissions } from './permission-check.ts';
import { resetDuckling, whatResetDoes } from './reset.ts';

/** What we need of Fastify's request. */
interface Request {
  readonly params: unknown;
  readonly query: unknown;
  readonly body?: unknown;
}

const V1 = '/api/v1/ducklings';
/** Of one answer; the count and the bytes are of all. */
const MAX_ORPHANS = 200;
/** A listing or a probe that takes longer is given up before the request is. */
const TIMEOUT_MS = 50_000;

const Params = z.object({
  team_id: z
    .string()
    .regex(/^[1-9]\d{0,15}$/, 'write a positive whole number')
    .transform(Number),
});
const OrphansQuery = z.strictObject({ older_than: z.string().default('24h') });
const ResetQuery = z.strictObject({ confirm: z.string().optional() });
const Changes = z.strictObject({ enabled: z.boolean() });

export const ducklingsRoutes: RouteFamily = {
  register(app, context) {
    app.get(V1, () => list(context));
    app.get(`${V1}/:team_id`, (request) => show(context, request));
    app.patch(`${V1}/:team_id`, (request) => change(context, request));
    app.get(`${V1}/:team_id/orphans`, (request) => orphans(context, request));
    app.post(`${V1}/:team_id/check`, (request) => check(context, request));
    app.delete(`${V1}/:team_id/lake`, (request) => reset(context, request));
  },
};

async function list(context: RouteContext) {
  const { catalog } = await context.open(ducklings);
  return { items: (await catalog.list()).map(publicRow) };
}

/** A lake that cannot be reached is an answer and not a failure: the page shows it as such. */
async function show(context: RouteContext, request: Request) {
  const { opened, duckling } = await open(context, request);
  try {
    return { ...publicRow(duckling), lake: await lakeStatus(opened.lake(duckling)), problem: null };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { ...publicRow(duckling), lake: null, problem: { code: error.code, message: error.message } };
  }
}

async function change(context: RouteContext, request: Request) {
  const { opened, duckling } = await open(context, request);
  const { enabled } = parse(Changes, request.body);
  await opened.catalog.edit({ ...duckling, enabled });
  return publicRow({ ...duckling, enabled });
}

async function orphans(context: RouteContext, request: Request) {
  const { older_than } = parse(OrphansQuery, request.query);
  const graceMs = parseGraceMs('older_than', older_than);
  const { opened, duckling } = await open(context, request);
  const found = await findOrphans(opened, duckling, graceMs, new Date(), AbortSignal.timeout(TIMEOUT_MS));
  return {
    team_id: duckling.team_id,
    older_than,
    count: found.length,
    bytes: bytesOf(found),
    items: found
      .slice(0, MAX_ORPHANS)
      .map(({ key, url, bytes, modifiedAt }) => ({ key, url, bytes, modified_at: modifiedAt.toISOString() })),
  };
}

async function check(context: RouteContext, request: Request) {
  const { opened, duckling } = await open(context, request);
  const server = context.env.SKEIN_CLICKHOUSE_URL ? await context.open(clickhouse) : undefined;
  const resources = { ducklings: opened, clickhouse: server };
  const steps = await checkPermissions(duckling, resources, AbortSignal.timeout(TIMEOUT_MS));
  return { team_id: duckling.team_id, ok: steps.every(({ outcome }) => outcome !== 'failed'), steps };
}

/** Only with `confirm`, the team's id as a person has typed it; without it the answer says what would happen. */
async function reset(context: RouteContext, request: Request) {
  const { confirm } = parse(ResetQuery, request.query);
  const { opened, duckling } = await open(context, request);
  if (confirm !== String(duckling.team_id))
    throw new RefusedError(
      `${whatResetDoes(duckling).join(' ')} Nothing was done: confirm it with confirm=${duckling.team_id}.`,
    );
  const result = await resetDuckling(opened, await context.client(), {
    duckling,
    by: actorOf(request),
    now: new Date(),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return {
    team_id: duckling.team_id,
    tables_dropped: result.tablesDropped,
    partitions_forgotten: result.partitionsForgotten,
    sensors_reset: result.sensorsReset,
  };
}

/** @throws NotFoundError when the team has no duckling */
async function open(context: RouteContext, request: Request) {
  const { team_id } = parse(Params, request.params);
  const opened = await context.open(ducklings);
  return { opened, duckling: await opened.catalog.get(team_id) };
}

/** @throws ConfigInvalidError that names every wrong field */
function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
  throw new ConfigInvalidError(`The request is not valid: ${fields.join('; ')}.`, { details: { fields } });
}

/** The server's door has put there who asks. */
function actorOf(request: Request): string {
  const { principal } = request as { readonly principal?: { readonly name: string } };
  return `api:${principal?.name ?? 'local'}`;
}
