/**
 * Facts about the differences that ClickHouse gives, each under its number in the reference where it has one, in both
 * modes. Each has a team of its own: events, the person as ClickHouse has it, and what must be found.
 */

import { randomUUID } from 'node:crypto';

import { findDiffs, findDiffsInWindows } from '../../src/reconciliation/find-diffs.ts';
import { createPersonReads } from '../../src/reconciliation/person-reads.ts';
import type { PersonDiff } from '../../src/reconciliation/replay.ts';
import { createTeamLog } from '../../src/reconciliation/team-log.ts';
import { type EventInput, NOW, daysAgo, openWorld, type World } from './world.ts';

let world: World;
let team = 0;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());
beforeEach(() => void team++);

const START = new Date(NOW.getTime() - 10 * 86_400_000);
type Found = readonly [key: string, operation: string, value: string | null, at?: string];
/** Days ago, or a moment; properties as JSON text or as a value. */
type Event = readonly [when: number | string, properties: unknown, more?: Partial<EventInput>];

const toJson = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
const at = (when: number | string) => (typeof when === 'number' ? daysAgo(when) : when);

async function load(events: readonly Event[], person: unknown, options: { version?: number } = {}): Promise<string> {
  const uuid = randomUUID();
  await world.chPerson({ team, uuid, raw: toJson(person), version: options.version ?? 1 });
  await send(events, uuid);
  return uuid;
}

async function send(events: readonly Event[], person: string): Promise<void> {
  await world.events(
    ...events.map(([when, properties, more]) => ({
      team,
      at: at(when),
      person,
      properties: toJson(properties),
      ...more,
    })),
  );
}

/** In both modes, which agree. */
async function find(): Promise<PersonDiff[]> {
  const signal = new AbortController().signal;
  const search = {
    reads: createPersonReads(world.clickhouse, team, signal),
    log: createTeamLog({ debug() {}, info() {}, warn() {}, error() {} }, team),
    signal,
    start: START,
    now: NOW,
    repairMissingKeys: false,
  };
  const single: PersonDiff[] = [];
  for await (const block of findDiffs(search)) single.push(...block);
  const windowed: PersonDiff[] = [];
  const windows = { ...search, end: NOW, windowSeconds: 43_200, personBatchSize: 10 };
  for await (const slice of findDiffsInWindows(windows)) windowed.push(...slice.diffs);
  const byPerson = (diffs: readonly PersonDiff[]) => [...diffs].sort((a, b) => (a.personId < b.personId ? -1 : 1));
  expect(byPerson(windowed)).toEqual(byPerson(single));
  return single;
}

async function expectFound(person: string, changes: readonly Found[]): Promise<void> {
  const diffs = await find();
  expect(diffs.map((diff) => diff.personId)).toEqual(changes.length === 0 ? [] : [person]);
  for (const [i, [key, operation, value, moment]] of changes.entries()) {
    expect(diffs[0]?.changes[i]).toMatchObject({ key, operation, value, ...(moment ? { at: moment } : {}) });
  }
  expect(diffs[0]?.changes.length ?? 0).toBe(changes.length);
}

const TYPES =
  '{"text":"x","int":42,"float":3.14159,"yes":true,"no":false,"list":[1,"two",true],"object":{"a":{"b":1}}}';
const OF_TYPES = (operation: string): Found[] => [
  ['float', operation, '3.14159'],
  ['int', operation, '42'],
  ['list', operation, '[1,"two",true]'],
  ['no', operation, 'false'],
  ['object', operation, '{"a":{"b":1}}'],
  ['text', operation, '"x"'],
  ['yes', operation, 'true'],
];
const OTHERS = { text: 1, int: 'x', float: 1, yes: 'x', no: 'x', list: 'x', object: 'x' };
const ODD_KEYS = ['with space', 'with.dot', 'with-dash', 'with_underscore', '日本語', 'q"uote'];

