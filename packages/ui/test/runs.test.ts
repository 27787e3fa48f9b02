/** The list of runs: completion of its query, views kept for everyone, acts on all that match. */

import { type Skein, openSkein, until } from './harness.ts';

let skein: Skein;
beforeAll(async () => {
  skein = await openSkein();
}, 180_000);
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

test('all runs that match are counted, and cancelled with a reason', async () => {
  // Two at a time in their pool: the rest waits.
  for (let day = 1; day <= 6; day++) await launch(`2026-02-0${day}`, { lines: 1_000, pause_ms: 50 });
  const page = await skein.page();
  await page.goto(`${skein.url}/runs?q=job%3Aevents_job+after%3A-1h`);
  await page.getByRole('button', { name: 'Act on all that match…' }).click();
  await page.getByRole('dialog').getByText('6 runs match').waitFor();
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
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('cell', { name: 'acme_2026-02-01' }).waitFor();
  expect(skein.faults).toEqual([]);
  await page.context().close();
});
