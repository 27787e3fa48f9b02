/** docs/testing.md, whose example this is: an asset, a job and a sensor tried without Redis and without a worker. */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { composite, daily, defineAsset, dynamic, materialized, positiveInteger } from '@skein/orchestrator';
import { z } from 'zod';

import { codeBlocks } from './markdown.ts';

test('the page shows this file', () => {
  const root = path.resolve(__dirname, '..');
  const [shown] = codeBlocks(readFileSync(path.join(root, 'docs/testing.md'), 'utf8')).filter(
    (b) => b.language === 'ts',
  );
  const [, file = ''] = readFileSync(__filename, 'utf8').split('// The page shows what follows.\n');
  expect(shown?.code).toBe(file.trimEnd());
});

// The page shows what follows.
import { defineJob, defineSensor, request, resource, skip } from '@skein/orchestrator';
import { runAsset, runJob, tickSensor } from '@skein/orchestrator/testing';

/** What the definitions need, as an interface: a test hands in any object that has it. */
interface Warehouse {
  count(team: number, day: string, after: number): Promise<number>;
  newestDay(): Promise<string>;
}
const warehouse = resource<Warehouse>('warehouse', 'Where the events are.');
const teamDays = composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2026-01-01' }) });

const counts = defineAsset({
  key: 'counts',
  description: 'Events of a team and day.',
  partitions: teamDays,
  config: z.object({ at_least: z.number().default(1) }),
  resources: { warehouse },
  checks: [
    {
      name: 'enough',
      description: 'There are as many events as the config asks for.',
      severity: 'error',
      run: async ({ config, metadata }) => ({
        passed: Number(metadata.rows) >= config.at_least,
        description: `${String(metadata.rows)} of ${config.at_least} rows`,
      }),
    },
  ],
  async materialize({ partition, resources, checkpoint, signal, log, run }) {
    const before = (checkpoint.load() as { rows: number } | undefined)?.rows ?? 0;
    const rows = before + (await resources.warehouse.count(partition.id, partition.day, before));
    await checkpoint.save({ rows });
    signal.throwIfAborted();
    log.info('counted', { rows, asked_by: run.tags.asked_by });
    return materialized({ rows });
  },
});
const report = defineAsset({
  key: 'report',
  description: 'A line for people.',
  partitions: teamDays,
  config: z.object({}),
  dependsOn: [{ asset: 'counts', mapping: 'identity' }],
  materialize: async ({ partitionKey }) => materialized({ line: `${partitionKey} is counted` }),
});
const reportJob = defineJob({ name: 'report_job', assets: [counts, report] });
const nextDay = defineSensor({
  name: 'next_day',
  description: 'Asks for each new day of team 7.',
  job: reportJob,
  every: '10m',
  cursor: z.object({ last: z.string().default('2026-01-01') }),
  resources: { warehouse },
  async evaluate({ cursor, resources, partitions, now }) {
    const day = await resources.warehouse.newestDay();
    const key = `7_${day}`;
    if (day <= cursor.last || day >= now.toISOString().slice(0, 10))
      return skip(`no complete day after ${cursor.last}`);
    if ((await partitions.status([key])).get(key)?.activity !== 'idle') return skip(`${key} is at work`);
    return request([{ partitions: [key] }], { cursor: { last: day } });
  },
});

const fake: Warehouse = { count: async (team) => (team === 9 ? 0 : 100), newestDay: async () => '2026-02-03' };

test('runAsset: one partition with fakes, tags and a config; what it made, said and saved', async () => {
  const checkpoints = new Map();
  const made = await runAsset(counts, {
    partition: '7_2026-02-03',
    resources: { warehouse: fake },
    tags: { asked_by: 'ana' },
    checkpoints,
  });
  expect(made).toMatchObject({ status: 'SUCCESS', result: { rows: 100 } });
  expect(made.logs).toEqual([{ level: 'info', message: 'counted', fields: { rows: 100, asked_by: 'ana' } }]);
  expect(checkpoints.get('')).toEqual({ rows: 100 });

  const empty = await runAsset(counts, { partition: '9_2026-02-03', resources: { warehouse: fake } });
  expect(empty.partitions.get('9_2026-02-03')).toMatchObject({ kind: 'failed', error: { code: 'CHECK_FAILED' } });

  await expect(
    runAsset(counts, { partition: '7_2026-02-03', config: { at_most: 3 }, resources: { warehouse: fake } }),
  ).rejects.toThrow('at_most: is not a known key');
});

test('runAsset: an attempt that is cut off, and the next one, which goes on from its checkpoint', async () => {
  const checkpoints = new Map();
  const cut = new AbortController();
  const slow = { ...fake, count: async () => (cut.abort(new TypeError('the worker stops')), 40) };
  const first = await runAsset(counts, {
    partition: '7_2026-02-03',
    resources: { warehouse: slow },
    signal: cut.signal,
    checkpoints,
  });
  expect(String(first.error)).toContain('the worker stops');
  const rest = { ...fake, count: async (_team: number, _day: string, after: number) => 100 - after };
  const second = await runAsset(counts, {
    partition: '7_2026-02-03',
    resources: { warehouse: rest },
    attempt: 2,
    checkpoints,
  });
  expect(second.result).toEqual({ rows: 100 });
});

test('runJob: assets in their order; what is made from a partition that failed is not tried', async () => {
  const done = await runJob(reportJob, {
    partitions: ['7_2026-02-03', '8_2026-02-03'],
    config: { counts: { at_least: 50 } },
    resources: { warehouse: fake },
  });
  expect(done.status).toBe('SUCCESS');
  expect(done.assets.get('report')?.get('8_2026-02-03')).toMatchObject({
    metadata: { line: '8_2026-02-03 is counted' },
  });

  const failed = await runJob(reportJob, {
    partitions: ['7_2026-02-03', '9_2026-02-03'],
    resources: { warehouse: fake },
  });
  expect(failed.status).toBe('FAILURE');
  expect(failed.runs.map(({ asset, status }) => [asset, status])).toEqual([
    ['counts', 'SUCCESS'],
    ['counts', 'FAILURE'],
    ['report', 'SUCCESS'],
  ]);
  expect(failed.assets.get('report')?.get('9_2026-02-03')).toMatchObject({ error: { code: 'UPSTREAM_FAILED' } });
});

test('tickSensor: on a clock of the test’s own, tick after tick', async () => {
  const first = await tickSensor(nextDay, { now: '2026-02-04T00:10:00Z', resources: { warehouse: fake } });
  expect(first.requests).toEqual([{ partitions: ['7_2026-02-03'] }]);
  expect(first.cursor).toEqual({ last: '2026-02-03' });

  const cursor = { last: '2026-02-03' };
  const second = await tickSensor(nextDay, { cursor, now: '2026-02-04T00:20:00Z', resources: { warehouse: fake } });
  expect(second.skipReason).toBe('no complete day after 2026-02-03');

  const early = await tickSensor(nextDay, { now: '2026-02-03T23:59:59Z', resources: { warehouse: fake } });
  expect(early.requests).toEqual([]);

  const states = new Map([['7_2026-02-03', { outcome: 'missing', activity: 'running' } as const]]);
  const busy = await tickSensor(nextDay, { now: '2026-02-04T00:10:00Z', resources: { warehouse: fake }, states });
  expect(busy.skipReason).toBe('7_2026-02-03 is at work');
});
