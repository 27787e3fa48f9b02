/** The map: totals in its margins, cells coloured by a number, keys pasted, a selection exported. */

import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';

import { columnTotals } from '../src/assets/heat-map/totals.ts';
import { type Skein, openSkein, until } from './harness.ts';

let skein: Skein;
let page: Page;
beforeAll(async () => {
  skein = await openSkein({}, { firstDay: '2026-11-01' });
  for (const [partition, lines] of [
    ['m1_2026-11-02', 5],
    ['m1_2026-11-03', 50],
    ['m2_2026-11-02', 7],
    ['bad_2026-11-02', 1],
  ] as const) {
    const request = { job: 'events_job', partitions: [partition], config: { lines } };
    const { run_id: id } = await skein.api<{ run_id: string }>('POST', '/launch', request);
    await until(
      () => skein.api<{ ended_at: string | null }>('GET', `/runs/${id}`),
      ({ ended_at: at }) => at !== null,
    );
  }
  page = await skein.page();
}, 180_000);
afterAll(() => skein.close());

test('columns are summed over all rows of all tiles', () => {
  const tile = { firstColumn: 10, step: 1, width: 2 };
  // materialized is 4, failed 8; row by row.
  const sums = columnTotals([
    { ...tile, rows: 2, cells: new Uint8Array([4, 8, 4, 0]) },
    { ...tile, rows: 1, cells: new Uint8Array([8, 4]) },
  ]);
  expect([...sums]).toEqual([
    [10, { made: 2, failed: 1, all: 3 }],
    [11, { made: 1, failed: 1, all: 3 }],
  ]);
});

test('cells are coloured by what the job recorded; the address keeps it', async () => {
  await page.goto(`${skein.url}/assets/events`);
  const by = page.getByLabel('Colour by');
  await by.focus();
  await by.locator('option', { hasText: 'rows' }).waitFor({ state: 'attached' });
  await by.selectOption('rows');
  await page.getByLabel('Scale').getByText('50 rows').waitFor();
  await page.waitForURL(/by=rows/);
  await page.reload();
  await page.getByLabel('Scale').getByText('50 rows').waitFor();
});

test('pasted keys are looked up, a wrong one is named, and they become one run', async () => {
  await page.getByRole('button', { name: 'Paste keys…' }).click();
  const field = page.getByLabel('Partition keys, one a line');
  await field.fill('m1_2026-11-02\nm1_2026-11-02\nnonsense');
  await page
    .getByText(/nonsense/)
    .last()
    .waitFor();
  await field.fill('m1_2026-11-02\r\n m2_2026-11-04 \n\n');
  await page.getByText('2 different keys, 2 partitions').waitFor();
  await page.getByRole('button', { name: 'Launch one run over them' }).click();
  await page.waitForURL(/\/runs\//);
  await page.getByText('2 partitions', { exact: true }).waitFor();
});

test('a selection is exported with its states', async () => {
  const selection = new URLSearchParams({ rows: '["m1","m2"]', from: '2026-11-02', to: '2026-11-03' });
  await page.goto(`${skein.url}/assets/events?${selection}`);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export CSV' }).click(),
  ]);
  const lines = readFileSync((await download.path()) ?? '', 'utf8').split('\r\n');
  expect(lines[0]).toMatch(/^partition,row,outcome/);
  expect(lines.filter((line) => line.includes(',materialized,')).length).toBeGreaterThanOrEqual(3);
  expect(lines.filter(Boolean)).toHaveLength(5);
  expect(skein.faults).toEqual([]);
});
