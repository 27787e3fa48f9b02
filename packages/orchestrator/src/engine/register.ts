/**
 * Makes the deployment's sensors, schedules and limits known to the ledger. Idempotent; switches are kept. The newest
 * registration counts: a process repeats its own only where Redis, after a power cut or a failover, knows of none as new.
 */

import type { Redis } from 'ioredis';

import { parseBySchema } from '../definitions/config.ts';
import type { Deployment } from '../definitions/deployment.ts';
import type { Sensor } from '../definitions/sensor.ts';
import { limitRules } from '../definitions/tag-limit.ts';
import { runScript } from '../store/scripts.ts';
import type { Engine } from './engine.ts';
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

/**
 * @param stamp of an earlier registration of this deployment that is repeated; absent: a new one, above all others
 * @returns the stamp of the registration that counts now
 */
export async function registerDefinitions(
  redis: Redis,
  prefix: string,
  deployment: Deployment,
  stamp?: number,
): Promise<number> {
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
  const counts = await runScript(
    redis,
    prefix,
    'register',
    JSON.stringify({
      sensors: [...sensors, ...schedules],
      pools: deployment.pools,
      probes: Object.fromEntries([...deployment.poolProbes.keys()].map((name) => [name, 1])),
      limits: limitRules(deployment.jobs.values(), deployment.tagLimits),
    }),
    stamp ?? '',
  );
  failpoint('register.after');
  return Number(counts);
}

/** Part of the pulse: without it sensors would not tick and limits not hold until a process starts anew. */
export async function keepRegistered({ redis, keys, deployment, registration }: Engine): Promise<void> {
  const known = Number((await redis.hget(keys.meta, 'definitions')) ?? 0);
  if (known < registration) await registerDefinitions(redis, keys.prefix, deployment, registration);
}
