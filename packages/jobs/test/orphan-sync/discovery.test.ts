/** Who is an orphan: the reference's cases, each in a table whose parts are not merged, and again after a merge. */

import { randomUUID } from 'node:crypto';

import { TeamInClickHouse } from '../../src/orphan-sync/clickhouse-reads.ts';
import { type World, openWorld } from './persons-world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.resources.clickhouse.command('SYSTEM STOP MERGES person');
  await world.resources.clickhouse.command('SYSTEM STOP MERGES person_distinct_id2');
});
afterAll(() => world.close());

const NEVER = new AbortController().signal;
const find = async (team: number, rows = 1_000) =>
  (
    await new TeamInClickHouse(world.resources.clickhouse, team, NEVER).orphans(null, { after: null, upTo: null, rows })
  ).map((orphan) => orphan.person_id);

interface Case {
  readonly name: string;
  readonly orphan: boolean;
  /** Versions of the person, one insert each; L = live, D = deleted. */
  readonly person: readonly (readonly ['L' | 'D', number, string?])[];
  /** Rows of the id, one insert each; `other` is another, live person with an id of its own. */
  readonly mapping?: readonly (readonly ['L' | 'D', number, 'self' | 'other', string?])[];
  readonly otherTeam?: boolean;
}

const EARLY = '2024-01-01 00:00:00';
const LATE = '2024-01-01 00:00:09';
const cases: readonly Case[] = [
  { name: 'D1 a person without a mapping', orphan: true, person: [['L', 0]] },
  { name: 'D2 a live mapping', orphan: false, person: [['L', 0]], mapping: [['L', 0, 'self']] },
  { name: 'D3 only a tombstoned mapping', orphan: true, person: [['L', 0]], mapping: [['D', 3, 'self']] },
  {
    name: 'D4 a mapping that was deleted later',
    orphan: true,
    person: [['L', 0]],
    mapping: [
      ['L', 0, 'self'],
      ['D', 1, 'self'],
    ],
  },
  {
    name: 'a mapping that was brought back',
    orphan: false,
    person: [['L', 0]],
    mapping: [
      ['L', 0, 'self'],
      ['D', 1, 'self'],
      ['L', 2, 'self'],
    ],
  },
  {
    name: 'rows that came in the wrong order',
    orphan: false,
    person: [['L', 0]],
    mapping: [
      ['L', 2, 'self'],
      ['D', 1, 'self'],
    ],
  },
  {
    name: 'D5 a person deleted later',
    orphan: false,
    person: [
      ['L', 0],
      ['D', 5],
    ],
  },
  {
    name: 'a deleted person that came back',
    orphan: true,
    person: [
      ['L', 0],
      ['D', 5],
      ['L', 6],
    ],
  },
  {
    name: 'a late tombstone of an old version',
    orphan: true,
    person: [
      ['L', 6],
      ['D', 5],
    ],
  },
  {
    name: 'D7 the same version live and deleted, the deletion later',
    orphan: false,
    person: [
      ['L', 0, EARLY],
      ['D', 0, LATE],
    ],
  },
  {
    name: 'D7 in the same second',
    orphan: false,
    person: [
      ['L', 0, EARLY],
      ['D', 0, EARLY],
    ],
  },
  {
    name: 'a mapping’s versions tie, the tombstone later',
    orphan: true,
    person: [['L', 0]],
    mapping: [
      ['L', 1, 'self', EARLY],
      ['D', 1, 'self', LATE],
    ],
  },
  {
    name: 'D8 a mapping in another team only',
    orphan: true,
    person: [['L', 0]],
    mapping: [['L', 0, 'self']],
    otherTeam: true,
  },
  {
    name: 'D9 the id moved to another person',
    orphan: true,
    person: [['L', 0]],
    mapping: [
      ['L', 0, 'self'],
      ['L', 1, 'other'],
    ],
  },
  {
    name: 'the id moved here from another person',
    orphan: false,
    person: [['L', 0]],
    mapping: [
      ['L', 0, 'other'],
      ['L', 1, 'self'],
    ],
  },
];

test.each(cases)('$name: orphan $orphan', async ({ orphan, person, mapping = [], otherTeam }) => {
  const team = world.newTeam();
  const id = randomUUID();
  const other = randomUUID();
  await world.chPersons([{ team_id: team, id: other }]);
  await world.chMappings([{ team_id: team, distinct_id: 'of the other', person_id: other }]);
  for (const [state, version, _timestamp = EARLY] of person)
    await world.chPersons([{ team_id: team, id, version, is_deleted: state === 'D' ? 1 : 0, _timestamp }]);
  for (const [state, version, who, _timestamp = EARLY] of mapping) {
    await world.chMappings([
      {
        team_id: otherTeam ? team + 10_000 : team,
        distinct_id: 'the id',
        person_id: who === 'self' ? id : other,
        version,
        is_deleted: state === 'D' ? 1 : 0,
        _timestamp,
      },
    ]);
  }
  const expected = orphan ? [id] : [];
  expect(await find(team)).toEqual(expected);

  const { clickhouse } = world.resources;
  for (const table of ['person', 'person_distinct_id2']) await clickhouse.command(`SYSTEM START MERGES ${table}`);
  for (const table of ['person', 'person_distinct_id2']) await clickhouse.command(`OPTIMIZE TABLE ${table} FINAL`);
  expect(await find(team)).toEqual(expected);
  for (const table of ['person', 'person_distinct_id2']) await clickhouse.command(`SYSTEM STOP MERGES ${table}`);
});

test('pages follow (created_at, id) without gap or repetition, as one query orders them', async () => {
  const team = world.newTeam();
  const ids = await world.chPersons(
    Array.from({ length: 60 }, (_, i) => ({ team_id: team, created_at: `2024-01-01 00:00:0${i % 3}.00${i % 2}` })),
  );
  const reader = new TeamInClickHouse(world.resources.clickhouse, team, NEVER);
  const whole = await reader.orphans(null, { after: null, upTo: null, rows: 1_000 });
  expect(new Set(whole.map((orphan) => orphan.person_id))).toEqual(new Set(ids));
  const paged = [];
  for (let after: (typeof whole)[number] | null = null; ;) {
    const page = await reader.orphans(null, { after, upTo: null, rows: 7 });
    paged.push(...page);
    if (page.length < 7) break;
    after = page.at(-1) ?? null;
  }
  expect(paged).toEqual(whole);
  // The merge of several queries over named persons orders as ClickHouse does.
  expect(
    await reader.orphans([...ids].sort().concat(Array.from({ length: 300 }, () => randomUUID())), {
      after: null,
      upTo: null,
      rows: 1_000,
    }),
  ).toEqual(whole);
  const [, second, third, fourth] = whole;
  expect(await reader.orphans(null, { after: second ?? null, upTo: fourth ?? null, rows: 10 })).toEqual([
    third,
    fourth,
  ]);
});
