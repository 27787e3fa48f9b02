/** The helpers of `@skein/orchestrator/testing`, as their users would use them: no server, no Redis. */

import { z } from 'zod';

import {
  composite,
  daily,
  defineAsset,
  defineCheck,
  defineJob,
  defineSensor,
  dynamic,
  materialized,
  positiveInteger,
  request,
  resource,
  skip,
} from '../../src/index.ts';
import { runAsset, tickSensor } from '../../src/testing/index.ts';

const teamDays = composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2015-01-01' }) });
const warehouse = resource<{ count(team: number): Promise<number> }>('warehouse', 'A warehouse.');

const countRows = defineAsset({
  key: 'count_rows',
  description: 'Counts a day of a team.',
  partitions: teamDays,
  config: z.object({ at_least: z.number().default(0) }),
  resources: { warehouse },
  checks: [
    defineCheck({
      name: 'some_rows',
      description: '',
      severity: 'error',
      run: async ({ metadata }) => ({
        passed: Number(metadata.rows) > 0,
        description: `${String(metadata.rows)} rows`,
      }),
    }),
  ],
  async materialize({ partition, resources, checkpoint, log }) {
    const rows = await resources.warehouse.count(partition.id);
    await checkpoint.save({ rows });
    log.info('counted', { rows });
    return materialized({ rows });
  },
});

test('an asset is run with fakes for its resources, and says what it said', async () => {
  const checkpoints = new Map();
  const run = await runAsset(countRows, {
    partition: '7_2024-01-15',
    resources: { warehouse: { count: async (team) => team * 10 } },
    checkpoints,
  });
  expect(run).toMatchObject({ status: 'SUCCESS', result: { rows: 70 } });
  expect(run.logs).toEqual([{ level: 'info', message: 'counted', fields: { rows: 70 } }]);
  expect(checkpoints.get('')).toEqual({ rows: 70 });
});

test('a check that fails fails the partition', async () => {
  const run = await runAsset(countRows, {
    partition: '7_2024-01-15',
    resources: { warehouse: { count: async () => 0 } },
  });
  expect(run).toMatchObject({ status: 'FAILURE' });
  expect(String(run.error)).toContain('Check some_rows failed: 0 rows');
});

const sensor = defineSensor({
  name: 'next_day',
  description: 'One day after the other.',
  job: defineJob({ name: 'count_rows_job', assets: [countRows] }),
  every: '60s',
  cursor: z.object({ day: z.string().default('2024-01-01') }),
  evaluate: async ({ cursor, now }) =>
    cursor.day < now.toISOString().slice(0, 10)
      ? request([{ partitions: [`1_${cursor.day}`] }], { cursor: { day: '2024-01-02' } })
      : skip('complete'),
});

test('a sensor is ticked on a virtual clock', async () => {
  const tick = await tickSensor(sensor, { now: '2024-02-10T00:00:30Z', resources: {} });
  expect(tick).toEqual({
    requests: [{ partitions: ['1_2024-01-01'] }],
    skipReason: undefined,
    cursor: { day: '2024-01-02' },
  });
  expect((await tickSensor(sensor, { now: '2024-01-01T00:00:30Z', resources: {} })).skipReason).toBe('complete');
  await expect(tickSensor(sensor, { cursor: { day: 7 }, now: '2024-02-10T00:00:30Z', resources: {} })).rejects.toThrow(
    /day: /,
  );
});
