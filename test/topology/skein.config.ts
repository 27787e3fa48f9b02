/** A deployment whose every run leaves a line in TOPOLOGY_LOG: what was done twice, or not at all, shows. */

import { existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  dynamic,
  materialized,
  positiveInteger,
} from '@skein/orchestrator';
import { z } from 'zod';

const stamp = defineAsset({
  key: 'stamp',
  description: 'Writes its key; takes its time while the test says so.',
  partitions: composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2026-01-01' }) }),
  config: z.object({}),
  async materialize({ partitionKey, run, signal }) {
    const log = process.env.TOPOLOGY_LOG ?? '';
    if (existsSync(`${log}.slow`)) await sleep(1_000, undefined, { signal });
    await appendFile(log, `${run.id} ${partitionKey}\n`);
    return materialized();
  },
});

export const deployment = defineDeployment({
  definitions: { jobs: [defineJob({ name: 'stamp_job', assets: [stamp] })] },
});
