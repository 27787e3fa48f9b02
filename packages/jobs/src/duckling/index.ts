/** Ducklings: what other packages may use of the family. */

export * from './asset.ts';
export * from './config.ts';
export * from './dataset.ts';
export * from './earliest-day.ts';
export * from './errors.ts';
export * from './partitions.ts';
