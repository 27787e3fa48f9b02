/** What dates, types, texts and errors do to those who take them as they come, each beside what Skein does instead. */

import { randomUUID } from 'node:crypto';

import {
  type Duckling,
  EVENTS,
  PERSONS,
  ducklingEventsBackfill,
  ducklingPersonsBackfill,
  earliestDay,
} from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { countDay } from '../../src/duckling/registration.ts';
import { compareExport, compareLakeTable } from '../../src/duckling/schema-validation.ts';
import { asLakeError } from '../../src/resources/ducklake-errors.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';
import { type NaiveLake, addFile, openNaively } from './naive-lake.ts';

const DAY = '2024-01-15';
const NEVER = new AbortController().signal;
let house: LakeHouse;
let duckling: Duckling;
beforeEach(async () => {
  house = await openLakeHouse();
  duckling = await house.addDuckling(2);
});
afterEach(() => house.close());

const run = async (runId: string, day = DAY) => {
  const result = await runAsset(ducklingEventsBackfill, { partition: `2_${day}`, resources: house, runId });
  if (result.error) throw result.error as Error;
  return String(result.result?.path);
};
const ours = (day = DAY) => house.ducklings.lake(duckling).read(NEVER, (db) => countDay(db, EVENTS, { id: 2, day }));
const naively = (work: (lake: NaiveLake) => Promise<void>) =>
  openNaively(house, duckling, work, '(DATA_INLINING_ROW_LIMIT 0)');

