/** Ducklings: what other packages may use of the family. */

export * from './asset.ts';
export * from './config.ts';
export * from './dataset.ts';
export * from './earliest-day.ts';
export * from './errors.ts';
export * from './partitions.ts';
export { ducklingsCommand } from './command.ts';
export { ducklingsRoutes } from './routes.ts';
export { type ResetResult, resetDuckling } from './reset.ts';
export { checkPermissions, type PermissionStep } from './permission-check.ts';
export { findOrphans, type Orphan } from './orphans.ts';
