/** Sensors: lists, one, the switch, ticks, evaluate now, preview. */

import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import { NotFoundError, RefusedError } from '../../definitions/errors.ts';
import type { Json } from '../../definitions/json.ts';
import type { Sensor } from '../../definitions/sensor.ts';
import { initialCursor } from '../../engine/register.ts';
import { previewTicks } from '../../engine/preview.ts';
import { openTick } from '../../engine/tick.ts';
import { engineFor } from '../access/scope.ts';
import { jsonSchemaOf } from '../config-schema.ts';
import { type Routes, actorOf } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { type SwitchState, listTicks, readSwitches, readTicks, readTimeline } from '../reads/sensors.ts';
import { given, pageAfter, pageOf, pageQuery, wholeQuery } from '../schema.ts';
import { withETag } from '../versions.ts';
import { PreviewTick, SensorDetail, SensorItem, SensorParams, Tick, TickMark } from './sensor-schemas.ts';
import { addSwitches } from './switches.ts';

export const TickQuery = z.strictObject({
  ...pageQuery,
  decision: z.enum(['running', 'requested', 'suppressed', 'acted', 'skipped', 'failed', 'timed_out']).optional(),
  from: z.iso.datetime({ offset: true }).optional().describe('Begun at this moment or later.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Begun at this moment or earlier.'),
});
export const tickQueryOf = ({ from, to, ...query }: z.output<typeof TickQuery>) => ({
  ...query,
  ...given({
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  }),
});
/** Requests that a preview shows, over all its ticks. */
const MAX_PREVIEW_REQUESTS = 5_000;

