/** A server that goes away and comes back, a session that ends, a cursor of a megabyte: nothing typed is lost. */

import { type Skein, openSkein, until } from './harness.ts';

const ADMIN = 'skein_an_admin_token_of_this_test';

let skein: Skein;
beforeAll(async () => {
  skein = await openSkein({ SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: ADMIN });
});
afterAll(() => skein.close());

const asAdmin = { authorization: `Bearer ${ADMIN}` };

async function signedIn() {
  const page = await skein.page();
  await page.goto(`${skein.url}/sensors/feed?tab=cursor&edit=json`);
  await page.getByLabel('Token').fill(ADMIN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.cm-content').waitFor();
  return page;
}

test('while the server is away a banner says so; what was typed stays, and saving works when it is back', async () => {
  const page = await signedIn();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('{"next": 5, "until": 3, "note": "typed"}');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.context().setOffline(true);
  await page.getByText('The server does not answer.').waitFor();
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByLabel('Reason').fill('while it was away');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog').getByText('The server cannot be reached.').first().waitFor();
  await page.context().setOffline(false);
  await page.getByText('The server does not answer.').waitFor({ state: 'detached', timeout: 30_000 });
  expect(await page.getByLabel('Reason').inputValue()).toBe('while it was away');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await until(
    () => skein.api<{ cursor: { note: string } }>('GET', '/sensors/feed/cursor', undefined, asAdmin),
    ({ cursor }) => cursor.note === 'typed',
  );
  await page.context().close();
});

test('a session that ends is opened again in place, with the text still there', async () => {
  const page = await signedIn();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('{"next": 6, "until": 3, "note": "kept"}');
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Preview the next tick' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByLabel('Token').fill(ADMIN);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await page.locator('.cm-content').textContent()).toContain('kept');
  await page.getByRole('button', { name: 'Save and apply…' }).click();
  await page.getByText('The next tick: It would request nothing').waitFor();
  await page.getByLabel('Reason').fill('at once');
  await page.getByRole('button', { name: 'Save and apply', exact: true }).click();
  const ticks = await until(
    () => skein.api<{ items: { decision: string }[] }>('GET', '/sensors/feed/ticks', undefined, asAdmin),
    ({ items }) => items[0] !== undefined && items[0].decision !== 'running',
  );
  expect(ticks.items[0]?.decision).toBe('skipped');
  await page.context().close();
});

test('a cursor of a megabyte is refused with its size, and the page still answers', async () => {
  const page = await signedIn();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  const large = JSON.stringify({ next: 1, until: 3, note: 'x'.repeat(1_000_000) });
  await page.keyboard.insertText(large);
  await page.getByText(`${large.length.toLocaleString('en')} bytes`).waitFor({ timeout: 30_000 });
  const save = page.getByRole('button', { name: 'Save…' });
  await save.hover();
  await page.getByRole('tooltip').getByText('A cursor may have 256 KB at most.').waitFor();
  await page.getByRole('button', { name: 'Discard edits' }).click();
  await page.getByText(`${large.length.toLocaleString('en')} bytes`).waitFor({ state: 'detached' });
  expect(skein.faults).toEqual([]);
  await page.context().close();
});
