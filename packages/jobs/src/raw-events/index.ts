/** Reprocessing of raw billing events: the asset, its job, command and routes, and the transformer. */

export * from './transform.ts';
