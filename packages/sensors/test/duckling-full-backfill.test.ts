/** The full sensors tick by tick on a virtual clock. */

import { daysBetween } from '@skein/orchestrator';
import {
  FullBackfillCursor,
  ducklingEventsFullBackfillSensor,
  ducklingPersonsFullBackfillSensor,
} from '@skein/sensors';
import fc from 'fast-check';

import { createWorld } from './duckling-ledger.ts';

const SENSOR = ducklingEventsFullBackfillSensor;
const NOW = '2026-02-10T00:00:30Z';
const keys = (outcome: { requests: readonly { partitions?: readonly string[] }[] }) =>
  outcome.requests.flatMap((r) => r.partitions ?? []);

test('begins at each team’s first day, takes turns, and ends the day before yesterday', async () => {
  const world = createWorld({ 1: '2026-02-05', 2: '2026-02-07', 3: null });
  const tick = await world.tick(SENSOR, NOW);
  expect(keys(tick)).toEqual([
    '1_2026-02-05',
    '2_2026-02-07',
    '1_2026-02-06',
    '2_2026-02-08',
    '1_2026-02-07',
    '1_2026-02-08',
  ]);
  expect(tick.requests[0]).toMatchObject({ tags: { duckling_backfill_type: 'full' }, priority: -10 });
});

test('at most 100 a tick and 100 in flight; the words say team, next day and what remains', async () => {
  const world = createWorld({ 1: '2020-06-01', 2: '2025-12-01' });
  const first = await world.tick(SENSOR, NOW);
  expect(first.requests).toHaveLength(100);
  expect(new Set(keys(first).map((k) => k[0]))).toEqual(new Set(['1', '2']));
  expect((first.cursor as FullBackfillCursor).position).toMatch(
    /^team 1 is next, at 2020-07-21; \d+ days of 2 teams remain up to 2026-02-08/,
  );
  expect((first.cursor as FullBackfillCursor).position).toContain(`; ${first.lag} days`);
  const second = await world.tick(SENSOR, '2026-02-10T00:01:30Z', first.cursor);
  expect(second.requests).toHaveLength(0);
  expect(second.skipReason).toMatch(/^100 runs are in flight/);
  expect(second.cursor).toEqual(first.cursor);
  expect(second.lag).toBe(first.lag);
  keys(first)
    .slice(0, 30)
    .forEach((key) => world.end(key, 'materialized', NOW));
  const third = await world.tick(SENSOR, '2026-02-10T00:02:30Z', second.cursor);
  expect(third.requests).toHaveLength(30);
});

test('98 runs in flight leave room for two', async () => {
  const world = createWorld({ 1: '2020-06-01' });
  expect((await world.tick(SENSOR, NOW, {}, { activeRuns: 98 })).requests).toHaveLength(2);
  const full = await createWorld({ 1: '2020-06-01' }).tick(SENSOR, NOW, {}, { activeRuns: 250 });
  expect(full.requests).toEqual([]);
});

test('two years of three teams: each day once, in order, then complete; the next UTC day brings one day each', async () => {
  const world = createWorld({ 1: '2024-02-10', 2: '2024-02-29', 3: '2025-12-30' });
  let cursor: unknown = {};
  let last;
  for (let minute = 0; minute < 60; minute++) {
    const at = `2026-02-10T00:${String(minute).padStart(2, '0')}:00Z`;
    last = await world.tick(SENSOR, at, cursor);
    cursor = last.cursor;
    world.endAll('materialized', at);
  }
  const expected = [
    ...daysBetween('2024-02-10', '2026-02-08').map((d) => `1_${d}`),
    ...daysBetween('2024-02-29', '2026-02-08').map((d) => `2_${d}`),
    ...daysBetween('2025-12-30', '2026-02-08').map((d) => `3_${d}`),
  ];
  expect([...world.launches].sort()).toEqual(expected.sort());
  for (const team of ['1', '2', '3']) {
    const mine = world.launches.filter((k) => k.startsWith(team));
    expect(mine).toEqual([...mine].sort());
  }
  expect(last?.skipReason).toBe(
    'every team is complete up to 2026-02-08 (3 teams, pass of 2026-02-10); the next pass begins after midnight UTC',
  );
  const lookups = world.lookups;
  await world.tick(SENSOR, '2026-02-10T23:59:59Z', cursor);
  expect(world.lookups).toBe(lookups);
  const tomorrow = await world.tick(SENSOR, '2026-02-11T00:00:10Z', cursor);
  expect(keys(tomorrow).sort()).toEqual(['1_2026-02-09', '2_2026-02-09', '3_2026-02-09']);
});

test.each([
  ['1960', '1960-02-29', '1_2015-01-01'],
  ['2010', '2010-03-01', '1_2015-01-01'],
  ['the limit', '2015-01-01', '1_2015-01-01'],
])('history from %s begins in 2015', async (_, first, key) => {
  expect(keys(await createWorld({ 1: first }).tick(SENSOR, NOW))[0]).toBe(key);
});

test('teams without rows, and teams whose rows lie in the future, do not hold up the pass', async () => {
  const world = createWorld({ 1: null, 2: '2200-01-01', 3: '2026-02-08', 9: null });
  const first = await world.tick(SENSOR, NOW);
  expect(keys(first)).toEqual(['3_2026-02-08']);
  world.endAll('materialized', NOW);
  const second = await world.tick(SENSOR, '2026-02-10T00:01:30Z', first.cursor);
  expect(second.skipReason).toMatch(/^every team is complete/);
});

