/** The scheduler against the facts of the reference: what it refuses, when it waits, and what it asks for. */

import { ReconciliationConfig } from '@skein/jobs';
import type { Json, JsonObject, PartitionStatus } from '@skein/orchestrator';
import { tickSensor } from '@skein/orchestrator/testing';

import { personPropertyReconciliationScheduler as sensor } from '../src/person-property-reconciliation-scheduler.ts';
import { GUIDE_CURSORS, WINDOW } from './guide-cursors.ts';

const tick = (
  cursor: JsonObject,
  options: { activeRuns?: number; states?: ReadonlyMap<string, PartitionStatus> } = {},
) => tickSensor(sensor, { cursor: cursor as Json, now: '2026-01-30T00:00:00Z', resources: {}, ...options });

test('190: no cursor', async () => {
  expect((await tick({})).skipReason).toMatch(/^No cursor set/);
});

test.each([
  ['197', { range_start: 1000, range_end: 500 }, /range_start \(1000\) cannot be greater than range_end \(500\)/],
  ['198', { team_ids: [1], chunk_size: 0 }, /chunk_size must be > 0, got 0/],
  ['199', { team_ids: [1], max_concurrent_jobs: 0 }, /max_concurrent_jobs must be > 0, got 0/],
  ['200', { team_ids: [1], max_concurrent_jobs: 100 }, /max_concurrent_jobs \(100\) exceeds cap of 50/],
  ['201', { team_ids: [1], max_concurrent_tasks: 0 }, /max_concurrent_tasks must be > 0, got 0/],
  ['202', { team_ids: [1], max_concurrent_tasks: 200 }, /max_concurrent_tasks \(200\) exceeds cap of 100/],
  ['203', { team_ids: [1], bug_window_start: '' }, /bug_window_start is required/],
  ['204', { team_ids: [1], bug_window_end: '' }, /bug_window_end is required/],
  ['209', {}, /must specify either team_ids \(list\) OR both range_start and range_end/],
  ['210', { team_ids: [1], range_start: 1, range_end: 2 }, /cannot specify both team_ids and range_start\/range_end/],
  ['an unknown key', { team_ids: [1], chunksize: 5 }, /chunksize: is not a known key/],
  ['a malformed moment', { team_ids: [1], bug_window_start: '2026-01-06' }, /bug_window_start must be a moment/],
  [
    'another database',
    { team_ids: [1], persons_db_env_var: 'OTHER' },
    /persons_db_env_var must be PERSONS_DB_WRITER_URL/,
  ],
])('%s is refused by name', async (_fact, cursor, message) => {
  await expect(tick({ ...WINDOW, ...cursor })).rejects.toThrow(message);
});

test('the caps themselves are accepted; an empty list with a range is range mode', async () => {
  const outcome = await tick({
    ...WINDOW,
    team_ids: [],
    range_start: 1,
    range_end: 5,
    max_concurrent_jobs: 50,
    max_concurrent_tasks: 100,
  });
  expect(outcome.requests.map((request) => request.tags?.reconciliation_range)).toEqual(['1-5']);
});

test('189: the config of a run is the cursor’s, with defaults, and one that the job takes', async () => {
  const { requests } = await tick({ ...WINDOW, range_start: 1, range_end: 1000 });
  expect(requests).toHaveLength(1);
  expect(requests[0]?.config).toEqual({
    ...WINDOW,
    min_team_id: 1,
    max_team_id: 1000,
    dry_run: false,
    backup_enabled: true,
    batch_size: 100,
    teams_per_chunk: 100,
    team_ch_props_fetch_window_seconds: 0,
    person_batch_size: 10_000,
    max_concurrent_tasks: 10,
  });
  expect(ReconciliationConfig.parse(requests[0]?.config)).toMatchObject({ min_team_id: 1, team_ids: null });
});

test('192, 208: complete, with how many teams succeeded and failed, counted once', async () => {
  const ended = (outcome: 'materialized' | 'failed'): PartitionStatus => ({ outcome, activity: 'idle' });
  const states = new Map([
    ['1_2026-01-06', ended('materialized')],
    ['2_2026-01-06', ended('failed')],
    ['3_2026-01-06', ended('materialized')],
  ]);
  const list = await tick({ ...WINDOW, team_ids: [1, 2, 3], next_team_index: 3 }, { states });
  expect(list.skipReason).toBe('Reconciliation complete: processed all 3 teams (succeeded=2, failed=1)');
  expect(list.cursor).toMatchObject({ teams_succeeded: 2, teams_failed: 1 });
  const range = await tick({ ...WINDOW, range_start: 1, range_end: 1000, next_chunk_start: 1001 }, { states });
  expect(range.skipReason).toBe('Reconciliation complete: processed all teams up to 1000 (succeeded=2, failed=1)');
});

