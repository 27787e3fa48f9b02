/**
 * A real broker, of this test alone, killed while it takes a batch: what it acknowledged is counted, nothing else is,
 * and once it is back the next attempt, or the next run, brings ClickHouse to exactly what PostgreSQL says.
 */

import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type Publisher, openKafkaPublisher } from '@skein/jobs';
import type { Json } from '@skein/orchestrator';
import { Kafka, logLevel } from 'kafkajs';

import { removeServicesDirectory, servicesStatus, startServices } from '../../../../infra/embedded/src/services.ts';
import { defineOrphanSync } from '../../src/orphan-sync/asset.ts';
import { MAPPING_TOPIC } from '../../src/orphan-sync/messages.ts';
import { type World, eventually, openWorld, resultOf } from './persons-world.ts';

const PREFIX = 'stopped.';
/** The most that one batch may hold; its ids make twenty requests to the broker. */
const BATCH = 2_000;
const IDS = 5;
const CH_ONLY = 10;
const CONFIG = { dry_run: false, categorize_orphans: true, delete_ch_only_orphans: true, batch_size: BATCH };

const dir = mkdtempSync(path.join(tmpdir(), 'skein-broker-'));
const startBroker = () => startServices({ dir, only: ['kafka'], given: {} });
let services: Awaited<ReturnType<typeof startBroker>>;
let brokers: string;
let world: World;

beforeAll(async () => {
  services = await startBroker();
  brokers = services.env.SKEIN_KAFKA_BROKERS ?? '';
  world = await openWorld({ brokers, topicPrefix: PREFIX });
});
afterAll(async () => {
  await world?.close();
  await services?.stop();
  removeServicesDirectory(dir);
});

/** Two whole batches of a team, in the order of their creation: the first all fixable, the second with a few of ClickHouse only. */
async function team(ids: number): Promise<{ readonly team: number; readonly chOnly: readonly string[] }> {
  const number = world.newTeam();
  const persons = Array.from({ length: 2 * BATCH }, (_, i) => ({
    id: randomUUID() as string,
    team_id: number,
    created_at: new Date(Date.UTC(2024, 0, 1) + i * 1_000).toISOString().replace('T', ' ').slice(0, 23),
  }));
  await world.chPersons(persons);
  const chOnly = persons.slice(-CH_ONLY).map((person) => person.id);
  const db = world.resources.personsDb.writer;
  await db.query(
    'INSERT INTO posthog_person (created_at, uuid, team_id, version) SELECT now(), id, $1, 0 FROM unnest($2::uuid[]) id',
    [number, persons.slice(0, -CH_ONLY).map((person) => person.id)],
  );
  await db.query(
    `INSERT INTO posthog_persondistinctid (distinct_id, version, person_id, team_id)
     SELECT i || '-' || uuid, i, id, team_id FROM posthog_person, generate_series(1, $2::int) i WHERE team_id = $1`,
    [number, ids],
  );
  return { team: number, chOnly };
}

