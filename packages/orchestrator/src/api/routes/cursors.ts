/** Cursors: read with a version, write against it, history, restore, reset. */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import { ConflictError, NotFoundError } from '../../definitions/errors.ts';
import type { Json } from '../../definitions/json.ts';
import type { Sensor } from '../../definitions/sensor.ts';
import type { Engine } from '../../engine/engine.ts';
import { applyCursor } from '../../engine/apply.ts';
import { cursorHistory, getCursor, resetCursor, restoreCursor, setCursor } from '../../engine/cursor.ts';
import { describeError } from '../../worker/describe-error.ts';
import { type Routes, actorOf } from '../context.ts';
import { PreconditionFailedError, PreconditionRequiredError, RequestInvalidError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { Reason, given, pageOf, pageQuery } from '../schema.ts';
import { readTicks } from '../reads/sensors.ts';
import { Cursor, CursorChange, Tick } from './sensor-schemas.ts';
import { SensorParams, toTickPage } from './sensors.ts';

/** Cursor changes say why: it is the first question of whoever finds one. */
const NeededReason = Reason.min(1, 'say why, for those who read the history');
const HISTORY_LIMIT = 2_000;

export const cursorRoutes: Routes = (app, { engine, resources, scrub, log }) => {
  app.get(
    `${API_PREFIX}/sensors/:name/cursor`,
    {
      schema: {
        operationId: 'getCursor',
        summary: 'The cursor; its version is also the ETag',
        tags: ['cursors'],
        params: SensorParams,
        response: { 200: Cursor },
      },
    },
    async ({ params }, reply) => {
      const cursor = await getCursor(engine, params.name);
      return reply.header('etag', `"${cursor.version}"`).send({ ...cursor });
    },
  );

  app.put(
    `${API_PREFIX}/sensors/:name/cursor`,
    {
      schema: {
        operationId: 'setCursor',
        summary: 'Set the cursor, on top of the version that If-Match (or if_version) names',
        description:
          '`If-Match: *` overwrites whatever is stored. A wrong version answers 412 (or 409) with the current cursor.',
        tags: ['cursors'],
        params: SensorParams,
        headers: z.object({ 'if-match': z.string().max(100).optional() }),
        body: z.strictObject({
          cursor: z.unknown().refine((value) => value !== undefined, 'is missing'),
          reason: NeededReason,
          if_version: z.number().int().min(0).optional(),
        }),
        response: { 200: Cursor },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { cursor, reason, if_version: ifVersion } = request.body;
      const version = ifVersion ?? matchedVersion(request);
      const before = await getCursor(engine, name);
      request.auditNote = { target: `sensor:${name}/cursor`, reason, before };
      const write = { by: actorOf(request), reason, ...given({ ifVersion: version }) };
      let after: z.input<typeof Cursor>;
      try {
        const written = await setCursor(engine, name, cursor as Json, write);
        // Not read again: a tick may have moved it since, and the answer is about this write.
        after = { cursor, version: written.version, generation: before.generation };
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        throw await conflict(engine, name, error, ifVersion === undefined);
      }
      request.auditNote = { target: `sensor:${name}/cursor`, reason, before, after };
      return reply.header('etag', `"${after.version}"`).send(after);
    },
  );

  app.get(
    `${API_PREFIX}/sensors/:name/cursor/history`,
    {
      schema: {
        operationId: 'listCursorHistory',
        summary: 'Every change of the cursor, by ticks and people, newest first',
        tags: ['cursors'],
        params: SensorParams,
        querystring: z.strictObject({
          limit: pageQuery.limit,
          after: z
            .string()
            .regex(/^\d{1,9}$/, 'must be a version')
            .optional(),
        }),
        response: { 200: pageOf(CursorChange) },
      },
    },
    async ({ params, query }) => {
      const all = await cursorHistory(engine, params.name, HISTORY_LIMIT);
      const older = query.after === undefined ? all : all.filter((one) => one.version < Number(query.after));
      const items = older.slice(0, query.limit).map((one) => ({ ...one, at: one.at.toISOString() }));
      return { items, next: older.length > query.limit ? String(items.at(-1)?.version) : null };
    },
  );

  app.post(
    `${API_PREFIX}/sensors/:name/cursor/reset`,
    {
      schema: {
        operationId: 'resetCursor',
        summary: 'Back to the initial cursor, or to a given one, and run keys start over',
        tags: ['cursors'],
        params: SensorParams,
        body: z.strictObject({
          reason: NeededReason,
          cursor: z.unknown().optional().describe('Where to start over from; default: the initial cursor.'),
          if_version: z.number().int().min(0).optional(),
        }),
        response: { 200: Cursor },
      },
    },
    async (request) => {
      const { reason, if_version: ifVersion } = request.body;
      const cursor = request.body.cursor as Json | undefined;
      return change(engine, request, request.params.name, reason, (by) =>
        resetCursor(engine, request.params.name, { by, reason, ...given({ ifVersion, cursor }) }),
      );
    },
  );

  app.post(
    `${API_PREFIX}/sensors/:name/apply`,
    {
      schema: {
        operationId: 'applyCursor',
        summary: 'Set the cursor and launch what the sensor asks for with it: both, or neither',
        description:
          'Evaluates the sensor’s real code with this cursor, also when the sensor is stopped. Cursor, history, runs and ' +
          'the tick’s record are written at once, on the version that if_version names; a wrong one answers 409 with the ' +
          'current cursor, and nothing is written.',
        tags: ['cursors'],
        params: SensorParams,
        body: z.strictObject({
          cursor: z.unknown().refine((value) => value !== undefined, 'is missing'),
          reason: NeededReason,
          if_version: z.number().int().min(0),
        }),
        response: { 200: Cursor.extend({ tick: Tick }) },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { cursor, reason, if_version: ifVersion } = request.body;
      const ports = {
        openResources: (map: Sensor['resources']) => resources.openAll(map),
        describe: (error: unknown) => describeError(error, scrub).message,
        log,
      };
      let id = '';
      const after = await change(engine, request, name, reason, async (by) => {
        id = (await applyCursor(engine, ports, name, cursor as Json, { by, reason, ifVersion })).tick;
      });
      // Its runs are launched: restoring the cursor alone would not undo it.
      request.auditNote = {
        target: `sensor:${name}/apply`,
        reason,
        before: request.auditNote?.before,
        after: { ...after, tick: id },
      };
      const [tick] = toTickPage({ items: await readTicks(engine, [id]), next: null }).items;
      if (!tick) throw new NotFoundError(`The tick ${id} was not kept.`);
      return { ...after, tick };
    },
  );

  app.post(
    `${API_PREFIX}/sensors/:name/cursor/restore`,
    {
      schema: {
        operationId: 'restoreCursor',
        summary: 'Back to how the cursor was after a version, or before the newest change',
        tags: ['cursors'],
        params: SensorParams,
        body: z.strictObject({
          reason: NeededReason,
          version: z.number().int().min(1).optional(),
          if_version: z.number().int().min(0).optional(),
        }),
        response: { 200: Cursor },
      },
    },
    async (request) => {
      const { reason, version, if_version: ifVersion } = request.body;
      return change(engine, request, request.params.name, reason, (by) =>
        restoreCursor(engine, request.params.name, { by, reason, ...given({ version, ifVersion }) }),
      );
    },
  );
};

async function change(
  engine: Engine,
  request: FastifyRequest,
  name: string,
  reason: string,
  write: (by: string) => Promise<unknown>,
): Promise<z.input<typeof Cursor>> {
  const before = await getCursor(engine, name);
  request.auditNote = { target: `sensor:${name}/cursor`, reason, before };
  try {
    await write(actorOf(request));
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    throw await conflict(engine, name, error, false);
  }
  const after = await getCursor(engine, name);
  request.auditNote = { target: `sensor:${name}/cursor`, reason, before, after };
  return { ...after };
}

/** Undefined for `*`. @throws PreconditionRequiredError, RequestInvalidError */
function matchedVersion(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match'];
  if (header === undefined)
    throw new PreconditionRequiredError('Say on which version this cursor builds: If-Match with the ETag, or *.');
  if (header.trim() === '*') return undefined;
  const version = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header.trim())?.[1];
  if (version === undefined)
    throw new RequestInvalidError('If-Match: write the ETag of the cursor, such as "7", or *.');
  return Number(version);
}

async function conflict(
  engine: Engine,
  name: string,
  error: ConflictError,
  byHeader: boolean,
): Promise<ConflictError | PreconditionFailedError> {
  const current = await getCursor(engine, name);
  const details = { current_version: current.version, current: current.cursor };
  return byHeader
    ? new PreconditionFailedError(error.message, { details })
    : new ConflictError(error.message, { details });
}
