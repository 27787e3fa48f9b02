/** What must hold when things break: exact counters, nothing doubled, nobody wrongly deleted, and errors that help. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Publisher, openClickHouse, openKafkaPublisher, openPersonsDb } from '@skein/jobs';
import type { Json } from '@skein/orchestrator';
import { ServiceError } from '@skein/orchestrator';

import { testDatabase } from '../../../../infra/embedded/test-services/index.ts';
import { defineOrphanSync } from '../../src/orphan-sync/asset.ts';
import type { ChildOrder } from './killed-child.ts';
import { COMPLETE, REAL, expectRepaired, mixedTeam } from './mixed-team.ts';
import { type World, eventually, openWorld, resultOf } from './persons-world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const NOWHERE = 'http://127.0.0.1:1';

describe('kill -9 between any two tasks', () => {
  const points: readonly (readonly [string, number])[] = [
    ['saving', 2],
    ['saved', 2],
    ['publishing clickhouse_person_distinct_id', 2],
    ['published clickhouse_person_distinct_id', 2],
    ['publishing clickhouse_person', 2],
    ['published clickhouse_person', 2],
    ['saving', 4],
    ['saved', 4],
  ];
  test.each(points)(
    'at “%s”, the %i. time',
    async (dieAt, times) => {
      const sample = await mixedTeam(world);
      const folder = mkdtempSync(join(tmpdir(), 'orphans-'));
      const order: ChildOrder = {
        clickhouse: world.env.SKEIN_CLICKHOUSE_URL,
        persons: world.env.PERSONS_DB_WRITER_URL,
        brokers: world.env.SKEIN_KAFKA_BROKERS,
        topicPrefix: world.topicPrefix,
        partition: `${sample.team}_2026-11-24`,
        config: REAL,
        checkpointFile: join(folder, 'checkpoint.json'),
        dieAt,
        times,
      };
      try {
        const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', join(__dirname, 'killed-child.ts')], {
          env: { ...process.env, ORDER: JSON.stringify(order) },
          stdio: ['ignore', 'inherit', 'inherit'],
        });
        expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
        const checkpoints = new Map<string, Json>([
          ['', JSON.parse(readFileSync(order.checkpointFile, 'utf8')) as Json],
        ]);
        const run = await world.run(sample.team, REAL, { checkpoints, attempt: 2, epoch: 2 });
        expect(resultOf(run)).toMatchObject(COMPLETE);
        expect(run.logs[0]?.message).toBe('resuming the scan');
        await expectRepaired(world, sample);
        const again = await world.run(sample.team, REAL);
        expect(resultOf(again)).toMatchObject({
          total_orphaned_persons: 3,
          persons_truly_orphaned: 3,
          distinct_ids_synced: 0,
          persons_marked_deleted: 0,
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    120_000,
  );
});

/** Publishes the first calls for real, then the first message of a batch, or none, and fails. */
function failingAfter(calls: number, error: Error, part: 0 | 1 = 1): Publisher {
  const { kafka } = world.resources;
  let n = 0;
  return {
    ...kafka,
    async publish(topic, messages, options) {
      n++;
      if (n <= calls) return kafka.publish(topic, messages, options);
      if (part > 0) await kafka.publish(topic, messages.slice(0, part), options);
      throw error;
    },
  };
}

test('Kafka goes away in the middle of a batch: counted is what was acknowledged, the next attempt goes on there', async () => {
  const sample = await mixedTeam(world);
  const checkpoints = new Map<string, Json>();
  const kafka = failingAfter(2, new ServiceError('kafka', 'Kafka does not take messages.'));
  const broken = await world.run(sample.team, REAL, { checkpoints, resources: { ...world.resources, kafka } });
  expect(broken.error).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    system: 'kafka',
    retryable: true,
    message:
      'Kafka does not take messages. Before that 3 orphans had been treated: 2 distinct ids synced, 1 persons marked deleted. Another run completes the rest.',
    details: { total_orphaned_persons: 3, distinct_ids_synced: 2, persons_marked_deleted: 1 },
  });
  const run = await world.run(sample.team, REAL, { checkpoints, attempt: 2 });
  expect(resultOf(run)).toMatchObject(COMPLETE);
  await expectRepaired(world, sample);
});

test('… and a new run, without the checkpoint, completes the rest as well', async () => {
  const sample = await mixedTeam(world);
  const kafka = failingAfter(2, new ServiceError('kafka', 'Kafka does not take messages.'), 0);
  await world.run(sample.team, REAL, { resources: { ...world.resources, kafka } });
  await eventually(
    () => world.orphans(sample.team),
    (ids) => ids.length === 7,
  );
  expect(resultOf(await world.run(sample.team, REAL))).toMatchObject({
    distinct_ids_superseded: 0,
    distinct_ids_not_arrived: 0,
    persons_truly_orphaned: 3,
  });
  await expectRepaired(world, sample);
});

