/** The overview: counts by state, the last day by the hour, what fails, what is late, who works. */

import { z } from 'zod';

import type { Engine } from '../../engine/engine.ts';
import { readCounts } from '../../engine/reads/partitions.ts';
import { engineFor } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { RUN_INDEXES } from '../reads/run-list.ts';
import { readSwitches } from '../reads/sensors.ts';
import { readWorkers } from '../reads/system.ts';
import { Time, named } from '../schema.ts';
import { Counts } from './asset-schemas.ts';

const Overview = named(
  'Overview',
  z.object({
    runs: z.object({
      queued: z.number(),
      active: z.number(),
      success: z.number(),
      failure: z.number(),
      canceled: z.number(),
    }),
    hours: z
      .array(z.object({ at: Time, success: z.number(), failure: z.number(), canceled: z.number() }))
      .describe('Runs that ended, by the hour, oldest first.'),
    assets: z.array(z.object({ key: z.string(), counts: Counts })),
    sensors: z.object({
      running: z.number(),
      stopped: z.number(),
      failing: z.array(z.string()),
      late: z.array(z.string()).describe('Without a tick for more than three intervals.'),
    }),
    backfills_live: z.number(),
    workers: z.number(),
    slots: z.number().describe('Attempts that the workers take at once.'),
    attempts_active: z.number(),
  }),
);

const HOUR_MS = 3_600_000;
const HOURS = 24;
const ENDED = ['SUCCESS', 'FAILURE', 'CANCELED'] as const;

export const overviewRoutes: Routes = (app, { engine }) => {
  app.get(
    `${API_PREFIX}/overview`,
    {
      schema: {
        operationId: 'getOverview',
        summary: 'Everything at a glance',
        tags: ['overview'],
        response: { 200: Overview },
      },
    },
    async ({ principal }) => {
      const now = Date.now();
      const seen = engineFor(engine, principal);
      const { assets } = seen.deployment;
      const [runs, hours, counts, sensors, workers, active, backfills] = await Promise.all([
        runsByStatus(engine),
        endedByHour(engine, now),
        Promise.all([...assets.values()].map(async (a) => ({ key: a.key, counts: await readCounts(engine, a) }))),
        sensorsAtAGlance(seen, now),
        readWorkers(engine),
        engine.redis.zcard(engine.keys.leases),
        engine.redis.scard(engine.keys.liveBackfills),
      ]);
      return {
        runs,
        hours,
        assets: counts.map(({ key, counts: of }) => ({ key, counts: { ...of } })),
        sensors,
        backfills_live: backfills,
        workers: workers.length,
        slots: workers.reduce((n, worker) => n + worker.concurrency, 0),
        attempts_active: active,
      };
    },
  );
};

async function runsByStatus(engine: Engine): Promise<z.input<typeof Overview>['runs']> {
  const [queued = 0, active = 0, success = 0, failure = 0, canceled = 0] = await Promise.all(
    RUN_INDEXES.map((index) => engine.redis.zcard(engine.keys.runsByStatus(index))),
  );
  return { queued, active, success, failure, canceled };
}

async function endedByHour(
  engine: Engine,
  now: number,
): Promise<{ at: string; success: number; failure: number; canceled: number }[]> {
  const first = Math.floor(now / HOUR_MS) * HOUR_MS - (HOURS - 1) * HOUR_MS;
  const pipeline = engine.redis.pipeline();
  for (let hour = 0; hour < HOURS; hour++) {
    const from = first + hour * HOUR_MS;
    for (const status of ENDED) pipeline.zcount(engine.keys.runsByStatus(status), from, `(${from + HOUR_MS}`);
  }
  const replies = ((await pipeline.exec()) ?? []).map(([, reply]) => Number(reply));
  return Array.from({ length: HOURS }, (_, hour) => ({
    at: new Date(first + hour * HOUR_MS).toISOString(),
    success: replies[3 * hour] ?? 0,
    failure: replies[3 * hour + 1] ?? 0,
    canceled: replies[3 * hour + 2] ?? 0,
  }));
}

async function sensorsAtAGlance(engine: Engine, now: number): Promise<z.input<typeof Overview>['sensors']> {
  const all = [...engine.deployment.sensors.values()];
  const states = await readSwitches(
    engine,
    all.map((sensor) => sensor.name),
  );
  const pairs = all.flatMap((sensor, i) => (states[i] ? [{ sensor, state: states[i] }] : []));
  const running = pairs.filter(({ state }) => state.status === 'RUNNING');
  const sinceLast = (at: string | null | undefined) => now - Date.parse(at ?? new Date(0).toISOString());
  return {
    running: running.length,
    stopped: pairs.length - running.length,
    failing: pairs.filter(({ state }) => state.error_streak > 0).map(({ sensor }) => sensor.name),
    late: running
      .filter(({ sensor, state }) => {
        const latest = Math.min(sinceLast(state.last_tick?.ended_at), sinceLast(state.status_at));
        return (state.last_tick !== null || state.status_at !== null) && latest > 3 * sensor.everyMs + 5_000;
      })
      .map(({ sensor }) => sensor.name),
  };
}
