/** Checks of assets that fan out: after all tasks are settled, for each partition that was materialized. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import { readRunEvents } from '../../src/engine/reads/run-events.ts';
import { retryRun } from '../../src/engine/retry.ts';
import {
  defineAsset,
  defineCheck,
  defineDeployment,
  defineJob,
  failed,
  materialized,
  skipped,
} from '../../src/index.ts';
import { runAsset } from '../../src/testing/index.ts';
import { type Harness, openHarness, teamDays } from './harness.ts';

const open: Harness[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const rowsOf = new Map<string, number>();
const checked: string[] = [];
const counted = defineAsset({
  key: 'counted',
  description: 'Counts, team by team.',
  partitions: teamDays,
  config: z.object({ dry_run: z.boolean().default(false) }),
  checks: [
    defineCheck({
      name: 'not_odd',
      description: 'Rows come in pairs.',
      severity: 'warn',
      run: async ({ metadata }) => ({
        passed: Number(metadata.rows) % 2 === 0,
        description: `${String(metadata.rows)} rows`,
      }),
    }),
    defineCheck({
      name: 'some_rows',
      description: 'There are rows.',
      severity: 'error',
      run: async ({ metadata, partition }) => {
        checked.push(`${(partition as { id: number }).id}`);
        return { passed: Number(metadata.rows) > 0, description: `${String(metadata.rows)} rows` };
      },
    }),
  ],
  tasks: {
    plan: async ({ partitions }) => partitions.map(({ key }, i) => ({ id: `t${i}`, partitions: [key], input: null })),
    async run({ task, settlePartition }) {
      const [key = ''] = task.partitions;
      if (key.startsWith('8_')) await settlePartition(key, failed({ code: 'BAD', message: 'bad' }));
      else if (key.startsWith('9_')) await settlePartition(key, skipped('not for team 9'));
      else await settlePartition(key, materialized({ rows: rowsOf.get(key) ?? 2 }));
      return null;
    },
    settle: async ({ results }) => ({ tasks: results.length }),
  },
});
const after = defineAsset({
  key: 'after',
  description: 'Reads what was counted.',
  partitions: teamDays,
  config: z.object({ dry_run: z.boolean().default(false) }),
  dependsOn: [{ asset: 'counted', mapping: 'identity' }],
  materialize: async () => materialized(),
});

async function openCounted() {
  const jobs = [defineJob({ name: 'count', assets: [counted] }), defineJob({ name: 'both', assets: [counted, after] })];
  const h = await openHarness(defineDeployment({ definitions: { jobs } }));
  open.push(h);
  await h.worker();
  const client = createClient(h.engine);
  const run = async (job: string, keys: readonly string[], config = {}) =>
    client.wait((await client.submit({ job, partitions: keys, config, cause: 'test' })).runId);
  checked.length = 0;
  rowsOf.clear();
  return { ...h, client, run };
}

test('a partition that its task materialized and whose check fails is failed; a warning only says so', async () => {
  const h = await openCounted();
  const keys = [1, 2, 3, 8, 9].map((team) => `${team}_2024-01-15`);
  rowsOf.set('2_2024-01-15', 0).set('3_2024-01-15', 7);
  const run = await h.run('count', keys);
  expect(run).toMatchObject({
    status: 'FAILURE',
    result: { tasks: 5 },
    counts: { total: 5, materialized: 2, failed: 2, skipped: 1 },
  });
  expect(run.partitions.map((p) => [p.key[0], p.outcome, p.error?.code ?? null])).toEqual([
    ['1', 'materialized', null],
    ['2', 'failed', 'CHECK_FAILED'],
    ['3', 'materialized', null],
    ['8', 'failed', 'BAD'],
    ['9', 'skipped', null],
  ]);
  // What failed or was skipped has no data to check.
  expect([...checked].sort()).toEqual(['1', '2', '3']);
  expect(await h.client.partitionStatus('counted', ['2_2024-01-15'])).toEqual(
    new Map([['2_2024-01-15', { outcome: 'failed', activity: 'idle' }]]),
  );
  for (const row of ['1', '2', '8'])
    expect(JSON.parse((await h.engine.script('recount', 'counted', row, 0)) as string)).toMatchObject({ equal: true });
  const events = await readRunEvents(h.engine, run.id, { limit: 500 });
  expect(
    events.filter((e) => e.type === 'check.evaluated' && e.fields.passed === false).map((e) => e.fields),
  ).toMatchObject([
    { check: 'some_rows', key: '2_2024-01-15', severity: 'error', description: '0 rows' },
    { check: 'not_odd', key: '3_2024-01-15', severity: 'warn', description: '7 rows' },
  ]);
});

test('a failed check holds back what is made from the partition; a retry from the failure checks only what it made', async () => {
  const h = await openCounted();
  rowsOf.set('2_2024-01-15', 0);
  const run = await h.run('both', ['1_2024-01-15', '2_2024-01-15']);
  expect(run.partitions.filter((p) => p.asset === 'after').map((p) => p.error?.code)).toEqual([
    undefined,
    'UPSTREAM_FAILED',
  ]);
  checked.length = 0;
  rowsOf.set('2_2024-01-15', 4);
  const again = await retryRun(h.engine, run.id, 'from_failure');
  expect(await h.client.wait(again.runId)).toMatchObject({ status: 'SUCCESS', counts: { materialized: 2 } });
  expect(checked).toEqual(['2']);
});

test('the testing helper checks as the engine does', async () => {
  rowsOf.clear();
  rowsOf.set('2_2024-01-15', 0);
  const run = await runAsset(counted, { partitions: ['1_2024-01-15', '2_2024-01-15'], resources: {} });
  expect(run.status).toBe('FAILURE');
  expect(run.partitions.get('2_2024-01-15')).toMatchObject({ kind: 'failed', error: { code: 'CHECK_FAILED' } });
  expect(run.partitions.get('1_2024-01-15')).toMatchObject({ kind: 'materialized', metadata: { rows: 2 } });
});
