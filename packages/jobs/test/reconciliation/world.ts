/** A world for tests of the reconciliation: PostgreSQL, ClickHouse and a publisher of the test's own, and ways to fill them. */

import { randomUUID } from 'node:crypto';

import { runAsset } from '@skein/orchestrator/testing';
import pg from 'pg';

import { testClickHouse, testDatabase } from '../../../../infra/embedded/test-services/index.ts';
import { type ClickHouse, openClickHouse } from '../../src/resources/clickhouse.ts';
import type { Message, Publisher } from '../../src/resources/kafka.ts';
import { type PersonsDb, openPersonsDb } from '../../src/resources/postgres.ts';
import { personPropertyReconciliation } from '../../src/reconciliation/asset.ts';

export const NOW = new Date('2026-01-20T12:00:00Z');
export const START = '2026-01-10 12:00:00';
export const END = '2026-01-21 12:00:00';

/** `N-5d` of the reference is `daysAgo(5)`. */
export function daysAgo(days: number): string {
  return new Date(NOW.getTime() - days * 86_400_000).toISOString().replace('T', ' ').replace('Z', '000');
}

export interface EventInput {
  readonly team?: number;
  readonly at: string;
  readonly person: string;
  readonly distinctId?: string;
  /** JSON text, or a value to be written as JSON. */
  readonly properties: unknown;
  readonly uuid?: string;
}

export interface PersonInput {
  readonly team?: number;
  readonly uuid?: string;
  readonly properties?: unknown;
  /** null is written as NULL into PostgreSQL and 0 into ClickHouse. */
  readonly version?: number | null;
  readonly isIdentified?: boolean;
  readonly metadata?: { readonly updatedAt: unknown; readonly operation: unknown };
  readonly createdAt?: string;
}

export interface World {
  readonly clickhouse: ClickHouse;
  readonly personsDb: PersonsDb;
  readonly db: pg.Pool;
  readonly databaseUrl: string;
  readonly clickhouseUrl: string;
  readonly published: Message[];
  /** Writes into ClickHouse's person table at once, as Kafka would soon; keeps what it got. */
  readonly publisher: Publisher;
  events(...events: readonly EventInput[]): Promise<void>;
  chPerson(person: PersonInput & { readonly isDeleted?: boolean; readonly raw?: string }): Promise<string>;
  pgPerson(person: PersonInput): Promise<string>;
  /** In both. */
  person(person: PersonInput): Promise<string>;
  pgState(uuid: string): Promise<PgState>;
  chState(
    uuid: string,
  ): Promise<{ readonly properties: unknown; readonly text: string; readonly version: number } | undefined>;
  backups(): Promise<BackupRow[]>;
  run(config: object, options?: RunOptions): ReturnType<typeof runAsset>;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly partitions?: readonly string[];
  readonly runId?: string;
  readonly publisher?: Publisher;
  readonly clickhouse?: ClickHouse;
  readonly signal?: AbortSignal;
  readonly checkpoints?: Map<string, never>;
  readonly now?: Date;
}

export interface PgState {
  readonly id: string;
  readonly properties: Record<string, unknown>;
  readonly text: string;
  readonly version: string | null;
  readonly updatedAt: Record<string, string> | null;
  readonly operation: Record<string, string> | null;
}

export interface BackupRow {
  readonly job_id: string;
  readonly team_id: number;
  readonly person_id: string;
  readonly uuid: string;
  readonly properties: Record<string, unknown>;
  readonly version: string | null;
  readonly properties_after: Record<string, unknown>;
  readonly version_after: string;
  readonly pending_operations: { key: string; value: unknown; timestamp: string; operation: string }[];
}

export const TEAM = 1;