test('193: as many runs active as allowed, whoever launched them', async () => {
  const outcome = await tick({ ...WINDOW, team_ids: [1], max_concurrent_jobs: 2 }, { activeRuns: 2 });
  expect(outcome.skipReason).toBe('At max concurrency (2/2 jobs), waiting for slots');
  expect(outcome.cursor).toEqual({ ...WINDOW, team_ids: [1], max_concurrent_jobs: 2 });
});

test('everything scheduled but still at work is not yet complete', async () => {
  expect((await tick({ ...WINDOW, team_ids: [1], next_team_index: 1 }, { activeRuns: 1 })).skipReason).toMatch(
    /waiting for 1 active run$/,
  );
});

test('195: the last chunk of a range ends with it', async () => {
  const outcome = await tick({ ...WINDOW, range_start: 1, range_end: 1500, chunk_size: 1000, next_chunk_start: 1001 });
  expect(outcome.requests.map((request) => request.tags)).toEqual([
    { reconciliation_range: '1001-1500', owner: 'team-ingestion' },
  ]);
  expect(outcome.cursor).toMatchObject({ next_chunk_start: 1501 });
});

test('196: as many requests as there are slots', async () => {
  const outcome = await tick({ ...WINDOW, range_start: 1, range_end: 2000, chunk_size: 1000 });
  expect(outcome.requests.map((request) => request.tags?.reconciliation_range)).toEqual(['1-1000', '1001-2000']);
});

test('207, 211: list mode: slices, tags, index', async () => {
  const outcome = await tick({ ...WINDOW, team_ids: [100, 200, 300, 400, 500], chunk_size: 2, max_concurrent_jobs: 2 });
  expect(outcome.requests.map((request) => request.config?.team_ids)).toEqual([
    [100, 200],
    [300, 400],
  ]);
  expect(outcome.cursor).toMatchObject({ next_team_index: 4 });
  const three = await tick({ ...WINDOW, team_ids: [10, 20, 30], chunk_size: 2 });
  expect(three.requests).toHaveLength(2);
  expect(three.requests[0]?.tags).toEqual({
    reconciliation_team_ids_range: '0-1',
    reconciliation_team_count: '2',
    owner: 'team-ingestion',
  });
});

test('215: only the cursor keeps from asking twice: the real run after a dry run over the same teams is another ask', async () => {
  const first = await tick({ ...WINDOW, team_ids: [1], dry_run: true });
  const second = await tickSensor(sensor, {
    cursor: { ...WINDOW, team_ids: [1] },
    now: '2026-01-30T00:01:00Z',
    resources: {},
  });
  expect(first.requests[0]?.runKey).not.toBe(second.requests[0]?.runKey);
});

/** Each with the number of runs that it comes to. */
const SEED_CURSORS: Record<string, [JsonObject, number]> = {
  'non-windowed': [GUIDE_CURSORS.small, 1],
  'windowed batched': [GUIDE_CURSORS.large, 1],
  range: [GUIDE_CURSORS.range, 100],
  production: [GUIDE_CURSORS.production, 1],
};

test.each(Object.entries(SEED_CURSORS))(
  'the seed’s cursor “%s” runs to its end; every run is one the job takes',
  async (_name, [seed, runs]) => {
    let cursor: JsonObject = seed;
    const configs: unknown[] = [];
    for (let i = 0; i < 200; i++) {
      const outcome = await tick(cursor);
      configs.push(...outcome.requests.map((request) => request.config));
      cursor = outcome.cursor as JsonObject;
      if (outcome.skipReason?.startsWith('Reconciliation complete')) break;
      expect(outcome.requests.length).toBeLessThanOrEqual(Number(seed.max_concurrent_jobs ?? 5));
    }
    expect(configs).toHaveLength(runs);
    for (const config of configs) expect(ReconciliationConfig.safeParse(config).success).toBe(true);
    expect(cursor).toMatchObject(seed);
  },
);
