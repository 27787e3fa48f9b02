/**
 * Windowed mode as operators watch it: the order of its queries and commits (facts 83, 260 and 263 of the reference), and what
 * the log and the metrics say when ClickHouse refuses one of the queries. The refusals are the server's own.
 */

import type { ClickHouse, QueryOptions } from '../../src/resources/clickhouse.ts';
import { AFFECTED_PERSONS } from '../../src/reconciliation/clickhouse-sql.ts';
import { type World, openWorld } from './world.ts';

let world: World;
let team = 0;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());
beforeEach(() => void team++);

const START = '2026-01-10 12:00:00';
const END = '2026-01-13 12:00:00';
const DAYS = ['2026-01-10 18:00:00', '2026-01-11 18:00:00', '2026-01-12 18:00:00'];
const NOW = new Date('2026-01-13T12:00:00Z');

type Query = 'affected' | 'window' | 'states';
const kindOf = (sql: string): Query =>
  sql === AFFECTED_PERSONS ? 'affected' : sql.includes('person_version') ? 'states' : 'window';

/** Tells of each query; the one that is named, at its n-th time, gets less memory than it needs. */
function watched(steps: string[], refused?: Query, time = 1): ClickHouse {
  let seen = 0;
  return {
    ...world.clickhouse,
    stream(sql, options: QueryOptions = {}) {
      const kind = kindOf(sql);
      steps.push(kind);
      if (kind !== refused || ++seen !== time) return world.clickhouse.stream(sql, options);
      return world.clickhouse.stream(sql, { ...options, settings: { ...options.settings, max_memory_usage: '1' } });
    },
  };
}

async function persons(count: number): Promise<string[]> {
  const uuids: string[] = [];
  for (let i = 0; i < count; i++) uuids.push(await world.person({ team, properties: { email: 'old' } }));
  await world.events(
    ...uuids.map((person, i) => ({ team, at: DAYS[i % 3] ?? START, person, properties: { $set: { email: 'new' } } })),
  );
  return uuids;
}

const windows = (clickhouse: ClickHouse, steps: string[]) => {
  const publisher: typeof world.publisher = {
    ...world.publisher,
    async publish(topic, messages) {
      await world.publisher.publish(topic, messages);
      const { rows } = await world.db.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM posthog_person WHERE team_id = $1 AND version = 2',
        [team],
      );
      steps.push(`${messages.length} published, ${rows[0]?.n} committed`);
    },
  };
  const config = { bug_window_start: START, bug_window_end: END, team_ids: [team] };
  return world.run(
    { ...config, team_ch_props_fetch_window_seconds: 86_400, person_batch_size: 10 },
    { now: NOW, clickhouse, publisher },
  );
};

test('260: 25 persons, 10 a batch, 3 windows: a batch is committed and published before the next is asked for', async () => {
  await persons(25);
  const steps: string[] = [];
  const result = await windows(watched(steps), steps);
  const slice = (n: number, committed: number) => [
    ...['window', 'window', 'window', 'states'],
    `${n} published, ${committed} committed`,
  ];
  expect(steps).toEqual(['affected', ...slice(10, 10), ...slice(10, 20), ...slice(5, 25)]);
  expect(result.result).toMatchObject({ persons_processed: 25, persons_updated: 25, persons_skipped: 0 });
});

test('83: old in one window, new in the next: one comparison, of one person, with the new', async () => {
  const uuid = await world.person({ team, properties: { email: 'older' } });
  await world.events(
    ...['old', 'new'].map((email, i) => ({
      team,
      at: DAYS[i] ?? START,
      person: uuid,
      properties: { $set: { email } },
    })),
  );
  const steps: string[] = [];
  await windows(watched(steps), steps);
  expect(steps).toEqual(['affected', 'window', 'window', 'states', '1 published, 1 committed']);
  expect(await world.pgState(uuid)).toMatchObject({
    properties: { email: 'new' },
    updatedAt: { email: '2026-01-11T18:00:00+00:00' },
  });
});

test('263, 64: no affected persons: zeros, and no window is asked for', async () => {
  const steps: string[] = [];
  const result = await windows(watched(steps), steps);
  expect(steps).toEqual(['affected']);
  expect(result.result).toMatchObject({ persons_processed: 0, persons_updated: 0, persons_skipped: 0 });
  expect(result.logs.map((line) => line.message)).toContain(
    `Completed team_id=${team} (windowed batched): processed=0, updated=0, skipped=0, person_batches=0`,
  );
});

test.each<[string, Query, number, (team: number) => string[], number]>([
  [
    'persons cannot be found',
    'affected',
    1,
    (id) => [`Failed to query affected persons for team_id=${id}, bug_window=[${START}, ${END}]`],
    0,
  ],
  [
    'a window of the second batch cannot be read',
    'window',
    5,
    (id) => [
      `Batch 2: failed to query window 2/3 [2026-01-11 12:00:00, 2026-01-12 12:00:00) for team_id=${id}`,
      `Batch 2: failed during windowed event collection for team_id=${id} after 1 windows, accumulated`,
    ],
    10,
  ],
  [
    'the persons of the first batch cannot be read',
    'states',
    1,
    (id) => [`Batch 1: failed to compare 10 persons against current state for team_id=${id}`],
    0,
  ],
])('%s: the log has the pattern with the stack, earlier batches stay', async (_what, query, time, patterns, kept) => {
  const uuids = await persons(12);
  const result = await windows(watched([], query, time), []);
  const errors = result.logs.filter((line) => line.level === 'error');
  const expected = [...patterns(team), `Failed team_id=${team}: `];
  expect(errors.map(({ message }, i) => message.startsWith(expected[i] ?? 'none'))).toEqual(expected.map(() => true));
  for (const { fields } of errors)
    expect(fields).toMatchObject({ team_id: team, error: expect.stringMatching(/memory[^]*\n\s+at /i) });
  const states = await Promise.all(uuids.map((uuid) => world.pgState(uuid)));
  expect(states.filter(({ version }) => version === '2')).toHaveLength(kept);
  expect(result.result).toMatchObject({ failed_team_ids: [team], persons_updated: kept });
  const rows = await world.clickhouse.rows(
    `SELECT increment, labels FROM custom_metrics_counter_events
     WHERE name = 'person_property_reconciliation_error' AND labels['team_id'] = {team:String}`,
    { params: { team: String(team) } },
  );
  const labels = { job_name: 'person_property_reconciliation_job', chunk_id: `team_${team}`, reason: 'error' };
  expect(rows).toEqual([{ increment: 1, labels: { ...labels, team_id: String(team) } }]);
  expect(result.counters.get('person_property_reconciliation_error')).toBe(1);
});
