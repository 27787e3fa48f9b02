/** Why a run ended, precisely: each reason by the real way to it. `oom` is in isolation.test.ts. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import {
  type AssetSpec,
  type Dependency,
  AssetFailedError,
  ConfigInvalidError,
  FencedError,
  ServiceError,
  UpstreamFailedError,
  defineAsset,
  defineDeployment,
  defineJob,
  materialized,
} from '../../src/index.ts';
import { type Harness, openHarness, teamDays, until } from './harness.ts';
import { beginAttempt } from '../../src/engine/attempt.ts';
import { pulseOnce } from '../../src/engine/pulse.ts';

const open: Harness[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const config = z.object({});
type Materialize = NonNullable<AssetSpec<unknown, typeof config, Record<never, never>>['materialize']>;

async function openWith(materialize: Materialize, more: { attempts?: number; timeout?: '200ms' } = {}, env = {}) {
  const { attempts = 1, ...rest } = more;
  const work = defineAsset({
    key: 'work',
    description: 'Ends as the test says.',
    partitions: teamDays,
    config,
    retries: { attempts, backoff: { kind: 'fixed', baseMs: 10, maxMs: 10 } },
    ...rest,
    materialize,
  });
  const h = await openHarness(
    defineDeployment({ definitions: { jobs: [defineJob({ name: 'one', assets: [work] })] } }),
    env,
  );
  open.push(h);
  const client = createClient(h.engine);
  const submit = () => client.submit({ job: 'one', partitions: ['1_2024-01-15'], cause: 'test' });
  return { ...h, client, submit };
}

const throwing =
  (error: unknown): Materialize =>
  async () => {
    throw error;
  };

test.each([
  ['user_error', new TypeError('of nothing'), 'ASSET_FAILED', 3],
  ['user_error', new AssetFailedError('the data say no'), 'ASSET_FAILED', 1],
  ['config_invalid', new ConfigInvalidError('the config contradicts the data'), 'CONFIG_INVALID', 1],
  ['upstream_failed', new UpstreamFailedError('the day before was never made'), 'UPSTREAM_FAILED', 1],
  ['lease_lost', new FencedError('the sink has seen a newer epoch'), 'FENCED', 1],
  ['infra:clickhouse', new ServiceError('clickhouse', 'ClickHouse does not answer.'), 'SERVICE_UNAVAILABLE', 3],
  ['infra:s3', new ServiceError('s3', 'The bucket refuses.', { retryable: false }), 'SERVICE_UNAVAILABLE', 1],
  [
    'conflict_retry_exhausted',
    new ServiceError('ducklake', 'Another writer changed the table.', { reason: 'conflict_retry_exhausted' }),
    'SERVICE_UNAVAILABLE',
    3,
  ],
])('%s: %s', async (reason, error, code, attempts) => {
  let tries = 0;
  const h = await openWith(
    async (context) => {
      tries++;
      return throwing(error)(context);
    },
    { attempts: 3 },
  );
  await h.worker();
  const { runId } = await h.submit();
  expect(await h.client.wait(runId)).toMatchObject({
    status: 'FAILURE',
    endReason: reason,
    error: { code, message: (error as Error).message },
  });
  expect(tries).toBe(attempts);
});

/** Each asset fails for the partitions named; one with a plan fans out, and its plan fails or finds nothing. */
interface StepOf {
  readonly key: string;
  readonly from?: readonly Dependency[];
  readonly fails?: readonly string[];
  readonly plan?: 'fails' | 'finds nothing';
}

async function steps(of: readonly StepOf[], partitions = ['1_2024-01-15', '2_2024-01-15']) {
  const assets = of.map(({ key, from = [], fails = [], plan }) => {
    const spec = { key, description: 'A step.', partitions: teamDays, config, dependsOn: from };
    const planned = async () => {
      if (plan === 'fails') throw new TypeError('no plan');
      return [];
    };
    if (plan)
      return defineAsset({
        ...spec,
        partitionsOf: () => null,
        tasks: { plan: planned, run: async () => null, settle: async () => ({}) },
      });
    return defineAsset({
      ...spec,
      materialize: async ({ partitionKey }) => {
        if (fails.includes(partitionKey)) throw new TypeError(`${key} is bad`);
        return materialized();
      },
    });
  });
  const h = await openHarness(defineDeployment({ definitions: { jobs: [defineJob({ name: 'steps', assets })] } }));
  open.push(h);
  const client = createClient(h.engine);
  await h.worker();
  const { runId } = await client.submit({ job: 'steps', partitions, cause: 'test' });
  const run = await client.wait(runId);
  const failures = run.partitions.flatMap((p) => (p.error ? [`${p.asset} ${p.key.slice(0, 1)} ${p.error.code}`] : []));
  return { run, failures: failures.sort() };
}

