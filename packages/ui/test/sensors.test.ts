/** Several sensors at once: stopped with a reason, and reset after their next ticks were shown. */

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
