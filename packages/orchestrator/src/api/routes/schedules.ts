/** Schedules: lists with the next planned times, the switch, ticks. */

import { z } from 'zod';

import { lookUp } from '../../definitions/deployment.ts';
import { NotFoundError } from '../../definitions/errors.ts';
import type { Schedule } from '../../definitions/schedule.ts';
import type { Engine } from '../../engine/engine.ts';
import { plannedTimes } from '../../engine/tick.ts';
import { engineFor } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { type SwitchState, listTicks, readSwitches } from '../reads/sensors.ts';
import { Time, named, pageAfter, pageOf, wholeQuery } from '../schema.ts';
import { withETag } from '../versions.ts';
import { LastTick, SensorParams, SensorStatus, StatusVersion, Tick } from './sensor-schemas.ts';
import { TickQuery, tickQueryOf, toTickPage } from './sensors.ts';
import { addSwitches } from './switches.ts';

export const ScheduleItem = named(
  'Schedule',
  z.object({
    name: z.string(),
    description: z.string(),
    job: z.string(),
    cron: z.string(),
    time_zone: z.string(),
    catch_up: z.enum(['skip', 'latest', 'all']),
    status: SensorStatus,
    default_status: SensorStatus,
    status_by: z.string(),
    status_at: Time.nullable(),
    status_version: StatusVersion,
    last_tick: LastTick.nullable(),
    next_due_at: Time.nullable().describe('When it is looked at next; null while it is stopped.'),
    next_times: z.array(Time).describe('As the cron expression has them, running or not.'),
    error_streak: z.number(),
  }),
);

const NEXT_TIMES = 5;

export async function readSchedules(engine: Engine, all: readonly Schedule[]): Promise<z.input<typeof ScheduleItem>[]> {
  const states = await readSwitches(
    engine,
    all.map((schedule) => schedule.name),
  );
  const now = new Date();
  return all.flatMap((schedule, i) => (states[i] ? [toSchedule(schedule, states[i], now)] : []));
}

/** @throws NotFoundError */
export async function readSchedule(engine: Engine, name: string): Promise<z.input<typeof ScheduleItem>> {
  const [one] = await readSchedules(engine, [lookUp('schedule', engine.deployment.schedules, name)]);
  if (one) return one;
  throw new NotFoundError(`Schedule ${name} is not registered.`);
}

export const scheduleRoutes: Routes = (app, { engine }) => {
  const { schedules } = engine.deployment;

  app.get(
    `${API_PREFIX}/schedules`,
    {
      schema: {
        operationId: 'listSchedules',
        summary: 'All schedules',
        tags: ['schedules'],
        querystring: z.strictObject(wholeQuery),
        response: { 200: pageOf(ScheduleItem) },
      },
    },
    async ({ principal, query }) => {
      const all = [...engineFor(engine, principal).deployment.schedules.values()];
      const { items, next } = pageAfter(all, ({ name }) => name, query);
      return { items: await readSchedules(engine, items), next };
    },
  );

  app.get(
    `${API_PREFIX}/schedules/:name`,
    {
      schema: {
        operationId: 'getSchedule',
        summary: 'A schedule; the ETag is the version of its switch',
        tags: ['schedules'],
        params: SensorParams,
        response: { 200: ScheduleItem },
      },
    },
    async ({ params }, reply) => {
      const schedule = await readSchedule(engine, params.name);
      return withETag(reply, schedule.status_version, schedule);
    },
  );

  addSwitches(app, engine, 'schedule');

  app.get(
    `${API_PREFIX}/schedules/:name/ticks`,
    {
      schema: {
        operationId: 'listScheduleTicks',
        summary: 'Ticks, newest first',
        tags: ['schedules'],
        params: SensorParams,
        querystring: TickQuery,
        response: { 200: pageOf(Tick) },
      },
    },
    async ({ params, query }) =>
      toTickPage(await listTicks(engine, lookUp('schedule', schedules, params.name).name, tickQueryOf(query))),
  );
};

function toSchedule(schedule: Schedule, state: SwitchState, now: Date): z.input<typeof ScheduleItem> {
  const times: string[] = [];
  for (let at = now; times.length < NEXT_TIMES;) {
    at = plannedTimes(schedule, at, at).next;
    times.push(at.toISOString());
  }
  return {
    name: schedule.name,
    description: schedule.description,
    job: schedule.job.name,
    cron: schedule.cron,
    time_zone: schedule.timeZone,
    catch_up: schedule.catchUp,
    status: state.status,
    default_status: schedule.defaultStatus,
    status_by: state.status_by,
    status_at: state.status_at,
    status_version: state.status_version,
    last_tick: state.last_tick,
    next_due_at: state.next_due_at,
    next_times: times,
    error_streak: state.error_streak,
  };
}
