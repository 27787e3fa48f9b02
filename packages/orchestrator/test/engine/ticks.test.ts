import { z } from 'zod';

import {
  type Deployment,
  type Json,
  type RunRequest,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  lookUp,
  materialized,
  request,
  skip,
} from '../../src/index.ts';
import { applyCursor } from '../../src/engine/apply.ts';
import { createClient } from '../../src/engine/client.ts';
import { cursorHistory, getCursor, resetCursor, restoreCursor, setCursor } from '../../src/engine/cursor.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { previewTicks } from '../../src/engine/preview.ts';
import { readLateTicks, readSourceLags } from '../../src/engine/reads/trigger-lag.ts';
import { registerDefinitions } from '../../src/engine/register.ts';
import { retryRun } from '../../src/engine/retry.ts';
import { openTick, plannedTimes } from '../../src/engine/tick.ts';
import { createTickLog } from '../../src/engine/tick-log.ts';
import { type Harness, SILENT, openHarness, teamDays, testDeployment, until } from './harness.ts';

const open: Harness[] = [];
const harness = async (
  behave: Parameters<typeof testDeployment>[0] = () => ({}),
  deployment: Deployment = testDeployment(behave),
) => {
  const made = await openHarness(deployment);
  open.push(made);
  return { ...made, client: createClient(made.engine) };
};
const switchSensor = (engine: Engine, status: 'RUNNING' | 'STOPPED') =>
  engine.script('switch-sensor', 'feed', status, 'test');
