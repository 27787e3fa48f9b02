/** Reprocessing of raw billing events: the asset, its job, command and routes, and the transformer. */

export { defineReprocessRawEvents, reprocessRawEvents, reprocessRawEventsJob } from './asset.ts';
export { RawEventsConfig, tenantDays } from './config.ts';
export { type RowMapper, openRowMapper, rawEventsMapper, rawEventsMapperBinding } from './row-mapper.ts';
export {
  type RawEventsSettings,
  rawEventsSettings,
  rawEventsSettingsBinding,
  readRawEventsSettings,
} from './settings.ts';
export { rawEventsCommand } from './command.ts';
export { RAW_EVENTS_ERRORS } from './errors.ts';
export { rawEventsRoutes } from './routes.ts';
export * from './transform.ts';
