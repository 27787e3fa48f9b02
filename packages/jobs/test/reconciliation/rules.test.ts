/** The pure rules: replay, application, merge, restore, JSON as text. Numbers name the facts of the reference. */

import fc from 'fast-check';

import { Accumulator } from '../../src/reconciliation/accumulator.ts';
import {
  type PersonProperties,
  applyChanges,
  formatMetadataInstant,
  mergeChanges,
} from '../../src/reconciliation/apply.ts';
import {
  ReconciliationConfig,
  formatMoment,
  isWindowed,
  namedTeams,
  parseMoment,
  windowAt,
  windowCount,
} from '../../src/reconciliation/config.ts';
import { chunkTeams } from '../../src/reconciliation/discover-teams.ts';
import { equalJson, joinMembers, splitMembers, storableJson } from '../../src/reconciliation/json-text.ts';
import { PersonIds } from '../../src/reconciliation/person-ids.ts';
import { type Change, type KeyHistory, replayKey, replayPerson } from '../../src/reconciliation/replay.ts';
import { restorePerson } from '../../src/reconciliation/restore/rules.ts';

const at = (day: number) => `2026-01-${String(day).padStart(2, '0')} 12:00:00.000000`;
const history = (parts: Partial<KeyHistory>): KeyHistory => ({
  key: 'k',
  set: undefined,
  setOnce: undefined,
  unsetAt: undefined,
  unreadable: false,
  ...parts,
});
const set = (value: string, day: number) => ({ set: { value, at: at(day) } });
const once = (value: string, day: number) => ({ setOnce: { value, at: at(day) } });
const DEFAULT = { repairMissingKeys: false };

describe('replay', () => {
  const replay = (state: string | undefined, parts: Partial<KeyHistory>, options = DEFAULT) => {
    const change = replayKey(state, history(parts), options);
    return change && [change.operation, change.value, change.at];
  };
  test.each([
    ['66 set of another value', '"old"', set('"new"', 5), ['set', '"new"', at(5)]],
    ['67 set of the same value', '"same"', set('"same"', 5), undefined],
    ['69 set_once of a key that is lacking', undefined, once('"r"', 5), ['set_once', '"r"', at(5)]],
    ['70 set_once of a key that is there', '"e"', once('"n"', 5), undefined],
    ['a key that holds null is there', 'null', once('"n"', 5), undefined],
    ['72 unset of a key that is lacking', undefined, { unsetAt: at(5) }, undefined],
    ['18 unset', '"x"', { unsetAt: at(5) }, ['unset', null, at(5)]],
    ['47 set after unset', '"x"', { ...set('"y"', 15), unsetAt: at(10) }, ['set', '"y"', at(15)]],
    ['48 unset after set', '"x"', { ...set('"y"', 10), unsetAt: at(15) }, ['unset', null, at(15)]],
    ['set after unset to what is there already', '"x"', { ...set('"x"', 15), unsetAt: at(10) }, undefined],
    ['49 set_once after unset', '"x"', { ...once('"y"', 15), unsetAt: at(10) }, ['set_once', '"y"', at(15)]],
    ['50 unset after set_once', '"x"', { ...once('"y"', 10), unsetAt: at(15) }, ['unset', null, at(15)]],
    ['set_once and unset of a lacking key, unset last', undefined, { ...once('"y"', 10), unsetAt: at(15) }, undefined],
    ['tie of set and unset: unset is later', '"x"', { ...set('"y"', 10), unsetAt: at(10) }, ['unset', null, at(10)]],
    [
      'tie of set_once and unset: unset is later',
      '"x"',
      { ...once('"y"', 10), unsetAt: at(10) },
      ['unset', null, at(10)],
    ],
    ['a set of a lacking key is left out', undefined, set('"y"', 5), undefined],
    [
      'a set of a lacking key does not stop a set_once',
      undefined,
      { ...set('"y"', 5), ...once('"z"', 6) },
      ['set_once', '"z"', at(6)],
    ],
    ['78 another order of keys', '{"a":2,"b":1}', set('{"b":1,"a":2}', 5), undefined],
    ['true is not 1', '1', set('true', 5), ['set', 'true', at(5)]],
    ['a number that cannot be read', '1', { ...set('2', 5), unreadable: true }, undefined],
  ])('%s', (_name, state, parts, expected) => expect(replay(state, parts)).toEqual(expected));

  test('repair_missing_keys takes a set of a lacking key in', () => {
    expect(replay(undefined, set('"y"', 5), { repairMissingKeys: true })).toEqual(['set', '"y"', at(5)]);
    expect(replay(undefined, { ...set('"y"', 5), unsetAt: at(6) }, { repairMissingKeys: true })).toBeUndefined();
  });
  test('55: what is handed in stays as it is, whatever comes out of it', () => {
    const histories = [history({ key: 'b', ...set('2', 15), unsetAt: at(10) }), history({ key: 'a', unsetAt: at(10) })];
    const before = structuredClone(histories);
    for (const one of histories) Object.freeze(one);
    const find = (state: string | undefined) => replayPerson(() => state, Object.freeze(histories), DEFAULT);
    expect(find('1').map(({ key, operation }) => [key, operation])).toEqual([
      ['a', 'unset'],
      ['b', 'set'],
    ]);
    expect(find(undefined)).toEqual([]);
    expect(histories).toEqual(before);
  });
});

