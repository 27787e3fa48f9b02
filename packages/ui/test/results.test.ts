/** Results of the job families as their views, read by shape; and what a failed reconciliation offers. */

import {
  dropReasonsOf,
  failedTeamsOf,
  hasView,
  orphanCategoriesOf,
  rawCountersOf,
  sampleOf,
  teamsOf,
  verificationsOf,
} from '../src/runs/result.ts';
import { csvField } from '../src/assets/csv.ts';
import { type Skein, openSkein, until } from './harness.ts';

const RECONCILIATION = {
  teams_count: 3,
  failed_team_ids: [7, 9],
  teams_results: [
    { team_id: 5, status: 'success', persons_processed: 60, persons_updated: 50, persons_skipped: 10 },
    {
      team_id: 9,
      status: 'failed',
      persons_processed: 0,
      persons_updated: 0,
      persons_skipped: 0,
      error: 'memory <b>limit</b>',
    },
  ],
};
const RAW = {
  total_events_found: 100,
  total_events_published: 92,
  total_events_dropped: 6,
  total_transformation_errors: 2,
  total_events_failed: 0,
  drop_reasons: { missing_data: 1, missing_org_id: 5 },
  drop_examples: { missing_org_id: ['raw-1', 'raw-2'] },
};

test('each family’s result is read by its shape, and nothing else is', () => {
  expect(teamsOf(RECONCILIATION).map(({ team }) => team)).toEqual([9, 5]);
  expect(failedTeamsOf(RECONCILIATION)).toEqual([7, 9]);
  expect(rawCountersOf(RAW).map(({ count }) => count)).toEqual([100, 92, 6, 2, 0]);
  expect(dropReasonsOf(RAW)).toEqual([
    { name: 'missing_org_id', count: 5, examples: ['raw-1', 'raw-2'] },
    { name: 'missing_data', count: 1, examples: [] },
  ]);
  expect(orphanCategoriesOf({ total_orphaned_persons: 3, persons_ch_only: 2 })).toHaveLength(1);
  const [labels] = verificationsOf({
    verification: [
      {
        passed: false,
        points: [{ name: 'rows', passed: false, description: '1 missing' }],
        usecases: [{ usecase: 'chat', before: 3, after: 2, source: 1, difference: -1 }],
        active_days: { before: 5, after: 4, source: 4 },
      },
    ],
  });
  expect(labels?.usecases).toEqual([{ name: 'chat', before: 3, after: 2, source: 1 }]);
  expect(labels?.activeDays).toEqual({ before: 5, after: 4, source: 4 });
  expect(sampleOf({ sample: [{ person_id: 'p', changes: [{ key: 'k', operation: 'set', value: 1 }] }] })).toEqual([
    { person: 'p', changes: [{ key: 'k', operation: 'set', value: '1' }] },
  ]);
  for (const odd of [{}, { rows: 1 }, { teams_results: 'x', verification: 3, drop_reasons: null }])
    expect(hasView(odd)).toBe(false);
});

test('a field of a spreadsheet never runs as a formula', () => {
  expect(['=1+1', '@x', 'a,b', 'say "x"', 'plain'].map(csvField)).toEqual([
    "'=1+1",
    "'@x",
    '"a,b"',
    '"say ""x"""',
    'plain',
  ]);
});

describe('on the page', () => {
  let skein: Skein;
  beforeAll(async () => {
    skein = await openSkein();
  });
  afterAll(() => skein.close());

  test('failed teams are relaunched in windowed mode: the launchpad opens with that config over the run’s own', async () => {
    const request = { job: 'events_job', partitions: ['acme_2026-01-02'], config: { lines: 1 } };
    const { run_id: id } = await skein.api<{ run_id: string }>('POST', '/launch', request);
    await until(
      () => skein.api<{ status: string }>('GET', `/runs/${id}`),
      ({ status }) => status === 'SUCCESS',
    );
    const { redis, keys } = skein.engine;
    // As the job would have left it.
    await redis.hset(keys.run(id), 'result', JSON.stringify({ ...RECONCILIATION, ...RAW }));
    const page = await skein.page();
    await page.goto(`${skein.url}/runs/${id}?tab=config`);
    await page.getByText('memory <b>limit</b>', { exact: true }).waitFor();
    await page.getByRole('button', { name: /missing org id/ }).click();
    await page.getByText('raw-2', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Relaunch failed in windowed mode…' }).click();
    await page.getByRole('row', { name: /^team_ids .*\[7,9\].*edited/ }).waitFor();
    await page.getByRole('row', { name: /^lines 1 earlier run/ }).waitFor();
    await page.getByRole('button', { name: 'Remove it' }).first().waitFor();
    expect(skein.faults).toEqual([]);
  });
});
