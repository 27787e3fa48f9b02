/** The comparison's side of Skein: a noop asset, partitioned by team and day, and a sensor that fans out. */

import {
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  dynamic,
  materialized,
  positiveInteger,
  request,
} from '@skein/orchestrator';
import { z } from 'zod';

const noop = defineAsset({
  key: 'noop',
  description: 'Nothing.',
  partitions: composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2024-01-01' }) }),
  config: z.object({}),
  materialize: async () => materialized(),
});
const noopJob = defineJob({ name: 'noop_job', assets: [noop] });

const fanOut = defineSensor({
  name: 'fan_out',
  description: 'Asks for a day of 100 teams at once.',
  job: noopJob,
  every: '1h',
  cursor: z.object({ round: z.number().default(0) }),
  async evaluate({ cursor }) {
    const partitions = Array.from({ length: 100 }, (_, team) => `${team + 1}_2024-04-01`);
    return request(
      partitions.map((key) => ({ partitions: [key] })),
      { cursor: { round: cursor.round + 1 } },
    );
  },
});

export const deployment = defineDeployment({ definitions: { jobs: [noopJob], sensors: [fanOut] } });