const change = (
  operation: Change['operation'],
  key: string,
  value: string | null,
  replaces = operation !== 'set_once',
): Change => ({ key, operation, value, at: at(15), replaces });
const person = (
  properties: string | null,
  updated: string | null = null,
  operation: string | null = null,
): PersonProperties => ({ properties, lastUpdatedAt: updated, lastOperation: operation });

describe('application, versions equal', () => {
  const apply = (before: PersonProperties, ...changes: Change[]) => {
    const applied = applyChanges(before, changes);
    return (
      applied &&
      [applied.properties, applied.lastUpdatedAt, applied.lastOperation].map((text) => JSON.parse(text) as unknown)
    );
  };
  const now = '2026-01-15T12:00:00+00:00';
  test('11: set into an empty person', () =>
    expect(apply(person('{}'), change('set', 'email', '"a"'))).toEqual([
      { email: 'a' },
      { email: now },
      { email: 'set' },
    ]));
  test('12: set over an older value', () =>
    expect(
      apply(person('{"email":"o"}', '{"email":"2024"}', '{"email":"set"}'), change('set', 'email', '"n"')),
    ).toEqual([{ email: 'n' }, { email: now }, { email: 'set' }]));
  test('13: set_once', () =>
    expect(apply(person('{"other":1}'), change('set_once', 'ref', '"g"'))).toEqual([
      { other: 1, ref: 'g' },
      { ref: now },
      { ref: 'set_once' },
    ]));
  test('14: set_once of what is there', () =>
    expect(apply(person('{"ref":"f"}'), change('set_once', 'ref', '"g"'))).toBeUndefined());
  test('15: all are added', () =>
    expect(
      apply(person('{"e":1}'), change('set', 'p1', '1'), change('set', 'p2', '2'), change('set_once', 'p3', '3'))?.[0],
    ).toEqual({ e: 1, p1: 1, p2: 2, p3: 3 }));
  test('16: everything null', () =>
    expect(apply(person(null), change('set', 'email', '"a"'))?.[0]).toEqual({ email: 'a' }));
  test('17: nothing', () => expect(apply(person('{}'))).toBeUndefined());
  test('18, 20: unset goes from all three maps', () =>
    expect(
      apply(
        person('{"email":1,"name":2}', '{"email":"t","name":"t"}', '{"email":"set","name":"set"}'),
        change('unset', 'email', null),
      ),
    ).toEqual([{ name: 2 }, { name: 't' }, { name: 'set' }]));
});

describe('three-way merge', () => {
  const merge = (base: string, theirs: string, ...changes: Change[]) => {
    const merged = mergeChanges(person(theirs), base, changes);
    return merged && (JSON.parse(merged.properties) as unknown);
  };
  test('164', () =>
    expect(merge('{"email":"o","name":"n"}', '{"name":"n","email":"o"}', change('set', 'email', '"e"'))).toEqual({
      email: 'e',
      name: 'n',
    }));
  test('165', () => expect(merge('{"email":"o"}', '{"email":"p"}', change('set', 'email', '"e"'))).toBeUndefined());
  test('167', () => expect(merge('{}', '{}', change('set_once', 'ref', '1'))).toEqual({ ref: 1 }));
  test('169', () =>
    expect(merge('{"email":"o","name":"n"}', '{"email":"o","name":"n"}', change('unset', 'email', null))).toEqual({
      name: 'n',
    }));
  test('170', () => expect(merge('{"email":"o"}', '{"email":"p"}', change('unset', 'email', null))).toBeUndefined());
  test('missing and null are the same, so a set is taken', () =>
    expect(merge('{}', '{"a":null}', change('set', 'a', '1'))).toEqual({ a: 1 }));
  test('a key that PostgreSQL removed stays removed', () =>
    expect(merge('{"a":1}', '{}', change('set', 'a', '2'))).toBeUndefined());
});

