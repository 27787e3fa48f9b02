/** Makes the deployment's sensors, schedules and limits known to the ledger. Idempotent; switches are kept. */

import type { Redis } from 'ioredis';

import { parseBySchema } from '../definitions/config.ts';
import type { Deployment } from '../definitions/deployment.ts';
import type { Sensor } from '../definitions/sensor.ts';
import { limitRules } from '../definitions/tag-limit.ts';
import { runScript } from '../store/scripts.ts';
import { failpoint } from './failpoint.ts';

const SCHEDULE_EVERY_MS = 60_000;

/** The cursor that a reset restores: what the schema makes of `{}`, or null where it needs a person's input. */
export function initialCursor(sensor: Sensor): string {
  try {
    return JSON.stringify(parseBySchema(sensor.cursor, {}, `cursor of ${sensor.name}`));
  } catch {
    return '{}';
  }
}

export async function registerDefinitions(redis: Redis, prefix: string, deployment: Deployment): Promise<void> {
  const sensors = [...deployment.sensors.values()].map((sensor) => ({
    name: sensor.name,
    kind: 'sensor',
    every: sensor.everyMs,
    timeout: sensor.timeoutMs,
    status: sensor.defaultStatus,
    cursor: initialCursor(sensor),
  }));
  const schedules = [...deployment.schedules.values()].map((schedule) => ({
    name: schedule.name,
    kind: 'schedule',
    every: SCHEDULE_EVERY_MS,
    timeout: 60_000,
    status: schedule.defaultStatus,
    cursor: '{}',
  }));
  failpoint('register.before');
  await runScript(
    redis,
    prefix,
    'register',
    JSON.stringify({
      sensors: [...sensors, ...schedules],
      pools: deployment.pools,
      probes: Object.fromEntries([...deployment.poolProbes.keys()].map((name) => [name, 1])),
      limits: limitRules(deployment.jobs.values(), deployment.tagLimits),
    }),
  );
  failpoint('register.after');
}
