/**
 * The deployment: which definitions exist, how their resources are opened, which commands and routes the job families
 * add. The only place that knows all packages. Loading it opens no connection.
 */

import { existsSync } from 'node:fs';
import path from 'node:path';

import { readServicesEnv, registerSchemas, registerServices } from '@skein/embedded';
import {
  appDbBinding,
  clickhouseBinding,
  ducklingEventsBackfillJob,
  ducklingPersonsBackfillJob,
  ducklingsBinding,
  ducklingsCommand,
  ducklingsRoutes,
  kafkaBinding,
  labelConversationsJob,
  labelsCommand,
  orphanTestDataCommand,
  personPropertyReconciliationJob,
  personPropertyReconciliationRestoreJob,
  personsDbBinding,
  rawEventsCommand,
  rawEventsMapperBinding,
  rawEventsRoutes,
  rawEventsSettingsBinding,
  reconciliationResultsCommand,
  reprocessRawEventsJob,
  syncPersonDistinctIdsJob,
} from '@skein/jobs';
import { type Environment, defineDeployment } from '@skein/orchestrator';
import {
  ducklingEventsDailyBackfillSensor,
  ducklingEventsFullBackfillSensor,
  ducklingPersonsDailyBackfillSensor,
  ducklingPersonsFullBackfillSensor,
  labelConversationsSensor,
  orphanScanSensor,
  personPropertyReconciliationScheduler,
} from '@skein/sensors';

export const deployment = defineDeployment({
  definitions: {
    jobs: [
      ducklingEventsBackfillJob,
      ducklingPersonsBackfillJob,
      syncPersonDistinctIdsJob,
      personPropertyReconciliationJob,
      personPropertyReconciliationRestoreJob,
      reprocessRawEventsJob,
      labelConversationsJob,
    ],
    sensors: [
      ducklingEventsDailyBackfillSensor,
      ducklingEventsFullBackfillSensor,
      ducklingPersonsDailyBackfillSensor,
      ducklingPersonsFullBackfillSensor,
      orphanScanSensor,
      personPropertyReconciliationScheduler,
      labelConversationsSensor,
    ],
  },
  resources: [
    clickhouseBinding,
    personsDbBinding,
    appDbBinding,
    kafkaBinding,
    ducklingsBinding,
    rawEventsMapperBinding,
    rawEventsSettingsBinding,
  ],
  commands: [
    { register: (program, run) => void registerServices(program, run) },
    { register: (program, run) => void registerSchemas(program, run) },
    ducklingsCommand,
    orphanTestDataCommand,
    reconciliationResultsCommand,
    rawEventsCommand,
    labelsCommand,
  ],
  routes: [rawEventsRoutes, ducklingsRoutes],
  environment: withEmbeddedServices,
});

/** The services of `.skein/` here, or beside this file, fill in what the environment does not set. */
function withEmbeddedServices(env: Environment): Environment {
  const here = path.resolve('.skein');
  const dir = existsSync(path.join(here, 'services.json')) ? here : path.join(import.meta.dirname, '.skein');
  return { ...env, ...readServicesEnv(dir, Object.fromEntries(Object.entries(env))) };
}
