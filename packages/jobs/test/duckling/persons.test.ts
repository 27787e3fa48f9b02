/** The persons of a duckling's day: versions merged, deleted ones left out, one row a distinct id. */

import { randomUUID } from 'node:crypto';

import { ducklingPersonsBackfill } from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { type LakeHouse, openLakeHouse } from './lake-house.ts';

let house: LakeHouse;
beforeAll(async () => {
  house = await openLakeHouse();
  await house.addDuckling(2);
});
afterAll(() => house.close());

const [ana, ben, old, gone, other] = Array.from({ length: 5 }, () => randomUUID());
const person = (id: string | undefined, version: number, at: string, facts: object = {}) => ({
  id,
  team_id: 2,
  version,
  _timestamp: at,
  created_at: '2023-12-31 23:59:59.999',
  properties: '{"n":"Ünï ‘codé’ 🦆"}',
  is_identified: 1,
  is_deleted: 0,
  ...facts,
});
const mapping = (distinct_id: string, person_id: string | undefined, version: number, facts: object = {}) => ({
  distinct_id,
  person_id,
  version,
  team_id: 2,
  is_deleted: 0,
  _timestamp: '2024-01-20 00:00:00',
  ...facts,
});

test('one row a person and living distinct id; the newest version decides on which day it belongs', async () => {
  await house.clickhouse.insert('person', [
    person(ana, 0, '2024-01-15 00:00:00'),
    person(ben, 0, '2024-01-15 23:59:59', { is_identified: 0 }),
    person(old, 0, '2024-01-15 12:00:00'),
    person(old, 1, '2024-01-16 00:00:00'),
    person(gone, 0, '2024-01-15 12:00:00'),
    person(gone, 100, '2024-01-15 13:00:00', { is_deleted: 1 }),
    person(other, 0, '2024-01-15 12:00:00', { team_id: 3 }),
  ]);
  await house.clickhouse.insert('person_distinct_id2', [
    mapping('ana@example.com', ana, 0),
    mapping('anon-1', ben, 0),
    mapping('anon-1', ana, 1),
    mapping('ben', ben, 2),
    mapping('dead', ben, 3, { is_deleted: 1 }),
    mapping('old', old, 0),
    mapping('gone', gone, 0),
    mapping('other', other, 0, { team_id: 3 }),
  ]);
  const result = await runAsset(ducklingPersonsBackfill, { partition: '2_2024-01-15', resources: house, runId: 'P1' });
  expect(result.error).toBeUndefined();
  expect(result.result).toMatchObject({
    rows: 3,
    rows_in_lake: 3,
    path: expect.stringMatching(/backfill\/persons\/team_id=2\/year=2024\/month=01\/day=15\/P1\.parquet$/),
  });
  expect(
    await house.lake(
      2,
      'SELECT distinct_id, id, is_identified, person_distinct_id_version AS v, person_version AS pv, team_id, properties, _timestamp::VARCHAR AS at FROM persons ORDER BY distinct_id',
    ),
  ).toEqual([
    row('ana@example.com', ana, true, '0', '2024-01-15 00:00:00+00'),
    row('anon-1', ana, true, '1', '2024-01-15 00:00:00+00'),
    row('ben', ben, false, '2', '2024-01-15 23:59:59+00'),
  ]);
  expect((await house.lake<{ column_name: string }>(2, 'DESCRIBE persons')).map((c) => c.column_name)).toEqual([
    'team_id',
    'distinct_id',
    'id',
    'properties',
    'created_at',
    'is_identified',
    'person_distinct_id_version',
    'person_version',
    '_timestamp',
    '_inserted_at',
  ]);
  const again = await runAsset(ducklingPersonsBackfill, { partition: '2_2024-01-15', resources: house, runId: 'P2' });
  expect(again.result).toMatchObject({ rows: 3, rows_deleted: 3, rows_in_lake: 3 });
  const next = await runAsset(ducklingPersonsBackfill, { partition: '2_2024-01-16', resources: house });
  expect(next.result).toMatchObject({ rows: 1 });
});

function row(distinct_id: string, id: string | undefined, is_identified: boolean, v: string, at: string) {
  return { distinct_id, id, is_identified, v, pv: '0', team_id: '2', properties: '{"n":"Ünï ‘codé’ 🦆"}', at };
}
