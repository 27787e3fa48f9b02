/**
 * Random event histories for the tests, with merges, overrides, deletions, ties, nulls, odd keys and exact numbers, and a
 * plain model in memory of what must be found in them, which knows nothing of the code under test.
 */

import { randomUUID } from 'node:crypto';

import fc from 'fast-check';

import { canonicalJson } from '../../src/reconciliation/json-text.ts';
import { FILTERED_KEYS } from '../../src/reconciliation/filtered-keys.ts';
import type { EventInput, World } from './world.ts';

export const NOW = new Date('2026-01-03T00:00:00Z');
export const START = new Date('2026-01-01T00:00:00Z');
export const HOUR_MS = 3_600_000;

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
export const members = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
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
export const scenario = fc.record({
  events: fc.array(event, { minLength: 10, maxLength: 40 }),
  persons: fc.array(personState, { minLength: 6, maxLength: 6 }),
  overrides: fc.uniqueArray(override, { maxLength: 4, selector: (o) => `${o.distinctId}-${o.version}` }),
  endHalf: fc.integer({ min: 1, max: 96 }),
  windowHours: fc.constantFrom(4, 7, 24, 100),
  sliceSize: fc.constantFrom(1, 2, 10),
  repair: fc.boolean(),
});
export type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

export const object = (map: Record<string, string>) =>
  `{${Object.entries(map)
    .map(([k, v]) => `${JSON.stringify(k)}:${v}`)
    .join(',')}}`;
const momentOf = (e: Scenario['events'][number]) => new Date(START.getTime() + (e.half * HOUR_MS) / 2);
const textOf = (e: Scenario['events'][number]) =>
  `${momentOf(e).toISOString().slice(0, 19).replace('T', ' ')}.${String(e.micro).padStart(6, '0')}`;

/** ClickHouse's order of UUIDs, which a test looks at. */
const half = (id: string) => id.slice(19) + id.slice(0, 19);
export const eventIds: string[] = Array.from({ length: 40 }, () => randomUUID()).sort((a, b) =>
  half(a) < half(b) ? -1 : 1,
);

/**
 * Several histories beside each other, each as a team of its own: a history is many small queries, one after the other,
 * and alone it leaves the servers idle.
 */
export async function holdsForMany<T>(one: fc.Arbitrary<T>, runs: number, holds: (value: T) => Promise<void>) {
  const many = fc.array(one, { minLength: AT_ONCE, maxLength: AT_ONCE });
  await fc.assert(
    fc.asyncProperty(many, async (values) => {
      // All of them end, so that none goes on beside the next attempt.
      const results = await Promise.allSettled(values.map(holds));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    }),
    { numRuns: Math.ceil(runs / AT_ONCE) },
  );
}
const AT_ONCE = 5;

export async function load(world: World, team: number, ids: readonly string[], s: Scenario): Promise<void> {
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

export function resolvedOperations(s: Scenario): Operation[] {
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

export interface ExpectedDiff {
  readonly version: number;
  readonly changes: readonly (readonly [key: string, operation: Operation['kind'], value: string | null, at: string])[];
}

/** By the number of the person. Values are in their canonical form. */
export function model(s: Scenario): Record<string, ExpectedDiff> {
  const result: Record<string, ExpectedDiff> = {};
  const all = resolvedOperations(s);
  for (const [person, state] of s.persons.entries()) {
    if (state.deleted) continue;
    const mine = all.filter((o) => o.person === person);
    const changes: ExpectedDiff['changes'][number][] = [];
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
