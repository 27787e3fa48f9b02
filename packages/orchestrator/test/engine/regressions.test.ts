/** What other orchestrators once got wrong about ticks, run keys and switches, each as the case that it was. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import { getCursor, setCursor } from '../../src/engine/cursor.ts';
import { openEngine } from '../../src/engine/engine.ts';
import { pulseOnce } from '../../src/engine/pulse.ts';
import { retryRun } from '../../src/engine/retry.ts';
import { evaluateTick, openTick } from '../../src/engine/tick.ts';
import {
  type Deployment,
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
} from '../../src/index.ts';
import { type Harness, SILENT, openHarness, testDeployment, until } from './harness.ts';

const open: Harness[] = [];
const harness = async (deployment: Deployment = testDeployment(() => ({}))) => {
  const made = await openHarness(deployment);
  open.push(made);
  return { ...made, client: createClient(made.engine) };
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

type Opened = Awaited<ReturnType<typeof harness>>;
const record = ({ engine }: Opened, id: string) => engine.redis.hgetall(engine.keys.tick(id));
const tickOf = async (h: Opened, name = 'feed') => {
  const id = await openTick(h.engine, name, 'person:test');
  if (id === undefined) throw new TypeError('another tick is under way');
  return until(
    () => record(h, id),
    (tick) => tick.status !== 'STARTED',
  );
};
const evaluate = (h: Opened, id: string) =>
  evaluateTick(
    { engine: h.engine, worker: 'test', openResources: async () => ({}), describe: String, log: SILENT },
    id,
  );

test('two requests of one tick that share a run key launch one run; the other is visible as suppressed', async () => {
  const asset = defineAsset({
    key: 'pages',
    description: 'A day of pages.',
    partitions: composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2024-01-01' }) }),
    config: z.object({}),
    materialize: async () => materialized({}),
  });
  const job = defineJob({ name: 'pages_job', assets: [asset] });
  const twice = defineSensor({
    name: 'twice',
    description: 'Asks for the same thing twice.',
    job,
    every: '1h',
    cursor: z.object({}),
    evaluate: async () =>
      request([
        { partitions: ['1_2024-01-01'], runKey: 'the same' },
        { partitions: ['1_2024-01-02'], runKey: 'the same' },
      ]),
  });
  const h = await harness(defineDeployment({ definitions: { jobs: [job], sensors: [twice] } }));
  await h.worker();
  expect(await tickOf(h, 'twice')).toMatchObject({ decision: 'requested', requested: '1', suppressed: '1' });
  expect(await h.client.runs({})).toHaveLength(1);
});

test('a run that was retried has no key of its own, and its sensor goes on with the next day', async () => {
  let broken = true;
  const h = await harness(testDeployment(() => (broken ? Promise.reject(new TypeError('broken')) : {})));
  await h.worker();
  const [first = ''] = JSON.parse((await tickOf(h)).runs ?? '[]') as string[];
  expect((await h.client.wait(first)).status).toBe('FAILURE');
  broken = false;
  const retried = await retryRun(h.engine, first, 'all');
  expect((await h.client.wait(retried.runId)).status).toBe('SUCCESS');
  expect(await tickOf(h)).toMatchObject({ decision: 'requested', requested: '1' });
  const { redis, keys } = h.engine;
  expect(await redis.hget(keys.run(first), 'run_key')).not.toBeNull();
  expect(await redis.hget(keys.run(retried.runId), 'run_key')).toBeNull();
});

test('a sensor that a person stopped stays stopped when a process starts, or starts with a newer definition', async () => {
  const h = await harness();
  await h.engine.script('switch-sensor', 'feed', 'STOPPED', 'ana');
  await h.another();
  expect(await h.engine.redis.hmget(h.engine.keys.sensor('feed'), 'status', 'status_by')).toEqual(['STOPPED', 'ana']);
});

test('definitions that Redis has forgotten are told again by who lives; an older process never has the last word', async () => {
  const h = await harness();
  const { redis, keys, env } = h.engine;
  const newer = await openEngine({ ...h.deployment, pools: { narrow: 7 } }, { env });
  const known = () =>
    Promise.all([redis.hget(keys.pools, 'narrow|default'), redis.hget(keys.sensor('feed'), 'status')]);
  try {
    await pulseOnce(h.engine);
    expect(await known()).toEqual(['7', 'STOPPED']);
    // Lost is what came between the two: the newer one tells it again, the older one has nothing to tell.
    await redis.hset(keys.pools, 'narrow|default', 2);
    await redis.hset(keys.meta, 'definitions', h.engine.registration);
    await pulseOnce(h.engine);
    expect(await known()).toEqual(['2', 'STOPPED']);
    await pulseOnce(newer);
    expect(await known()).toEqual(['7', 'STOPPED']);
    // Lost is all of it: whoever pulses first tells, the newest counts in the end, and a person's word stays.
    await redis.del(...(await redis.keys(`${keys.prefix}:*`)));
    await pulseOnce(h.engine);
    expect(await known()).toEqual(['2', 'STOPPED']);
    await h.engine.script('switch-sensor', 'feed', 'RUNNING', 'ana');
    for (const engine of [newer, h.engine]) await pulseOnce(engine);
    expect(await known()).toEqual(['7', 'RUNNING']);
  } finally {
    await newer.close();
  }
});

test('a tick of a sensor that the worker does not know is skipped with the reason, and leaves the cursor', async () => {
  const h = await harness();
  const id = (await openTick(h.engine, 'feed', 'person:test')) ?? '';
  const { schedules: _, ...without } = { ...h.deployment, sensors: new Map() };
  const engine = await openEngine({ ...without, schedules: new Map() } as Deployment, { env: h.engine.env });
  try {
    expect(await evaluate({ ...h, engine }, id)).toBe('skipped');
    expect(await record(h, id)).toMatchObject({
      status: 'SKIPPED',
      reason: 'The worker that took this tick knows no sensor or schedule “feed”.',
    });
    expect(await getCursor(h.engine, 'feed')).toMatchObject({ cursor: { next: 1 }, version: 1 });
  } finally {
    await engine.close();
  }
});

test('a tick that comes back after it counted as lost launches nothing, and moves nothing', async () => {
  const h = await harness();
  const id = (await openTick(h.engine, 'feed', 'person:test')) ?? '';
  const { redis, keys } = h.engine;
  await setCursor(h.engine, 'feed', { next: 1, pause_ms: 300 }, { by: 'ana' });
  const stale = evaluate(h, id);
  await until(
    () => record(h, id),
    ({ worker }) => worker === 'test',
  );
  await redis.hset(keys.sensor('feed'), 'tick_deadline', 1);
  const next = (await openTick(h.engine, 'feed', 'person:test')) ?? '';
  expect(await stale).toBe('fenced');
  expect(await record(h, id)).toMatchObject({ status: 'FAILURE', decision: 'timed_out' });
  expect(await h.client.runs({})).toEqual([]);
  expect(await evaluate(h, next)).toBe('requested');
  expect(await h.client.runs({})).toHaveLength(1);
});

test('a schedule that is removed and comes back at once launches no time twice, and forgets none', async () => {
  const h = await harness();
  await h.worker();
  const HOUR_MS = 3_600_000;
  const from = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 3 * HOUR_MS;
  await h.engine.redis.hset(h.engine.keys.sensor('hourly_all'), 'plan', from);
  const without = { ...h.deployment, schedules: new Map() } as Deployment;
  const other = await openEngine(without, { env: h.engine.env });
  await other.close();
  await h.another(); // comes back with it
  const { decision, requested } = await tickOf(h, 'hourly_all');
  expect({ decision, hours: Number(requested) }).toEqual({
    decision: 'requested',
    hours: Math.floor((Date.now() - from) / HOUR_MS),
  });
  expect(await tickOf(h, 'hourly_all')).toMatchObject({ decision: 'skipped' });
  expect(await h.client.runs({})).toHaveLength(Number(requested));
});
