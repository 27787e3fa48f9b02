/** Helpers for tests of definitions: run an asset or tick a sensor without a server. */

export * from './run-asset.ts';
export * from './tick-sensor.ts';
