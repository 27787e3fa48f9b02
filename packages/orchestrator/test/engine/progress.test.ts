/** A run's progress is the sum over its units; what an earlier attempt of a unit said is replaced. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import { defineAsset, defineDeployment, defineJob, exponential } from '../../src/index.ts';
import { type Harness, openHarness, teamDays, until } from './harness.ts';

let h: Harness;
afterEach(() => h.close());

const KEYS = ['1_2024-01-01', '2_2024-01-01', '3_2024-01-01'];

test('units side by side add up; a second attempt counts from its own start', async () => {
  let finish = () => {};
  const gate = new Promise<void>((resolve) => (finish = resolve));
  const asset = defineAsset({
    key: 'fan',
    description: 'Three tasks that say how far they are.',
    partitions: teamDays,
    config: z.object({}),
    retries: { attempts: 2, backoff: exponential('20ms') },
    tasks: {
      plan: async ({ partitions }) => partitions.map(({ key }, i) => ({ id: `t${i}`, partitions: [key], input: null })),
      async run({ task, run, progress }) {
        if (task.id === 't1' && run.attempt === 1) {
          progress(9, 10, 'nearly');
          throw new TypeError('broke after nine');
        }
        progress(task.id === 't1' ? 2 : 4, 10, 'on the way');
        await gate;
        progress(10, 10, 'all of it');
        return null;
      },
      settle: async () => ({}),
    },
  });
  h = await openHarness(defineDeployment({ definitions: { jobs: [defineJob({ name: 'fan', assets: [asset] })] } }));
  await h.worker();
  const client = createClient(h.engine);
  const { runId } = await client.submit({ job: 'fan', partitions: KEYS, cause: 'test' });
  const progressOf = async () => (await client.run(runId)).progress;

  await until(progressOf, (progress) => progress?.total === 30 && progress.done === 10);
  finish();
  expect(await client.wait(runId)).toMatchObject({ status: 'SUCCESS' });
  expect(await progressOf()).toEqual({ done: 30, total: 30, note: 'all of it' });
});
