/**
 * What people keep on the server for each other: views of the list of runs, and presets of the launchpad. Small
 * documents by name. A name that somebody else gave is replaced or removed only by an operator. Who is limited to some
 * jobs sees the views of those, and their own: a query tells of what it asks for.
 */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { type Principal, isAtLeast } from '../access/principal.ts';
import { seesJob } from '../access/scope.ts';
import { type Routes, actorOf } from '../context.ts';
import { ForbiddenError, RequestInvalidError } from '../errors.ts';
import { maskSecrets } from '../mask.ts';
import { API_PREFIX } from '../openapi.ts';
import { parseRunQuery } from '../reads/run-query.ts';
import { Done, Facts, Time, named, pageOf } from '../schema.ts';

/** Of views, and of the presets of one job: what a menu can still show. */
const MAX_KEPT = 200;
const MAX_CONFIG_BYTES = 65_536;

const Name = z.string().trim().min(1).max(80);
const Description = z.string().trim().max(300).default('');

const View = named('RunView', z.object({ name: z.string(), q: z.string(), by: z.string(), at: Time }));
const Preset = named(
  'Preset',
  z.object({
    job: z.string(),
    name: z.string(),
    description: z.string(),
    config: Facts,
    by: z.string(),
    at: Time,
  }),
);

