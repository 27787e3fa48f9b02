import type { SkeinClient, SubmitRequest } from '@skein/orchestrator';

import { createEmbeddedPublisher } from '../../../../infra/embedded/src/embedded-publisher.ts';
import type { DemoContext } from '../../../../infra/embedded/src/demo/part.ts';
import { rawEventsPart } from '../../../../infra/embedded/src/demo/raw-events-part.ts';
import { type World, openWorld } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

test('the part is verified only after its run, with the publisher of places without Kafka', async () => {
  const now = new Date('2026-03-21T12:00:00Z');
  const submitted: SubmitRequest[] = [];
  const client = { submit: async (request: SubmitRequest) => void submitted.push(request) } as unknown as SkeinClient;
  const context = { clickhouse: world.clickhouse, client, now, scale: 0.1 } as unknown as DemoContext;

  await rawEventsPart.load(context);
  await rawEventsPart.load(context);
  expect(await rawEventsPart.before(context)).toEqual({ raw_events: 6000, events: 0 });
  const partitions = rawEventsPart.partitions(context);
  await rawEventsPart.launch(context);
  expect(partitions).toHaveLength(6);
  const run = await world.run(submitted[0]?.config ?? {}, {
    kafka: createEmbeddedPublisher(world.clickhouse),
    settings: { output_topic: 'prod_events_v4' },
    now,
  });
  expect(run.error).toBeUndefined();
  expect([...run.partitions.keys()]).toEqual(partitions);
  expect([...run.partitions.values()].every(({ kind }) => kind === 'materialized')).toBe(true);
  const verdict = await rawEventsPart.verify(context, true);
  expect(verdict).toMatchObject({ verified: true, after: { raw_events: 6000, events: 5520, rejected: 480 } });
  expect(run.result).toMatchObject({
    total_events_found: 6000,
    total_events_published: 5520,
    drop_reasons: { missing_org_id: 120, missing_model_name: 180, missing_data: 60 },
    total_transformation_errors: 120,
  });

  await world.clickhouse.command("ALTER TABLE usage_events DELETE WHERE id = 'raw-000000100'", {
    settings: { mutations_sync: '2' },
  });
  expect(await rawEventsPart.before(context)).toEqual({ raw_events: 6000, events: 5519 });
});
