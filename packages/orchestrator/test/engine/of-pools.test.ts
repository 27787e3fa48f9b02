/** Workers that take the work of some pools only, alone and beside those that take everything. */

import { z } from 'zod';

import { takesAnybodyAll } from '../../src/worker/worker.ts';
import { readAges } from '../../src/api/reads/system.ts';
import { readRun } from '../../src/engine/reads/runs.ts';
import { submit } from '../../src/engine/submit.ts';
import { defineAsset, defineDeployment, defineJob, materialized } from '../../src/index.ts';
import { type Harness, openHarness, teamDays, until } from './harness.ts';

const open: Harness[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** Three jobs: of pool a, of pool b, of none. */
async function harness(work: (job: string) => Promise<void> = async () => {}): Promise<Harness> {
  const jobs = (['a', 'b', ''] as const).map((pool) => {
    const name = `of_${pool || 'none'}`;
    const asset = defineAsset({
      key: `asset_${name}`,
      description: 'Says when it works.',
      partitions: teamDays,
      config: z.object({}),
      ...(pool === '' ? {} : { pool }),
      async materialize() {
        await work(name);
        return materialized();
      },
    });
    return defineJob({ name, assets: [asset] });
  });
  const made = await openHarness(defineDeployment({ definitions: { jobs, pools: { a: 3, b: 50 } } }));
  open.push(made);
  return made;
}

const launch = async ({ engine }: Harness, job: string, id: number, priority = 0): Promise<string> =>
  (await submit(engine, { job, partitions: [`${id + 1}_2024-01-01`], cause: 'test', priority })).runId;
const statusOf = async ({ engine }: Harness, id: string) => (await readRun(engine, id)).status;
const ended = (h: Harness, ids: readonly string[]) =>
  until(
    () => Promise.all(ids.map((id) => statusOf(h, id))),
    (all) => all.every((status) => status === 'SUCCESS'),
  );

test('it takes its pools’ work and nothing else, however much of the others lies before it', async () => {
  const h = await harness();
  await h.worker({ concurrency: 2, pools: ['a'] });
  // More than goes out while nobody is known to take it.
  const others: string[] = [];
  for (let i = 0; i < 40; i++) others.push(await launch(h, i % 2 === 0 ? 'of_b' : 'of_none', i));
  const ours: string[] = [];
  for (let i = 0; i < 12; i++) ours.push(await launch(h, 'of_a', i));
  await ended(h, ours);
  const states = new Set(await Promise.all(others.map((id) => statusOf(h, id))));
  expect([...states].every((status) => status === 'QUEUED' || status === 'STARTING')).toBe(true);
  expect(await takesAnybodyAll(h.engine)).toBe(false);
  // Nothing of what it took stays behind: no bell that nobody hears, no place in a queue.
  const { redis, keys } = h.engine;
  expect(await redis.scard(keys.pool('a'))).toBe(0);
  expect((await redis.zrange(keys.ready, 0, '-1')).filter((id) => ours.some((run) => id.startsWith(run)))).toEqual([]);
  expect(await h.engine.work.getJobCounts('wait', 'prioritized', 'active')).toEqual({
    wait: 0,
    prioritized: 0,
    active: 0,
  });

  await h.worker();
  await ended(h, others);
  expect(await takesAnybodyAll(h.engine)).toBe(true);
  expect((await readAges(h.engine)).oldestQueuedMs).toBe(0);
});

test('beside one that takes everything each attempt is worked once, and both work', async () => {
  const worked = new Map<string, number>();
  const h = await harness(async (job) => {
    worked.set(job, (worked.get(job) ?? 0) + 1);
  });
  const own = await h.worker({ concurrency: 2, pools: ['a', 'b'] });
  await h.worker({ concurrency: 2 });
  const runs: string[] = [];
  for (let i = 0; i < 30; i++) for (const job of ['of_a', 'of_b', 'of_none']) runs.push(await launch(h, job, i));
  await ended(h, runs);
  expect(Object.fromEntries(worked)).toEqual({ of_a: 30, of_b: 30, of_none: 30 });
  await own.stop();
});

test('what is more urgent begins first, and stopping it leaves what it has not begun', async () => {
  const order: string[] = [];
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const h = await harness(async (job) => {
    order.push(job);
    if (order.length === 1) await gate;
  });
  const worker = await h.worker({ concurrency: 1, pools: ['a', 'b'] });
  const first = await launch(h, 'of_a', 1);
  await until(
    () => statusOf(h, first),
    (status) => status === 'STARTED',
  );
  const low = await launch(h, 'of_a', 2, -10);
  const high = await launch(h, 'of_b', 3, 10);
  release();
  await ended(h, [first, high, low]);
  expect(order).toEqual(['of_a', 'of_b', 'of_a']);
  await worker.stop();
  const left = await launch(h, 'of_a', 4);
  await h.worker({ pools: ['a'] });
  await ended(h, [left]);
});
