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
});
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

test('by attempts, age and lag, which the ledger knows of every asset', async () => {
  const by = page.getByLabel('Colour by');
  for (const [name, words] of [
    ['tries', '1 attempt'],
    ['age_ms', /\d+ (ms|s|min)/],
    ['lag_ms', /\d+ d/],
  ] as const) {
    await by.selectOption(name);
    await page.getByLabel('Scale').getByText(words).first().waitFor();
  }
});

const map = () => page.getByRole('application', { name: /^Map of/ });
const bar = () => page.getByRole('region', { name: 'Selection' });

test('all that failed in view is selected, as an expression in the address, and backfilled as such', async () => {
  await page.goto(`${skein.url}/assets/events?col=0&zoom=20`);
  await page.getByRole('button', { name: 'All failed in view' }).and(page.locator('[aria-disabled="false"]')).click();
  await page.waitForURL(/of=failed/);
  await bar()
    .getByText(/^1 of \d+ partitions:/)
    .waitFor();
  await page.reload();
  await bar().getByRole('button', { name: 'Backfill…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/^1 of \d+ partitions will run/).waitFor();
  expect(await dialog.getByRole('checkbox', { name: 'missing' }).isChecked()).toBe(false);
  await page.keyboard.press('Escape');
  await bar().getByRole('button', { name: 'failed', exact: true }).click();
  await bar()
    .getByText(/^\d+ partitions: \d+ missing, 1 failed/)
    .waitFor();
});

test('rows and columns are selected by their labels, the next ones with Shift; by keyboard too', async () => {
  await page.goto(`${skein.url}/assets/events?col=0&zoom=20`);
  await map().waitFor();
  const click = (x: number, y: number, modifiers: 'Shift'[] = []) => map().click({ position: { x, y }, modifiers });
  // 164 px of labels, 46 px of axis, 20 × 22 px a cell; rows bad, m1, m2.
  await click(30, 46 + 30);
  await bar()
    .getByText(/^1 row × 2026-11-01 …/)
    .waitFor();
  await click(30, 46 + 50, ['Shift']);
  await bar()
    .getByText(/^2 rows × 2026-11-01 …/)
    .waitFor();
  await click(164 + 30, 10);
  await bar().getByText('3 rows × 2026-11-02', { exact: true }).waitFor();
  await click(164 + 70, 10, ['Shift']);
  await bar().getByText('3 rows × 2026-11-02 … 2026-11-04').waitFor();
  await map().focus();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+Space');
  await bar()
    .getByText(/^1 row × 2026-11-01 …/)
    .waitFor();
  await page.keyboard.press('Control+Space');
  await bar().getByText('3 rows × 2026-11-01', { exact: true }).waitFor();
});

test('pinned rows stay at the top, whatever is filtered; the address keeps them', async () => {
  await page.goto(`${skein.url}/assets/events?col=0&zoom=20`);
  await map().focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('p');
  const unpin = page.getByRole('button', { name: 'Unpin m2' });
  await unpin.waitFor();
  await page.getByLabel('Filter by customer').fill('bad');
  await page.getByRole('application', { name: /^Map of 2 rows/ }).waitFor();
  await page.reload();
  await map().focus();
  await page.keyboard.press('Home');
  await page.getByText(/^m2 2026-11-01: missing/).waitFor({ state: 'attached' });
  await unpin.click();
  await page.getByRole('application', { name: /^Map of 1 rows/ }).waitFor();
});

test('weeks and months share a column that shows the worst of their days', async () => {
  await page.goto(`${skein.url}/assets/events?col=0&zoom=20`);
  await page.getByLabel('A column is a').selectOption('month');
  await page.waitForURL(/fold=month/);
  await map().focus();
  await page.keyboard.press('Home');
  await page.getByText(/^bad 2026-11-01 … .*: at worst failed/).waitFor({ state: 'attached' });
  await page.keyboard.press('Enter');
  await bar()
    .getByText(/^1 row × 2026-11-01 … 2026-11-/)
    .waitFor();
});

test('rows by how far behind they are', async () => {
  await page.goto(`${skein.url}/assets/events?col=0&zoom=20`);
  await page.getByRole('button', { name: 'furthest behind first' }).click();
  await page.waitForURL(/sort=lag/);
  await map().focus();
  await page.keyboard.press('Home');
  // What was never made is further behind than what was once.
  await page.getByText(/^bad 2026-11-01/).waitFor({ state: 'attached' });
});

test('pasted keys are looked up, a wrong one is named, and they become one run', async () => {
  await page.goto(`${skein.url}/assets/events`);
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

test('marking and forgetting show what would change before anything does', async () => {
  const counts = () => skein.api<Record<string, number>>('GET', '/assets/events/partitions/counts?row=bad');
  const before = await counts();
  await page.goto(`${skein.url}/assets/events?col=0&zoom=20`);
  await map().waitFor();
  await map().click({ position: { x: 30, y: 46 + 10 } });
  await bar()
    .getByText(/^1 row × /)
    .waitFor();
  await bar().getByRole('button', { name: 'Mark…' }).click();
  const dialog = page.getByRole('dialog');
  const verb = dialog.getByRole('button', { name: /^Mark as/ });
  await dialog.getByLabel('Reason').fill('known otherwise');
  await dialog.getByText(/^[1-9]\d* of [1-9]\d* partitions would become materialized/).waitFor();
  await dialog.getByText('missing (forget)').click();
  // One failed, the others have not been tried.
  await dialog.getByText(/^1 of [1-9]\d* partitions would become missing/).waitFor();
  await dialog.getByRole('status').getByText('bad_2026-11-02').waitFor();
  expect(await counts()).toEqual(before);
  await verb.click();
  await dialog.waitFor({ state: 'detached' });
  expect((await counts()).failed).toBe(0);

  await map().click({ position: { x: 30, y: 46 + 10 } });
  await bar().getByRole('button', { name: 'Mark…' }).click();
  await dialog.getByLabel('Reason').fill('again');
  await dialog.getByText('missing (forget)').click();
  await dialog.getByText(/^0 of [1-9]\d* partitions would become missing/).waitFor();
  expect(await verb.getAttribute('aria-disabled')).toBe('true');
});
