/** User code at its worst: the worker survives, and the run says precisely what happened. */

import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { createClient } from '../../src/engine/client.ts';
import { openEngine } from '../../src/engine/engine.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { SILENT } from './harness.ts';
import { deployment } from './isolated-deployment.ts';

const FLAGS = ['-C', 'source', '--import', 'tsx'];

test('memory, endless loops and exits end the attempt, not the worker', async () => {
  const env = {
    ...process.env,
    SKEIN_REDIS_PREFIX: `{i${randomBytes(6).toString('hex')}}`,
    SKEIN_LEASE_MS: '6000',
    SKEIN_LEASE_RENEW_MS: '1000',
    SKEIN_PULSE_MS: '200',
    SKEIN_MAX_LOST: '1',
  };
  const file = path.join(__dirname, 'isolated-deployment.ts');
  const engine = await openEngine(deployment, { env, deploymentFile: file });
  const flags = process.execArgv;
  process.execArgv = FLAGS; // Jest runs without them; a worker of the command line runs with them
  const worker = await startWorker(engine, { log: SILENT, concurrency: 2 });
  const client = createClient(engine);
  try {
    for (const kind of ['process', 'thread']) {
      const run = async (partition: string) => {
        const { runId } = await client.submit({ job: `in_${kind}`, partitions: [partition], cause: 'test' });
        return client.wait(runId);
      };
      const ways = ['memory', 'exit', 'loop', 'reject', 'print', 'fine'];
      const [memory, exit, loop, reject, print, fine] = await Promise.all(ways.map(run));
      expect(fine).toMatchObject({ status: 'SUCCESS' });
      expect(memory).toMatchObject({ status: 'FAILURE', endReason: 'oom', error: { code: 'OUT_OF_MEMORY' } });
      expect(exit).toMatchObject({ status: 'FAILURE', endReason: 'user_error', error: { code: 'PROCESS_EXITED' } });
      expect(reject).toMatchObject({ status: 'FAILURE', endReason: 'user_error', error: { code: 'PROCESS_EXITED' } });
      expect(print).toMatchObject({ status: 'SUCCESS' });
      expect(loop).toMatchObject({ status: 'FAILURE', endReason: 'worker_lost' });
    }
  } finally {
    process.execArgv = flags;
    await worker.stop(500);
    const keys = await engine.redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
    await engine.redis.del(...keys);
    await engine.close();
  }
}, 240_000);