const tickRecord = (engine: Engine, id: string) => engine.redis.hgetall(engine.keys.tick(id));
const tickNow = async (engine: Engine) => {
  const id = await openTick(engine, 'feed', 'person:test');
  if (id === undefined) throw new TypeError('another tick is under way');
  return until(
    () => tickRecord(engine, id),
    (tick) => tick.status !== 'STARTED',
  );
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

test('ticks launch runs and move the cursor until there is nothing left; then they say why', async () => {
  const h = await harness();
  await h.worker();
  for (const day of [1, 2, 3]) {
    const tick = await tickNow(h.engine);
    expect(tick).toMatchObject({ status: 'SUCCESS', decision: 'requested', requested: '1' });
    const [runId = ''] = JSON.parse(tick.runs ?? '[]') as string[];
    expect((await h.client.wait(runId)).partitions[0]).toMatchObject({
      key: `1_2024-01-0${day}`,
      outcome: 'materialized',
    });
  }
  expect(await tickNow(h.engine)).toMatchObject({
    status: 'SKIPPED',
    decision: 'skipped',
    reason: 'complete up to day 3',
  });
  expect((await getCursor(h.engine, 'feed')).cursor).toMatchObject({ next: 4 });
});

test('a tick that was claimed by a process that died before it rang is rung for by the next one', async () => {
  const h = await harness();
  await switchSensor(h.engine, 'RUNNING');
  const { leaseMs, resendMs } = h.engine.settings;
  const [tick = ''] = (await h.engine.script('claim-ticks', 10, leaseMs, resendMs)) as string[];
  expect(tick).toMatch(/^feed\./);
  expect(await h.engine.script('claim-ticks', 10, leaseMs, resendMs)).toEqual([]);
  await h.worker();
  await until(
    () => tickRecord(h.engine, tick),
    ({ decision }) => decision === 'requested',
  );
  expect(await h.engine.redis.hget(h.engine.keys.sensor('feed'), 'error_streak')).toBe('0');
});

test('a tick whose worker died is evaluated anew after a lease, not only after its timeout', async () => {
  const h = await harness();
  await switchSensor(h.engine, 'RUNNING');
  const { leaseMs, resendMs } = h.engine.settings;
  const [tick = ''] = (await h.engine.script('claim-ticks', 10, leaseMs, resendMs)) as string[];
  expect(await h.engine.script('begin-tick', tick, 'dead')).not.toBeNull();
  await h.engine.redis.zadd(h.engine.keys.workers, Date.now(), 'dead');
  await h.worker();
  expect(
    await until(
      () => tickRecord(h.engine, tick),
      ({ status }) => status !== 'STARTED',
    ),
  ).toMatchObject({
    decision: 'timed_out',
    reason: 'The worker that evaluated this tick was lost.',
  });
  await until(
    () => getCursor(h.engine, 'feed'),
    (c) => (c.cursor as { next: number }).next >= 2,
  );
});

test('the timer ticks a running sensor, and does not tick a stopped one', async () => {
  const h = await harness();
  await h.worker();
  await switchSensor(h.engine, 'RUNNING');
  await until(
    () => getCursor(h.engine, 'feed'),
    (c) => (c.cursor as { next: number }).next === 2,
  );
  await switchSensor(h.engine, 'STOPPED');
  expect(await h.engine.redis.zscore(h.engine.keys.due, 'feed')).toBeNull();
});

test('a repeated ask is suppressed and visible; a reset starts a new generation of keys', async () => {
  const h = await harness();
  await h.worker();
  const first = await tickNow(h.engine);
  const [runId = ''] = JSON.parse(first.runs ?? '[]') as string[];
  await h.client.wait(runId);
  await setCursor(h.engine, 'feed', { next: 1 }, { by: 'ana', reason: 'again' });
  expect(await tickNow(h.engine)).toMatchObject({
    decision: 'suppressed',
    requested: '0',
    suppressed: '1',
    suppressed_runs: JSON.stringify([runId]),
  });
  await resetCursor(h.engine, 'feed', { by: 'ana' });
  expect(await tickNow(h.engine)).toMatchObject({ decision: 'requested' });
});

test('what failed is asked for again, but not when a person’s retry has made it meanwhile', async () => {
  let fails = 2;
  const h = await harness(() => {
    if (fails-- > 0) throw new RangeError('not yet');
    return {};
  });
  await h.worker();
  const ask = async () => {
    await setCursor(h.engine, 'feed', { next: 1 }, { by: 'ana' });
    const tick = await tickNow(h.engine);
    const [run] = JSON.parse(tick.runs ?? '[]') as string[];
    if (run !== undefined) await h.client.wait(run);
    return { run, decision: tick.decision, suppressed: tick.suppressed_runs };
  };
  expect(await ask()).toMatchObject({ decision: 'requested' });
  const second = await ask();
  expect(second).toMatchObject({ decision: 'requested' });
  const { runId } = await retryRun(h.engine, second.run ?? '', 'failed');
  expect(await h.client.wait(runId)).toMatchObject({ status: 'SUCCESS' });
  expect(await ask()).toMatchObject({ decision: 'suppressed', suppressed: JSON.stringify([second.run]) });
  await resetCursor(h.engine, 'feed', { by: 'ana' });
  expect(await ask()).toMatchObject({ decision: 'requested' });
});

test('what failed in a later step is asked for again, however well the step before went', async () => {
  let fails = 1;
  const asset = (key: string, materialize: () => Promise<ReturnType<typeof materialized>>) =>
    defineAsset({ key, description: 'A thing.', partitions: teamDays, config: z.object({}), materialize });
  const fetched = asset('fetched', () => Promise.resolve(materialized({})));
  const told = asset('told', () =>
    fails-- > 0 ? Promise.reject(new RangeError('not yet')) : Promise.resolve(materialized({})),
  );
  const job = defineJob({ name: 'tell_job', assets: [fetched, told] });
  const feed = defineSensor({
    name: 'feed',
    description: 'Asks for the same day.',
    job,
    every: '1h',
    cursor: z.object({}),
    evaluate: () => Promise.resolve(request([{ partitions: ['1_2024-01-01'] }])),
  });
  const h = await harness(undefined, defineDeployment({ definitions: { jobs: [job], sensors: [feed] } }));
  await h.worker();
  const decisions: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const tick = await tickNow(h.engine);
    decisions.push(tick.decision);
    for (const run of JSON.parse(tick.runs ?? '[]') as string[]) decisions.push((await h.client.wait(run)).status);
  }
  expect(decisions).toEqual(['requested', 'FAILURE', 'requested', 'SUCCESS', 'suppressed']);
});