test.each<readonly [string, readonly Event[], unknown, readonly Found[]]>([
  [
    '92: the newest $set counts',
    [
      [5, { $set: { name: 'First' } }],
      [2, { $set: { name: 'Latest' } }],
    ],
    { name: 'Old' },
    [['name', 'set', '"Latest"', daysAgo(2)]],
  ],
  [
    '93: the earliest $set_once counts',
    [
      [5, { $set_once: { ref: 'g' } }],
      [2, { $set_once: { ref: 'f' } }],
    ],
    {},
    [['ref', 'set_once', '"g"', daysAgo(5)]],
  ],
  [
    '94, 48: an $unset after a $set has the last word',
    [
      [5, { $set: { email: 'new' } }],
      [2, { $unset: ['email'] }],
    ],
    { email: 'old' },
    [['email', 'unset', null, daysAgo(2)]],
  ],
  [
    '47: a $set after an $unset has the last word',
    [
      [5, { $unset: ['email'] }],
      [2, { $set: { email: 'new' } }],
    ],
    { email: 'old' },
    [['email', 'set', '"new"', daysAgo(2)]],
  ],
  [
    '95, 51, 9: one event with all three',
    [[5, { $set: { name: 'new' }, $set_once: { first: 1 }, $unset: ['dep'] }]],
    { name: 'old', dep: 'x' },
    [
      ['dep', 'unset', null],
      ['first', 'set_once', '1'],
      ['name', 'set', '"new"'],
    ],
  ],
  [
    '8: two keys unset, each at its moment',
    [
      [5, { $unset: ['email'] }],
      [4.5, { $unset: ['old'] }],
    ],
    { email: 'a@x', old: 1 },
    [
      ['email', 'unset', null, daysAgo(5)],
      ['old', 'unset', null, daysAgo(4.5)],
    ],
  ],
  [
    '5: operations that all come to nothing',
    [[5, { $set: { a: 1 }, $set_once: { a: 2 }, $unset: ['b'] }]],
    { a: 1 },
    [],
  ],
  ['96: seven types of JSON by $set', [[5, `{"$set":${TYPES}}`]], OTHERS, OF_TYPES('set')],
  ['98: seven types of JSON by $set_once', [[5, `{"$set_once":${TYPES}}`]], { other: 1 }, OF_TYPES('set_once')],
  ['99: null is left out', [[5, { $set_once: { keep: 'v', nul: null } }]], {}, [['keep', 'set_once', '"v"']]],
  ['107, 67: a $set of what is there', [[5, { $set: { a: 'same' } }]], { a: 'same' }, []],
  ['70: a $set_once of a key that is there', [[5, { $set_once: { ref: 'n' } }]], { ref: 'e' }, []],
  ['a $set_once of a key that holds null', [[5, { $set_once: { ref: 'n' } }]], '{"ref":null}', []],
  ['109, 72: an $unset of a key that is not there', [[5, { $unset: ['email'] }]], { other: 1 }, []],
  ['110: an empty $set', [[5, { $set: {} }]], { a: 1 }, []],
  [
    '116: odd keys',
    [[5, { $set: Object.fromEntries(ODD_KEYS.map((key) => [key, 1])) }]],
    Object.fromEntries(ODD_KEYS.map((key) => [key, 0])),
    ODD_KEYS.toSorted((a, b) => (a < b ? -1 : 1)).map((key) => [key, 'set', '1'] as const),
  ],
  [
    '135: $unset of keys with a quote and with a dot',
    [[5, { $unset: ['q"uote', 'with.dot'] }]],
    { 'q"uote': 1, 'with.dot': 1, stays: 1 },
    [
      ['q"uote', 'unset', null],
      ['with.dot', 'unset', null],
    ],
  ],
  [
    '121 to 124: another way of writing',
    [[5, '{"$set":{"a":123.0,"b":[1,  2],"c":"\\u00e9","d":0.10}}']],
    '{"a":123,"b":[1,2],"c":"é","d":0.1}',
    [],
  ],
  ['129: the text "null" is text', [[5, { $set: { a: 'null' } }]], { a: 1 }, [['a', 'set', '"null"']]],
  ['131: an event of the future', [['2099-01-01 00:00:00', { $set: { a: 2 } }]], { a: 1 }, []],
  ['an event before the window', [['2026-01-10 11:59:59.999999', { $set: { a: 2 } }]], { a: 1 }, []],
  ['an event at the start of the window', [['2026-01-10 12:00:00', { $set: { a: 2 } }]], { a: 1 }, [['a', 'set', '2']]],
  ['133: filtered keys in $unset', [[5, { $unset: ['$browser', 'o'] }]], { $browser: 1, o: 1 }, [['o', 'unset', null]]],
  ['filtered keys in $set and $set_once', [[5, { $set: { $os: 2 }, $set_once: { $pathname: 1 } }]], { $os: 1 }, []],
  [
    '$geoip_country_name and $initial_ keys are not filtered',
    [[5, { $set: { $geoip_country_name: 'x', $initial_os: 'y' } }]],
    { $geoip_country_name: '', $initial_os: '' },
    [
      ['$geoip_country_name', 'set', '"x"'],
      ['$initial_os', 'set', '"y"'],
    ],
  ],
  [
    '143: of a key that stands twice the first counts',
    [[5, '{"$set":{"a":"A","a":"B"}}']],
    { a: 1 },
    [['a', 'set', '"A"']],
  ],
  ['144: and so in the person', [[5, { $set: { a: 'A' } }]], '{"a":"A","a":"B"}', []],
  [
    '145: microseconds are kept',
    [['2026-01-15 00:00:00.000004', { $set: { a: 2 } }]],
    { a: 1 },
    [['a', 'set', '2', '2026-01-15 00:00:00.000004']],
  ],
  ['148: an event that is no JSON', [[5, '{"$set":{"a":2}']], { a: 1 }, []],
  ['149: $set is a list', [[5, '{"$set":[1],"$set_once":{"q":1}}']], { a: 1 }, [['q', 'set_once', '1']]],
  [
    '$unset as an object, as a text',
    [
      [5, '{"$unset":{"a":1}}'],
      [4, '{"$unset":"a"}'],
    ],
    { a: 1 },
    [],
  ],
  [
    'a person whose properties are no JSON has no keys',
    [[5, { $set: { a: 2 }, $set_once: { b: 1 } }]],
    'not json',
    [['b', 'set_once', '1']],
  ],
])('%s', async (_fact, events, person, found) => {
  await expectFound(await load(events, person), found);
});

