/** Helpers for tests of definitions: run an asset or a job, tick a sensor, without a server. */

export * from './run-asset.ts';
export * from './run-job.ts';
export * from './tick-sensor.ts';
