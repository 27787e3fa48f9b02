/** Why a run ended, precisely: each reason by the real way to it. `oom` is in isolation.test.ts. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import {
  type AssetSpec,
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
  const after = defineAsset({
    key: 'after',
    description: 'Comes after it.',
    partitions: teamDays,
    config,
    dependsOn: [{ asset: 'work', mapping: 'identity' }],
    materialize: async () => materialized(),
  });
  const jobs = [defineJob({ name: 'one', assets: [work] }), defineJob({ name: 'both', assets: [work, after] })];
  const h = await openHarness(defineDeployment({ definitions: { jobs } }), env);
  open.push(h);
  const client = createClient(h.engine);
  const submit = (job = 'one') => client.submit({ job, partitions: ['1_2024-01-15'], cause: 'test' });
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

test('an asset whose upstream failed in the same run was not tried, and says so', async () => {
  const h = await openWith(throwing(new TypeError('bad')));
  await h.worker();
  const { runId } = await h.submit('both');
  const run = await h.client.wait(runId);
  // The run's own reason is that of the step that failed.
  expect(run).toMatchObject({ status: 'FAILURE', endReason: 'user_error' });
  expect(run.partitions.map((p) => [p.asset, p.error?.code])).toEqual([
    ['work', 'ASSET_FAILED'],
    ['after', 'UPSTREAM_FAILED'],
  ]);
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
