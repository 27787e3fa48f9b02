/** Retry: whole, only what failed, or from the failure, with what succeeded taken over from the old run. */

import { z } from 'zod';

import { createBackfill, readBackfill } from '../../src/engine/backfill.ts';
import { createClient } from '../../src/engine/client.ts';
import { planRetry, retryRun, runAgain } from '../../src/engine/retry.ts';
import {
  ConfigInvalidError,
  type RunDetail,
  defineAsset,
  defineDeployment,
  defineJob,
  fixed,
  materialized,
} from '../../src/index.ts';
import { type Harness, openHarness, teamDays, until } from './harness.ts';

const open: Harness[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** Three steps, of which the second fans out; each says what it did, and fails where the test wants it to. */
async function threeSteps(fails: (asset: string, key: string) => boolean) {
  const did: string[] = [];
  const work = (asset: string, key: string) => {
    if (fails(asset, key)) throw new TypeError(`${asset} of ${key} is bad`);
    did.push(`${asset} ${key}`);
  };
  const plain = (key: string, upstream?: string) =>
    defineAsset({
      key,
      description: 'A step.',
      partitions: teamDays,
      config: z.object({}),
      ...(upstream === undefined ? {} : { dependsOn: [{ asset: upstream, mapping: 'identity' as const }] }),
      async materialize({ partitionKey }) {
        work(key, partitionKey);
        return materialized({ made: `${key} of ${partitionKey}` });
      },
    });
  const fan = defineAsset({
    key: 'fan',
    description: 'A step in tasks.',
    partitions: teamDays,
    config: z.object({}),
    dependsOn: [{ asset: 'first', mapping: 'identity' }],
    tasks: {
      plan: async ({ partitions }) => partitions.map(({ key }, i) => ({ id: `t${i}`, partitions: [key], input: null })),
      run: async ({ task }) => {
        for (const key of task.partitions) work('fan', key);
        return null;
      },
      settle: async () => ({}),
    },
  });
  const deployment = defineDeployment({
    definitions: { jobs: [defineJob({ name: 'steps', assets: [plain('first'), fan, plain('last', 'fan')] })] },
  });
  const h = await openHarness(deployment);
  open.push(h);
  await h.worker();
  return { ...h, client: createClient(h.engine), did };
}

const KEYS = ['1_2024-01-01', '2_2024-01-01', '3_2024-01-01'];

test('from the failure: steps of a partition that succeeded are not repeated, their metadata come from the old run', async () => {
  let broken = true;
  const h = await threeSteps((asset, key) => broken && asset === 'fan' && key.startsWith('2_'));
  const { runId } = await h.client.submit({ job: 'steps', partitions: KEYS, tags: { why: 'test' }, cause: 'test' });
  expect(await h.client.wait(runId)).toMatchObject({ status: 'FAILURE' });
  expect(h.did.filter((one) => one.startsWith('last'))).toEqual(['last 1_2024-01-01', 'last 3_2024-01-01']);
  h.did.length = 0;
  broken = false;
  const again = await retryRun(h.engine, runId, 'from_failure');
  // Only the second lacks steps: the fan-out, and what is made from it.
  expect(again.partitions).toEqual(KEYS.slice(1, 2));
  const run = await h.client.wait(again.runId);
  expect(run).toMatchObject({
    status: 'SUCCESS',
    cause: `retry:${runId}`,
    tags: { why: 'test', retry_of: runId },
    counts: { total: 3, materialized: 3, failed: 0 },
  });
  expect(h.did).toEqual(['fan 2_2024-01-01', 'last 2_2024-01-01']);
  expect(run.partitions.find((p) => p.asset === 'first')).toMatchObject({
    outcome: 'materialized',
    metadata: { made: `first of ${KEYS[1]}` },
    fromRun: runId,
  });
  expect(run.partitions.filter((p) => p.fromRun === undefined)).toHaveLength(2);
  expect(await h.client.partitionStatus('fan', KEYS)).toEqual(
    new Map(KEYS.map((key) => [key, { outcome: 'materialized', activity: 'idle' }])),
  );
  for (const asset of ['first', 'fan', 'last'])
    for (const row of ['1', '2', '3'])
      expect(JSON.parse((await h.engine.script('recount', asset, row, 0)) as string)).toMatchObject({ equal: true });
  expect(await h.engine.redis.hlen(h.engine.keys.holders('first'))).toBe(0);
  await expect(retryRun(h.engine, again.runId, 'from_failure')).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a retry that fails again goes on from both: what the first run made is still taken over from it', async () => {
  let bad = 'fan';
  const h = await threeSteps((asset) => asset === bad);
  const { runId } = await h.client.submit({ job: 'steps', partitions: [KEYS[0] ?? ''], cause: 'test' });
  expect((await h.client.wait(runId)).status).toBe('FAILURE');
  bad = 'last';
  const second = await retryRun(h.engine, runId, 'from_failure');
  expect((await h.client.wait(second.runId)).status).toBe('FAILURE');
  bad = '';
  h.did.length = 0;
  const third = await retryRun(h.engine, second.runId, 'from_failure');
  const run = await h.client.wait(third.runId);
  expect(run.status).toBe('SUCCESS');
  expect(h.did).toEqual([`last ${KEYS[0]}`]);
  expect(run.partitions.map((p) => p.fromRun)).toEqual([runId, second.runId, undefined]);
});

test('only the failed partitions, all their steps; while another run holds one of them the retry waits', async () => {
  let broken = true;
  const h = await threeSteps((asset, key) => broken && asset === 'first' && key.startsWith('3_'));
  const { runId } = await h.client.submit({ job: 'steps', partitions: KEYS, cause: 'test' });
  await h.client.wait(runId);
  broken = false;
  h.did.length = 0;
  const failed = await retryRun(h.engine, runId, 'failed');
  // The first step failed of one, and with it what is made from that one.
  const ended = await h.client.wait(failed.runId);
  expect(ended.status).toBe('SUCCESS');
  expect(ended.partitions.every((p) => p.fromRun === undefined)).toBe(true);
  expect(h.did).toEqual(['first', 'fan', 'last'].map((asset) => `${asset} 3_2024-01-01`));
});

test('what a retry has to do', () => {
  const part = (key: string, outcome: string | null, asset = 'a') => ({
    asset,
    key,
    outcome,
    error: null,
    metadata: {},
  });
  const run = (partitions: object[], more: Partial<RunDetail> = {}) =>
    ({ id: 'R', status: 'FAILURE', endedAt: new Date(0), partitions, ...more }) as RunDetail;
  const parts = [part('1', 'materialized'), part('2', 'failed'), part('3', null), part('2', 'skipped', 'b')];
  expect(planRetry(run(parts), 'all')).toEqual({ partitions: ['1', '2', '3'], carried: [] });
  expect(planRetry(run(parts), 'failed')).toEqual({ partitions: ['2'], carried: [] });
  expect(planRetry(run(parts), 'from_failure')).toEqual({
    partitions: ['2', '3'],
    carried: [['b|2', 'skipped', '{"o":"skipped","m":{},"from":"R"}']],
  });
  // A plan that failed left no partitions: all of it comes again.
  expect(planRetry(run([]), 'from_failure')).toEqual({ partitions: [], carried: [] });
  expect(() => planRetry(run([]), 'failed')).toThrow('nothing to retry');
  expect(() => planRetry(run([part('1', 'materialized')]), 'failed')).toThrow('nothing to retry');
  expect(() => planRetry(run(parts, { endedAt: undefined, status: 'STARTED' }), 'all')).toThrow('has not ended');
});

describe('the policy of a job', () => {
  /** @param fails how often each key fails */
  async function withPolicy(fails: Readonly<Record<string, number>>, wait: '1ms' | '1h') {
    const left: Record<string, number> = { ...fails };
    const did: string[] = [];
    const made = defineAsset({
      key: 'made',
      description: 'Fails so often as it is told to.',
      partitions: teamDays,
      config: z.object({ right: z.boolean().default(true) }),
      async materialize({ partitionKey, config }) {
        did.push(partitionKey);
        if (!config.right) throw new ConfigInvalidError('It is wrong.');
        left[partitionKey] = (left[partitionKey] ?? 0) - 1;
        if (left[partitionKey] >= 0) throw new TypeError('not yet');
        return materialized();
      },
    });
    const job = defineJob({ name: 'again', assets: [made], retries: { attempts: 3, backoff: fixed(wait) } });
    const h = await openHarness(defineDeployment({ definitions: { jobs: [job] } }));
    open.push(h);
    await h.worker();
    return { ...h, client: createClient(h.engine), did, left };
  }

  /** In the order of their making, when nothing is under way or due any more. */
  async function allRuns({ engine, client }: Awaited<ReturnType<typeof withPolicy>>) {
    const { redis, keys } = engine;
    // Looked at together: between two looks a run may end and be due, or be due and begin, and would be seen in neither.
    await until(
      async () => (await redis.multi().scard(keys.openRuns('again')).zcard(keys.retries).exec()) ?? [],
      (left) => left.length === 2 && left.every(([error, count]) => error === null && count === 0),
    );
    return [...(await client.runs({}))].reverse();
  }

  test('runs again what failed, from the failure, so often as it says; what was made is not made again', async () => {
    const h = await withPolicy({ '2_2024-01-01': 1, '3_2024-01-01': 9 }, '1ms');
    await h.client.submit({ job: 'again', partitions: KEYS, tags: { for: 'test' }, priority: 3, cause: 'test' });
    const runs = await allRuns(h);
    expect(runs.map(({ status, counts: { total, failed } }) => [status, total, failed])).toEqual([
      ['FAILURE', 3, 2],
      ['FAILURE', 2, 1],
      ['FAILURE', 1, 1],
    ]);
    expect(runs.slice(1).map(({ cause, tags, priority }) => ({ cause, tags, priority }))).toEqual(
      runs.slice(0, 2).map(({ id }) => ({ cause: `retry:${id}`, tags: { for: 'test', retry_of: id }, priority: 3 })),
    );
    expect(runs.map(({ blocked }) => blocked)).toEqual([undefined, undefined, undefined]);
    const times = (key: string) => h.did.filter((one) => one === key).length;
    expect(KEYS.map(times)).toEqual([1, 2, 3]);
  });

  test('several pulses that find it due make one run of it, and so does one that comes when another died', async () => {
    const h = await withPolicy({ '1_2024-01-01': 1 }, '1h');
    const { runId } = await h.client.submit({ job: 'again', partitions: ['1_2024-01-01'], cause: 'test' });
    await h.client.wait(runId);
    expect((await h.client.run(runId)).blocked).toBe('its job runs it again 3600 s after its end');
    const engines = [h.engine, await h.another(), await h.another()];
    for (let round = 0; round < 2; round++) await Promise.all(engines.map((engine) => runAgain(engine, runId)));
    expect((await allRuns(h)).map(({ status }) => status)).toEqual(['FAILURE', 'SUCCESS']);
  });

  test('a process that does not know its job leaves it to one that does', async () => {
    const h = await withPolicy({ '1_2024-01-01': 1 }, '1h');
    const { runId } = await h.client.submit({ job: 'again', partitions: ['1_2024-01-01'], cause: 'test' });
    await h.client.wait(runId);
    await runAgain(await h.another(defineDeployment({ definitions: { jobs: [] } })), runId);
    expect(await h.engine.redis.zrange(h.engine.keys.retries, '0', '-1')).toEqual([runId]);
    expect((await h.client.run(runId)).blocked).toBe('its job runs it again 3600 s after its end');
    await runAgain(h.engine, runId);
    expect((await allRuns(h)).map(({ status, blocked }) => [status, blocked])).toEqual([
      ['FAILURE', undefined],
      ['SUCCESS', undefined],
    ]);
  });

  test('not what a person cancels, what was wrong from the beginning, or what a backfill asked for', async () => {
    const h = await withPolicy({ '1_2024-01-01': 1 }, '1h');
    const due = () => h.engine.redis.zrange(h.engine.keys.retries, '0', '-1');
    const wrong = await h.client.submit({ job: 'again', partitions: KEYS, config: { right: false }, cause: 'test' });
    await h.client.wait(wrong.runId);
    expect(await due()).toEqual([]);
    const failing = await h.client.submit({ job: 'again', partitions: ['1_2024-01-01'], cause: 'test' });
    await h.client.wait(failing.runId);
    expect(await due()).toEqual([failing.runId]);
    await h.client.cancel(failing.runId, 'test');
    expect((await h.client.run(failing.runId)).status).toBe('FAILURE');
    expect(await due()).toEqual([]);
    const day = { from: '2024-01-02', to: '2024-01-02', ids: ['2'] };
    h.left['2_2024-01-02'] = 1;
    const { id } = await createBackfill(h.engine, { job: 'again', ...day }, 'test');
    await until(
      () => readBackfill(h.engine, id),
      ({ status }) => status === 'COMPLETED_WITH_FAILURES',
    );
    expect(await due()).toEqual([]);
  });

  test('a policy that is none is refused', () => {
    const retries = { attempts: 0, backoff: fixed('1s') };
    const asset = defineAsset({
      ...{ key: 'a', description: 'Of one partition.', partitions: teamDays, config: z.object({}) },
      materialize: async () => materialized(),
    });
    expect(() => defineJob({ name: 'j', assets: [asset], retries })).toThrow(
      'retries.attempts is a whole number of runs, at least 1',
    );
  });
});
