/** The statement that applies changes where rows lie, on real PostgreSQL, against the rules of `applyChanges`. */

import { randomUUID } from 'node:crypto';

import fc from 'fast-check';
import pg from 'pg';

import { testDatabase } from '../../../../infra/embedded/test-services/index.ts';
import { ensureBackupTable } from '../../src/reconciliation/backup-table.ts';
import { type PersonProperties, applyChanges } from '../../src/reconciliation/apply.ts';
import { applyInPlace, prepareChanges } from '../../src/reconciliation/apply-in-place.ts';
import { canonicalJson } from '../../src/reconciliation/json-text.ts';
import { personMessage } from '../../src/reconciliation/person-message.ts';
import { APPLY_AND_BACK_UP_CHANGES } from '../../src/reconciliation/postgres-sql.ts';
import type { Change, PersonDiff } from '../../src/reconciliation/replay.ts';
import { refusalOf } from '../../src/reconciliation/try-statement.ts';
import { transaction } from '../../src/resources/postgres.ts';

const RUNS = Number(process.env.SKEIN_FUZZ_HISTORIES ?? 15);

let database: Awaited<ReturnType<typeof testDatabase>>;
let client: pg.Client;
beforeAll(async () => {
  database = await testDatabase('persons');
  client = new pg.Client(database.url);
  await client.connect();
  await ensureBackupTable(client);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const AT = '2026-01-05 12:00:00.000004';
const key = fc.constantFrom('email', 'a b', 'x"y', 'back\\slash', '{a,b}', 'NULL', '', 'ключ', "it's", 'n');
const value = fc.constantFrom(
  '1',
  '1.0',
  '"1"',
  'true',
  '9007199254740993',
  '{"b":[null],"a":1}',
  '"q\\"\\\\"',
  '1e20',
);
const members: fc.Arbitrary<Record<string, string>> = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
const metadata = fc.option(fc.constantFrom('null', '{}', '{"email":"t","n":"t"}', '[1]'));
const change = fc
  .record({ key, operation: fc.constantFrom('set', 'set_once', 'unset'), value, replaces: fc.boolean() })
  .map((c): Change => ({ ...c, at: AT, value: c.operation === 'unset' ? null : c.value }));
const person = fc.record({
  members,
  updated: metadata,
  operation: metadata,
  version: fc.option(fc.nat(2)),
  found: fc.nat(2),
  changes: fc.uniqueArray(change, { minLength: 1, maxLength: 4, selector: (c) => c.key }),
});
type Person = typeof person extends fc.Arbitrary<infer T> ? T : never;

const object = (map: Readonly<Record<string, string>>) =>
  `{${Object.entries(map)
    .map(([k, v]) => `${JSON.stringify(k)}:${v}`)
    .join(',')}}`;
const before = (p: Person): PersonProperties => ({
  properties: object(p.members),
  lastUpdatedAt: p.updated,
  lastOperation: p.operation,
});

let team = 0;
async function insert(persons: readonly Person[]): Promise<PersonDiff[]> {
  team++;
  const diffs = persons.map((p) => ({ personId: randomUUID(), version: BigInt(p.found), changes: p.changes }));
  await client.query(
    `INSERT INTO posthog_person (created_at, properties, properties_last_updated_at, properties_last_operation, uuid, version, team_id)
     SELECT '2026-01-01T00:00:00Z', i.p::jsonb, i.u::jsonb, i.o::jsonb, i.id, i.v, $1
     FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[]) AS i(id, p, u, o, v)`,
    [
      team,
      diffs.map((diff) => diff.personId),
      persons.map((p) => object(p.members)),
      persons.map((p) => p.updated),
      persons.map((p) => p.operation),
      persons.map((p) => p.version),
    ],
  );
  return diffs;
}

async function apply(diffs: readonly PersonDiff[], backsUp = true) {
  const target = { client, teamId: team, backupRunId: backsUp ? 'run' : undefined };
  const persons = await transaction(client, () => applyInPlace(target, prepareChanges(diffs)));
  return new Map([...persons].map(([id, person]) => [id, personMessage(person)]));
}

async function stored(table: string, columns: string): Promise<Map<string, Record<string, string | null>>> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT uuid, ${columns} FROM ${table} WHERE team_id = $1`,
    [team],
  );
  return new Map(rows.map((row) => [row.uuid ?? '', row]));
}
const PERSON = 'properties::text AS p, properties_last_updated_at::text AS u, properties_last_operation::text AS o';
const AFTER =
  'properties_after::text AS p, properties_last_updated_at_after::text AS u, properties_last_operation_after::text AS o';
const same = (text: string | null | undefined) => (typeof text === 'string' ? canonicalJson(text) : text);

test(
  'random persons and changes: those that are taken are what the rules say, the others are as they were',
  async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(person, { minLength: 30, maxLength: 60 }), async (persons) => {
        const diffs = await insert(persons);
        const messages = await apply(diffs);
        const [rows, versions] = [
          await stored('posthog_person', PERSON),
          await stored('posthog_person', 'version::text AS v'),
        ];
        const [was, is] = [
          await stored('posthog_person_reconciliation_backup', PERSON),
          await stored('posthog_person_reconciliation_backup', AFTER),
        ];
        for (const [i, p] of persons.entries()) {
          const id = diffs[i]?.personId ?? '';
          const row = rows.get(id);
          const hasOnce = p.changes.some((c) => c.operation === 'set_once' && !c.replaces && c.key in p.members);
          const takes = (p.version ?? 0) === p.found && !hasOnce;
          expect(messages.has(id)).toBe(takes);
          const expected = takes ? applyChanges(before(p), p.changes) : undefined;
          if (!takes || !expected) {
            expect([row?.p, row?.u, row?.o].map(same)).toEqual([object(p.members), p.updated, p.operation].map(same));
            expect(is.has(id)).toBe(false);
            continue;
          }
          taken++;
          const after = [expected.properties, expected.lastUpdatedAt, expected.lastOperation].map(same);
          expect([row?.p, row?.u, row?.o].map(same)).toEqual(after);
          expect(versions.get(id)?.v).toBe(String(p.found + 1));
          const message = JSON.parse(String(messages.get(id)?.value)) as { properties: string; version: number };
          expect(same(message.properties)).toEqual(after[0]);
          expect(message.version).toBe(p.found + 1);
          expect(message.properties).not.toMatch(/0{20}(?!e0)/);
          const backup = [was.get(id), is.get(id)];
          expect([backup[0]?.p, backup[0]?.u, backup[0]?.o].map(same)).toEqual(
            [object(p.members), p.updated, p.operation].map(same),
          );
          expect([backup[1]?.p, backup[1]?.u, backup[1]?.o].map(same)).toEqual(after);
        }
      }),
      { numRuns: RUNS },
    );
    expect(taken).toBeGreaterThan(20);
  },
  120_000 + RUNS * 10_000,
);

const plain = (changes: readonly Change[]): Person => ({
  members: { email: '"old"' },
  updated: null,
  operation: null,
  version: 1,
  found: 1,
  changes: [...changes],
});
const set = (text: string): Change => ({
  key: 'email',
  operation: 'set',
  value: JSON.stringify(text),
  at: AT,
  replaces: true,
});

const refusal = (diffs: readonly PersonDiff[]) => apply(diffs).then(() => 'none', refusalOf);

test('one row over the limit: refused as that, and nothing is taken', async () => {
  const diffs = await insert([plain([set('new')]), plain([set(randomUUID().repeat(20_000))])]);
  expect(await refusal(diffs)).toBe('too_large');
  const [small] = diffs;
  expect((await apply(small ? [small] : [])).size).toBe(1);
});

test('a second change of a person in one run is refused, and nothing is taken', async () => {
  const [first, second] = await insert([plain([set('new')]), plain([set('new')])]);
  if (!first || !second) throw new Error('no persons');
  await apply([first]);
  expect(await refusal([{ ...first, version: 2n, changes: [set('newer')] }, second])).toBe('backed_up_before');
  expect((await apply([second])).size).toBe(1);
});

test('the planner, which knows nothing of the team yet, goes from person to person', async () => {
  const diffs = await insert(Array.from({ length: 3_000 }, () => plain([set('new')])));
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${APPLY_AND_BACK_UP_CHANGES}`, [
    team,
    ...prepareChanges(diffs.slice(0, 2_000)).parameters,
    'run',
  ]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Index Scan using posthog_person_team_uuid[^]*Tid Scan on posthog_person p/);
  expect(plan).not.toMatch(/Seq Scan|(Hash|Merge) Join/);
});