test('a switch that nobody has touched follows its definition; one that a person turned stays', async () => {
  const h = await harness();
  const { redis, keys } = h.engine;
  const job = lookUp('job', h.deployment.jobs, 'events_job');
  const evaluate = () => Promise.resolve(skip('nothing'));
  const registered = async (defaultStatus: 'RUNNING' | 'STOPPED') => {
    const sensors = ['one', 'other'].map((name) =>
      defineSensor({ name, description: 'Nothing.', job, every: '1h', cursor: z.object({}), defaultStatus, evaluate }),
    );
    await registerDefinitions(redis, keys.prefix, defineDeployment({ definitions: { jobs: [job], sensors } }));
    return Promise.all(['one', 'other'].map((name) => redis.hget(keys.sensor(name), 'status')));
  };
  expect(await registered('STOPPED')).toEqual(['STOPPED', 'STOPPED']);
  await h.engine.script('switch-sensor', 'other', 'STOPPED', 'ana');
  expect(await registered('RUNNING')).toEqual(['RUNNING', 'STOPPED']);
  expect(await redis.zscore(keys.due, 'one')).not.toBeNull();
  expect(await registered('STOPPED')).toEqual(['STOPPED', 'STOPPED']);
});

test('a partition that a person forgot may be asked for again', async () => {
  const h = await harness();
  await h.worker();
  const [runId = ''] = JSON.parse((await tickNow(h.engine)).runs ?? '[]') as string[];
  await h.client.wait(runId);
  await setCursor(h.engine, 'feed', { next: 1 }, { by: 'ana' });
  expect(await tickNow(h.engine)).toMatchObject({ decision: 'suppressed' });
  expect(await h.client.forgetPartitions('events', { keys: ['1_2024-01-01'] }, 'ana')).toBe(1);
  expect(await h.client.lastRuns('events', ['1_2024-01-01'])).toEqual(new Map());
  await setCursor(h.engine, 'feed', { next: 1 }, { by: 'ana' });
  expect(await tickNow(h.engine)).toMatchObject({ decision: 'requested' });
});

test('a reset in the middle of a tick stands: the tick launches nothing', async () => {
  const h = await harness();
  await h.worker();
  await setCursor(h.engine, 'feed', { next: 2, pause_ms: 300 }, { by: 'ana' });
  const id = (await openTick(h.engine, 'feed', 'person:test')) ?? '';
  await until(
    () => tickRecord(h.engine, id),
    (tick) => tick.worker !== undefined,
  );
  await resetCursor(h.engine, 'feed', { by: 'ana', reason: 'start over' });
  expect(
    await until(
      () => tickRecord(h.engine, id),
      (tick) => tick.status !== 'STARTED',
    ),
  ).toMatchObject({ status: 'SKIPPED', decision: 'skipped' });
  expect((await getCursor(h.engine, 'feed')).cursor).toMatchObject({ next: 1, pause_ms: 0 });
  expect(await h.client.runs({})).toEqual([]);
});

test('stopping a sensor in the middle of its tick keeps it from launching', async () => {
  const h = await harness();
  await setCursor(h.engine, 'feed', { next: 1, pause_ms: 300 }, { by: 'ana' });
  await switchSensor(h.engine, 'RUNNING');
  await h.worker();
  const id = await until(
    async () => (await h.engine.redis.zrange(h.engine.keys.ticks('feed'), 0, '-1'))[0] ?? '',
    (tick) => tick !== '',
  );
  await until(
    () => tickRecord(h.engine, id),
    (tick) => tick.worker !== undefined,
  );
  await switchSensor(h.engine, 'STOPPED');
  expect(
    await until(
      () => tickRecord(h.engine, id),
      (tick) => tick.status !== 'STARTED',
    ),
  ).toMatchObject({ status: 'SKIPPED' });
  expect(await h.client.runs({})).toEqual([]);
});