describe('restore', () => {
  const restore = (
    resolution: 'keep_newer' | 'restore_wins' | 'full_overwrite',
    c: object,
    b: object,
    a: object = c,
  ) => {
    const meta = (map: object) => JSON.stringify(Object.fromEntries(Object.keys(map).map((key) => [key, `m-${key}`])));
    const before = { properties: JSON.stringify(b), lastUpdatedAt: meta(b), lastOperation: meta(b) };
    const current = {
      properties: JSON.stringify(c),
      lastUpdatedAt: '{"name":"mine"}',
      lastOperation: '{"name":"mine"}',
    };
    const restored = restorePerson(current, before, JSON.stringify(a), resolution);
    return restored && [restored.properties, restored.lastUpdatedAt].map((text) => JSON.parse(text) as unknown);
  };
  test('216: full_overwrite gives exactly what was', () =>
    expect(restore('full_overwrite', { email: 'c', new: 1 }, { email: 'o' })).toEqual([
      { email: 'o' },
      { email: 'm-email' },
    ]));
  test('217: nothing to do', () => expect(restore('full_overwrite', { a: 1, b: 2 }, { b: 2, a: 1 })).toBeUndefined());
  test('218: restore_wins keeps brand-new keys', () =>
    expect(restore('restore_wins', { email: 'c', new: 1 }, { email: 'o' }, { email: 'r' })?.[0]).toEqual({
      email: 'o',
      new: 1,
    }));
  test('219, 223, 224: keep_newer', () =>
    expect(
      restore('keep_newer', { email: 'r', name: 'u' }, { email: 'o', name: 'on' }, { email: 'r', name: 'rn' }),
    ).toEqual([
      { email: 'o', name: 'u' },
      { email: 'm-email', name: 'mine' },
    ]));
  test('keep_newer removes a key that the reconciliation added and nobody changed', () =>
    expect(restore('keep_newer', { a: 1, added: 2 }, { a: 1 }, { a: 1, added: 2 })?.[0]).toEqual({ a: 1 }));
  test('keep_newer keeps an added key that was changed since', () =>
    expect(restore('keep_newer', { a: 1, added: 3 }, { a: 1 }, { a: 1, added: 2 })).toBeUndefined());
  test('keep_newer brings back what the reconciliation unset', () =>
    expect(restore('keep_newer', {}, { a: 1 }, {})?.[0]).toEqual({ a: 1 }));
});

describe('JSON as text', () => {
  test.each([
    ['1', '1.0'],
    ['1', '10e-1'],
    ['0', '-0.0'],
    ['123.0', '123'],
    ['1e3', '1000'],
    ['0.10', '0.1'],
    ['[1,  2]', '[1,2]'],
    ['"\\u00e9"', '"é"'],
    ['"a\\/b"', '"a/b"'],
    ['{"a":{"x":1,"y":[1.0]}}', '{"a":{"y":[1],"x":1}}'],
  ])('%s equals %s', (a, b) => expect(equalJson(a, b)).toBe(true));
  test.each([
    ['"5"', '5'],
    ['true', '1'],
    ['9007199254740993', '9007199254740992'],
    ['[1,2]', '[2,1]'],
    ['null', '0'],
    ['1', '-1'],
    ['{"a":1}', '{"a":1,"b":1}'],
  ])('%s differs from %s', (a, b) => expect(equalJson(a, b)).toBe(false));
  test('members of any object come apart as JSON.parse sees them, and together again', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), fc.boolean(), (object, pretty) => {
        const text = JSON.stringify(object, undefined, pretty ? 2 : undefined);
        const parsed = JSON.parse(text) as Record<string, unknown>;
        const members = splitMembers(text);
        expect(Object.fromEntries([...members].map(([key, raw]) => [key, JSON.parse(raw) as unknown]))).toEqual(parsed);
        expect(JSON.parse(joinMembers(members))).toEqual(parsed);
      }),
    );
  });
  test('of a key that stands twice the first counts; what is no object has no members', () => {
    expect([...splitMembers('{"a":1,"a":2}')]).toEqual([['a', '1']]);
    for (const text of ['', 'x', '[1]', '5', '{"a":1', '{"a" 1}', '{"a":}', '{a:1}'])
      expect(splitMembers(text).size).toBe(0);
  });
  test('U+0000 as an escape is replaced, an escaped backslash before u0000 is not', () => {
    expect(JSON.parse(storableJson('"a\\u0000b \\\\u0000"'))).toBe('a\ufffdb \\u0000');
  });
});

describe('accumulator', () => {
  const collect = (...parts: Partial<KeyHistory>[]) => {
    const accumulator = new Accumulator();
    for (const part of parts) accumulator.add({ personId: 'p', keys: [history(part)] });
    return [...accumulator.of('p')][0];
  };
  test('57', () => expect(collect(set('1', 12), set('2', 13))?.set?.value).toBe('2'));
  test('58', () => expect(collect(once('1', 13), once('2', 12))?.setOnce?.value).toBe('2'));
  test('56, 61: persons are added, and kept apart', () => {
    const accumulator = new Accumulator();
    accumulator.add({ personId: 'p', keys: [history(set('1', 12))] });
    accumulator.add({ personId: 'q', keys: [history(set('2', 12))] });
    expect(['p', 'q'].map((id) => [...accumulator.of(id)].map((kept) => kept.set?.value))).toEqual([['1'], ['2']]);
    expect(accumulator.personIds).toEqual(['p', 'q']);
  });
  test('59, 60: set and unset are both kept', () =>
    expect(collect({ unsetAt: at(12) }, set('1', 13))).toMatchObject({ unsetAt: at(12), set: { value: '1' } }));
  test('equal instants keep the first', () => expect(collect(set('1', 12), set('2', 12))?.set?.value).toBe('1'));
});

