import { defineDeployment } from '@skein/orchestrator';

import { monthEnds, monthMeansJob, readingsJob } from './assets.ts';
import { storeBinding } from './store.ts';

export const deployment = defineDeployment({
  definitions: { jobs: [readingsJob, monthMeansJob], schedules: [monthEnds] },
  resources: [storeBinding],
});