const acknowledged = async () => {
  const admin = new Kafka({ clientId: 'test', brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(PREFIX + MAPPING_TOPIC);
  await admin.disconnect();
  return offsets.reduce((sum, { offset }) => sum + Number(offset), 0);
};

function moment(): { readonly comes: Promise<void>; is(): void } {
  let is = () => {};
  const comes = new Promise<void>((resolve) => (is = resolve));
  return { comes, is: () => is() };
}

/** Passes everything on, and lets a test wait for one call, or stand in its way. */
function watched(publisher: Publisher, before: (mappingCall: number, messages: readonly unknown[]) => Promise<void>) {
  let calls = 0;
  return {
    ...publisher,
    async publish(topic, messages, options) {
      if (topic === MAPPING_TOPIC) await before(++calls, messages);
      await publisher.publish(PREFIX + topic, messages, options);
    },
  } satisfies Publisher;
}

async function expectExact({ team: number, chOnly }: Awaited<ReturnType<typeof team>>, ids: number): Promise<void> {
  expect(
    await eventually(
      () => world.orphans(number),
      (left) => left.length === 0,
      60_000,
    ),
  ).toEqual([]);
  const mappings = await world.mappings(number);
  const { rows } = await world.resources.personsDb.writer.query<{ text: string }>(
    `SELECT mapping.distinct_id || ' ' || uuid || ' ' || mapping.version AS text FROM posthog_persondistinctid mapping
     JOIN posthog_person person ON person.id = mapping.person_id WHERE mapping.team_id = $1`,
    [number],
  );
  expect(rows).toHaveLength((2 * BATCH - CH_ONLY) * ids);
  expect(mappings.map((row) => `${row.distinct_id} ${row.person_id} ${row.version}`).sort()).toEqual(
    rows.map((row) => row.text).sort(),
  );
  expect(mappings.filter((row) => row.is_deleted !== 0)).toEqual([]);
  // A tombstone that was sent twice would have a higher version.
  for (const id of chOnly) expect(await world.person(number, id)).toMatchObject({ is_deleted: 1, version: '1' });
}

test('killed in the middle of a batch: exact counters, and the next attempt and the next run complete the rest', async () => {
  const [many, single] = [await team(IDS), await team(1)];
  const sync = defineOrphanSync({ readBackWaitMs: 60_000 });
  const publishers = [openKafkaPublisher([brokers]), openKafkaPublisher([brokers])] as const;

  // The second batch of one team is on its way as a whole; that of the other has not begun when the broker goes.
  let reached = 0;
  const [flying, standing, gone] = [moment(), moment(), moment()];
  const checkpoints = new Map<string, Json>();
  const manyRun = world.run(many.team, CONFIG, {
    asset: sync,
    checkpoints,
    resources: {
      ...world.resources,
      kafka: watched(publishers[0], async (call) => {
        if (call !== 2) return;
        await standing.comes;
        reached = await acknowledged();
        flying.is();
      }),
    },
  });
  const singleRun = world.run(single.team, CONFIG, {
    asset: sync,
    resources: {
      ...world.resources,
      kafka: watched(publishers[1], async (call) => {
        if (call !== 2) return;
        standing.is();
        await gone.comes;
      }),
    },
  });
  await flying.comes;
  const [broker] = servicesStatus({ dir, given: {} }).filter((service) => service.service === 'kafka');
  while ((await acknowledged()) === reached);
  process.kill(broker?.pid ?? 0, 'SIGKILL');
  gone.is();

  const [broken, brokenSingle] = await Promise.all([manyRun, singleRun]);
  for (const [run, ids] of [
    [broken, IDS],
    [brokenSingle, 1],
  ] as const) {
    expect(run.status).toBe('FAILURE');
    expect(run.error).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      system: 'kafka',
      retryable: true,
      // The first batch and nothing of the second, of which nobody knows how much was taken.
      details: {
        total_orphaned_persons: BATCH,
        persons_with_pg_distinct_ids: BATCH,
        distinct_ids_synced: BATCH * ids,
        persons_marked_deleted: 0,
      },
    });
    expect(String(run.error)).toContain(
      `Before that ${BATCH} orphans had been treated: ${BATCH * ids} distinct ids synced, 0 persons marked deleted. Another run completes the rest.`,
    );
  }

  services = await startBroker();
  expect(services.env.SKEIN_KAFKA_BROKERS ?? brokers).toBe(brokers);
  const taken = await eventually(acknowledged, (n) => n > 0, 60_000);
  // It was in the middle: some of the second batch had been taken, and not all of it.
  expect(taken).toBeGreaterThan(reached);
  expect(taken).toBeLessThan(reached + (BATCH - CH_ONLY) * IDS);

  const resources = { ...world.resources, kafka: watched(publishers[0], async () => {}) };
  const resumed = await world.run(many.team, CONFIG, { asset: sync, checkpoints, attempt: 2, epoch: 2, resources });
  expect(resultOf(resumed)).toMatchObject({
    total_orphaned_persons: 2 * BATCH,
    persons_with_pg_distinct_ids: 2 * BATCH - CH_ONLY,
    distinct_ids_synced: (2 * BATCH - CH_ONLY) * IDS,
    distinct_ids_superseded: 0,
    distinct_ids_not_arrived: 0,
    persons_truly_orphaned: 0,
    persons_ch_only: CH_ONLY,
    persons_marked_deleted: CH_ONLY,
  });
  await expectExact(many, IDS);

  // Without a checkpoint: a new run, which finds what is left.
  const left = await eventually(
    () => world.orphans(single.team),
    (ids) => ids.length === BATCH,
    60_000,
  );
  expect(left).toHaveLength(BATCH);
  expect(resultOf(await world.run(single.team, CONFIG, { asset: sync, resources }))).toMatchObject({
    total_orphaned_persons: BATCH,
    distinct_ids_synced: BATCH - CH_ONLY,
    distinct_ids_not_arrived: 0,
    persons_marked_deleted: CH_ONLY,
  });
  await expectExact(single, 1);
  for (const publisher of publishers) await publisher.close();
}, 300_000);
