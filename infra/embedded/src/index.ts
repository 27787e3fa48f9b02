/** The front door of the embedded services. */

export { ServicesError, type ServicesErrorCode } from './errors.ts';
export type { Environment, ServiceName } from './service.ts';
export {
  parseServiceNames,
  readServicesEnv,
  removeServicesDirectory,
  type ServiceStatus,
  servicesStatus,
  type StartedServices,
  startServices,
  type StartOptions,
  stopServices,
} from './services.ts';
export { registerServices, type RunAction } from './services-command.ts';
export { applySchemas, type ApplyOptions, SCHEMA_NAMES, type SchemaName } from './schemas.ts';
export { registerSchemas } from './schemas-command.ts';
export { createTopics } from './topics.ts';
