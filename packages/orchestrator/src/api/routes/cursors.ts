/** Cursors: read with a version, write against it, history, restore, reset. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { NotFoundError } from '../../definitions/errors.ts';
import type { Json } from '../../definitions/json.ts';
import type { Sensor } from '../../definitions/sensor.ts';
import type { Engine } from '../../engine/engine.ts';
import { applyCursor } from '../../engine/apply.ts';
import {
  type CursorRecord,
  cursorHistory,
  getCursor,
  resetCursor,
  restoreCursor,
  setCursor,
} from '../../engine/cursor.ts';
import { describeError } from '../../worker/describe-error.ts';
import { type Routes, actorOf } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { Reason, given, pageOf, pageQuery } from '../schema.ts';
import { readTicks } from '../reads/sensors.ts';
import { IfMatch, matchedVersion, onVersion, requiredVersion, withETag } from '../versions.ts';
import { Cursor, CursorChange, SensorParams, Tick } from './sensor-schemas.ts';
import { toTickPage } from './sensors.ts';

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
      return withETag(reply, cursor.version, { ...cursor });
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
        headers: IfMatch,
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
      if (ifVersion === undefined) requiredVersion(request);
      const { written, before } = await change(engine, request, { reason, ifVersion }, (word) =>
        setCursor(engine, name, cursor as Json, word),
      );
      // Not read again: a tick may have moved it since, and the answer is about this write.
      const after = { cursor, version: written.version, generation: before.generation };
      request.auditNote = { target: `sensor:${name}/cursor`, reason, before, after };
      return withETag(reply, after.version, after);
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
        headers: IfMatch,
        body: z.strictObject({
          reason: NeededReason,
          cursor: z.unknown().optional().describe('Where to start over from; default: the initial cursor.'),
          if_version: z.number().int().min(0).optional(),
        }),
        response: { 200: Cursor },
      },
    },
    async (request, reply) => {
      const { reason, if_version: ifVersion } = request.body;
      const { name } = request.params;
      const cursor = request.body.cursor as Json | undefined;
      const { before } = await change(engine, request, { reason, ifVersion }, (word) =>
        resetCursor(engine, name, { ...word, ...given({ cursor }) }),
      );
      return answer(engine, request, reply, { reason, before });
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
      const { written, before } = await change(engine, request, { reason, ifVersion }, (word) =>
        applyCursor(engine, ports, name, cursor as Json, word),
      );
      const id = written.tick;
      const after = { ...(await getCursor(engine, name)) };
      // Its runs are launched: restoring the cursor alone would not undo it.
      request.auditNote = { target: `sensor:${name}/apply`, reason, before, after: { ...after, tick: id } };
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
        headers: IfMatch,
        body: z.strictObject({
          reason: NeededReason,
          version: z.number().int().min(1).optional(),
          if_version: z.number().int().min(0).optional(),
        }),
        response: { 200: Cursor },
      },
    },
    async (request, reply) => {
      const { reason, version, if_version: ifVersion } = request.body;
      const { name } = request.params;
      const { before } = await change(engine, request, { reason, ifVersion }, (word) =>
        restoreCursor(engine, name, { ...word, ...given({ version }) }),
      );
      return answer(engine, request, reply, { reason, before });
    },
  );
};

/** On top of the version in the body (else 409), or of If-Match (else 412). */
async function change<T>(
  engine: Engine,
  request: FastifyRequest,
  { reason, ifVersion }: { readonly reason: string; readonly ifVersion?: number | undefined },
  write: (word: { readonly by: string; readonly reason: string; readonly ifVersion?: number }) => Promise<T>,
): Promise<{ readonly written: T; readonly before: CursorRecord }> {
  const { name } = request.params as z.output<typeof SensorParams>;
  const version = ifVersion ?? matchedVersion(request);
  const before = await getCursor(engine, name);
  request.auditNote = { target: `sensor:${name}/cursor`, reason, before };
  const written = await onVersion(
    () => write({ by: actorOf(request), reason, ...given({ ifVersion: version }) }),
    async () => {
      const { version: now, cursor } = await getCursor(engine, name);
      return { version: now, current: cursor };
    },
    ifVersion === undefined,
  );
  return { written, before };
}

async function answer(
  engine: Engine,
  request: FastifyRequest,
  reply: FastifyReply,
  { reason, before }: { readonly reason: string; readonly before: CursorRecord },
): Promise<z.input<typeof Cursor>> {
  const { name } = request.params as z.output<typeof SensorParams>;
  const after = await getCursor(engine, name);
  request.auditNote = { target: `sensor:${name}/cursor`, reason, before, after };
  return withETag(reply, after.version, { ...after });
}
