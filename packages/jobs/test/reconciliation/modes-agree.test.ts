/**
 * Random event histories, on real ClickHouse: both modes find the same differences, and so does a plain model in memory
 * that knows nothing of the code under test. With merges, overrides, deletions, ties, nulls, odd keys and exact numbers.
 */

import { randomUUID } from 'node:crypto';

import fc from 'fast-check';

import { canonicalJson } from '../../src/reconciliation/json-text.ts';
import { FILTERED_KEYS } from '../../src/reconciliation/filtered-keys.ts';
import { findDiffs, findDiffsInWindows } from '../../src/reconciliation/find-diffs.ts';
import { createPersonReads } from '../../src/reconciliation/person-reads.ts';
import type { PersonDiff } from '../../src/reconciliation/replay.ts';
import { createTeamLog } from '../../src/reconciliation/team-log.ts';
import { type EventInput, type World, openWorld } from './world.ts';

let world: World;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());

const NOW = new Date('2026-01-03T00:00:00Z');
const START = new Date('2026-01-01T00:00:00Z');
const HOUR_MS = 3_600_000;

const key = fc.constantFrom('email', 'plan', 'ключ', 'a b', 'x"y', 'dotted.key', '', '$browser', '$os', 'n');
/** Texts, so that numbers stay as written; none beyond 64 bits or a double. */
const value = fc.constantFrom(
  '1',
  '1.0',
  '"1"',
  'true',
  'null',
  '9007199254740993',
  '9007199254740992',
  '18446744073709551615',
  '-9223372036854775808',
  '[1,2]',
  '{"a":1,"b":[null]}',
  '{"b":[null],"a":1}',
  '"é"',
  '""',
  '0.1',
  '1e3',
  '0',
  '-0.0',
  'false',
);
const members = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
const event = fc.record({
  person: fc.nat(5),
  distinctId: fc.nat(3),
  // Few moments, so that there are many ties; some before, some after all windows.
  half: fc.integer({ min: -2, max: 98 }),
  micro: fc.constantFrom(0, 0, 0, 1),
  set: fc.option(members),
  once: fc.option(members),
  unset: fc.option(fc.array(key, { maxLength: 3 })),
});
const personState = fc.record({
  members,
  version: fc.nat(3),
  deleted: fc.constantFrom(false, false, false, true),
  older: fc.option(members),
});
const override = fc.record({
  distinctId: fc.nat(3),
  to: fc.nat(5),
  version: fc.integer({ min: 1, max: 3 }),
  deleted: fc.constantFrom(false, false, true),
});
const scenario = fc.record({
  events: fc.array(event, { maxLength: 40 }),
  persons: fc.array(personState, { minLength: 6, maxLength: 6 }),
  overrides: fc.uniqueArray(override, { maxLength: 4, selector: (o) => `${o.distinctId}-${o.version}` }),
  endHalf: fc.integer({ min: 1, max: 96 }),
  windowHours: fc.constantFrom(1, 5, 24, 100),
  sliceSize: fc.constantFrom(1, 2, 10),
  repair: fc.boolean(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const object = (map: Record<string, string>) =>
  `{${Object.entries(map)
    .map(([k, v]) => `${JSON.stringify(k)}:${v}`)
    .join(',')}}`;
const momentOf = (e: Scenario['events'][number]) => new Date(START.getTime() + (e.half * HOUR_MS) / 2);
const textOf = (e: Scenario['events'][number]) =>
  `${momentOf(e).toISOString().slice(0, 19).replace('T', ' ')}.${String(e.micro).padStart(6, '0')}`;

/** ClickHouse's order of UUIDs, see the last test. */
const half = (id: string) => id.slice(19) + id.slice(0, 19);
const eventIds: string[] = Array.from({ length: 40 }, () => randomUUID()).sort((a, b) => (half(a) < half(b) ? -1 : 1));

test('both modes and the model agree on random histories', async () => {
  let team = 1_000;
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => {
      team++;
      const ids = s.persons.map(() => randomUUID());
      await load(team, ids, s);
      const expected = model(s);
      const log = createTeamLog({ debug() {}, info() {}, warn() {}, error() {} }, team);
      const signal = new AbortController().signal;
      const search = {
        reads: createPersonReads(world.clickhouse, team, signal),
        log,
        signal,
        start: START,
        now: NOW,
        repairMissingKeys: s.repair,
      };
      const single: PersonDiff[] = [];
      for await (const block of findDiffs(search)) single.push(...block);
      const windowed = async (end: Date) => {
        const found: PersonDiff[] = [];
        for await (const slice of findDiffsInWindows({
          ...search,
          end,
          windowSeconds: s.windowHours * 3600,
          personBatchSize: s.sliceSize,
        }))
          found.push(...slice.diffs);
        return found;
      };
      const plain = (diffs: readonly PersonDiff[]) =>
        Object.fromEntries(
          diffs.map((diff) => [
            (ids as readonly string[]).indexOf(diff.personId),
            {
              version: Number(diff.version),
              changes: diff.changes.map((c) => [
                c.key,
                c.operation,
                c.value === null ? null : canonicalJson(c.value),
                c.at,
              ]),
            },
          ]),
        );
      expect(plain(single)).toEqual(expected);
      changes += single.reduce((sum, diff) => sum + diff.changes.length, 0);
      expect(plain(await windowed(NOW))).toEqual(expected);
      const end = new Date(START.getTime() + (s.endHalf * HOUR_MS) / 2);
      const affected = new Set(
        resolvedOperations(s)
          .filter((o) => o.at < end.toISOString().slice(0, 19).replace('T', ' '))
          .map((o) => o.person),
      );
      expect(plain(await windowed(end))).toEqual(
        Object.fromEntries(Object.entries(expected).filter(([person]) => affected.has(Number(person)))),
      );
    }),
    { numRuns: Number(process.env.SKEIN_TEST_RUNS ?? 40) },
  );
  // Histories without differences would prove nothing.
  expect(changes).toBeGreaterThan(20);
}, 300_000);

async function load(team: number, ids: readonly string[], s: Scenario): Promise<void> {
  const events = s.events.map((e, i): EventInput => ({
    team,
    at: textOf(e),
    person: ids[e.person] ?? randomUUID(),
    distinctId: `d${e.distinctId}`,
    uuid: eventIds[i] ?? randomUUID(),
    properties: object({
      ...(e.set ? { $set: object(e.set) } : {}),
      ...(e.once ? { $set_once: object(e.once) } : {}),
      ...(e.unset ? { $unset: JSON.stringify(e.unset) } : {}),
    }),
  }));
  if (events.length > 0) await world.events(...events);
  const rows: object[] = [];
  for (const [i, state] of s.persons.entries()) {
    const row = (properties: Record<string, string>, version: number, deleted: boolean) => ({
      id: ids[i],
      team_id: team,
      properties: object(properties),
      version,
      is_deleted: deleted ? 1 : 0,
      is_identified: 0,
      created_at: '2026-01-01 00:00:00',
    });
    if (state.older && state.version > 0) rows.push(row(state.older, state.version - 1, false));
    rows.push(row(state.members, state.version, state.deleted));
  }
  await world.clickhouse.insert('person', rows);
  if (s.overrides.length > 0) {
    await world.clickhouse.insert(
      'person_distinct_id_overrides',
      s.overrides.map((o) => ({
        team_id: team,
        distinct_id: `d${o.distinctId}`,
        person_id: ids[o.to],
        version: o.version,
        is_deleted: o.deleted ? 1 : 0,
      })),
    );
  }
}

interface Operation {
  readonly person: number;
  readonly key: string;
  readonly kind: 'set' | 'set_once' | 'unset';
  readonly value: string | null;
  readonly at: string;
  readonly order: number;
}

function resolvedOperations(s: Scenario): Operation[] {
  const operations: Operation[] = [];
  for (const [order, e] of s.events.entries()) {
    if (momentOf(e) < START || momentOf(e) >= NOW) continue;
    const newest = s.overrides.filter((o) => o.distinctId === e.distinctId).sort((a, b) => b.version - a.version)[0];
    const person = newest && !newest.deleted ? newest.to : e.person;
    const add = (kind: Operation['kind'], key: string, value: string | null) => {
      if (!FILTERED_KEYS.includes(key) && value !== 'null')
        operations.push({ person, key, kind, value, at: textOf(e), order });
    };
    for (const [k, v] of Object.entries(e.set ?? {})) add('set', k, v);
    for (const [k, v] of Object.entries(e.once ?? {})) add('set_once', k, v);
    for (const k of e.unset ?? []) add('unset', k, null);
  }
  return operations;
}

function model(s: Scenario): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const all = resolvedOperations(s);
  for (const [person, state] of s.persons.entries()) {
    if (state.deleted) continue;
    const mine = all.filter((o) => o.person === person);
    const changes: unknown[] = [];
    for (const k of [...new Set(mine.map((o) => o.key))].sort((a, b) => (a < b ? -1 : 1))) {
      const was = state.members[k];
      // Time order; of one moment set_once, set, unset; of one kind and moment the greater event id counts last.
      const rank = { set_once: 0, set: 1, unset: 2 };
      const ofKey = mine
        .filter((o) => o.key === k)
        .sort((a, b) => a.at.localeCompare(b.at) || rank[a.kind] - rank[b.kind] || a.order - b.order);
      const newest = (kind: Operation['kind']) => ofKey.filter((o) => o.kind === kind).at(-1);
      const earliestOnce = ofKey.find((o) => o.kind === 'set_once');
      let now: string | undefined = was;
      let last: Operation | undefined;
      for (const o of ofKey) {
        if (o.kind === 'set_once' && (o !== earliestOnce || now !== undefined)) continue;
        if (o.kind === 'set' && (o !== newest('set') || (was === undefined && !s.repair))) continue;
        if (o.kind === 'unset' && o !== newest('unset')) continue;
        now = o.value ?? undefined;
        last = o;
      }
      const [before, after] = [was, now].map((text) => (text === undefined ? undefined : canonicalJson(text)));
      if (last && before !== after) changes.push([k, last.kind, after ?? null, last.at]);
    }
    if (changes.length > 0) result[person] = { version: state.version, changes };
  }
  return result;
}

test('the order of event ids in the model is ClickHouse’s', async () => {
  const rows = await world.clickhouse.rows<{ id: string }>(
    'SELECT toString(arrayJoin({ids:Array(UUID)}) AS u) AS id ORDER BY u',
    { params: { ids: eventIds } },
  );
  expect(eventIds).toEqual(rows.map((row) => row.id));
});
