/** A tick that has more to look at than time: it stops early, its cursor is the checkpoint, the next tick goes on. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import { getCursor } from '../../src/engine/cursor.ts';
import { switchTrigger } from '../../src/engine/switch.ts';
import { defineAsset, defineDeployment, defineJob, defineSensor, materialized, request } from '../../src/index.ts';
import { type Harness, openHarness, teamDays, until } from './harness.ts';

const TEAMS = 30;
let harness: Harness | undefined;
afterEach(() => harness?.close());

test('thirty slow looks in ticks of 400 ms: none times out, each team is asked for once, in order', async () => {
  const looked: number[] = [];
  const seen = defineAsset({
    key: 'seen',
    description: 'A day of a team.',
    partitions: teamDays,
    config: z.object({}),
    materialize: async () => materialized(),
  });
  const job = defineJob({ name: 'see', assets: [seen] });
  const scan = defineSensor({
    name: 'scan',
    description: 'Looks at every team, which takes longer than a tick may.',
    job,
    every: '100ms',
    timeout: '400ms',
    cursor: z.object({ next: z.number().default(1) }),
    async evaluate({ cursor, budget }) {
      let { next } = cursor;
      const requests = [];
      for (; next <= TEAMS && budget.remainingMs() > 200; next++) {
        await new Promise((resolve) => setTimeout(resolve, 25)); // what a look at a slow source takes
        looked.push(next);
        requests.push({ partitions: [`${next}_2024-01-01`] });
      }
      return request(requests, { cursor: { next } });
    },
  });
  harness = await openHarness(defineDeployment({ definitions: { jobs: [job], sensors: [scan] } }));
  const { engine } = harness;
  await harness.worker();
  expect(await switchTrigger(engine, 'sensor', 'scan', 'RUNNING', 'test')).toMatchObject({ before: 'STOPPED' });
  await until(
    () => getCursor(engine, 'scan'),
    ({ cursor }) => (cursor as { next: number }).next > TEAMS,
  );
  await switchTrigger(engine, 'sensor', 'scan', 'STOPPED', 'test');
  const ids = await engine.redis.zrange(engine.keys.ticks('scan'), 0, '-1');
  const ticks = await Promise.all(ids.map((id) => engine.redis.hmget(engine.keys.tick(id), 'decision', 'requested')));
  const asking = ticks.filter(([decision]) => decision === 'requested');
  expect(asking.length).toBeGreaterThan(2);
  expect(ticks.map(([decision]) => decision)).not.toContain('timed_out');
  expect(asking.reduce((sum, [, requested]) => sum + Number(requested), 0)).toBe(TEAMS);
  expect(looked).toEqual(Array.from({ length: TEAMS }, (_, i) => i + 1));
  expect(await createClient(engine).runs({ job: 'see', limit: 100 })).toHaveLength(TEAMS);
  await expect(switchTrigger(engine, 'schedule', 'scan', 'RUNNING', 'test')).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
