/** User code at its worst: the worker survives, and the run says precisely what happened. */

import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { createClient } from '../../src/engine/client.ts';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { type SkeinWorker, startWorker } from '../../src/worker/worker.ts';
import { SILENT, until } from './harness.ts';
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
    SKEIN_CANCEL_GRACE_MS: '1000',
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
    await expectHandedOn(engine, worker);
  } finally {
    process.execArgv = flags;
    await worker.stop(500);
    const keys = await engine.redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
    await engine.redis.del(...keys);
    await engine.close();
  }
}, 240_000);

/** What hears of the stop, and what does not: both are another worker's at once, and neither counts as lost or failed. */
async function expectHandedOn(engine: Engine, worker: SkeinWorker): Promise<void> {
  const { redis, keys } = engine;
  const client = createClient(engine);
  const before = await redis.hget(keys.stats, 'lost_attempts');
  const requests = [
    ['in_process', 'wait'],
    ['in_thread', 'loop'],
  ] as const;
  const runs = await Promise.all(
    requests.map(
      async ([job, partition]) => (await client.submit({ job, partitions: [partition], cause: 'test' })).runId,
    ),
  );
  const states = () => Promise.all(runs.map((run) => redis.hget(keys.unit(`${run}.0.m`), 'state')));
  await until(states, (all) => all.every((state) => state === 'RUNNING'), 60_000);
  await worker.stop(0);
  // Waiting, or out again for whoever comes.
  expect(await states()).toEqual(runs.map(() => expect.stringMatching(/^(QUEUED|DISPATCHED)$/)));
  expect(await Promise.all(runs.map((run) => redis.hget(keys.unit(`${run}.0.m`), 'attempt')))).toEqual(['2', '2']);
  expect(await redis.hget(keys.stats, 'lost_attempts')).toBe(before);
  for (const run of runs) await client.cancel(run, 'test');
}