test('an attempt that was lost before its read-back leaves that to the next, also what lost against a tombstone', async () => {
  const sample = await mixedTeam(world);
  const [first] = sample.fixable as [string];
  await world.chMappings(
    ['a', 'b'].map((letter) => ({
      team_id: sample.team,
      distinct_id: `${letter}-${first}`,
      person_id: first,
      is_deleted: 1,
      version: 9,
    })),
  );
  const checkpoints = new Map<string, Json>();
  const kafka = failingAfter(4, new ServiceError('kafka', 'Kafka does not take messages.'));
  await world.run(sample.team, REAL, { checkpoints, resources: { ...world.resources, kafka } });
  expect(resultOf(await world.run(sample.team, REAL, { checkpoints, attempt: 2 }))).toMatchObject({
    ...COMPLETE,
    distinct_ids_superseded: 2,
  });
  expect(
    await eventually(
      () => world.orphans(sample.team),
      (ids) => ids.length === 4,
    ),
  ).toContain(first);
});

test('a person whom the reader does not show yet is not deleted', async () => {
  const lagging = await testDatabase('persons');
  const reader = openPersonsDb(lagging.url, undefined).writer;
  try {
    const team = world.newTeam();
    const [late, gone] = (await world.chOnly(team, 2)) as [string, string];
    await world.pgPerson(team, late, { late: 0 });
    const personsDb = { ...world.resources.personsDb, reader };
    const config = { ...REAL, batch_size: 100 };
    const rehearsal = resultOf(
      await world.run(team, { ...config, dry_run: true }, { resources: { ...world.resources, personsDb } }),
    );
    expect(rehearsal).toMatchObject({
      persons_ch_only: 2,
      persons_marked_deleted: 0,
      persons_would_be_marked_deleted: 1,
      persons_found_on_writer: 1,
    });
    const run = await world.run(team, config, { resources: { ...world.resources, personsDb } });
    expect(resultOf(run)).toMatchObject({ persons_ch_only: 2, persons_marked_deleted: 1, persons_found_on_writer: 1 });
    expect(run.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: { count: 1, person_uuids: [late] } }),
    );
    await eventually(
      () => world.person(team, gone),
      (person) => person?.is_deleted === 1,
    );
    expect(await world.person(team, late)).toMatchObject({ is_deleted: 0, version: '0' });
  } finally {
    await reader.end();
    await lagging.drop();
  }
});

/** Does something right before the versions of a batch are read again. */
function beforeMarking(work: (personIds: readonly string[]) => Promise<void>) {
  const { clickhouse } = world.resources;
  return {
    ...world.resources,
    clickhouse: {
      ...clickhouse,
      async rows<T>(sql: string, options: { readonly params?: Readonly<Record<string, unknown>> } = {}) {
        if (options.params && 'person_ids' in options.params) await work(options.params.person_ids as string[]);
        return clickhouse.rows<T>(sql, options);
      },
    },
  };
}

test('a person created between look-up and deletion is not deleted', async () => {
  const team = world.newTeam();
  const [id] = (await world.chOnly(team, 1)) as [string];
  const run = await world.run(team, REAL, { resources: beforeMarking(() => world.pgPerson(team, id, { fresh: 0 })) });
  expect(resultOf(run)).toMatchObject({ persons_ch_only: 1, persons_marked_deleted: 0, persons_found_on_writer: 1 });
  expect(await world.person(team, id)).toMatchObject({ is_deleted: 0 });
});

test('a person whose version moved since the discovery gets a tombstone above it; one deleted meanwhile gets none', async () => {
  const team = world.newTeam();
  const [moved, deleted] = (await world.chOnly(team, 2)) as [string, string];
  const resources = beforeMarking(async () => {
    await world.chPersons([
      { team_id: team, id: moved, version: '41', created_at: '2023-05-05 05:05:05.555' },
      { team_id: team, id: deleted, version: 100, is_deleted: 1 },
    ]);
  });
  expect(resultOf(await world.run(team, REAL, { resources }))).toMatchObject({
    persons_ch_only: 2,
    persons_marked_deleted: 1,
  });
  expect(
    await eventually(
      () => world.person(team, moved),
      (person) => person?.is_deleted === 1,
    ),
  ).toMatchObject({ version: '42', created_at: '2023-05-05 05:05:05.555' });
  expect(await world.person(team, deleted)).toMatchObject({ version: '100' });
});

test('without a writer the reader decides, with a warning', async () => {
  const team = world.newTeam();
  await world.chOnly(team, 1);
  const personsDb = openPersonsDb(undefined, world.env.PERSONS_DB_WRITER_URL);
  try {
    const run = await world.run(team, REAL, { resources: { ...world.resources, personsDb } });
    expect(resultOf(run)).toMatchObject({ persons_marked_deleted: 1 });
    expect(run.logs).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('PERSONS_DB_WRITER_URL is not set') as string,
      }),
    );
  } finally {
    await personsDb.reader.end();
  }
});

