/** The list of runs: completion of its query, views kept for everyone, acts on all that match. */

import { readFileSync } from 'node:fs';

import { type Skein, openSkein, press, until } from './harness.ts';

let skein: Skein;
beforeAll(async () => {
  skein = await openSkein();
});
afterAll(() => skein.close());

const launch = (day: string, config: object) =>
  skein.api<{ run_id: string }>('POST', '/launch', { job: 'events_job', partitions: [`acme_${day}`], config });

test('a query is completed by the keyboard and lands in the address', async () => {
  const page = await skein.page();
  await page.goto(`${skein.url}/runs`);
  const field = page.getByRole('combobox', { name: 'Filter runs' });
  await field.pressSequentially('sta');
  await page.getByRole('option', { name: 'status:' }).waitFor();
  await field.press('ArrowDown');
  await field.press('Enter');
  await field.pressSequentially('fai');
  await field.press('ArrowDown');
  await field.press('Tab');
  await field.pressSequentially('job:even');
  await field.press('ArrowDown');
  await field.press('Enter');
  expect(await field.inputValue()).toBe('status:failed job:events_job ');
  await page.waitForURL(/q=status%3Afailed\+job%3Aevents_job/);
  await page.context().close();
});

test('a view that one person saves is another’s chip, and is removed for both', async () => {
  const [mine, theirs] = [await skein.page(), await skein.page()];
  await mine.goto(`${skein.url}/runs?q=job%3Areport_job+status%3Afailed`);
  await mine.getByRole('button', { name: 'Save this view…' }).click();
  await mine.getByLabel('Name').fill('broken <b>reports</b>');
  await mine.getByRole('button', { name: 'Save', exact: true }).click();
  await mine.getByRole('button', { name: 'broken <b>reports</b>', exact: true, pressed: true }).waitFor();
  await theirs.goto(`${skein.url}/runs`);
  await theirs.getByRole('button', { name: 'broken <b>reports</b>' }).click();
  await theirs.waitForURL(/q=job%3Areport_job/);
  await theirs.getByRole('button', { name: 'Remove the view broken <b>reports</b>' }).click();
  await theirs.getByRole('button', { name: 'Remove it for everyone' }).click();
  await until(
    () => skein.api<{ items: unknown[] }>('GET', '/views'),
    ({ items }) => items.length === 0,
  );
  await mine.context().close();
  await theirs.context().close();
});

test('all runs that match are counted, and cancelled with a reason; new ones wait, rows are driven by keys', async () => {
  const page = await skein.page();
  await launch('2026-02-01', { lines: 1_000, pause_ms: 50 });
  await page.goto(`${skein.url}/runs?q=job%3Aevents_job+after%3A-1h&cols=run,partition,tags`);
  await page.getByRole('cell', { name: 'acme_2026-02-01' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  expect(await page.getByRole('columnheader').allTextContents()).toEqual([
    'Compare',
    'Run',
    'Partition',
    'Tags',
    'Acts',
  ]);
  // Two at a time in their pool: the rest waits.
  for (let day = 2; day <= 6; day++) await launch(`2026-02-0${day}`, { lines: 1_000, pause_ms: 50 });
  const fresh = page.getByRole('button', { name: '5 new' });
  await fresh.waitFor();
  expect(await page.getByRole('row').count()).toBe(2);
  await fresh.click();
  await page.getByRole('cell', { name: 'acme_2026-02-06' }).waitFor();
  await press(page, 'j', 'j', 'x');
  await page.waitForURL(/pick=\w{26}/);
  await press(page, '.');
  await page.getByRole('menuitem', { name: 'Open', exact: true }).and(page.locator(':focus')).waitFor();
  await press(page, 'End');
  await page.getByRole('menuitem', { name: 'Cancel…' }).and(page.locator(':focus')).waitFor();
  await press(page, 'Escape');
  await page.locator('tr:focus-within', { hasText: 'acme_2026-02-05' }).waitFor();

  await page.getByRole('link', { name: 'Act on all that match…' }).click();
  await page.getByText('6 runs match').waitFor();
  const act = page.getByRole('button', { name: 'Cancel 6 runs' });
  expect(await act.getAttribute('aria-disabled')).toBe('true');
  await page.getByLabel('Reason').fill('a test');
  await act.click();
  await page.getByText('Done: 6 told to stop').waitFor();
  const runs = await until(
    () => skein.api<{ items: { status: string; first_partition: string }[] }>('GET', '/runs?job=events_job'),
    ({ items }) => items.every(({ status }) => status === 'CANCELED'),
  );
  expect(runs.items.map((run) => run.first_partition).sort()[0]).toBe('acme_2026-02-01');
  // How far it went stands in the address.
  await page.reload();
  await page.getByText('Done: 6 told to stop').waitFor();
  await page.getByRole('link', { name: 'To the list' }).click();
  await page.getByRole('cell', { name: 'acme_2026-02-01' }).waitFor();
  await page.getByText('job', { exact: true }).click();
  await page.getByRole('link', { name: 'events_job' }).waitFor();
  await page.getByText('6 runs in 1 group.').waitFor();

  // As a file, and as the view that one's own list opens with.
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export…' }).click();
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const lines = readFileSync(await (await download).path(), 'utf8')
    .trim()
    .split('\r\n');
  expect(lines).toHaveLength(7);
  expect(lines[0]).toMatch(/^id,job,status,first_partition,/);
  await page.getByRole('button', { name: 'Open like this' }).click();
  await page.goto(`${skein.url}/runs`);
  await page.waitForURL(/by=job/);
  await page.getByRole('button', { name: 'All', exact: true }).click();
  expect(skein.faults).toEqual([]);
  await page.context().close();
});