test('without a run there is no backup', async () => {
  const diffs = await insert([plain([set('new')])]);
  expect((await apply(diffs, false)).size).toBe(1);
  const { rows } = await client.query('SELECT 1 FROM posthog_person_reconciliation_backup WHERE team_id = $1', [team]);
  expect(rows).toEqual([]);
});

test('a row that moves while the statement waits for it is left alone, whatever its writer did', async () => {
  const diffs = await insert([plain([set('new')]), plain([set('new')])]);
  const other = new pg.Client(database.url);
  await other.connect();
  const moving = diffs[0]?.personId ?? '';
  await other.query('BEGIN');
  await other.query(
    `UPDATE posthog_person SET properties = properties || '{"theirs":1}', version = version + 1 WHERE uuid = $1`,
    [moving],
  );
  const { rows: pids } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const applied = apply(diffs);
  const waits = async () =>
    (
      await other.query<{ w: string | null }>('SELECT wait_event_type AS w FROM pg_stat_activity WHERE pid = $1', [
        pids[0]?.pid,
      ])
    ).rows[0]?.w === 'Lock';
  while (!(await waits())) await new Promise((resolve) => setImmediate(resolve));
  await other.query('COMMIT');
  await other.end();
  expect([...(await applied).keys()]).toEqual([diffs[1]?.personId]);
  const rows = await stored('posthog_person', 'properties::text AS p');
  expect(rows.get(moving)?.p).toBe('{"email": "old", "theirs": 1}');
});
