/** The scan sensor on a virtual clock: rounds, turns, at most one scan a team and day, and a cursor that people edit. */

import type { Json } from '@skein/orchestrator';
import { type TickOptions, tickSensor } from '@skein/orchestrator/testing';

import { orphanScanSensor } from '../src/orphan-scan-sensor.ts';

const tick = (cursor: unknown, now: string, options: Partial<TickOptions> = {}) =>
  tickSensor(orphanScanSensor, { cursor: cursor as Json, now, resources: {}, ...options });
const keys = (outcome: Awaited<ReturnType<typeof tick>>) =>
  outcome.requests.flatMap((request) => request.partitions ?? []);

test('the initial cursor names no teams and says so', async () => {
  const outcome = await tick({}, '2026-02-10T00:00:30Z');
  expect(outcome.requests).toEqual([]);
  expect(outcome.skipReason).toBe('the cursor names no teams: set team_ids, or range_start and range_end');
  expect(orphanScanSensor.defaultStatus).toBe('STOPPED');
});

test('a round over a range goes on tick by tick, ends, and begins again every_days later', async () => {
  const first = await tick({ range_start: 5, range_end: 9, teams_per_tick: 2, every_days: 3 }, '2026-02-10T10:00:00Z');
  expect(first.requests).toEqual([
    { partitions: ['5_2026-02-10'], config: {} },
    { partitions: ['6_2026-02-10'], config: {} },
  ]);
  const second = await tick(first.cursor, '2026-02-10T23:59:30Z');
  expect(keys(second)).toEqual(['7_2026-02-10', '8_2026-02-10']);
  const third = await tick(second.cursor, '2026-02-11T00:00:30Z');
  expect(keys(third)).toEqual(['9_2026-02-11']);
  expect(third.cursor).toMatchObject({ progress: { round: '2026-02-10', last_team: 9, complete: true } });
  const waiting = await tick(third.cursor, '2026-02-12T23:59:59Z');
  expect(waiting.skipReason).toBe('the round of 2026-02-10 is complete; the next begins on 2026-02-13');
  expect(keys(await tick(waiting.cursor, '2026-02-13T00:00:00Z'))).toEqual(['5_2026-02-13', '6_2026-02-13']);
});

test('named teams are taken in order and once, with the config of the cursor', async () => {
  const config = { dry_run: false, categorize_orphans: true, delete_ch_only_orphans: true, batch_size: 500 };
  const outcome = await tick({ team_ids: [30, 2, 30, 7], config }, '2026-02-10T10:00:00Z');
  expect(outcome.requests).toEqual(
    ['2_2026-02-10', '7_2026-02-10', '30_2026-02-10'].map((key) => ({ partitions: [key], config })),
  );
});

test('the list may be edited in the middle of a round', async () => {
  const first = await tick({ team_ids: [1, 2, 3, 4], teams_per_tick: 2 }, '2026-02-10T10:00:00Z');
  const edited = { ...(first.cursor as object), team_ids: [2, 3, 9] };
  expect(keys(await tick(edited, '2026-02-10T10:01:00Z'))).toEqual(['3_2026-02-10', '9_2026-02-10']);
  const emptied = await tick({ ...(first.cursor as object), team_ids: [1] }, '2026-02-10T10:01:00Z');
  expect(emptied).toMatchObject({
    requests: [],
    skipReason: 'no team is left in this round',
    cursor: { progress: { complete: true } },
  });
});

test('a team that is being scanned, or was today, is left out; one whose scan failed is not', async () => {
  const ended = { runId: 'R', endedAt: new Date('2026-02-10T09:00:00Z'), failures: 0 };
  const outcome = await tick({ range_start: 1, range_end: 4 }, '2026-02-10T10:00:00Z', {
    states: new Map([['1_2026-02-10', { outcome: 'missing', activity: 'running' }]]),
    lastRuns: new Map([
      ['2_2026-02-10', { ...ended, status: 'SUCCESS' }],
      ['3_2026-02-10', { ...ended, status: 'FAILURE', failures: 1 }],
    ]),
  });
  expect(keys(outcome)).toEqual(['3_2026-02-10', '4_2026-02-10']);
  const all = await tick({ team_ids: [2] }, '2026-02-10T10:00:00Z', {
    lastRuns: new Map([['2_2026-02-10', { ...ended, status: 'SUCCESS' }]]),
  });
  expect(all).toMatchObject({
    requests: [],
    skipReason: '1 teams were scanned today already',
    cursor: { progress: { complete: true } },
  });
});

test.each([
  [{ team_ids: [1], range_start: 1, range_end: 2 }, /team_ids: give either team_ids or a range/],
  [{ range_start: 1 }, /range_end: a range needs both/],
  [{ range_start: 3, range_end: 2 }, /range_end: must not be less/],
  [{ team_ids: [] }, /team_ids: must name at least one/],
  [{ team_ids: ['1'] }, /team_ids\.0: must be a whole number/],
  [{ team_ids: [1], config: { limit: 0 } }, /config\.limit/],
  [
    { team_ids: [1], config: { delete_ch_only_orphans: true } },
    /config\.delete_ch_only_orphans: requires categorize_orphans/,
  ],
  [{ team_ids: [1], config: { team_id: 5 } }, /config\.team_id: is not a known key/],
  [{ progress: { round: '2026-02-30' } }, /progress\.round: must be a day/],
  [{ teams: [1] }, /teams: is not a known key/],
])('a wrong cursor is refused by field: %j', async (cursor, message) => {
  await expect(tick(cursor, '2026-02-10T10:00:00Z')).rejects.toThrow(message);
});
