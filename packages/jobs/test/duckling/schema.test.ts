/** Tables that do not fit are found before the export and named; tables are created, kept, dropped as the config says. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { type Duckling, EVENTS, ducklingEventsBackfill } from '@skein/jobs';
import type { Json, JsonObject } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import { compareExport, compareLakeTable } from '../../src/duckling/schema-validation.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

let house: LakeHouse;
let duckling: Duckling;
beforeEach(async () => {
  house = await openLakeHouse();
  duckling = await house.addDuckling(2);
  await seedEvents(house, 2, '2024-01-15', 5);
});
afterEach(() => house.close());

const run = (
  config: JsonObject = {},
  options: { runId?: string; attempt?: number; checkpoints?: Map<string, Json> } = {},
) => runAsset(ducklingEventsBackfill, { partition: '2_2024-01-15', resources: house, config, ...options });
const alter = (...statements: string[]) =>
  house.ducklings.lake(duckling).write(new AbortController().signal, async (tx) => {
    for (const statement of statements) await tx.rows(statement);
  });
const nothingExported = () => expect(existsSync(join(house.root, 'bucket-2/backfill'))).toBe(false);

test('a missing column and a wrong type fail fast, each by name', async () => {
  await alter(
    'CREATE SCHEMA lake.posthog',
    `CREATE TABLE lake.posthog.events (${EVENTS.columns
      .filter((c) => c.name !== 'elements_chain')
      .map((c) => `${c.name} ${c.name === 'team_id' ? 'VARCHAR' : c.lakeType}`)
      .join(', ')})`,
  );
  const result = await run();
  expect(result.error).toMatchObject({
    code: 'LAKE_SCHEMA_MISMATCH',
    message: expect.stringMatching(/team_id is VARCHAR and should be BIGINT.*elements_chain \(VARCHAR\) is missing/),
  });
  expect(result.events.map((e) => e.name)).toContain('duckling_schema_mismatch');
  nothingExported();
  // Skipped, DuckLake itself refuses after the export, and the day stays as it was.
  const skipped = await run({ skip_schema_validation: true });
  expect(skipped.error).toMatchObject({ system: 'ducklake' });
  expect(await house.lake(2, 'SELECT count(uuid) AS n FROM events')).toEqual([{ n: '0' }]);
});

test('a column that only the lake has becomes NULL', async () => {
  await run();
  await alter('ALTER TABLE lake.posthog.events ADD COLUMN customers_own INTEGER');
  const result = await run({}, { runId: 'B' });
  expect(result.error).toBeUndefined();
  expect(await house.lake(2, 'SELECT count(uuid) AS n, count(customers_own) AS own FROM events')).toEqual([
    { n: '5', own: '0' },
  ]);
});

test('a source that lacks a column fails before the export', async () => {
  await house.clickhouse.command('ALTER TABLE events DROP COLUMN elements_chain');
  expect((await run()).error).toMatchObject({
    code: 'LAKE_SCHEMA_MISMATCH',
    message: expect.stringContaining('elements_chain'),
  });
  nothingExported();
});

test('a source whose type cannot become the lake’s fails before the export', async () => {
  await house.clickhouse.command('ALTER TABLE events MODIFY COLUMN historical_migration Int8');
  expect((await run()).error).toMatchObject({
    code: 'LAKE_SCHEMA_MISMATCH',
    message: expect.stringMatching(/historical_migration is Int8, which does not become BOOLEAN/),
  });
  nothingExported();
});

test('without create_tables_if_missing a missing table is an error that says so', async () => {
  const result = await run({ create_tables_if_missing: false });
  expect(result.error).toMatchObject({
    code: 'LAKE_SCHEMA_MISMATCH',
    message: expect.stringContaining('create_tables_if_missing'),
  });
  nothingExported();
});

test('delete_tables drops every day once a run, not once an attempt', async () => {
  await seedEvents(house, 2, '2024-01-16', 3);
  await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-16', resources: house, runId: 'A' });
  const checkpoints = new Map<string, Json>();
  const first = await run({ delete_tables: true }, { runId: 'B', checkpoints });
  expect(first.events.map((e) => e.name)).toEqual(
    expect.arrayContaining(['duckling_events_table_deleted', 'duckling_events_table_created']),
  );
  expect(await house.lake(2, 'SELECT count(uuid) AS n FROM events')).toEqual([{ n: '5' }]);
  await runAsset(ducklingEventsBackfill, { partition: '2_2024-01-16', resources: house, runId: 'C' });
  const second = await run({ delete_tables: true }, { runId: 'B', attempt: 2, checkpoints });
  expect(second.error).toBeUndefined();
  expect(await house.lake(2, 'SELECT count(uuid) AS n FROM events')).toEqual([{ n: '8' }]);
});

test('comparisons name what is wrong and unwrap Nullable and LowCardinality', () => {
  const fitting = EVENTS.columns.map((c) => ({ name: c.name, type: c.lakeType as string }));
  expect(compareLakeTable(EVENTS, fitting)).toEqual({ problems: [], extra: [] });
  expect(compareLakeTable(EVENTS, [...fitting, { name: 'x', type: 'INTEGER' }]).extra).toEqual(['x']);
  const source = EVENTS.columns.map((c) => ({
    name: c.name,
    type: {
      VARCHAR: 'LowCardinality(Nullable(String))',
      'TIMESTAMP WITH TIME ZONE': "DateTime64(6, 'UTC')",
      BIGINT: 'Int32',
      UBIGINT: 'UInt64',
      BOOLEAN: 'Bool',
    }[c.lakeType],
  }));
  expect(compareExport(EVENTS, source)).toEqual([]);
  expect(compareExport(EVENTS, source.slice(1))).toEqual(['the column uuid is missing']);
  expect(
    compareExport(
      EVENTS,
      source.map((c) => (c.name === 'team_id' ? { ...c, type: 'UInt64' } : c)),
    ),
  ).toEqual(['the column team_id is UInt64, which does not become BIGINT']);
});