describe('time, chunks, ids, config', () => {
  test('82: windows', () => {
    const [start, now] = [new Date('2024-01-01T00:00:00Z'), new Date('2024-01-01T02:00:00.9Z')];
    expect(windowCount(start, now, 3600)).toBe(2);
    expect([0, 1].map((i) => Object.values(windowAt(start, now, 3600, i)).map(formatMoment))).toEqual([
      ['2024-01-01 00:00:00', '2024-01-01 01:00:00'],
      ['2024-01-01 01:00:00', '2024-01-01 02:00:00'],
    ]);
  });
  test.each([0, -100, 1])('80, 81: windows of %i seconds; 0 and below: none', (seconds) => {
    const config = { bug_window_start: '2026-01-01 00:00:00', bug_window_end: '2026-01-02 00:00:00', team_ids: [1] };
    const parsed = ReconciliationConfig.parse({ ...config, team_ch_props_fetch_window_seconds: seconds });
    expect(isWindowed(parsed)).toBe(seconds > 0);
  });
  test('84 to 86: moments are strict', () => {
    expect(formatMoment(parseMoment('2024-01-15 12:30:45') ?? new Date(0))).toBe('2024-01-15 12:30:45');
    for (const text of ['2024-02-30 00:00:00', '2024-01-15', '2024-01-15T12:30:45', '2024-01-15 25:00:00', ''])
      expect(parseMoment(text)).toBeUndefined();
  });
  test('87: a moment of another zone is written as UTC', () => {
    expect(formatMoment(new Date('2024-01-15T12:30:45-05:00'))).toBe('2024-01-15 17:30:45');
  });
  test('145: metadata has microseconds when there are any', () => {
    expect(formatMetadataInstant('2024-01-03 01:02:03.000004')).toBe('2024-01-03T01:02:03.000004+00:00');
    expect(formatMetadataInstant('2024-01-03 01:02:03.000000')).toBe('2024-01-03T01:02:03+00:00');
  });
  test('188: chunk keys', () => {
    expect(chunkTeams([7], 0).map((chunk) => chunk.key)).toEqual(['team_7']);
    expect(chunkTeams([7, 9, 10], 2).map((chunk) => chunk.key)).toEqual(['teams_7_9', 'team_10']);
    expect(chunkTeams([7, 9], 0)).toHaveLength(2);
  });
  test('ids come back as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.uuid(), { maxLength: 3_000 }), (ids) => {
        const packed = new PersonIds();
        for (const id of ids) packed.add(id);
        expect(packed.slice(0, packed.size)).toEqual(ids);
      }),
      { numRuns: 10 },
    );
  });
  test.each([
    [{}, /bug_window_start/],
    [{ bug_window_start: '2026-01-01 00:00:00' }, /bug_window_end must be provided/],
    [{ bug_window_start: '2026-01-01 00:00:00', team_ids: [] }, /bug_window_end must be provided/],
    [
      { bug_window_start: '2026-01-01 00:00:00', team_ids: [1], team_ch_props_fetch_window_seconds: 1 },
      /windowed mode/,
    ],
    [{ bug_window_start: '2026-01-01 00:00:00', bug_window_end: '2026-01-01 00:00:00' }, /later than bug_window_start/],
    [{ bug_window_start: '2026-1-1 00:00:00', team_ids: [1] }, /YYYY-MM-DD HH:MM:SS/],
    [
      {
        bug_window_start: '2026-01-01 00:00:00',
        bug_window_end: '2026-01-02 00:00:00',
        min_team_id: 100,
        max_team_id: 50,
      },
      /Invalid team_id range: min_team_id \(100\) cannot be greater than max_team_id \(50\)/,
    ],
    [{ bug_window_start: '2026-01-01 00:00:00', team_ids: [1], nonsense: 1 }, /nonsense/],
  ])('183 and others: config %j is refused', (config, message) =>
    expect(ReconciliationConfig.safeParse(config).error?.message).toMatch(message),
  );
  test('named teams', () => {
    expect(namedTeams({ team_ids: [3, 1, 3, 2], exclude_team_ids: [2] })).toEqual([1, 3]);
    expect(namedTeams({ team_ids: null, exclude_team_ids: [2] })).toBeNull();
  });
});