export const sensorRoutes: Routes = (app, { engine, resources, log }) => {
  const { sensors } = engine.deployment;

  app.get(
    `${API_PREFIX}/sensors`,
    {
      schema: {
        operationId: 'listSensors',
        summary: 'All sensors with their switch, last tick and next one',
        tags: ['sensors'],
        querystring: z.strictObject(wholeQuery),
        response: { 200: pageOf(SensorItem) },
      },
    },
    async ({ principal, query }) => {
      const known = [...engineFor(engine, principal).deployment.sensors.values()];
      const { items: all, next } = pageAfter(known, ({ name }) => name, query);
      const states = await readSwitches(
        engine,
        all.map((sensor) => sensor.name),
      );
      return { items: all.flatMap((sensor, i) => (states[i] ? [toSensor(sensor, states[i])] : [])), next };
    },
  );

  app.get(
    `${API_PREFIX}/sensors/:name`,
    {
      schema: {
        operationId: 'getSensor',
        summary: 'A sensor with its cursor and the JSON schema of it; the ETag is the version of its switch',
        tags: ['sensors'],
        params: SensorParams,
        response: { 200: SensorDetail },
      },
    },
    async ({ params }, reply) => {
      const sensor = lookUp('sensor', sensors, params.name);
      const [state] = await readSwitches(engine, [sensor.name]);
      if (!state) throw new NotFoundError(`Sensor ${sensor.name} is not registered.`);
      return withETag(reply, state.status_version, {
        ...toSensor(sensor, state),
        cursor: JSON.parse(state.cursor) as unknown,
        cursor_version: state.version,
        cursor_generation: state.generation,
        cursor_schema: jsonSchemaOf(sensor.cursor),
        initial_cursor: JSON.parse(initialCursor(sensor)) as unknown,
        resources: Object.values(sensor.resources).map((token) => token.name),
      });
    },
  );

  addSwitches(app, engine, 'sensor');

  app.post(
    `${API_PREFIX}/sensors/:name/evaluate`,
    {
      schema: {
        operationId: 'evaluateSensor',
        summary: 'Evaluate now, also when stopped; a worker does it',
        tags: ['sensors'],
        params: SensorParams,
        response: { 202: z.object({ tick: z.string() }) },
      },
    },
    async (request, reply) => {
      const { name } = lookUp('sensor', sensors, request.params.name);
      const tick = await openTick(engine, name, actorOf(request));
      if (tick === undefined) throw new RefusedError(`A tick of ${name} is under way: wait for it to end.`);
      request.auditNote = { target: `sensor:${name}`, after: { tick } };
      return reply.code(202).send({ tick });
    },
  );

  app.post(
    `${API_PREFIX}/sensors/:name/preview`,
    {
      config: { changesNothing: true },
      schema: {
        operationId: 'previewSensor',
        summary: 'What the next ticks would do, from the stored or a given cursor; changes nothing',
        description: 'Runs the sensor’s real code on a virtual clock.',
        tags: ['sensors'],
        params: SensorParams,
        body: z.strictObject({
          cursor: z.unknown().optional(),
          ticks: z.number().int().min(1).max(100).default(1),
          as_reset: z.boolean().default(false).describe('As after a reset or a restore: run keys begin anew.'),
        }),
        response: {
          200: z.object({
            ticks: z.array(PreviewTick),
            requests_total: z.number(),
            suppressed_total: z.number().describe('Of those that are shown.'),
            cut: z.boolean().describe(`Only the first ${MAX_PREVIEW_REQUESTS} requests are shown.`),
          }),
        },
      },
    },
    async ({ params, body }) => {
      const sensor = lookUp('sensor', sensors, params.name);
      const ticks = await previewTicks(engine, sensor, {
        ticks: body.ticks,
        asReset: body.as_reset,
        openResources: (map) => resources.openAll(map),
        log,
        ...given({ cursor: body.cursor as Json | undefined }),
      });
      const all = ticks.flatMap((tick) => tick.requests);
      const shown = all.slice(0, MAX_PREVIEW_REQUESTS);
      let left = shown.length;
      return {
        ticks: ticks.map((tick) => {
          const requests = tick.requests
            .slice(0, left)
            .map((one) => ({ ...one, partitions: [...one.partitions], tags: { ...one.tags } }));
          left -= requests.length;
          return { ...tick, requests };
        }),
        requests_total: all.length,
        suppressed_total: shown.filter((one) => one.suppressed_by !== null).length,
        cut: all.length > MAX_PREVIEW_REQUESTS,
      };
    },
  );

  app.get(
    `${API_PREFIX}/sensors/:name/ticks`,
    {
      schema: {
        operationId: 'listTicks',
        summary: 'Ticks, newest first',
        tags: ['sensors'],
        params: SensorParams,
        querystring: TickQuery,
        response: { 200: pageOf(Tick) },
      },
    },
    async ({ params, query }) =>
      toTickPage(await listTicks(engine, lookUp('sensor', sensors, params.name).name, tickQueryOf(query))),
  );

  app.get(
    `${API_PREFIX}/sensors/:name/timeline`,
    {
      schema: {
        operationId: 'getTickTimeline',
        summary: 'Every tick that is kept, oldest first, as little of each as a timeline draws',
        tags: ['sensors'],
        params: SensorParams,
        response: { 200: z.object({ items: z.array(TickMark) }) },
      },
    },
    async ({ params }) => ({ items: await readTimeline(engine, lookUp('sensor', sensors, params.name).name) }),
  );

  app.get(
    `${API_PREFIX}/sensors/:name/ticks/:tick`,
    {
      schema: {
        operationId: 'getTick',
        summary: 'One tick',
        tags: ['sensors'],
        params: SensorParams.extend({ tick: z.string().regex(/^[\w.-]{1,140}$/, 'is not an id of a tick') }),
        response: { 200: Tick },
      },
    },
    async ({ params }) => {
      const [tick] = await readTicks(engine, [params.tick]);
      if (!tick || tick.sensor !== params.name) throw new NotFoundError(`Sensor ${params.name} has no such tick.`);
      return toTickPage({ items: [tick], next: null }).items[0] as z.input<typeof Tick>;
    },
  );
};

export function toTickPage(page: Awaited<ReturnType<typeof listTicks>>): {
  items: z.input<typeof Tick>[];
  next: string | null;
} {
  return {
    items: page.items.map((tick) => ({
      ...tick,
      run_ids: [...tick.run_ids],
      suppressed_run_ids: [...tick.suppressed_run_ids],
      log: [...tick.log],
    })),
    next: page.next,
  };
}

function toSensor(sensor: Sensor, state: SwitchState): z.input<typeof SensorItem> {
  return {
    name: sensor.name,
    description: sensor.description,
    job: sensor.job.name,
    assets: sensor.job.assets.map((asset) => asset.key),
    every_ms: sensor.everyMs,
    timeout_ms: sensor.timeoutMs,
    status: state.status,
    default_status: sensor.defaultStatus,
    status_by: state.status_by,
    status_at: state.status_at,
    status_version: state.status_version,
    running_tick: state.running_tick,
    last_tick: state.last_tick,
    next_due_at: state.next_due_at,
    error_streak: state.error_streak,
    recent: [...state.recent],
  };
}