test('4: three persons, each with its version and its own changes', async () => {
  const expected = new Map<string, unknown>();
  for (const [version, operation] of [
    [1, '$set'],
    [2, '$set'],
    [3, '$set_once'],
  ] as const) {
    const uuid = await load(
      [[5, { [operation]: { [`key${version}`]: 'new' } }]],
      { key1: 'old', key2: 'old' },
      { version },
    );
    expected.set(uuid, [BigInt(version), [[`key${version}`, operation.slice(1), '"new"']]]);
  }
  const found = (await find()).map(({ personId, version, changes }) => [
    personId,
    [version, changes.map(({ key, operation, value }) => [key, operation, value])],
  ]);
  expect(new Map(found as [string, unknown][])).toEqual(expected);
});

test('6: no events, no differences', async () => {
  await world.chPerson({ team, properties: { a: 1 } });
  expect(await find()).toEqual([]);
});

test('73, 52: two persons, each by itself', async () => {
  const first = await load(
    [
      [5, { $set: { email: 'new1' } }],
      [2, { $unset: ['x'] }],
    ],
    { email: 'old1', x: 1 },
  );
  const second = await load([[5, { $set_once: { source: 's' } }]], {});
  const diffs = new Map((await find()).map((diff) => [diff.personId, diff.changes.map((change) => change.key)]));
  expect(diffs).toEqual(
    new Map([
      [first, ['email', 'x']],
      [second, ['source']],
    ]),
  );
});

