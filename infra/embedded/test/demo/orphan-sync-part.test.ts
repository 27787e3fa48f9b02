/** The orphan sync's part of the demo, without Kafka: loaded, launched by its sensor, repaired and compared. */

import { openClickHouse, openPersonsDb, syncPersonDistinctIds } from '@skein/jobs';
import type { Json, SkeinClient } from '@skein/orchestrator';
import { runAsset, tickSensor } from '@skein/orchestrator/testing';
import { orphanScanSensor } from '@skein/sensors';

import { orphanSyncPart } from '../../src/demo/orphan-sync-part.ts';
import type { DemoContext } from '../../src/demo/part.ts';
import { createEmbeddedPublisher } from '../../src/embedded-publisher.ts';
import { testClickHouse, testDatabase } from '../../test-services/index.ts';

test('orphans of three categories before, only the explained ones after', async () => {
  const [store, database] = [await testClickHouse({ schemas: ['persons'] }), await testDatabase('persons')];
  const clickhouse = openClickHouse(store.url);
  const personsDb = openPersonsDb(database.url, undefined);
  const publisher = createEmbeddedPublisher(clickhouse);
  const now = new Date();
  let started: { name: string; cursor: Json | undefined } | undefined;
  const context: DemoContext = {
    env: {},
    clickhouse,
    personsDb,
    appDb: personsDb.writer,
    publisher,
    client: {} as SkeinClient,
    scale: 1,
    now,
    startSensor: async (name, cursor) => void (started = { name, cursor }),
  };
  try {
    await orphanSyncPart.load(context);
    await orphanSyncPart.load(context);
    expect(await orphanSyncPart.before(context)).toEqual({
      orphans: 646,
      fixable: 445,
      truly_orphaned: 71,
      ch_only: 130,
    });
    expect((await orphanSyncPart.verify(context, true)).verified).toBe(false);

    const keys = orphanSyncPart.partitions(context);
    await orphanSyncPart.launch(context);
    expect(started?.name).toBe('orphan_scan_sensor');
    const tick = await tickSensor(orphanScanSensor, { cursor: started?.cursor ?? {}, now, resources: {} });
    expect(tick.requests.flatMap((request) => request.partitions ?? [])).toEqual(keys);
    for (const { partitions = [], config = {} } of tick.requests) {
      const run = await runAsset(syncPersonDistinctIds, {
        partitions,
        config,
        resources: { clickhouse, personsDb, kafka: publisher },
      });
      expect(run.error).toBeUndefined();
      expect(run.partitions.get(partitions[0] ?? '')?.kind).toBe('materialized');
      expect(run.result).toMatchObject({ distinct_ids_superseded: 0, distinct_ids_not_arrived: 0 });
    }
    const verdict = await orphanSyncPart.verify(context, true);
    expect(verdict).toMatchObject({
      verified: true,
      after: { orphans: 71, fixable: 0, truly_orphaned: 71, ch_only: 0 },
    });
    expect(verdict.details.map((detail) => detail.partition)).toEqual(keys);
    expect(verdict.details[0]).toMatchObject({
      remaining: '60 without a distinct id in PostgreSQL either: reported, left alone',
      same_distinct_ids: true,
    });
    await orphanSyncPart.load(context);
    expect((await orphanSyncPart.verify(context, true)).verified).toBe(true);
  } finally {
    await clickhouse.close();
    await personsDb.writer.end();
    await store.drop();
    await database.drop();
  }
});