const same = (asset: string): Dependency => ({ asset, mapping: 'identity' });

test('what is made from a partition that failed in the same run is not tried and says so; the others go on', async () => {
  const { run, failures } = await steps([
    { key: 'work', fails: ['1_2024-01-15'] },
    { key: 'beside' },
    { key: 'after', from: [same('work')], fails: ['2_2024-01-15'] },
    {
      key: 'of_all',
      from: [
        { asset: 'beside', mapping: 'all' },
        { asset: 'work', mapping: 'all' },
      ],
    },
    { key: 'last', from: [same('after')] },
  ]);
  // The run's own reason is that of what failed first.
  expect(run).toMatchObject({ status: 'FAILURE', endReason: 'user_error', error: { message: 'work is bad' } });
  expect(run.counts).toMatchObject({ total: 10, materialized: 3, failed: 7 });
  expect(failures).toEqual([
    'after 1 UPSTREAM_FAILED',
    'after 2 ASSET_FAILED',
    'last 1 UPSTREAM_FAILED',
    'last 2 UPSTREAM_FAILED',
    'of_all 1 UPSTREAM_FAILED',
    'of_all 2 UPSTREAM_FAILED',
    'work 1 ASSET_FAILED',
  ]);
  expect(run.partitions.find((p) => p.asset === 'after')?.error?.message).toBe(
    'work, which after is made from, failed in the same run.',
  );
});

test('a plan that fails is the failure of its asset: nothing that is made from it is begun, and the run ends', async () => {
  const { run, failures } = await steps([
    { key: 'planned', plan: 'fails' },
    { key: 'after', from: [same('planned')] },
    { key: 'last', plan: 'fails', from: [same('after')] },
  ]);
  expect(run).toMatchObject({ status: 'FAILURE', endReason: 'user_error', error: { message: 'no plan' } });
  expect(failures).toHaveLength(6);
  const unknown = await steps(
    [
      { key: 'planned', plan: 'fails' },
      { key: 'last', plan: 'fails', from: [same('planned')] },
    ],
    [],
  );
  expect(unknown.run).toMatchObject({ status: 'FAILURE', partitions: [] });
  // One that finds nothing leaves nothing to be done after it.
  const { run: empty } = await steps(
    [
      { key: 'planned', plan: 'finds nothing' },
      { key: 'after', from: [same('planned')] },
    ],
    [],
  );
  expect(empty).toMatchObject({ status: 'SUCCESS', partitions: [] });
});

test('timeout: code that ignores its signal is given up', async () => {
  const h = await openWith(() => new Promise(() => {}), { timeout: '200ms' }, { SKEIN_CANCEL_GRACE_MS: '50' });
  await h.worker();
  const { runId } = await h.submit();
  expect(await h.client.wait(runId)).toMatchObject({ status: 'FAILURE', endReason: 'timeout' });
});

test('cancelled: before it began, and while it works', async () => {
  const h = await openWith(
    ({ signal }) => new Promise((_r, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  const { runId: queued } = await h.submit();
  await h.client.cancel(queued, 'ana');
  expect(await h.client.run(queued)).toMatchObject({ status: 'CANCELED', endReason: 'cancelled' });
  await h.worker();
  const { runId } = await h.submit();
  await until(
    () => h.client.run(runId),
    (run) => run.status === 'STARTED',
  );
  await h.client.cancel(runId, 'ana');
  expect(await h.client.wait(runId)).toMatchObject({ status: 'CANCELED', endReason: 'cancelled' });
});

test('worker_lost: as many losses as are allowed, without progress', async () => {
  const h = await openWith(
    async () => materialized(),
    {},
    { SKEIN_LEASE_MS: '60', SKEIN_LEASE_RENEW_MS: '20', SKEIN_MAX_LOST: '1' },
  );
  const { runId } = await h.submit();
  await until(
    () => beginAttempt(h.engine, `${runId}.0.m.1`, 'doomed'),
    (attempt) => attempt !== undefined,
  );
  await until(
    () => pulseOnce(h.engine),
    ({ lost }) => lost === 1,
  );
  expect(await h.client.run(runId)).toMatchObject({
    status: 'FAILURE',
    endReason: 'worker_lost',
    error: { code: 'WORKER_LOST' },
  });
});
