/** The reconciliation as it is deployed, except that its scheduler ticks ten times a second. */

import {
  clickhouseBinding,
  kafkaBinding,
  personPropertyReconciliationJob,
  personPropertyReconciliationRestoreJob,
  personsDbBinding,
  reconciliationResultsCommand,
} from '@skein/jobs';
import { type Sensor, defineDeployment } from '@skein/orchestrator';
import { personPropertyReconciliationScheduler } from '@skein/sensors';

export const scheduler: Sensor = { ...personPropertyReconciliationScheduler, everyMs: 100 };

export const deploymentWith = (sensor: Sensor) =>
  defineDeployment({
    definitions: {
      jobs: [personPropertyReconciliationJob, personPropertyReconciliationRestoreJob],
      sensors: [sensor],
    },
    resources: [clickhouseBinding, personsDbBinding, kafkaBinding],
    commands: [reconciliationResultsCommand],
  });

export const deployment = deploymentWith(scheduler);
