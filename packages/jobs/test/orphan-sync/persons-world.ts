/**
 * A test's own persons system: PostgreSQL, ClickHouse, and Kafka between them with its engine tables and views, so
 * that what the job publishes comes back through the real path. Every test takes a team of its own.
 */

import { randomUUID } from 'node:crypto';

import {
  type ClickHouse,
  type PersonsDb,
  type Publisher,
  openClickHouse,
  openKafkaPublisher,
  openPersonsDb,
} from '@skein/jobs';
import type { Json, JsonObject } from '@skein/orchestrator';
import { type AssetRun, runAsset } from '@skein/orchestrator/testing';

import { applySchemas } from '../../../../infra/embedded/src/schemas.ts';
import {
  type TestKafka,
  testClickHouse,
  testDatabase,
  testKafka,
} from '../../../../infra/embedded/test-services/index.ts';
import { defineOrphanSync } from '../../src/orphan-sync/asset.ts';

export interface ChPerson {
  readonly id?: string;
  readonly team_id: number;
  readonly created_at?: string;
  readonly properties?: string;
  readonly is_deleted?: number;
  readonly version?: number | string;
  readonly _timestamp?: string;
  readonly _offset?: number;
}

export interface ChMapping {
  readonly team_id: number;
  readonly distinct_id: string;
  readonly person_id: string;
  readonly is_deleted?: number;
  readonly version?: number;
  readonly _timestamp?: string;
}

export interface WorldRunOptions {
  /** Default: the world's own, with a patient read-back. */
  readonly asset?: ReturnType<typeof defineOrphanSync>;
  readonly resources?: { readonly clickhouse: ClickHouse; readonly personsDb: PersonsDb; readonly kafka: Publisher };
  readonly checkpoints?: Map<string, Json>;
  readonly signal?: AbortSignal;
  readonly attempt?: number;
  readonly epoch?: number;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** @param broker the test's own, where it is to be stopped; default the one of the test run */
export async function openWorld(broker: Pick<TestKafka, 'brokers' | 'topicPrefix'> = testKafka()) {
  const database = await testDatabase('persons');
  const store = await testClickHouse();
  const env = {
    PERSONS_DB_WRITER_URL: database.url,
    SKEIN_CLICKHOUSE_URL: store.url,
    SKEIN_KAFKA_BROKERS: broker.brokers,
  };
  await applySchemas({ only: ['persons'], env, topicPrefix: broker.topicPrefix });

  const clickhouse: ClickHouse = openClickHouse(store.url);
  const personsDb: PersonsDb = openPersonsDb(database.url, undefined);
  const real = openKafkaPublisher([broker.brokers]);
  const published: { topic: string; value: JsonObject }[] = [];
  const kafka: Publisher = {
    ...real,
    async publish(topic, messages, options) {
      await real.publish(broker.topicPrefix + topic, messages, options);
      for (const message of messages) published.push({ topic, value: JSON.parse(String(message.value)) as JsonObject });
    },
  };
  const resources = { clickhouse, personsDb, kafka };
  const sync = defineOrphanSync({ readBackWaitMs: 60_000 });
  let lastTeam = 100;

  const chPersons = async (persons: readonly ChPerson[]): Promise<string[]> => {
    const rows = persons.map((person) => ({
      id: randomUUID(),
      created_at: '2024-01-01 00:00:00.000',
      properties: '{}',
      is_identified: 0,
      is_deleted: 0,
      version: 0,
      _timestamp: '2024-01-01 00:00:00',
      _offset: 0,
      ...person,
    }));
    await clickhouse.insert('person', rows);
    return rows.map((row) => row.id);
  };
  const pgPerson = async (
    team: number,
    id: string,
    distinctIds: Readonly<Record<string, number | null>> = {},
  ): Promise<void> => {
    const { rows } = await personsDb.writer.query<{ id: string }>(
      'INSERT INTO posthog_person (created_at, uuid, team_id, version) VALUES (now(), $1, $2, 0) RETURNING id',
      [id, team],
    );
    for (const [distinctId, version] of Object.entries(distinctIds)) {
      await personsDb.writer.query(
        'INSERT INTO posthog_persondistinctid (distinct_id, version, person_id, team_id) VALUES ($1, $2, $3, $4)',
        [distinctId, version, rows[0]?.id, team],
      );
    }
  };

  return {
    env,
    topicPrefix: broker.topicPrefix,
    resources,
    published,
    sync,
    newTeam: () => ++lastTeam,
    chPersons,
    pgPerson,
    chMappings: (mappings: readonly ChMapping[]) =>
      clickhouse.insert(
        'person_distinct_id2',
        mappings.map((mapping) => ({
          is_deleted: 0,
          version: 0,
          _timestamp: '2024-01-01 00:00:00',
          _offset: 0,
          _partition: 0,
          ...mapping,
        })),
      ),
    /** A person that exists on both sides and has an id in PostgreSQL only. */
    async fixable(team: number, count: number, version: number | null = 0) {
      const ids = await chPersons(Array.from({ length: count }, () => ({ team_id: team })));
      for (const id of ids) await pgPerson(team, id, { [`id-${id}`]: version });
      return ids;
    },
    async trulyOrphaned(team: number, count: number) {
      const ids = await chPersons(Array.from({ length: count }, () => ({ team_id: team })));
      for (const id of ids) await pgPerson(team, id);
      return ids;
    },
    chOnly: (team: number, count: number) => chPersons(Array.from({ length: count }, () => ({ team_id: team }))),
    run: (team: number, config: JsonObject = {}, options: WorldRunOptions = {}): Promise<AssetRun> => {
      const { asset = sync, ...rest } = options;
      return runAsset(asset, { partition: `${team}_2026-11-24`, config, resources, ...rest });
    },
    /** The seed's own check, on purpose in other words than the job's. */
    async orphans(team: number): Promise<string[]> {
      const rows = await clickhouse.rows<{ id: string }>(
        `SELECT id FROM person FINAL WHERE team_id = {team:Int64} AND is_deleted = 0
         AND id NOT IN (SELECT DISTINCT person_id FROM person_distinct_id2 FINAL WHERE team_id = {team:Int64} AND is_deleted = 0) ORDER BY created_at, id`,
        { params: { team } },
      );
      return rows.map((row) => row.id);
    },
    mappings: (team: number) =>
      clickhouse.rows<{ distinct_id: string; person_id: string; version: string; is_deleted: number }>(
        'SELECT distinct_id, person_id, version, is_deleted FROM person_distinct_id2 FINAL WHERE team_id = {team:Int64} ORDER BY distinct_id',
        { params: { team } },
      ),
    person: async (team: number, id: string) =>
      (
        await clickhouse.rows<{ is_deleted: number; version: string; created_at: string; properties: string }>(
          'SELECT is_deleted, version, created_at, properties FROM person FINAL WHERE team_id = {team:Int64} AND id = {id:UUID}',
          { params: { team, id } },
        )
      )[0],
    async close() {
      await kafka.close();
      await clickhouse.close();
      await personsDb.writer.end();
      await store.drop();
      await database.drop();
    },
  };
}

/** Waits for a condition, not for time. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (value: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`Not so after ${timeoutMs} ms: ${JSON.stringify(value)?.slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The result of a run that must have succeeded. @throws what the run failed with */
export function resultOf(run: AssetRun): NonNullable<AssetRun['result']> {
  if (run.error instanceof Error) throw run.error;
  return run.result ?? {};
}
