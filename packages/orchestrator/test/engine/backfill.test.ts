import {
  cancelBackfill,
  changeBackfill,
  createBackfill,
  pauseBackfill,
  planBackfill,
  readBackfill,
  readBackfillPace,
  resumeBackfill,
  retryBackfill,
} from '../../src/engine/backfill.ts';
import { expandBackfills } from '../../src/engine/backfill-expand.ts';
import { createClient } from '../../src/engine/client.ts';
import { defineJob, lookUp } from '../../src/index.ts';
import { type Behaviour, type Harness, openHarness, testDeployment, until } from './harness.ts';

const open: Harness[] = [];
const harness = async (behave: Behaviour) => {
  const made = await openHarness(testDeployment(behave));
  open.push(made);
  return { ...made, client: createClient(made.engine) };
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

test('a backfill of a rectangle runs every partition once, tenants in turn, and says it is complete', async () => {
  const order: string[] = [];
  const h = await harness(({ key }) => {
    order.push(key);
    return {};
  });
  await h.worker({ concurrency: 1 });
  const request = { job: 'events_job', ids: ['1..3'], from: '2024-01-01', to: '2024-01-20', maxActive: 4 };
  expect(await planBackfill(h.engine, request)).toMatchObject({
    total: 60,
    toRun: 60,
    first: '1_2024-01-01',
    last: '3_2024-01-20',
  });
  const { id } = await createBackfill(h.engine, request, 'ana');
  const done = await until(
    () => readBackfill(h.engine, id),
    (b) => b.status !== 'IN_PROGRESS',
  );
  expect(done).toMatchObject({ status: 'COMPLETED', total: 60, requested: 60, succeeded: 60, failed: 0 });
  const pace = await readBackfillPace(h.engine, done.id);
  expect(pace.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0)).toBe(60);
  expect(pace.every(({ minutes }) => minutes === 1)).toBe(true);
  // What is made from it would find 60 of 63; where both are made together, nothing needs to be there before.
  const above = { ...request, to: '2024-01-21', statuses: ['missing' as const] };
  const { deployment } = h.engine;
  const job = defineJob({ name: 'report_job', assets: [lookUp('asset', deployment.assets, 'report')] });
  const jobs = new Map([...deployment.jobs, [job.name, job]]);
  const engine = { ...h.engine, deployment: { ...deployment, jobs } };
  expect(await planBackfill(engine, { ...above, job: 'report_job' })).toMatchObject({
    toRun: 63,
    upstreamNotMade: { events: 3 },
  });
  expect(await planBackfill(h.engine, { ...above, job: 'both_job' })).toMatchObject({ upstreamNotMade: {} });
  const days = Array.from({ length: 20 }, (_, i) => `2024-01-${String(i + 1).padStart(2, '0')}`);
  expect(order).toEqual(days.flatMap((day) => [1, 2, 3].map((team) => `${team}_${day}`)));
});

test('it looks at as many partitions as it may start, and at more only where none is to run', async () => {
  const h = await harness(() => ({}));
  const { redis } = h.engine;
  const looks: number[] = [];
  const pipeline = redis.pipeline.bind(redis);
  jest.spyOn(redis, 'pipeline').mockImplementation((...given) => {
    const made = pipeline(...given);
    const exec = made.exec.bind(made);
    return Object.assign(made, { exec: () => (looks.push(made.length), exec()) });
  });
  const request = { job: 'events_job', ids: ['1..20'], from: '2024-01-01', to: '2024-01-20', maxActive: 5 };
  const dense = await createBackfill(h.engine, request, 'ana');
  await h.engine.dispatcher.idle();
  await expandBackfills(h.engine);
  expect(await readBackfill(h.engine, dense.id)).toMatchObject({ position: 5, active: 5, passed: 0 });
  expect(looks).toEqual([5]);
  const none = await createBackfill(h.engine, { ...request, statuses: ['failed'] }, 'ana');
  await h.engine.dispatcher.idle();
  expect(await readBackfill(h.engine, none.id)).toMatchObject({ status: 'COMPLETED', passed: 400, requested: 0 });
  expect(looks.slice(1)).toEqual([5, 10, 20, 40, 80, 160, 85]);
});

test('statuses select, failures are counted, and a retry takes only what failed', async () => {
  let healed = false;
  const h = await harness(({ key }) => {
    if (!healed && key.endsWith('-02')) throw new TypeError('bad day');
    return {};
  });
  await h.worker();
  const request = { job: 'events_job', ids: ['1', '2'], from: '2024-01-01', to: '2024-01-04' };
  const first = await createBackfill(h.engine, request, 'ana');
  expect(
    await until(
      () => readBackfill(h.engine, first.id),
      (b) => b.status !== 'IN_PROGRESS',
    ),
  ).toMatchObject({
    status: 'COMPLETED_WITH_FAILURES',
    succeeded: 6,
    failed: 2,
  });
  expect(await planBackfill(h.engine, { ...request, statuses: ['failed'] })).toMatchObject({ total: 8, toRun: 2 });
  healed = true;
  const again = await retryBackfill(h.engine, first.id, { statuses: ['failed'] }, 'ana');
  expect(
    await until(
      () => readBackfill(h.engine, again.id),
      (b) => b.status !== 'IN_PROGRESS',
    ),
  ).toMatchObject({
    status: 'COMPLETED',
    requested: 2,
    passed: 6,
    succeeded: 2,
  });
});

