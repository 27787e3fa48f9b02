/** Which changes of the stream a principal sees: all of them, or those of the jobs that it is limited to. */

import type { JsonObject } from '../../definitions/json.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Change } from '../events/change-feed.ts';
import type { Principal } from './principal.ts';
import { engineFor, seesJob } from './scope.ts';

/** Runs whose job is remembered; the same run changes several times. */
const REMEMBERED = 10_000;

export function createSight(
  engine: Engine,
  principal: Principal | undefined,
): (change: Change) => Promise<boolean> | boolean {
  if (principal?.jobs === undefined) return () => true;
  const { assets, sensors, schedules } = engineFor(engine, principal).deployment;
  const jobs = new Map<string, string>();
  const jobOf = async (run: string): Promise<string> => {
    const known = jobs.get(run) ?? (await engine.redis.hget(engine.keys.run(run), 'job')) ?? '';
    if (jobs.size >= REMEMBERED) jobs.clear();
    jobs.set(run, known);
    return known;
  };
  return async ({ run_id: run, facts }) => {
    if (run !== null && run !== '') return seesJob(principal, await jobOf(run));
    // What names nothing that one may see is not shown.
    const { job, sensor, asset } = facts as JsonObject;
    if (typeof job === 'string') return seesJob(principal, job);
    if (typeof sensor === 'string') return sensors.has(sensor) || schedules.has(sensor);
    return typeof asset === 'string' && assets.has(asset);
  };
}
