/** Redis killed with SIGKILL under work and started again on its AOF: nothing that was acknowledged is lost. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { removeServicesDirectory, servicesStatus, startServices, stopServices } from '@skein/embedded';

import { createClient } from '../../src/engine/client.ts';
import { openEngine } from '../../src/engine/engine.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { SILENT, testDeployment, until } from './harness.ts';

test('a Redis that is killed and comes back: every acknowledged run ends, workers go on by themselves', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'skein-redis-'));
  const given = {};
  const services = await startServices({ dir, only: ['redis'], given });
  const env = {
    ...services.env,
    SKEIN_LEASE_MS: '2000',
    SKEIN_LEASE_RENEW_MS: '500',
    SKEIN_PULSE_MS: '100',
    SKEIN_RESEND_MS: '1000',
  };
  const deployment = testDeployment(() => ({ rows: 1 }), { attempts: 3 });
  const engine = await openEngine(deployment, { env });
  const worker = await startWorker(await openEngine(deployment, { env }), { log: SILENT, concurrency: 4 });
  const client = createClient(engine);
  try {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      for (let day = 1; day <= 20; day++) {
        const partitions = [`${round + 1}_2024-01-${String(day).padStart(2, '0')}`];
        acknowledged.push((await client.submit({ job: 'events_job', partitions, cause: 'test' })).runId);
      }
      const { pid } = servicesStatus({ dir, given }).find(({ service }) => service === 'redis') ?? {};
      if (pid === null || pid === undefined) throw new TypeError('Redis does not run');
      process.kill(pid, 'SIGKILL');
      await until(
        async () => servicesStatus({ dir, given }).find(({ service }) => service === 'redis')?.status,
        (status) => status === 'died',
      );
      await startServices({ dir, only: ['redis'], given });
      await until(
        () => engine.redis.ping().catch(() => 'down'),
        (answer) => answer === 'PONG',
      );
    }
    for (const runId of acknowledged) {
      const run = await until(
        () => client.run(runId),
        (one) => one.endedAt !== undefined,
      );
      expect(run).toMatchObject({ status: 'SUCCESS', counts: { materialized: 1 } });
    }
    expect(await engine.redis.zcard(engine.keys.leases)).toBe(0);
    expect(await engine.redis.hlen(engine.keys.holders('events'))).toBe(0);
  } finally {
    await worker.stop(500);
    await engine.close();
    await stopServices({ dir });
    removeServicesDirectory(dir);
  }
}, 90_000);