test('pause holds, resume goes on, cancel ends it and nothing runs later', async () => {
  let ran = 0;
  let gate = () => {};
  let closed = new Promise<void>((resolve) => (gate = resolve));
  const h = await harness(async ({ signal }) => {
    ran++;
    await Promise.race([
      closed,
      new Promise((_r, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    ]);
    return {};
  });
  await h.worker();
  const { id } = await createBackfill(
    h.engine,
    { job: 'events_job', ids: ['1'], from: '2024-01-01', to: '2024-03-01', maxActive: 2 },
    'ana',
  );
  await until(
    () => Promise.resolve(ran),
    (n) => n === 2,
  );
  expect(await pauseBackfill(h.engine, id, { by: 'ana' })).toMatchObject({
    before: { status: 'IN_PROGRESS' },
    now: { status: 'PAUSED' },
  });
  gate();
  await until(
    () => readBackfill(h.engine, id),
    (b) => b.active === 0,
  );
  expect(ran).toBe(2);
  closed = new Promise<void>((resolve) => (gate = resolve));
  // Five hours and a half later: by then hours are counted, not minutes.
  await h.engine.redis.hset(h.engine.keys.backfill(id), { created: Date.now() - 330 * 60_000 });
  await resumeBackfill(h.engine, id, { by: 'ana' });
  await until(
    () => Promise.resolve(ran),
    (n) => n === 4,
  );
  await cancelBackfill(h.engine, id, { by: 'ana' });
  const ended = await until(
    () => readBackfill(h.engine, id),
    (b) => b.active === 0,
  );
  expect(ended).toMatchObject({ status: 'CANCELED', succeeded: 2, canceled: 2, requested: 4 });
  expect(await readBackfillPace(h.engine, id)).toEqual([
    expect.objectContaining({ minutes: 1, succeeded: 2, canceled: 0 }),
    { from: new Date(ended.createdAt.getTime() + 300 * 60_000), minutes: 60, succeeded: 0, failed: 0, canceled: 2 },
  ]);
  expect(ran).toBe(4);
});

test('newest first it stops after as many failures as it may have, and goes on with other limits', async () => {
  const order: string[] = [];
  let healed = false;
  const h = await harness(({ key }) => {
    order.push(key.slice(-2));
    if (!healed) throw new TypeError('bad day');
    return {};
  });
  await h.worker({ concurrency: 1 });
  const { id } = await createBackfill(
    h.engine,
    {
      job: 'events_job',
      ids: ['1'],
      from: '2024-01-01',
      to: '2024-01-06',
      order: 'newest',
      maxActive: 1,
      stopAfterFailures: 2,
    },
    'ana',
  );
  const stopped = await until(
    () => readBackfill(h.engine, id),
    (b) => b.status !== 'IN_PROGRESS',
  );
  expect(stopped).toMatchObject({ status: 'PAUSED', statusBy: 'skein', requested: 2, failed: 2 });
  expect(stopped.statusReason).toBe('2 failures, as many as it was to stop after');
  healed = true;
  await changeBackfill(h.engine, id, { maxActive: 3, priority: 5 }, { by: 'ana' });
  await resumeBackfill(h.engine, id, { by: 'ana' });
  const done = await until(
    () => readBackfill(h.engine, id),
    (b) => b.status !== 'IN_PROGRESS',
  );
  expect(done).toMatchObject({ status: 'COMPLETED_WITH_FAILURES', maxActive: 3, priority: 5, succeeded: 4, failed: 2 });
  expect(order).toEqual(['06', '05', '04', '03', '02', '01']);
  expect((await h.client.runs({ limit: 10 })).map((run) => run.priority).sort()).toEqual([-10, -10, 5, 5, 5, 5]);
});

test('a rectangle that is empty, an id that does not parse, a config that is refused: nothing is created', async () => {
  const h = await harness(() => ({}));
  const bad = [
    [{ job: 'events_job', ids: ['x'], from: '2024-01-01', to: '2024-01-02' }, 'Invalid team_id'],
    [{ job: 'events_job', ids: ['1'], from: '2024-01-02', to: '2024-01-01' }, 'empty'],
    [{ job: 'events_job', ids: ['1'], from: '2024-02-30', to: '2024-03-01' }, 'Invalid date'],
    [{ job: 'events_job', ids: ['1'], from: '2024-01-01', to: '2024-01-02', config: { nope: 1 } }, 'nope'],
    [{ job: 'nothing', ids: ['1'] }, 'No job'],
  ] as const;
  for (const [request, message] of bad) await expect(createBackfill(h.engine, request, 'ana')).rejects.toThrow(message);
});
