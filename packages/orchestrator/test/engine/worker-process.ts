/**
 * A process of the deployment for tests that kill it: a worker whose assets write each effect into a list outside the
 * ledger, as a data system would have it, or a submitter of runs.
 */

import {
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  exponential,
  materialized,
  request,
  skip,
} from '../../src/index.ts';
import { openEngine } from '../../src/engine/engine.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { SILENT, TestConfig, teamDays } from './harness.ts';
import { z } from 'zod';
import { Redis } from 'ioredis';

export const HISTORY = 'history';

export function killDeployment(history: Redis | undefined, list: string) {
  const days = defineAsset({
    key: 'days',
    description: 'A day, written down.',
    partitions: teamDays,
    config: TestConfig,
    retries: { attempts: 2, backoff: exponential('20ms') },
    async materialize({ partitionKey, epoch, run }) {
      await history?.rpush(list, JSON.stringify({ key: partitionKey, run: run.id, epoch }));
      return materialized({ epoch });
    },
  });
  const job = defineJob({ name: 'days_job', assets: [days] });
  const feed = defineSensor({
    name: 'feed',
    description: 'Two days a tick, up to forty.',
    job,
    every: '100ms',
    timeout: '1s',
    defaultStatus: 'STOPPED',
    cursor: z.object({ next: z.number().default(0) }),
    async evaluate({ cursor }) {
      if (cursor.next >= 40) return skip('complete');
      const keys = [cursor.next, cursor.next + 1].map(
        (i) => `${(i % 4) + 1}_2024-03-${String(Math.floor(i / 4) + 1).padStart(2, '0')}`,
      );
      return request(
        keys.map((key) => ({ partitions: [key] })),
        { cursor: { next: cursor.next + 2 } },
      );
    },
  });
  return defineDeployment({ definitions: { jobs: [job], sensors: [feed] } });
}

async function main(): Promise<void> {
  const history = new Redis(process.env.SKEIN_REDIS_URL ?? '');
  const engine = await openEngine(killDeployment(history, process.env.TEST_HISTORY ?? HISTORY), { env: process.env });
  await startWorker(engine, { log: SILENT, concurrency: 5 });
  process.stdout.write('ready\n');
}

if (process.argv[1]?.endsWith('worker-process.ts')) main().catch(() => process.exit(1));
