/** The demo's part, launched as the engine would launch it, on real ClickHouse and PostgreSQL. */

import type { RunDetail, SkeinClient } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import type { DemoContext } from '../../../../infra/embedded/src/demo/part.ts';
import { reconciliationPart } from '../../../../infra/embedded/src/demo/reconciliation-part.ts';
import { personPropertyReconciliation } from '../../src/reconciliation/asset.ts';
import { personPropertyReconciliationRestore } from '../../src/reconciliation/restore/asset.ts';
import { type World, openWorld } from './world.ts';

let world: World;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());

test('persons with missed properties before, none after, a team restored and repaired again', async () => {
  let runs = 0;
  const launch = async (job: string, config: object): Promise<string> => {
    const runId = `demo-${++runs}`;
    const options = {
      runId,
      config: { ...config } as never,
      resources: { clickhouse: world.clickhouse, personsDb: world.personsDb, kafka: world.publisher },
    };
    const run = job.includes('restore')
      ? await runAsset(personPropertyReconciliationRestore, options)
      : await runAsset(personPropertyReconciliation, options);
    expect(run.status).toBe('SUCCESS');
    return runId;
  };
  const client = {
    submit: async ({ job, config }) => ({ runId: await launch(job, config ?? {}), isNew: true }),
    wait: async () => ({}) as RunDetail,
    lastRuns: async (_asset, keys) =>
      new Map(keys.map((key) => [key, { runId: 'demo-1', status: 'SUCCESS', endedAt: new Date(), failures: 0 }])),
  } as Partial<SkeinClient> as SkeinClient;
  const context: DemoContext = {
    env: {},
    clickhouse: world.clickhouse,
    personsDb: world.personsDb,
    appDb: world.db,
    publisher: world.publisher,
    client,
    scale: 1,
    now: new Date(),
    startSensor: async (_name, cursor) => {
      const { chunk_size: _chunk, ...config } = cursor as Record<string, unknown>;
      await launch('person_property_reconciliation_job', config);
    },
  };
  await reconciliationPart.load(context);
  await reconciliationPart.load(context);
  const before = await reconciliationPart.before(context);
  expect(before.persons_with_missed_properties).toBe(642);
  const keys = reconciliationPart.partitions(context);
  await reconciliationPart.launch(context);
  expect(keys).toHaveLength(4);
  const verdict = await reconciliationPart.verify(context, true);
  expect(verdict).toMatchObject({
    verified: true,
    after: {
      persons_with_missed_properties: 0,
      restored_team: 404,
      persons_restored: 30,
      persons_left_after_second_repair: 0,
    },
  });
  expect(verdict.details.map((detail) => detail.partition)).toEqual(keys);
});
