/** The sensors that launch the job families, one file each. */

export * from './duckling-daily-backfill.ts';
export * from './duckling-full-backfill.ts';
export { FullBackfillCursor } from './duckling-full-cursor.ts';
export * from './orphan-scan-sensor.ts';
export * from './label-conversations-sensor.ts';
export * from './person-property-reconciliation-scheduler.ts';
