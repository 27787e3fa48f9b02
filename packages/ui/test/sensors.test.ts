/** Several sensors at once: stopped with a reason, and reset after their next ticks were shown; two who change one thing. */

import { type Skein, openSkein, until } from './harness.ts';

let skein: Skein;
beforeAll(async () => {
  skein = await openSkein();
});
afterAll(() => skein.close());

interface Feed {
  readonly status: string;
  readonly cursor_version: number;
  readonly cursor_generation: number;
  readonly cursor: { readonly next: number };
}
const feed = () => skein.api<Feed>('GET', '/sensors/feed');

test('ticked sensors are started, stopped and reset, each act with its reason and its consequences', async () => {
  const page = await skein.page();
  await skein.api('PUT', '/sensors/feed/cursor', {
    cursor: { next: 9, until: 3, note: '' },
    reason: 'x',
    if_version: (await feed()).cursor_version,
  });
  await page.goto(`${skein.url}/sensors`);
  await page.getByLabel('Select all that are shown').check();
  const bar = page.getByRole('region', { name: 'Selected sensors' });
  await bar.getByRole('button', { name: 'Reset cursors…' }).click();
  // From its beginning it would ask for January 1, 2 and 3.
  await page.getByRole('row', { name: /feed.* 3$/ }).waitFor();
  const reset = page.getByRole('button', { name: 'Reset them' });
  expect(await reset.isDisabled()).toBe(true);
  await page.getByLabel('Reason').fill('start over');
  await reset.click();
  const after = await until(feed, ({ cursor }) => cursor.next === 1);
  expect(after.cursor_generation).toBe(2);
  await page.getByRole('region', { name: 'Selected sensors' }).waitFor({ state: 'detached' });

  await page.getByLabel('Select feed').check();
  await bar.getByRole('button', { name: 'Start…' }).click();
  await page.getByLabel('Reason').fill('go');
  await page.getByRole('button', { name: 'Start them' }).click();
  await until(feed, ({ status }) => status === 'RUNNING');
  await page.getByLabel('Select feed').check();
  await bar.getByRole('button', { name: 'Stop…' }).click();
  await page.getByLabel('Reason').fill('enough');
  await page.getByRole('button', { name: 'Stop them' }).click();
  await until(feed, ({ status }) => status === 'STOPPED');

  // An override shows, is found, and goes back to what the code says.
  await skein.api('POST', '/sensors/feed/start', { reason: 'once more' });
  await page.goto(`${skein.url}/sensors?state=overridden`);
  await page.getByText('overrides the code').waitFor();
  await page.getByLabel('Select feed').check();
  await bar.getByRole('button', { name: 'Back to code…' }).click();
  await page.getByLabel('Reason').fill('as it was');
  await page.getByRole('button', { name: 'Set them as the code says' }).click();
  await until(feed, ({ status }) => status === 'STOPPED');
  await page.getByText('The filter hides all 1 sensors.').waitFor();
  const audit = await skein.api<{ items: { target: string; reason: string }[] }>('GET', '/audit');
  expect(audit.items.filter(({ target }) => target.startsWith('sensor:feed')).map(({ reason }) => reason)).toEqual([
    'as it was',
    'once more',
    'enough',
    'go',
    'start over',
    'x',
  ]);
  expect(skein.faults).toEqual([]);
  await page.context().close();
});

test('who changes what somebody else changed meanwhile sees both and chooses: limits of a pool and of a backfill', async () => {
  const page = await skein.page();
  const clash = page.getByRole('group', { name: 'Two changes at once' });
  const pool = async () =>
    (await skein.api<{ items: { set_limit: number | null }[] }>('GET', '/pools')).items[0]?.set_limit;
  await page.goto(`${skein.url}/system?tab=pools`);
  const limit = page.getByLabel('Limit of narrow');
  const set = page.getByRole('button', { name: 'Set', exact: true });
  await limit.fill('7');
  await skein.api('PUT', '/pools/narrow', { limit: 5 });
  await set.click();
  await clash.getByRole('row', { name: 'Limit 7 5' }).waitFor();
  expect(await pool()).toBe(5);
  await clash.getByRole('button', { name: 'Overwrite with mine' }).click();
  await until(pool, (now) => now === 7);
  await clash.waitFor({ state: 'detached' });

  const { id } = await skein.api<{ id: string }>('POST', '/backfills', {
    job: 'events_job',
    ids: ['99'],
    from: '2026-01-01',
    to: '2026-10-31',
    max_active: 1,
  });
  const most = async () => (await skein.api<{ max_active: number }>('GET', `/backfills/${id}`)).max_active;
  await page.goto(`${skein.url}/backfills/${id}`);
  await page.getByLabel('Runs at once').fill('3');
  await skein.api('PATCH', `/backfills/${id}`, { max_active: 2 });
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await clash.getByRole('row', { name: 'Runs at once 3 2' }).waitFor();
  await clash.getByRole('button', { name: 'Discard mine' }).click();
  await clash.waitFor({ state: 'detached' });
  expect(await most()).toBe(2);
  expect(await page.getByLabel('Runs at once').inputValue()).toBe('2');
  await skein.api('POST', `/backfills/${id}/cancel`, {});
  expect(skein.faults).toEqual([]);
  await page.context().close();
});

test('a preview says which of its requests would be suppressed, and by which run', async () => {
  const cursor = { next: 14, until: 15, note: '' };
  await skein.api('POST', '/sensors/feed/cursor/reset', {
    cursor,
    reason: 'x',
    if_version: (await feed()).cursor_version,
  });
  const { tick } = await skein.api<{ tick: string }>('POST', '/sensors/feed/evaluate');
  const { run_ids: ids } = await until(
    () => skein.api<{ ended_at: string | null; run_ids: string[] }>('GET', `/sensors/feed/ticks/${tick}`),
    (one) => one.ended_at !== null,
  );
  const run = ids[0] ?? '';
  const page = await skein.page();
  await page.goto(`${skein.url}/sensors/feed?tab=cursor`);
  await page.getByLabel('next').fill('14');
  await page.getByLabel('Ticks to preview').fill('2');
  await page.getByRole('button', { name: 'Preview 2 ticks' }).click();
  await page.getByText(/2 runs over 2 partitions; 1 of them were asked for before/).waitFor();
  const suppressed = page.getByRole('listitem').filter({ hasText: 'would be suppressed' });
  expect(await suppressed.count()).toBe(1);
  await suppressed.getByRole('link', { name: run.slice(-8) }).click();
  await page.waitForURL(new RegExp(`/runs/${run}`));
});