test('a database of newer make marks persons and ids as deleted: those count as missing', async () => {
  const team = world.newTeam();
  const newer = await testDatabase('persons');
  const personsDb = openPersonsDb(newer.url, undefined);
  try {
    for (const table of ['posthog_person', 'posthog_persondistinctid'])
      await personsDb.writer.query(
        `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS is_deleted boolean NOT NULL DEFAULT false`,
      );
    const [person, mapping] = (await world.chOnly(team, 2)) as [string, string];
    await personsDb.writer.query(
      'INSERT INTO posthog_person (id, created_at, uuid, team_id, is_deleted) VALUES (1, now(), $1, $3, true), (2, now(), $2, $3, false)',
      [person, mapping, team],
    );
    await personsDb.writer.query(
      "INSERT INTO posthog_persondistinctid (distinct_id, person_id, team_id, is_deleted) VALUES ('p', 1, $1, false), ('m', 2, $1, true)",
      [team],
    );
    const result = resultOf(await world.run(team, REAL, { resources: { ...world.resources, personsDb } }));
    expect(result).toMatchObject({
      distinct_ids_synced: 0,
      persons_truly_orphaned: 1,
      persons_ch_only: 1,
      persons_marked_deleted: 1,
    });
  } finally {
    await personsDb.writer.end();
    await newer.drop();
  }
});

test('cancelling reaches the scan, and it can be taken up again', async () => {
  const sample = await mixedTeam(world);
  const stop = new AbortController();
  const checkpoints = new Map<string, Json>();
  const { kafka } = world.resources;
  const cancelling: Publisher = {
    ...kafka,
    publish: (topic, messages, options) =>
      kafka.publish(topic, messages, options).then(() => stop.abort(new Error('cancelled by ana'))),
  };
  const run = await world.run(sample.team, REAL, {
    checkpoints,
    signal: stop.signal,
    resources: { ...world.resources, kafka: cancelling },
  });
  expect(run.error).toMatchObject({ message: 'cancelled by ana' });
  expect(resultOf(await world.run(sample.team, REAL, { checkpoints, attempt: 2 }))).toMatchObject(COMPLETE);
  await expectRepaired(world, sample);
});

describe('errors say what is wrong and where', () => {
  test('a team that does not exist', async () => {
    const run = await world.run(987_654_321);
    expect(run.error).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/^Team 987654321 does not exist: .*Check team_id/) as string,
    });
    expect((await world.run(3_000_000_000)).error).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a team without orphans is fine', async () => {
    const team = world.newTeam();
    const [id] = (await world.chPersons([{ team_id: team }])) as [string];
    await world.chMappings([{ team_id: team, distinct_id: 'd', person_id: id }]);
    expect(resultOf(await world.run(team, { dry_run: false }))).toMatchObject({ total_orphaned_persons: 0 });
  });

  test('PostgreSQL is down', async () => {
    const team = world.newTeam();
    await world.fixable(team, 1);
    const personsDb = openPersonsDb('postgres://skein:secret@127.0.0.1:1/persons', undefined);
    const { error } = await world.run(team, REAL, { resources: { ...world.resources, personsDb } });
    expect(error).toMatchObject({
      system: 'postgres',
      retryable: true,
      message: expect.stringMatching(/^PostgreSQL does not answer.*Another run completes the rest\.$/) as string,
    });
    expect(String(error)).not.toContain('secret');
    await personsDb.writer.end();
  });

  test('ClickHouse is down, and ClickHouse is too slow', async () => {
    const team = world.newTeam();
    const nowhere = openClickHouse(NOWHERE);
    expect(
      (await world.run(team, REAL, { resources: { ...world.resources, clickhouse: nowhere } })).error,
    ).toMatchObject({
      system: 'clickhouse',
      retryable: true,
      message: expect.stringContaining('does not answer') as string,
    });
    await nowhere.close();
    const { clickhouse } = world.resources;
    const slow = {
      ...clickhouse,
      stream: <T>(_sql: string, options: object) =>
        clickhouse.stream<T>('SELECT sleepEachRow(0.5) FROM numbers(10)', {
          ...options,
          params: {},
          settings: { max_execution_time: 1, max_block_size: '1' },
        }),
    };
    expect((await world.run(team, REAL, { resources: { ...world.resources, clickhouse: slow } })).error).toMatchObject({
      system: 'clickhouse',
      retryable: true,
      message: expect.stringMatching(/timeout/i) as string,
    });
  });

  test('Kafka cannot be reached at all', async () => {
    const team = world.newTeam();
    await world.fixable(team, 1);
    const kafka = openKafkaPublisher(['127.0.0.1:1']);
    const { error } = await world.run(
      team,
      { dry_run: false },
      { resources: { ...world.resources, kafka }, asset: defineOrphanSync() },
    );
    expect(error).toMatchObject({
      system: 'kafka',
      message: expect.stringMatching(/^Kafka does not take messages.*Before that 0 orphans had been treated/) as string,
    });
    await kafka.close();
  });
});