/** @param options.databaseUrl a PostgreSQL that is the test's own, with the schema; default one of the run's */
export async function openWorld(options: { readonly databaseUrl?: string } = {}): Promise<World> {
  const database =
    options.databaseUrl === undefined
      ? await testDatabase('persons')
      : { url: options.databaseUrl, drop: async () => {} };
  const house = await testClickHouse({ schemas: ['persons', 'events'] });
  const clickhouse = openClickHouse(house.url);
  const personsDb = openPersonsDb(database.url, undefined);
  const db = new pg.Pool({ connectionString: database.url, max: 3 });
  db.on('error', () => {});
  // The schema of the source system has it; here the job must make it.
  await db.query('DROP TABLE IF EXISTS posthog_person_reconciliation_backup');
  const published: Message[] = [];
  const publisher: Publisher = {
    async publish(_topic, messages) {
      published.push(...messages);
      const lines = messages.map((message) => String(message.value));
      if (lines.length > 0)
        await house.client.insert({
          table: 'person',
          values: toStream(lines),
          format: 'JSONEachRow',
          clickhouse_settings: { date_time_input_format: 'best_effort' },
        });
    },
    ping: async () => 'a test',
    close: async () => {},
  };

  const chPerson: World['chPerson'] = async ({
    team = TEAM,
    uuid = randomUUID(),
    properties = {},
    version = 1,
    isIdentified = false,
    isDeleted = false,
    raw,
    createdAt = '2026-01-01 00:00:00.000',
  }) => {
    await house.client.insert({
      table: 'person',
      values: [
        {
          id: uuid,
          team_id: team,
          properties: raw ?? toJson(properties),
          version: version ?? 0,
          is_identified: isIdentified ? 1 : 0,
          is_deleted: isDeleted ? 1 : 0,
          created_at: createdAt,
          _timestamp: '2026-01-12 12:00:00',
        },
      ],
      format: 'JSONEachRow',
    });
    return uuid;
  };
  const pgPerson: World['pgPerson'] = async ({
    team = TEAM,
    uuid = randomUUID(),
    properties = {},
    version = 1,
    isIdentified = false,
    metadata,
    createdAt = '2026-01-01 00:00:00Z',
  }) => {
    await db.query(
      `INSERT INTO posthog_person (created_at, properties, properties_last_updated_at, properties_last_operation, is_identified, uuid, version, team_id)
       VALUES ($1, $2::jsonb, $3::jsonb, $4::jsonb, $5, $6, $7, $8)`,
      [
        createdAt,
        toJson(properties),
        metadata ? JSON.stringify(metadata.updatedAt) : null,
        metadata ? JSON.stringify(metadata.operation) : null,
        isIdentified,
        uuid,
        version,
        team,
      ],
    );
    return uuid;
  };

  return {
    clickhouse,
    personsDb,
    db,
    databaseUrl: database.url,
    clickhouseUrl: house.url,
    published,
    publisher,
    chPerson,
    pgPerson,
    async events(...events) {
      await house.client.insert({
        table: 'events',
        values: events.map((event) => ({
          uuid: event.uuid ?? randomUUID(),
          event: 'an event',
          properties: toJson(event.properties),
          timestamp: event.at,
          team_id: event.team ?? TEAM,
          distinct_id: event.distinctId ?? `d-${event.person}`,
          person_id: event.person,
        })),
        format: 'JSONEachRow',
      });
    },
    async person(person) {
      const uuid = person.uuid ?? randomUUID();
      await chPerson({ ...person, uuid });
      return pgPerson({ ...person, uuid });
    },
    async pgState(uuid) {
      const { rows } = await db.query<{
        id: string;
        text: string;
        version: string | null;
        updated: PgState['updatedAt'];
        operation: PgState['operation'];
      }>(
        `SELECT id, properties::text AS text, version, properties_last_updated_at AS updated, properties_last_operation AS operation
         FROM posthog_person WHERE uuid = $1`,
        [uuid],
      );
      const [row] = rows;
      if (!row) throw new Error('no such person');
      return {
        id: row.id,
        text: row.text,
        properties: JSON.parse(row.text) as Record<string, unknown>,
        version: row.version,
        updatedAt: row.updated,
        operation: row.operation,
      };
    },
    async chState(uuid) {
      const [row] = await clickhouse.rows<{ properties: string; version: string; gone: number }>(
        'SELECT argMax(p.properties, p.version) AS properties, max(p.version) AS version, argMax(p.is_deleted, p.version) AS gone FROM person AS p WHERE id = {id:UUID} GROUP BY id',
        { params: { id: uuid } },
      );
      if (!row || row.gone === 1) return undefined;
      return { properties: JSON.parse(row.properties), text: row.properties, version: Number(row.version) };
    },
    async backups() {
      const { rows } = await db.query<BackupRow>(
        'SELECT * FROM posthog_person_reconciliation_backup ORDER BY team_id, person_id',
      );
      return rows;
    },
    run: (config, options = {}) =>
      runAsset(personPropertyReconciliation, {
        config: { bug_window_start: START, bug_window_end: END, ...config },
        ...(options.partitions ? { partitions: options.partitions } : {}),
        ...(options.runId ? { runId: options.runId } : {}),
        ...(options.signal ? { signal: options.signal } : {}),
        ...(options.checkpoints ? { checkpoints: options.checkpoints } : {}),
        now: options.now ?? NOW,
        resources: { clickhouse: options.clickhouse ?? clickhouse, personsDb, kafka: options.publisher ?? publisher },
      }),
    async close() {
      await clickhouse.close();
      await db.end();
      await personsDb.writer.end();
      await house.drop();
      await database.drop();
    },
  };
}

function toJson(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toStream(lines: readonly string[]): object[] {
  // The client writes objects; numbers of tests are small enough, properties are text anyway.
  return lines.map((line) => JSON.parse(line) as object);
}

/** Both modes: what differs in the config. */
export const MODES = [
  ['non-windowed', {}],
  ['windowed', { team_ch_props_fetch_window_seconds: 86_400, person_batch_size: 3 }],
] as const;
