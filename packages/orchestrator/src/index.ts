/** The public entry of the orchestrator: what definitions, job families and deployments are written with. */

export * from './definitions/asset.ts';
export * from './definitions/check.ts';
export type * from './definitions/client.ts';
export type * from './definitions/context.ts';
export * from './definitions/deployment.ts';
export * from './definitions/duration.ts';
export * from './definitions/errors.ts';
export type { FreshnessSpec } from './definitions/freshness.ts';
export * from './definitions/job.ts';
export type * from './definitions/json.ts';
export * from './definitions/or-aborted.ts';
export * from './definitions/outcome.ts';
export * from './definitions/partitions/composite.ts';
export * from './definitions/partitions/day.ts';
export * from './definitions/partitions/dynamic.ts';
export * from './definitions/partitions/ids.ts';
export type * from './definitions/partitions/partitions.ts';
export * from './definitions/partitions/static.ts';
export * from './definitions/partitions/time-window.ts';
export * from './definitions/pool.ts';
export * from './definitions/resource.ts';
export * from './definitions/retry.ts';
export * from './definitions/schedule.ts';
export * from './definitions/sensor.ts';
export type { TagLimit } from './definitions/tag-limit.ts';
export * from './definitions/config.ts';
export { hideSecret } from './telemetry/scrub.ts';