export const savedRoutes: Routes = (app, { engine }) => {
  const jobOf = (name: string) => lookUp('job', engine.deployment.jobs, name).name;

  app.get(
    `${API_PREFIX}/views`,
    {
      schema: {
        operationId: 'listViews',
        summary: 'Saved views of the list of runs',
        tags: ['saved'],
        response: { 200: pageOf(View) },
      },
    },
    async (request) => ({
      items: (await readAll<z.input<typeof View>>(engine, 'views')).filter((view) => seesView(request, view)),
      next: null,
    }),
  );

  app.put(
    `${API_PREFIX}/views/:name`,
    {
      schema: {
        operationId: 'saveView',
        summary: 'Save a query of runs under a name',
        tags: ['saved'],
        params: z.object({ name: Name }),
        body: z.strictObject({ q: z.string().max(500) }),
        response: { 200: View },
      },
    },
    async (request) => {
      parseRunQuery(request.body.q, new Date());
      const { name } = request.params;
      if ((await hidden(engine, request, name)) !== undefined)
        throw new ForbiddenError(`The name “${name}” is taken: choose another one.`);
      return keep(engine, request, 'views', name, { name, q: request.body.q });
    },
  );

  app.delete(
    `${API_PREFIX}/views/:name`,
    {
      schema: {
        operationId: 'deleteView',
        summary: 'Remove a saved view',
        tags: ['saved'],
        params: z.object({ name: Name }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { name } = request.params;
      if ((await hidden(engine, request, name)) !== undefined) throw notKept(name);
      return remove(engine, request, 'views', name);
    },
  );

  app.get(
    `${API_PREFIX}/jobs/:name/presets`,
    {
      schema: {
        operationId: 'listPresets',
        summary: 'Configs of a job that people keep under a name',
        tags: ['saved'],
        params: z.object({ name: z.string().max(100) }),
        response: { 200: pageOf(Preset) },
      },
    },
    async ({ params }) => ({
      items: await readAll<z.input<typeof Preset>>(engine, `presets:${jobOf(params.name)}`),
      next: null,
    }),
  );

  app.put(
    `${API_PREFIX}/jobs/:name/presets/:preset`,
    {
      schema: {
        operationId: 'savePreset',
        summary: 'Keep a config of a job under a name; it may hold a part of the fields',
        tags: ['saved'],
        params: z.object({ name: z.string().max(100), preset: Name }),
        body: z.strictObject({ config: Facts, description: Description }),
        response: { 200: Preset },
      },
    },
    async (request) => {
      const { name: job, preset } = request.params;
      const { config, description } = request.body;
      const text = JSON.stringify(config);
      if (Buffer.byteLength(text) > MAX_CONFIG_BYTES)
        throw new RequestInvalidError(`body.config: has more than ${MAX_CONFIG_BYTES} bytes.`);
      // Everyone reads presets, so nothing that would be masked elsewhere may stand in one.
      if (JSON.stringify(maskSecrets(config)) !== text)
        throw new RequestInvalidError(
          'body.config: holds a secret. Write a reference such as env:NAME instead, or leave the field out.',
        );
      return keep(engine, request, `presets:${jobOf(job)}`, preset, { job, name: preset, description, config });
    },
  );

  app.delete(
    `${API_PREFIX}/jobs/:name/presets/:preset`,
    {
      schema: {
        operationId: 'deletePreset',
        summary: 'Remove a preset',
        tags: ['saved'],
        params: z.object({ name: z.string().max(100), preset: Name }),
        response: { 200: Done },
      },
    },
    async (request) => remove(engine, request, `presets:${jobOf(request.params.name)}`, request.params.preset),
  );
};

function seesView(request: FastifyRequest, view: z.input<typeof View>): boolean {
  if (request.principal?.jobs === undefined || view.by === actorOf(request)) return true;
  const { job } = parseRunQuery(view.q, new Date());
  return job !== undefined && seesJob(request.principal, job);
}

/** A view that is there, but not for whoever asks. */
async function hidden(engine: Engine, request: FastifyRequest, name: string): Promise<Kept | undefined> {
  const text = await engine.redis.hget(engine.keys.saved('views'), name);
  const view = text === null ? undefined : (JSON.parse(text) as z.input<typeof View>);
  return view === undefined || seesView(request, view) ? undefined : view;
}

const notKept = (name: string) => new NotFoundError(`Nothing is kept under the name “${name}”.`);

interface Kept {
  readonly name: string;
  readonly by: string;
  readonly at: string;
}

async function readAll<T extends Kept>(engine: Engine, kind: string): Promise<T[]> {
  const all = await engine.redis.hvals(engine.keys.saved(kind));
  return all.map((text) => JSON.parse(text) as T).sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

async function keep<T extends { readonly name: string }>(
  engine: Engine,
  request: FastifyRequest,
  kind: string,
  name: string,
  document: T,
): Promise<T & Kept> {
  const key = engine.keys.saved(kind);
  const [before, count] = await Promise.all([engine.redis.hget(key, name), engine.redis.hlen(key)]);
  if (before !== null) mayChange(request.principal, actorOf(request), JSON.parse(before) as Kept);
  else if (count >= MAX_KEPT)
    throw new RequestInvalidError(`There are ${MAX_KEPT} already: remove one that nobody uses.`);
  const kept = { ...document, by: actorOf(request), at: new Date().toISOString() };
  await engine.redis.hset(key, name, JSON.stringify(kept));
  request.auditNote = {
    target: `${kind}/${name}`,
    before: before === null ? undefined : (JSON.parse(before) as unknown),
    after: kept,
  };
  return kept;
}

async function remove(engine: Engine, request: FastifyRequest, kind: string, name: string): Promise<{ ok: true }> {
  const key = engine.keys.saved(kind);
  const before = await engine.redis.hget(key, name);
  if (before === null) throw notKept(name);
  mayChange(request.principal, actorOf(request), JSON.parse(before) as Kept);
  await engine.redis.hdel(key, name);
  request.auditNote = { target: `${kind}/${name}`, before: JSON.parse(before) as unknown };
  return { ok: true };
}

/** @throws ForbiddenError */
function mayChange(principal: Principal | undefined, actor: string, kept: Kept): void {
  if (kept.by === actor || isAtLeast(principal?.role ?? 'viewer', 'operator')) return;
  throw new ForbiddenError(`“${kept.name}” was saved by ${kept.by}: choose another name, or ask an operator.`);
}