test('M6: bare dates follow the session’s time zone; ours are UTC wherever the process lives', async () => {
  await seedEvents(house, 2, DAY, 86_400);
  await run('A');
  await naively(async ({ sql }) => {
    await sql("SET TimeZone = 'America/New_York'");
    const [row] = await sql(
      `SELECT count(uuid) AS n FROM lake.posthog.events WHERE timestamp >= '${DAY}' AND timestamp < '2024-01-16'`,
    );
    expect(row?.n).toBe(String(86_400 - 5 * 3_600));
  });
  const zone = process.env.TZ;
  process.env.TZ = 'America/New_York';
  try {
    expect(await ours()).toBe(86_400);
    await run('B');
    expect(await ours()).toBe(86_400);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test('M11: a day taken with toDate() holds rows of other centuries, which no delete of that day removes; ours is a range', async () => {
  await seedEvents(house, 2, '2200-01-01', 3);
  const [wrapped] = await house.clickhouse.rows<{ day: string }>(
    'SELECT toString(toDate(min(timestamp))) AS day FROM events WHERE team_id = 2',
  );
  const day = wrapped?.day ?? '';
  expect(day).toMatch(/^20\d\d-/);
  await seedEvents(house, 2, day, 2);
  await run('OURS', day);
  await naively(async ({ sql }) => {
    await sql('CREATE TABLE lake.posthog.wrapped AS SELECT uuid, timestamp FROM lake.posthog.events LIMIT 0');
    const sizes: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      const path = `${house.root}/${name}.parquet`;
      await house.clickhouse.command(
        `INSERT INTO FUNCTION file({p:String}, 'Parquet') SELECT toString(uuid) AS uuid, timestamp FROM events WHERE team_id = 2 AND toDate(timestamp) = {day:Date}`,
        { params: { p: path, day } },
      );
      await sql(
        `DELETE FROM lake.posthog.wrapped WHERE timestamp >= TIMESTAMPTZ '${day} 00:00:00+00' AND timestamp < TIMESTAMPTZ '${day} 00:00:00+00' + INTERVAL 1 DAY`,
      );
      await sql(addFile('wrapped', path));
      sizes.push((await sql('SELECT count(uuid) AS n FROM lake.posthog.wrapped'))[0]?.n ?? '');
    }
    expect(sizes).toEqual(['5', '8', '11']);
  });
  await run('AGAIN', day);
  expect(await ours(day)).toBe(2);
  expect(await house.lake(2, 'SELECT count(uuid) AS n FROM events')).toEqual([{ n: '2' }]);
});

test('M12: the minimum over no rows is 1970; the first day of a team without rows is null, and 1960 and 2200 are no history', async () => {
  const [naive] = await house.clickhouse.rows<{ d: string }>(
    'SELECT toString(min(timestamp)) AS d FROM events WHERE team_id = 2',
  );
  expect(naive?.d).toMatch(/^1970-01-01/);
  const range = { from: '2015-01-01', to: '2026-02-08' };
  const first = (dataset: 'events' | 'persons') => earliestDay(house.clickhouse, dataset, 2, range, NEVER);
  expect([await first('events'), await first('persons')]).toEqual([null, null]);
  await seedEvents(house, 2, '1960-02-29', 3);
  await seedEvents(house, 2, '2200-01-01', 3);
  await seedEvents(house, 3, '2016-01-01', 3);
  expect(await first('events')).toBeNull();
  await seedEvents(house, 2, '2024-02-29', 3);
  await seedEvents(house, 2, '2025-01-01', 3);
  expect(await first('events')).toBe('2024-02-29');
  await house.clickhouse.insert('person', [
    { id: '0190d4a1-0000-7000-8000-000000000001', team_id: 2, _timestamp: '2024-12-31 23:59:59' },
  ]);
  expect(await first('persons')).toBe('2024-12-31');
});

/** A column of a file, the column of a table, and whether DuckLake takes the one for the other. */
const FITS: readonly (readonly [file: string, table: string, value: string, taken: boolean])[] = [
  ['INTEGER', 'BIGINT', '1::INTEGER', true],
  ['TIMESTAMP', 'TIMESTAMPTZ', "TIMESTAMP '2024-01-15 00:00:00'", false],
  ['TIMESTAMP_MS', 'TIMESTAMPTZ', "'2024-01-15'::TIMESTAMP_MS", false],
  ['TINYINT', 'BOOLEAN', '1::TINYINT', false],
  ['UBIGINT', 'BIGINT', '1::UBIGINT', false],
  ['BIGINT', 'UBIGINT', '1::BIGINT', false],
  ['VARCHAR', 'BIGINT', "'1'", false],
];

test('M13: which types DuckLake takes for which, and that ours finds the others before the export', async () => {
  await seedEvents(house, 2, DAY, 1);
  await run('A');
  await naively(async ({ sql }) => {
    for (const [file, table, value, taken] of FITS) {
      const path = `${house.root}/${file}-${table}.parquet`;
      await sql(`COPY (SELECT ${value} AS v) TO '${path}' (FORMAT parquet)`);
      await sql(`CREATE TABLE lake.posthog.${file}_${table} (v ${table})`);
      const adding = sql(addFile(`${file}_${table}`, path));
      if (taken) await adding;
      else await expect(adding).rejects.toThrow(/Failed to map column "v"/);
    }
  });
  const exported = (dataset: typeof EVENTS, name: string, type: string) =>
    compareExport({ ...dataset, columns: dataset.columns.filter((c) => c.name === name) }, [{ name, type }]);
  expect(exported(EVENTS, 'team_id', 'Int32')).toEqual([]);
  expect(exported(PERSONS, 'is_identified', 'Int8')).toHaveLength(1);
  expect(exported(EVENTS, 'team_id', 'UInt64')).toHaveLength(1);
  expect(exported(EVENTS, 'team_id', 'String')).toHaveLength(1);
  expect(exported(PERSONS, 'person_version', 'Int64')).toHaveLength(1);
  // A lake whose columns are not those of the export is refused too, whichever side is the odd one.
  for (const [name, type] of [
    ['timestamp', 'TIMESTAMP'],
    ['historical_migration', 'TINYINT'],
    ['team_id', 'UBIGINT'],
  ] as const) {
    const columns = EVENTS.columns.map((c) => ({ name: c.name, type: c.name === name ? type : c.lakeType }));
    expect(compareLakeTable(EVENTS, columns).problems).toEqual([
      expect.stringMatching(new RegExp(`^the column ${name} is ${type} and should be `)),
    ]);
  }
});

test('M13: is_identified as it is becomes a number that the lake refuses after the export; ours arrives as true and false', async () => {
  const id = randomUUID();
  const at = `${DAY} 12:00:00`;
  await house.clickhouse.insert('person', [{ id, team_id: 2, _timestamp: at, is_identified: 1, version: 3 }]);
  await house.clickhouse.insert('person_distinct_id2', [{ team_id: 2, distinct_id: 'a', person_id: id, version: 1 }]);
  const result = await runAsset(ducklingPersonsBackfill, { partition: `2_${DAY}`, resources: house });
  expect(result.error).toBeUndefined();
  expect(await house.lake(2, 'SELECT is_identified, person_version FROM persons')).toEqual([
    { is_identified: true, person_version: '3' },
  ]);
  const path = `${house.root}/naive-persons.parquet`;
  await house.clickhouse.command(
    `INSERT INTO FUNCTION file({p:String}, 'Parquet') SELECT is_identified, toInt64(version) AS person_version FROM person`,
    { params: { p: path } },
  );
  await naively(async ({ sql }) => {
    const lenient = ', hive_partitioning => false, allow_missing => true';
    await expect(sql(addFile('persons', path, lenient))).rejects.toThrow(/Failed to map column/);
  });
});

test('trap 7: an alias that has its column’s name is what WHERE compares; ours filters by the table’s own column', async () => {
  await seedEvents(house, 2, DAY, 4);
  await expect(
    house.clickhouse.rows('SELECT toString(team_id) AS team_id FROM events WHERE team_id = {team:Int64}', {
      params: { team: 2 },
    }),
  ).rejects.toMatchObject({ details: { clickhouse_code: '386' } });
  expect(EVENTS.source).toContain('e.team_id = ');
  await run('A');
  expect(await ours()).toBe(4);
});

test('enums and texts are texts in the lake, whatever the server’s settings for Parquet are', async () => {
  await seedEvents(house, 2, DAY, 4);
  await run('A');
  const asBytes = { output_format_parquet_string_as_string: 0, output_format_parquet_enum_as_byte_array: 0 } as const;
  const path = `${house.root}/bytes.parquet`;
  await house.clickhouse.command(
    `INSERT INTO FUNCTION file({p:String}, 'Parquet') SELECT event, person_mode FROM events`,
    { params: { p: path }, settings: asBytes },
  );
  await naively(async ({ sql }) => {
    const [row] = await sql(
      `SELECT typeof(event) AS event, typeof(person_mode) AS mode FROM read_parquet('${path}') LIMIT 1`,
    );
    expect(row).toEqual({ event: 'BLOB', mode: 'TINYINT' });
  });
  const result = await runAsset(ducklingEventsBackfill, {
    partition: `2_${DAY}`,
    resources: house,
    config: { clickhouse_settings: { output_format_parquet_enum_as_byte_array: 0 } },
  });
  expect(result.error).toBeUndefined();
  expect(await house.lake(2, 'SELECT DISTINCT event, person_mode FROM events')).toEqual([
    { event: '$pageview', person_mode: 'full' },
  ]);
});

test('text that is no UTF-8 makes a file that DuckDB cannot read; ours replaces the wrong bytes only', async () => {
  await house.clickhouse.command(
    `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id) SELECT generateUUIDv4(), 'Prüfung 🦆', concat('{"a":"', unhex('C3'), '"}'), toDateTime64('${DAY} 10:00:00', 6, 'UTC'), 2, 'u'`,
  );
  const path = `${house.root}/naive.parquet`;
  await house.clickhouse.command(`INSERT INTO FUNCTION file({p:String}, 'Parquet') SELECT properties FROM events`, {
    params: { p: path },
  });
  await run('A');
  await naively(async ({ sql }) => {
    await expect(sql(`SELECT properties FROM read_parquet('${path}')`)).rejects.toThrow(/Invalid string encoding/);
    expect(await sql('SELECT event, properties FROM lake.posthog.events')).toEqual([
      { event: 'Prüfung 🦆', properties: '{"a":"\uFFFD"}' },
    ]);
  });
});

test('errors of DuckLake hold values and passwords; ours are cut before anyone sees them', async () => {
  const wrong = { ...duckling, db_port: 1 };
  const leak = await openNaively(house, wrong, async () => '').catch((error: unknown) => String(error));
  expect(leak).toContain(`password=${house.env.LAKE_HOUSE_PASSWORD}`);
  const unreachable = await house.ducklings
    .lake(wrong)
    .read(NEVER, (db) => db.rows('SELECT 1'))
    .catch((error: unknown) => error);
  const text = `TransactionContext Error: Failed to commit: Failed to commit DuckLake transaction.
Exceeded the maximum retry count of 10 set by the ducklake_max_retry_count setting.
Failed to flush changes into DuckLake: Failed to execute query "INSERT INTO "public".ducklake_file_column_stats VALUES (1, 'ana@example.com')": ERROR: duplicate key`;
  const conflict = asLakeError(new Error(text), 'the lake of team 2');
  expect(conflict).toMatchObject({ system: 'ducklake', retryable: true, details: { trouble: 'conflict' } });
  const other = asLakeError(
    new Error(
      `IO Error: weird thing at "password=hunter2 host=x" near 'ana@example.com'\nLINE 1: SELECT 'ana@example.com'`,
    ),
    'the lake of team 2',
  );
  for (const error of [unreachable as Error & { details?: object }, conflict, other]) {
    const shown = JSON.stringify([error.message, error.details, String(error.stack), String(error.cause)]);
    expect(shown).not.toMatch(/ana@example|hunter2/);
    expect(shown).not.toContain(house.env.LAKE_HOUSE_PASSWORD);
  }
});
