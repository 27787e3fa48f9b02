import { createClient } from '../../src/engine/client.ts';
import { readCounts } from '../../src/engine/reads/partitions.ts';
import { type Behaviour, type Harness, openHarness, testDeployment } from './harness.ts';

const open: Harness[] = [];
const harness = async (behave: Behaviour, options: Parameters<typeof testDeployment>[1] = {}) => {
  const made = await openHarness(testDeployment(behave, options));
  open.push(made);
  return { ...made, client: createClient(made.engine) };
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

test('a run of one partition goes all the way: submitted, worked, settled, counted', async () => {
  const h = await harness(() => ({ rows: 7 }));
  await h.worker();
  const { runId, isNew } = await h.client.submit({ job: 'events_job', partitions: ['1_2024-01-15'], cause: 'test' });
  expect(isNew).toBe(true);
  const run = await h.client.wait(runId);
  expect(run).toMatchObject({
    status: 'SUCCESS',
    result: { rows: 7 },
    counts: { total: 1, materialized: 1, failed: 0 },
  });
  expect(run.partitions).toEqual([
    { asset: 'events', key: '1_2024-01-15', outcome: 'materialized', error: null, metadata: { rows: 7 } },
  ]);
  expect(await h.client.partitionStatus('events', ['1_2024-01-15'])).toEqual(
    new Map([['1_2024-01-15', { outcome: 'materialized', activity: 'idle' }]]),
  );
  const asset = h.deployment.assets.get('events');
  if (!asset) throw new TypeError('no asset');
  expect(await readCounts(h.engine, asset)).toEqual({
    materialized: 1,
    failed: 0,
    skipped: 0,
    queued: 0,
    running: 0,
    cancelling: 0,
  });
});

test('a failing attempt is retried by the policy, then the run fails with its reason', async () => {
  const attempts: number[] = [];
  const h = await harness(
    ({ attempt }) => {
      attempts.push(attempt);
      throw new TypeError('the day is bad');
    },
    { attempts: 3 },
  );
  await h.worker();
  const { runId } = await h.client.submit({ job: 'events_job', partitions: ['1_2024-01-15'], cause: 'test' });
  const run = await h.client.wait(runId);
  expect(run).toMatchObject({
    status: 'FAILURE',
    endReason: 'user_error',
    error: { code: 'ASSET_FAILED', message: 'the day is bad' },
  });
  expect(attempts).toEqual([1, 2, 3]);
});

test('a fan-out run settles each partition on its own, and fails when one fails', async () => {
  const h = await harness(({ key }) => (key.startsWith('2_') ? { fail: true } : { rows: 1 }));
  await h.worker();
  const { runId } = await h.client.submit({ job: 'chunks_job', config: { team_ids: [1, 2, 3, 4, 5] }, cause: 'test' });
  const run = await h.client.wait(runId);
  expect(run).toMatchObject({
    status: 'FAILURE',
    result: { chunks: 3, done: 5 },
    counts: { total: 5, materialized: 4, failed: 1 },
  });
  expect(run.partitions.find((p) => p.key === '2_2024-01-01')).toMatchObject({
    outcome: 'failed',
    error: { code: 'BAD_TEAM' },
  });
});

test('a run submitted with a scope finds its partitions in its plan; of its tasks as many work as it may have at once', async () => {
  const others: (string | null)[] = [];
  const h: Awaited<ReturnType<typeof harness>> = await harness(async ({ key }) => {
    const { redis, keys } = h.engine;
    if (key.startsWith('1_')) others.push(await redis.hget(keys.unit(`${runId}.0.t-chunk-1`), 'state'));
    return { rows: 1 };
  });
  const { runId } = await h.client.submit({ job: 'chunks_job', config: { max: 1 }, cause: 'test' });
  await h.worker();
  const run = await h.client.wait(runId);
  expect(others).toEqual(['HELD']);
  expect(run).toMatchObject({ status: 'SUCCESS', counts: { total: 3, materialized: 3 } });
  expect(await h.client.partitionStatus('chunks', ['3_2024-01-01'])).toEqual(
    new Map([['3_2024-01-01', { outcome: 'materialized', activity: 'idle' }]]),
  );
});

test('a job of two assets runs them in order', async () => {
  const h = await harness(() => ({ rows: 1 }));
  await h.worker();
  const { runId } = await h.client.submit({
    job: 'both_job',
    partitions: ['8_2024-01-15', '9_2024-01-15'],
    cause: 'test',
  });
  const run = await h.client.wait(runId);
  expect(run.status).toBe('SUCCESS');
  expect(run.partitions.map((p) => [p.asset, p.key, p.outcome])).toEqual([
    ['events', '8_2024-01-15', 'materialized'],
    ['events', '9_2024-01-15', 'materialized'],
    ['report', '8_2024-01-15', 'materialized'],
    ['report', '9_2024-01-15', 'skipped'],
  ]);
});

test('many partitions of one run at once, within a narrow pool', async () => {
  let active = 0;
  let most = 0;
  const h = await harness(
    async () => {
      most = Math.max(most, ++active);
      await new Promise((resolve) => setImmediate(resolve));
      active--;
      return {};
    },
    { pool: 'narrow' },
  );
  await h.worker({ concurrency: 20 });
  const partitions = Array.from(
    { length: 100 },
    (_, i) => `${(i % 7) + 1}_2024-02-${String((i % 28) + 1).padStart(2, '0')}`,
  );
  const { runId } = await h.client.submit({ job: 'events_job', partitions, cause: 'test' });
  const run = await h.client.wait(runId);
  expect(run.status).toBe('SUCCESS');
  expect(run.counts.materialized).toBe(new Set(partitions).size);
  expect(most).toBeLessThanOrEqual(2);
});

test('cancelling reaches the code as an abort, and the partition keeps its last outcome', async () => {
  let begun = () => {};
  const running = new Promise<void>((resolve) => (begun = resolve));
  const h = await harness(
    ({ signal }) =>
      new Promise((_resolve, reject) => {
        begun();
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  );
  await h.worker();
  const { runId } = await h.client.submit({ job: 'events_job', partitions: ['1_2024-01-15'], cause: 'test' });
  await running;
  await h.client.cancel(runId, 'ana');
  const run = await h.client.wait(runId);
  expect(run).toMatchObject({ status: 'CANCELED', endReason: 'cancelled' });
  expect(await h.client.partitionStatus('events', ['1_2024-01-15'])).toEqual(
    new Map([['1_2024-01-15', { outcome: 'missing', activity: 'idle' }]]),
  );
});
