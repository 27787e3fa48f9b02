/** The second public entry: what a program needs to contain a whole Skein (engine, worker, server) in its process. */

export { type Backfill, createBackfill, readBackfill } from './engine/backfill.ts';
export { createClient } from './engine/client.ts';
export { setCursor } from './engine/cursor.ts';
export { type Engine, openEngine, type OpenEngineOptions } from './engine/engine.ts';
export { countPartitions } from './engine/reads/count-partitions.ts';
export { switchTrigger } from './engine/switch.ts';
export { openTick } from './engine/tick.ts';
export { type ServerOptions, type SkeinServer, startServer } from './api/server.ts';
export { type ResourcePool, createResourcePool } from './worker/resources.ts';
export { type SkeinWorker, startWorker, type WorkerOptions } from './worker/worker.ts';
