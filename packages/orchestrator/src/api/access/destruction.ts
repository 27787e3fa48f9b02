/**
 * Configs that destroy more than the partitions they are launched for, such as one that drops a whole table first. An
 * asset says which they are; over HTTP only an administrator may launch with one, start a backfill with one, or repeat
 * what had one.
 */

import type { Destroyed } from '../../definitions/asset.ts';
import { configOf } from '../../definitions/config.ts';
import type { JsonObject } from '../../definitions/json.ts';
import type { Engine } from '../../engine/engine.ts';
import { ForbiddenError } from '../errors.ts';
import { type Principal, isAtLeast } from './principal.ts';

/** Undefined also for a config that is not valid, or of a job that is not there: that is left to whoever launches it. */
export function destroyedBy({ deployment }: Engine, jobName: string, config: JsonObject): Destroyed | undefined {
  const job = deployment.jobs.get(jobName);
  for (const asset of job?.assets ?? []) {
    const parsed = job && asset.config.safeParse(configOf(job, asset, config));
    const destroyed = parsed?.success ? asset.destroys(parsed.data) : undefined;
    if (destroyed !== undefined) return destroyed;
  }
  return undefined;
}

/** @throws ForbiddenError */
export function refuseDestruction(
  engine: Engine,
  principal: Principal | undefined,
  jobName: string,
  config: JsonObject,
): void {
  const role = principal?.role ?? 'viewer';
  if (isAtLeast(role, 'admin')) return;
  const destroyed = destroyedBy(engine, jobName, config);
  if (destroyed === undefined) return;
  const reason = `This config destroys ${destroyed.what}. That needs the role admin; yours is ${role}.`;
  throw new ForbiddenError(reason, { details: { reason } });
}