test('74: the difference has ClickHouse’s version', async () => {
  await load([[5, { $set: { a: 2 } }]], { a: 1 }, { version: 42 });
  expect((await find()).map((diff) => diff.version)).toEqual([42n]);
});

test('100, 103, 152: overrides lead to the newest person, of this team only; a deleted one leads nowhere', async () => {
  const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
  for (const uuid of [a, b, c]) await world.chPerson({ team, uuid, properties: { k: 'old' } });
  const override = (of: number, distinct_id: string, person_id: string, version: number, is_deleted = 0) => ({
    team_id: of,
    distinct_id,
    person_id,
    version,
    is_deleted,
  });
  await world.clickhouse.insert('person_distinct_id_overrides', [
    override(team, 'moved', b, 1),
    override(team, 'moved', c, 2),
    override(team, 'undone', b, 1),
    override(team, 'undone', b, 2, 1),
    override(team + 1_000_000, 'stranger', b, 1),
  ]);
  await send([[5, { $set: { k: 'moved' } }, { distinctId: 'moved' }]], a);
  expect((await find()).map((diff) => diff.personId)).toEqual([c]);
  await send(
    [
      [4, { $set: { k: 'new' } }, { distinctId: 'undone' }],
      [3, { $set: { k: 'newer' } }, { distinctId: 'stranger' }],
    ],
    a,
  ); // 152
  const found = new Map((await find()).map((diff) => [diff.personId, diff.changes[0]?.value]));
  expect(found).toEqual(
    new Map([
      [a, '"newer"'],
      [c, '"moved"'],
    ]),
  );
});

test('113: when the person was written does not matter', async () => {
  const uuid = await load([[9, { $set: { a: 2 } }]], { a: 1 });
  await expectFound(uuid, [['a', 'set', '2']]);
});

test('115: of two values at the same moment one is found, the same each time', async () => {
  await load(
    [
      [5, { $set: { a: 'x' } }],
      [5, { $set: { a: 'y' } }],
    ],
    { a: 1 },
  );
  const values = [await find(), await find()].map((diffs) => diffs[0]?.changes[0]?.value);
  expect(['"x"', '"y"']).toContain(values[0]);
  expect(values[1]).toBe(values[0]);
});

test('138, 139, 65: a person that ClickHouse lacks, and one that was deleted', async () => {
  await send([[5, { $set: { a: 2 } }]], randomUUID());
  const gone = await load([[5, { $set: { a: 2 } }]], { a: 1 }, { version: 7 });
  await world.chPerson({ team, uuid: gone, properties: { a: 1 }, version: 107, isDeleted: true });
  expect(await find()).toEqual([]);
});

test('161 to 163: the base is the oldest row at or after the version', async () => {
  const reads = createPersonReads(world.clickhouse, team, new AbortController().signal);
  const [five, empty, two] = [randomUUID(), randomUUID(), randomUUID()];
  await world.chPerson({ team, uuid: five, properties: { a: 5 }, version: 5 });
  await world.chPerson({ team, uuid: empty, properties: {}, version: 5 });
  for (const version of [6, 8]) await world.chPerson({ team, uuid: two, properties: { a: version }, version });
  const baseOf = async (personId: string, version: bigint) =>
    (await reads.bases([{ personId, version }])).get(personId);
  expect(await baseOf(five, 5n)).toBe('{"a":5}');
  expect(await baseOf(five, 3n)).toBe('{"a":5}');
  expect([await baseOf(five, 6n), await baseOf(five, 99n)]).toEqual([undefined, undefined]);
  expect(await baseOf(randomUUID(), 1n)).toBeUndefined();
  expect(await baseOf(empty, 1n)).toBe('{}');
  expect(['{"a":6}', '{"a":8}']).toContain(await baseOf(two, 5n));
});
