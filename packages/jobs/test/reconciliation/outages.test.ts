/** Services that go away in the middle and come back: a PostgreSQL and a Kafka of this test's own. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { removeServicesDirectory, startServices, stopServices } from '../../../../infra/embedded/src/index.ts';
import { applyClickHouseSchema, applyPostgresSchema } from '../../../../infra/embedded/src/schemas.ts';
import { createTopics } from '../../../../infra/embedded/src/topics.ts';
import { openKafkaPublisher } from '../../src/resources/kafka-publisher.ts';
import { type Publisher, withTopicPrefix } from '../../src/resources/kafka.ts';
import { type World, daysAgo, openWorld } from './world.ts';

const TEAM = 1;
const KEY = `${TEAM}_2026-01-10`;
const PERSONS = 24;

let dir: string;
let world: World | undefined;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'skein-outage-'));
});
afterEach(async () => {
  await world?.close();
  world = undefined;
  await stopServices({ dir });
  removeServicesDirectory(dir);
  rmSync(dir, { recursive: true, force: true });
});

async function sample({ person, events }: World): Promise<string[]> {
  const uuids: string[] = [];
  for (let i = 0; i < PERSONS; i++) uuids.push(await person({ properties: { email: 'old', i } }));
  await events(
    ...uuids.map((uuid, i) => ({ at: daysAgo(5), person: uuid, properties: { $set: { email: `new${i}` } } })),
  );
  return uuids;
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const ends = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > ends) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('PostgreSQL is restarted in the middle: committed batches stay and are published, the next run does the rest', async () => {
  const start = () => startServices({ dir, only: ['postgres'], given: {} });
  const { env } = await start();
  const databaseUrl = env.PERSONS_DB_WRITER_URL ?? '';
  await applyPostgresSchema(databaseUrl, 'persons');
  const here = (world = await openWorld({ databaseUrl }));
  const uuids = await sample(here);
  let publications = 0;
  const publisher: Publisher = {
    ...here.publisher,
    async publish(topic, messages) {
      await here.publisher.publish(topic, messages);
      if (++publications !== 3) return;
      await stopServices({ dir, only: ['postgres'] });
      await start();
    },
  };
  const first = await here.run({ team_ids: [TEAM], batch_size: 2 }, { publisher, runId: 'first' });
  expect(publications).toBeGreaterThanOrEqual(3);
  expect(first.partitions.get(KEY)).toMatchObject({ kind: 'failed', error: { code: 'SERVICE_UNAVAILABLE' } });
  const committed = (await here.backups()).map((row) => row.uuid);
  expect(committed.length).toBeGreaterThanOrEqual(6);
  expect(committed.length).toBeLessThan(PERSONS);
  expect(first.result).toMatchObject({ failed_team_ids: [TEAM], persons_updated: committed.length });
  for (const [i, uuid] of uuids.entries()) {
    const expected = committed.includes(uuid) ? { email: `new${i}`, i } : { email: 'old', i };
    expect((await here.pgState(uuid)).properties).toEqual(expected);
    expect((await here.chState(uuid))?.properties).toEqual(expected);
  }
  const second = await here.run({ team_ids: [TEAM], batch_size: 2 }, { runId: 'second' });
  expect(second.result).toMatchObject({ teams_succeeded: 1, persons_updated: PERSONS - committed.length });
  for (const [i, uuid] of uuids.entries()) {
    expect((await here.pgState(uuid)).properties).toEqual({ email: `new${i}`, i });
    expect((await here.chState(uuid))?.properties).toEqual({ email: `new${i}`, i });
  }
  expect(await here.backups()).toHaveLength(PERSONS);
});

test('Kafka is down: the team is listed, and after the next run ClickHouse has it all from Kafka', async () => {
  const start = () => startServices({ dir, only: ['kafka'], given: {} });
  const { env } = await start();
  const brokers = env.SKEIN_KAFKA_BROKERS ?? '';
  const here = (world = await openWorld());
  const prefix = `${path.basename(dir)}.`;
  await createTopics(brokers, [`${prefix}clickhouse_person`, `${prefix}clickhouse_person_distinct_id`]);
  await applyClickHouseSchema(here.clickhouseUrl, 'persons-kafka', {
    brokers,
    topic_prefix: prefix,
    group_prefix: prefix,
  });
  const uuids = await sample(here);
  const publisher = withTopicPrefix(openKafkaPublisher([brokers]), prefix);
  try {
    await stopServices({ dir, only: ['kafka'] });
    const first = await here.run({ team_ids: [TEAM], batch_size: 10 }, { publisher });
    expect(first.result).toMatchObject({ failed_team_ids: [TEAM] });
    expect(first.partitions.get(KEY)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('Kafka') },
    });
    const committed = (await here.backups()).length;
    expect(committed).toBeGreaterThanOrEqual(10);
    expect((await here.chState(uuids[0] ?? ''))?.version).toBe(1);

    await start();
    const second = await here.run({ team_ids: [TEAM] }, { publisher });
    expect(second.result).toMatchObject({
      teams_succeeded: 1,
      persons_updated: PERSONS - committed,
      persons_republished: committed,
    });
    await eventually(async () => {
      const versions = await Promise.all(uuids.map((uuid) => here.chState(uuid)));
      return versions.every((state) => state?.version === 2);
    });
    for (const [i, uuid] of uuids.entries()) {
      expect((await here.pgState(uuid)).properties).toEqual({ email: `new${i}`, i });
      expect((await here.chState(uuid))?.properties).toEqual({ email: `new${i}`, i });
    }
    expect((await here.run({ team_ids: [TEAM] }, { publisher })).result).toMatchObject({ persons_processed: 0 });
  } finally {
    await publisher.close();
  }
});