test('two editors: the second is told, history remembers, undo restores', async () => {
  const h = await harness();
  const { version } = await getCursor(h.engine, 'feed');
  await setCursor(h.engine, 'feed', { next: 2 }, { by: 'ana', ifVersion: version, reason: 'skip a day' });
  await expect(setCursor(h.engine, 'feed', { next: 3 }, { by: 'ben', ifVersion: version })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  await expect(setCursor(h.engine, 'feed', { next: 'x' }, { by: 'ben' })).rejects.toThrow(/next/);
  await expect(setCursor(h.engine, 'feed', { nxt: 1 }, { by: 'ben' })).rejects.toThrow(/nxt: is not a known key/);
  expect(await cursorHistory(h.engine, 'feed', 10)).toMatchObject([
    { by: 'ana', reason: 'skip a day', after: { next: 2 } },
  ]);
  await restoreCursor(h.engine, 'feed', { by: 'ben' });
  expect((await getCursor(h.engine, 'feed')).cursor).toMatchObject({ next: 1 });
});

test('a cursor is not written half where a power cut took what Redis knew of the sensor', async () => {
  const h = await harness();
  const { redis, keys } = h.engine;
  await redis.del(keys.sensor('feed'));
  await expect(setCursor(h.engine, 'feed', { next: 1 }, { by: 'ana' })).rejects.toMatchObject({
    httpStatus: 503,
    message: expect.stringContaining('nothing was written') as string,
  });
  expect(await redis.exists(keys.sensor('feed'))).toBe(0);
});

test('a preview of five ticks ahead changes nothing', async () => {
  const h = await harness();
  const sensor = h.deployment.sensors.get('feed');
  if (!sensor) throw new TypeError('no sensor');
  const ticks = await previewTicks(h.engine, sensor, { ticks: 5, openResources: async () => ({}), log: SILENT });
  expect(ticks.map((tick) => tick.requests.flatMap((r) => r.partitions))).toEqual([
    ['1_2024-01-01'],
    ['1_2024-01-02'],
    ['1_2024-01-03'],
    [],
    [],
  ]);
  expect(ticks[4]?.skip_reason).toBe('complete up to day 3');
  expect((await getCursor(h.engine, 'feed')).cursor).toMatchObject({ next: 1 });
  expect(await h.client.runs({})).toEqual([]);
});

test('a preview knows what its own earlier ticks have asked for', async () => {
  const h = await harness(
    undefined,
    drain({ asks: [{ partitions: ['1_2024-01-01'] }, { partitions: ['1_2024-01-02'], runKey: 'own' }] }),
  );
  await h.engine.redis.hset(h.engine.keys.sensor('feed'), 'cursor', '{"v":2,"next":1}');
  const sensor = lookUp('sensor', h.deployment.sensors, 'feed');
  const ticks = await previewTicks(h.engine, sensor, { ticks: 2, openResources: async () => ({}), log: SILENT });
  expect(ticks.map((tick) => tick.requests.map((one) => one.suppressed_by))).toEqual([
    [null, null],
    ['tick 1', 'tick 1'],
  ]);
});

test('a sensor may log what JSON does not know: its tick does not fail of it', () => {
  const { log, text } = createTickLog(SILENT, (said) => said);
  const round: Record<string, unknown> = { offset: 9_007_199_254_740_993n, error: new RangeError('too far') };
  round.self = round;
  log.info('looked', round);
  expect(JSON.parse(text())).toMatchObject([
    { text: 'looked {"offset":"9007199254740993","error":"too far","self":"[circular]"}' },
  ]);
});

test('what a sensor logs is kept with its tick, bounded, without secrets', () => {
  const passed: string[] = [];
  const { log, text } = createTickLog({ ...SILENT, info: (message) => void passed.push(message) }, (said) =>
    said.replaceAll('hunter2', '***'),
  );
  expect(text()).toBe('');
  log.info('looked at 3 objects', { password: 'hunter2' });
  for (let i = 0; i < 200; i++) log.warn('x'.repeat(100));
  const lines = JSON.parse(text()) as { level: string; text: string }[];
  expect(lines[0]).toMatchObject({ level: 'info', text: 'looked at 3 objects {"password":"***"}' });
  expect(lines.at(-1)?.text).toMatch(/^1\d\d more lines were not kept$/);
  expect(text().length).toBeLessThan(16_384);
  expect(passed).toEqual(['looked at 3 objects']);
});

test('a tick whose cursor no longer fits fails with the field named, and the cursor stays', async () => {
  const h = await harness();
  await h.worker();
  await h.engine.redis.hset(h.engine.keys.sensor('feed'), 'cursor', '{"next":"soon"}');
  expect(await tickNow(h.engine)).toMatchObject({
    status: 'FAILURE',
    decision: 'failed',
    reason: expect.stringMatching(/next/) as string,
  });
  expect((await getCursor(h.engine, 'feed')).cursor).toEqual({ next: 'soon' });
});

const day = defineAsset({
  key: 'day',
  description: 'A day of a team.',
  partitions: teamDays,
  config: z.object({}),
  materialize: async () => materialized(),
});

/** A sensor of its own, whose parts a test may change as it goes. */
function drain(parts: { migrate?: (stored: Json) => Json; lag?: number; next?: number; asks?: readonly RunRequest[] }) {
  const sensor = defineSensor({
    name: 'feed',
    description: 'Follows a source.',
    job: defineJob({ name: 'make', assets: [day] }),
    every: '60s',
    defaultStatus: 'RUNNING',
    cursor: z.strictObject({ v: z.literal(2), next: z.number() }),
    migrate: (stored) => (parts.migrate ?? ((same: Json) => same))(stored),
    async evaluate({ cursor }) {
      const after = {
        ...(parts.lag === undefined ? {} : { lag: parts.lag }),
        cursor: { ...cursor, next: parts.next ?? cursor.next },
      };
      return parts.asks === undefined ? skip('nothing yet', after) : request(parts.asks, after);
    },
  });
  return defineDeployment({ definitions: { jobs: [sensor.job], sensors: [sensor] } });
}

test('a sensor whose migrate fails is paused, its cursor untouched; with one that works it goes on once it is started', async () => {
  const parts: Parameters<typeof drain>[0] = {
    migrate: () => {
      throw new TypeError('no way from v1');
    },
  };
  const h = await harness(undefined, drain(parts));
  const { engine } = h;
  const sensor = engine.keys.sensor('feed');
  await engine.redis.hset(sensor, 'cursor', '{"v":1,"at":7}');
  const history = await cursorHistory(engine, 'feed', 10);
  await h.worker();
  await until(
    () => engine.redis.hget(sensor, 'status'),
    (status) => status === 'STOPPED',
  );
  expect(await engine.redis.hmget(sensor, 'status_by', 'cursor', 'version', 'last_reason')).toEqual([
    'skein',
    '{"v":1,"at":7}',
    '1',
    'The stored cursor could not be migrated, so the sensor is paused and the cursor stays: no way from v1',
  ]);
  expect(await cursorHistory(engine, 'feed', 10)).toEqual(history);
  expect(await engine.redis.zscore(engine.keys.due, 'feed')).toBeNull();
  // A start of another process does not turn it on again.
  await registerDefinitions(engine.redis, engine.keys.prefix, engine.deployment);
  expect(await engine.redis.hget(sensor, 'status')).toBe('STOPPED');
  // One that gives what the schema refuses fails as well, at a person's tick too.
  parts.migrate = () => ({ v: 1 });
  expect(await tickNow(engine)).toMatchObject({
    status: 'FAILURE',
    reason: expect.stringMatching(/migrated.*v/) as string,
  });
  parts.migrate = (stored) => ({ v: 2, next: (stored as { at: number }).at });
  await switchSensor(engine, 'RUNNING');
  await until(
    () => getCursor(engine, 'feed'),
    ({ version }) => version === 2,
  );
  expect((await getCursor(engine, 'feed')).cursor).toEqual({ v: 2, next: 7 });
});

test('a cursor that stands while its source grows is told, until it moves or the source shrinks', async () => {
  const parts: Parameters<typeof drain>[0] = { lag: 5 };
  const h = await harness(undefined, drain(parts));
  const { engine } = h;
  await engine.redis.hset(engine.keys.sensor('feed'), 'cursor', '{"v":2,"next":1}');
  await h.worker();
  const told = async (lag: number) => {
    parts.lag = lag;
    await tickNow(engine);
    const [first] = await readSourceLags(engine);
    return first;
  };
  const longAgo = async () => {
    const was = JSON.parse((await engine.redis.hget(engine.keys.lags, 'feed')) ?? '') as { since: number };
    const since = was.since - 4 * 60_000;
    await engine.redis.hset(engine.keys.lags, 'feed', JSON.stringify({ ...was, since }));
  };
  await until(
    () => readSourceLags(engine),
    ([first]) => first?.lag === 5,
  );
  await longAgo();
  expect(await told(5)).toEqual({ sensor: 'feed', lag: 5, grownBy: 0, standsIntervals: 0 });
  const growing = await told(9);
  expect(growing).toMatchObject({ lag: 9, grownBy: 4 });
  expect(growing?.standsIntervals).toBeGreaterThan(4);
  expect(await told(3)).toMatchObject({ grownBy: 0, standsIntervals: 0 });
  await longAgo();
  parts.next = 2;
  expect(await told(8)).toMatchObject({ lag: 8, grownBy: 0, standsIntervals: 0 });
  // One that is switched off stands because a person wants it to.
  await switchSensor(engine, 'STOPPED');
  expect(await readSourceLags(engine)).toEqual([]);
  await switchSensor(engine, 'RUNNING');
  expect(await readSourceLags(engine)).toHaveLength(1);
  delete parts.lag;
  await tickNow(engine).catch(() => undefined);
  await until(
    () => readSourceLags(engine),
    (lags) => lags.length === 0,
  );
});

test('the scope of a run key is its sensor: another that asks with the same key has a run of its own', async () => {
  const job = defineJob({ name: 'make', assets: [day] });
  const sensors = ['one', 'two'].map((name) =>
    defineSensor({
      name,
      description: 'Asks for the same with the same key, always.',
      job,
      every: '1h',
      cursor: z.object({ asked: z.number().default(0) }),
      evaluate: async ({ cursor }) =>
        request([{ partitions: ['1_2024-01-01'], runKey: 'mine' }], { cursor: { asked: cursor.asked + 1 } }),
    }),
  );
  const h = await harness(undefined, defineDeployment({ definitions: { jobs: [job], sensors } }));
  await h.worker();
  const decisions: string[] = [];
  for (const name of ['one', 'two', 'one', 'two']) {
    const id = (await openTick(h.engine, name, 'test')) ?? '';
    const tick = await until(
      () => tickRecord(h.engine, id),
      ({ status }) => status !== 'STARTED',
    );
    decisions.push(tick.decision ?? '');
  }
  expect(decisions).toEqual(['requested', 'requested', 'suppressed', 'suppressed']);
  expect(await h.client.runs({ limit: 10 })).toHaveLength(2);
  // What a tick did to the cursor is in its history as well as what people did.
  expect((await cursorHistory(h.engine, 'one', 10)).map(({ by, after }) => [by, after])).toEqual([
    ['tick:one.2', { asked: 2 }],
    ['tick:one.1', { asked: 1 }],
  ]);
  await restoreCursor(h.engine, 'one', { by: 'ana' });
  expect((await getCursor(h.engine, 'one')).cursor).toEqual({ asked: 1 });
});

test('a lag that is no number fails the tick', async () => {
  const h = await harness(undefined, drain({ lag: Number.NaN }));
  await h.engine.redis.hset(h.engine.keys.sensor('feed'), 'cursor', '{"v":2,"next":1}', 'status', 'STOPPED');
  await h.worker();
  expect(await tickNow(h.engine)).toMatchObject({
    status: 'FAILURE',
    reason: expect.stringMatching(/lag.*NaN/) as string,
  });
});

test('a tick is late while nobody begins it, and by one that goes on past the next', async () => {
  const h = await harness();
  const { redis, keys } = h.engine;
  await switchSensor(h.engine, 'RUNNING');
  const every = Number(await redis.hget(keys.sensor('feed'), 'every'));
  const [seconds] = await redis.time();
  await redis.zadd(keys.due, Number(seconds) * 1_000 - 3 * every, 'feed');
  const [due] = await readLateTicks(h.engine);
  expect(due?.name).toBe('feed');
  expect(due?.intervals).toBeGreaterThanOrEqual(3);
  await redis.zrem(keys.due, 'feed');
  const id = (await openTick(h.engine, 'feed', 'test')) ?? '';
  await redis.hset(keys.tick(id), 'started', Number(seconds) * 1_000 - 4 * every);
  expect((await readLateTicks(h.engine))[0]?.intervals).toBeGreaterThanOrEqual(4);
  await redis.hset(keys.tick(id), 'worker', 'w');
  const begun = (await readLateTicks(h.engine))[0]?.intervals ?? 0;
  expect([begun >= 3, begun < 4]).toEqual([true, true]);
  await switchSensor(h.engine, 'STOPPED');
  expect(await readLateTicks(h.engine)).toEqual([]);
});

test('planned times of a schedule across the change to and from summer time', () => {
  const daily = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
  const spring = plannedTimes(daily, new Date('2026-03-28T00:00:00Z'), new Date('2026-03-31T00:00:00Z'));
  expect(spring.due.map((at) => at.toISOString())).toEqual([
    '2026-03-28T01:30:00.000Z',
    expect.stringMatching(/^2026-03-29T01/) as string,
    '2026-03-30T00:30:00.000Z',
  ]);
  const autumn = plannedTimes(daily, new Date('2026-10-24T00:00:00Z'), new Date('2026-10-26T12:00:00Z'));
  expect(autumn.due.filter((at) => at.toISOString().startsWith('2026-10-25'))).toHaveLength(1);
});

const PORTS = {
  openResources: async () => ({}),
  describe: (error: unknown) => (error as Error).message,
  log: SILENT,
};

test('a cursor that is applied and what the sensor asks for with it are written together, on the version seen, or not at all', async () => {
  const h = await harness();
  const at = (cursor: Json, ifVersion: number) =>
    applyCursor(h.engine, PORTS, 'feed', cursor, { by: 'ana', reason: 'now', ifVersion });
  const { version } = await getCursor(h.engine, 'feed');
  const { tick, decision } = await at({ next: 2 }, version);
  expect(decision).toBe('requested');
  expect((await h.client.runs({})).map((run) => run.firstPartition)).toEqual(['1_2024-01-02']);
  expect(await cursorHistory(h.engine, 'feed', 10)).toMatchObject([
    { version: version + 2, by: `tick:${tick}`, before: { next: 2 }, after: { next: 3 } },
    { version: version + 1, by: 'ana', reason: 'now', before: { next: 1 }, after: { next: 2 } },
  ]);
  expect(await tickRecord(h.engine, tick)).toMatchObject({
    status: 'SUCCESS',
    trigger: 'ana',
    cursor_before: JSON.stringify({ next: 2 }),
  });

  const nothing = async (tried: Promise<unknown>, said: RegExp) => {
    const before = await getCursor(h.engine, 'feed');
    await expect(tried).rejects.toThrow(said);
    expect(await getCursor(h.engine, 'feed')).toEqual(before);
    expect(await h.client.runs({})).toHaveLength(1);
    expect(await h.engine.redis.hget(h.engine.keys.sensor('feed'), 'tick')).toBeNull();
  };
  // An older version, a schema that refuses, code that fails: which is no failure of the sensor as it stands.
  const streak = () => h.engine.redis.hget(h.engine.keys.sensor('feed'), 'error_streak');
  await h.engine.redis.hset(h.engine.keys.sensor('feed'), 'error_streak', 2);
  await nothing(at({ next: 3 }, version), /version 3 by now/);
  await nothing(at({ next: 'x' }, version + 2), /next/);
  await nothing(
    applyCursor(
      h.engine,
      { ...PORTS, openResources: () => Promise.reject(new RangeError('no source')) },
      'feed',
      {},
      {
        by: 'ana',
        ifVersion: version + 2,
      },
    ),
    /Nothing was saved.*no source/,
  );
  expect(await streak()).toBe('2');

  // Somebody writes while it is evaluated: neither the cursor nor the runs, and theirs stands.
  const slow = at({ next: 3, pause_ms: 300 }, version + 2);
  await until(
    () => h.engine.redis.hget(h.engine.keys.sensor('feed'), 'tick'),
    (open) => open !== null,
  );
  await expect(at({ next: 1 }, version + 2)).rejects.toThrow(/under way/);
  await setCursor(h.engine, 'feed', { next: 1, until: 2 }, { by: 'ben' });
  await expect(slow).rejects.toMatchObject({ code: 'CONFLICT', details: { current_version: version + 3 } });
  expect(await streak()).toBe('2');
  expect((await getCursor(h.engine, 'feed')).cursor).toEqual({ next: 1, until: 2 });
  expect(await h.client.runs({})).toHaveLength(1);
});
