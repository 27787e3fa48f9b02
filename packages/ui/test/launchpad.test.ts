/** The launchpad: fixes for a wrong config, layers, presets of the server, edits that survive another preset. */

import type { Page } from 'playwright-core';

import { type Skein, openSkein, until } from './harness.ts';

let skein: Skein;
let page: Page;
beforeAll(async () => {
  skein = await openSkein();
  page = await skein.page();
});
afterAll(() => skein.close());

const layer = (name: string) => page.getByRole('row', { name: new RegExp(`^${name} `) });
const replaceAll = async (text: string) => {
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
};

test('what is wrong has its fix beside it, each undone by itself', async () => {
  await page.goto(`${skein.url}/launch?asset=events&partition=acme_2026-01-02&edit=json`);
  await page.getByText('can be launched').waitFor();
  await replaceAll('{"mod": "full", "lines": "7"}');
  await page.getByText('cannot be launched yet').waitFor();
  await page.getByRole('button', { name: 'Did you mean mode?' }).click();
  await page.getByRole('button', { name: 'Set 7' }).click();
  await page.getByText('can be launched').waitFor();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+z');
  await page.getByRole('button', { name: 'Set 7' }).waitFor();
  await page.keyboard.press('Control+y');
  await layer('mode').getByText('edited').waitFor();
  await layer('pause_ms').getByText('default').waitFor();
});

test('a preset is kept for everyone; edits stay when another is chosen', async () => {
  await page.getByRole('button', { name: 'Save as preset…' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('seven lines');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await layer('mode').getByText('preset').waitFor();
  await skein.api('PUT', '/jobs/events_job/presets/calm', { config: { mode: 'quick', pause_ms: 5 } });
  await replaceAll('{"mode": "full", "lines": 9}');
  await layer('lines').getByText('edited').waitFor();
  await page.reload();
  await layer('lines').getByText('edited').waitFor();
  await page.getByRole('combobox', { name: 'Preset' }).click();
  await page.getByRole('option', { name: 'calm' }).click();
  await layer('pause_ms').getByText('preset').waitFor();
  await layer('mode').getByText('preset').waitFor();
  await layer('lines').getByText('edited').waitFor();
  await page.getByText('--config').waitFor();
  expect(await page.getByLabel('As a command').textContent()).toContain(`'{"mode":"quick","pause_ms":5,"lines":9}'`);
  await page.getByRole('button', { name: 'Take back lines' }).click();
  await layer('lines').getByText('default').waitFor();
  await page.getByRole('button', { name: 'Remove…' }).click();
  await page.getByRole('button', { name: 'Remove it for everyone' }).click();
  await until(
    () => skein.api<{ items: { name: string }[] }>('GET', '/jobs/events_job/presets'),
    ({ items }) => items.map(({ name }) => name).join() === 'seven lines',
  );
  expect(skein.faults).toEqual([]);
});

test('a day of the strip is chosen by a click, with its state', async () => {
  await skein.api('POST', '/launch', { job: 'events_job', partitions: ['acme_2026-11-20'], config: {} });
  await page.goto(`${skein.url}/launch?asset=events&partition=acme_2026-11-20`);
  const days = page.getByRole('group', { name: 'The last six weeks' }).getByRole('button');
  const other = days.nth(5);
  const key = (await other.getAttribute('aria-label'))?.split(' ')[0];
  await other.click();
  expect(await page.getByLabel('Partition key').inputValue()).toBe(key);
  await page.getByText('Usually takes').waitFor();
});

test('what destroys more than its partition is launched only after its name was typed', async () => {
  await page.goto(`${skein.url}/launch?asset=report&partition=acme_2026-01-02&edit=json`);
  await page.getByText('can be launched').waitFor();
  await replaceAll('{"drop_table": true}');
  // At once, before the check of it has come back.
  await page.getByRole('button', { name: 'Launch', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Destroy reports' });
  await dialog.getByText('the table of reports, all days of it').waitFor();
  const verb = dialog.getByRole('button', { name: 'Destroy and launch' });
  expect(await verb.getAttribute('aria-disabled')).toBe('true');
  await dialog.getByLabel('Type reports to go on').fill('report');
  await dialog.getByLabel('Type reports to go on').press('Control+Enter');
  expect((await skein.api<{ items: unknown[] }>('GET', '/runs?job=report_job')).items).toEqual([]);
  await dialog.getByLabel('Type reports to go on').fill('reports');
  await verb.click();
  await until(
    () => skein.api<{ items: { config: object }[] }>('GET', '/runs?job=report_job'),
    ({ items }) => items.length === 1,
  );
  expect(skein.faults).toEqual([]);
});
