/**
 * What people keep on the server for each other: views of the list of runs, and presets of the launchpad. Small
 * documents by name. A name that somebody else gave is replaced or removed only by an operator. Who is limited to some
 * jobs sees the views of those, and their own: a query tells of what it asks for.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { isAtLeast } from '../access/principal.ts';
import { seesJob } from '../access/scope.ts';
import { type Routes, actorOf } from '../context.ts';
import { ForbiddenError, RequestInvalidError } from '../errors.ts';
import { maskSecrets } from '../mask.ts';
import { API_PREFIX } from '../openapi.ts';
import { parseRunQuery } from '../reads/run-query.ts';
import { type Saved, findSaved, listSaved, replaceSaved } from '../saved.ts';
import { Done, Facts, Time, named, pageOf } from '../schema.ts';
import { IfMatch, Version, matchedVersion, onVersion, withETag } from '../versions.ts';

const MAX_CONFIG_BYTES = 65_536;

const Name = z.string().trim().min(1).max(80);
const Description = z.string().trim().max(300).default('');

const View = named(
  'RunView',
  z.object({ name: z.string(), q: z.string(), by: z.string(), at: Time, version: Version }),
);
type View = z.output<typeof View>;
const Preset = named(
  'Preset',
  z.object({
    job: z.string(),
    name: z.string(),
    description: z.string(),
    config: Facts,
    by: z.string(),
    at: Time,
    version: Version,
  }),
);
type Preset = z.output<typeof Preset>;

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
      items: (await listSaved<View>(engine, 'views')).filter((view) => seesView(request, view)),
      next: null,
    }),
  );

  app.get(
    `${API_PREFIX}/views/:name`,
    {
      schema: {
        operationId: 'getView',
        summary: 'A saved view; its version is also the ETag',
        tags: ['saved'],
        params: z.object({ name: Name }),
        response: { 200: View },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const view = await findSaved<View>(engine, 'views', name);
      if (view === undefined || !seesView(request, view)) throw notKept(name);
      return withETag(reply, view.version, view);
    },
  );

  app.put(
    `${API_PREFIX}/views/:name`,
    {
      schema: {
        operationId: 'saveView',
        summary: 'Save a query of runs under a name',
        tags: ['saved'],
        params: z.object({ name: Name }),
        headers: IfMatch,
        body: z.strictObject({ q: z.string().max(500) }),
        response: { 200: View },
      },
    },
    async (request, reply) => {
      parseRunQuery(request.body.q, new Date());
      const { name } = request.params;
      // Whoever does not see a view learns no more of it than that the name is taken.
      const judge = (before: View) => {
        if (!seesView(request, before)) throw new ForbiddenError(`The name “${name}” is taken: choose another one.`);
      };
      return keep<View>(engine, request, reply, 'views', { name, q: request.body.q }, judge);
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
        headers: IfMatch,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { name } = request.params;
      return remove<View>(engine, request, 'views', name, (before) => {
        if (!seesView(request, before)) throw notKept(name);
      });
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
      items: await listSaved<Preset>(engine, `presets:${jobOf(params.name)}`),
      next: null,
    }),
  );

  app.get(
    `${API_PREFIX}/jobs/:name/presets/:preset`,
    {
      schema: {
        operationId: 'getPreset',
        summary: 'A preset of a job; its version is also the ETag',
        tags: ['saved'],
        params: z.object({ name: z.string().max(100), preset: Name }),
        response: { 200: Preset },
      },
    },
    async ({ params }, reply) => {
      const preset = await findSaved<Preset>(engine, `presets:${jobOf(params.name)}`, params.preset);
      if (preset === undefined) throw notKept(params.preset);
      return withETag(reply, preset.version, preset);
    },
  );

  app.put(
    `${API_PREFIX}/jobs/:name/presets/:preset`,
    {
      schema: {
        operationId: 'savePreset',
        summary: 'Keep a config of a job under a name; it may hold a part of the fields',
        tags: ['saved'],
        params: z.object({ name: z.string().max(100), preset: Name }),
        headers: IfMatch,
        body: z.strictObject({ config: Facts, description: Description }),
        response: { 200: Preset },
      },
    },
    async (request, reply) => {
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
      return keep<Preset>(engine, request, reply, `presets:${jobOf(job)}`, { job, name: preset, description, config });
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
        headers: IfMatch,
        response: { 200: Done },
      },
    },
    (request) => remove<Preset>(engine, request, `presets:${jobOf(request.params.name)}`, request.params.preset),
  );
};

function seesView(request: FastifyRequest, view: View): boolean {
  if (request.principal?.jobs === undefined || view.by === actorOf(request)) return true;
  const { job } = parseRunQuery(view.q, new Date());
  return job !== undefined && seesJob(request.principal, job);
}

const notKept = (name: string) => new NotFoundError(`Nothing is kept under the name “${name}”.`);

async function keep<T extends Saved>(
  engine: Engine,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: string,
  document: Omit<T, 'by' | 'at' | 'version'> & { readonly name: string },
  judge?: (before: T) => void,
): Promise<T> {
  const made = { ...document, by: actorOf(request), at: new Date().toISOString() } as unknown as Omit<T, 'version'>;
  const kept = (await replace<T>(engine, request, kind, document.name, made, judge)) as T;
  return withETag(reply, kept.version, kept);
}

async function remove<T extends Saved>(
  engine: Engine,
  request: FastifyRequest,
  kind: string,
  name: string,
  judge?: (before: T) => void,
): Promise<{ ok: true }> {
  if ((await findSaved(engine, kind, name)) === undefined) throw notKept(name);
  await replace<T>(engine, request, kind, name, undefined, judge);
  return { ok: true };
}

/** In place of what is there, when whoever asks sees it, may change it and builds on it. */
async function replace<T extends Saved>(
  engine: Engine,
  request: FastifyRequest,
  kind: string,
  name: string,
  document: Omit<T, 'version'> | undefined,
  judge: (before: T) => void = () => {},
): Promise<T | undefined> {
  const mayChange = (before: Saved) => {
    judge(before as T);
    if (before.by === actorOf(request) || isAtLeast(request.principal?.role ?? 'viewer', 'operator')) return;
    throw new ForbiddenError(`“${name}” was saved by ${before.by}: choose another name, or ask an operator.`);
  };
  const { before, after } = await onVersion(
    () => replaceSaved<T>(engine, kind, name, document, { ifVersion: matchedVersion(request), judge: mayChange }),
    async () => {
      const current = await findSaved<T>(engine, kind, name);
      return { version: current?.version ?? 0, current: current ?? null };
    },
  );
  request.auditNote = { target: `${kind}/${name}`, before, after };
  return after;
}