test('what failed is tried again in the same pass, after growing waits, and is given up in the end', async () => {
  const world = createWorld({ 1: '2026-02-07' });
  let cursor: unknown = (await world.tick(SENSOR, NOW)).cursor;
  world.end('1_2026-02-08', 'materialized', NOW);
  world.end('1_2026-02-07', 'failed', NOW);
  const at: string[] = [];
  for (let minute = 1; minute < 400; minute++) {
    const now = new Date(Date.parse(NOW) + minute * 60_000).toISOString();
    const tick = await world.tick(SENSOR, now, cursor);
    cursor = tick.cursor;
    for (const key of keys(tick)) {
      at.push(String(minute));
      world.end(key, 'failed', now);
    }
  }
  expect(at).toEqual(['5', '15', '35', '75']);
  expect((cursor as FullBackfillCursor).position).toMatch(/complete up to 2026-02-08.*1 days are given up/);
});

test('cancelled and lost ones are launched again; queued and running ones are left alone', async () => {
  const world = createWorld({ 1: '2026-02-05' });
  world.states.set('1_2026-02-05', { outcome: 'missing', activity: 'running' });
  world.states.set('1_2026-02-06', { outcome: 'skipped', activity: 'idle' });
  world.end('1_2026-02-07', 'cancelled', '2026-02-09T20:00:00Z');
  expect(keys(await world.tick(SENSOR, NOW))).toEqual(['1_2026-02-07', '1_2026-02-08']);
});

test('a reset cursor starts over and launches only what is missing', async () => {
  const world = createWorld({ 1: '2026-02-01' });
  const first = await world.tick(SENSOR, NOW);
  world.endAll('materialized', NOW);
  const done = await world.tick(SENSOR, '2026-02-10T00:01:30Z', first.cursor);
  expect(done.skipReason).toMatch(/complete/);
  world.states.delete('1_2026-02-03');
  world.lastRuns.delete('1_2026-02-03');
  expect((await world.tick(SENSOR, '2026-02-10T00:02:30Z', done.cursor)).requests).toHaveLength(0);
  expect(keys(await world.tick(SENSOR, '2026-02-10T00:03:30Z', {}))).toEqual(['1_2026-02-03']);
});

test('a duckling added after the pass is complete is taken up by the next tick; a removed one is dropped', async () => {
  const world = createWorld({ 1: '2026-02-08' });
  const first = await world.tick(SENSOR, NOW);
  world.endAll('materialized', NOW);
  const done = await world.tick(SENSOR, '2026-02-10T00:01:30Z', first.cursor);
  world.firstDays = { 2: '2026-02-07' };
  const added = await world.tick(SENSOR, '2026-02-10T00:02:30Z', done.cursor);
  expect(keys(added)).toEqual(['2_2026-02-07', '2_2026-02-08']);
  expect(Object.keys((added.cursor as FullBackfillCursor).teams)).toEqual(['2']);
});

test('a tick that runs out of time stops where it is, and the next goes on', async () => {
  const world = createWorld({ 1: '2026-02-05' });
  const hurried = await world.tick(SENSOR, NOW, {}, { budgetMs: 100 });
  expect(hurried.requests).toHaveLength(0);
  expect(keys(await world.tick(SENSOR, NOW, hurried.cursor))).toHaveLength(4);
});

test('no duckling, nothing to do', async () => {
  expect((await createWorld({}).tick(SENSOR, NOW)).skipReason).toBe('no duckling is enabled');
});

test('the persons sensor is the same over the persons’ job', () => {
  expect(ducklingPersonsFullBackfillSensor.job.name).toBe('duckling_persons_backfill_job');
  expect(ducklingPersonsFullBackfillSensor.everyMs).toBe(60_000);
});

test('the cursor’s schema: {} is the beginning, and wrong fields are refused', () => {
  expect(FullBackfillCursor.parse({})).toMatchObject({
    pass_day: '',
    complete: false,
    sweep: 1,
    next_team: null,
    teams: {},
    position: 'not started',
  });
  expect(() => FullBackfillCursor.parse({ pass_day: '2026-02-30' })).toThrow();
  expect(() => FullBackfillCursor.parse({ teams: { x: { first_day: null, next_day: null } } })).toThrow();
});

test('whatever fails and however runs end, every day is materialized exactly as often as it was launched to success', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom('1', '2', '3', '4'), fc.constantFrom('2026-01-01', '2026-01-20', '2026-02-07'), {
        minKeys: 1,
      }),
      fc.array(fc.constantFrom('materialized', 'failed', 'cancelled', 'running'), { minLength: 20, maxLength: 200 }),
      async (firstDays, fates) => {
        const world = createWorld(firstDays);
        let cursor: unknown = {};
        let fate = 0;
        const succeeded = new Map<string, number>();
        for (let minute = 0; minute < 1_000; minute += 7) {
          const now = new Date(Date.parse(NOW) + minute * 60_000).toISOString();
          cursor = (await world.tick(SENSOR, now, cursor)).cursor;
          for (const [key, state] of world.states) {
            if (state.activity === 'idle') continue;
            const as = fates[fate++] ?? 'materialized';
            if (as === 'running') continue;
            if (as === 'materialized') succeeded.set(key, (succeeded.get(key) ?? 0) + 1);
            world.end(key, as as 'materialized', now);
          }
        }
        const expected = Object.entries(firstDays).flatMap(([id, first]) =>
          daysBetween(first, '2026-02-08').map((d) => `${id}_${d}`),
        );
        const abandoned = expected.filter((key) => (world.lastRuns.get(key)?.failures ?? 0) >= 5);
        expect([...succeeded.keys()].sort()).toEqual(expected.filter((key) => !abandoned.includes(key)).sort());
        expect(new Set(succeeded.values())).toEqual(succeeded.size > 0 ? new Set([1]) : new Set());
      },
    ),
    { numRuns: 25 },
  );
});
