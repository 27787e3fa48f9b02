/** With sign-in on: nothing without a token, a viewer sees everything and is told why it may not act, sessions end. */

import { type Skein, openSkein } from './harness.ts';

const ROOT = 'a-root-token-of-this-test-only';
let skein: Skein;

beforeAll(async () => {
  skein = await openSkein({ SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: ROOT });
}, 120_000);
afterAll(async () => {
  await skein?.close();
});

test('sign in at the address that was asked for; a wrong token is told so', async () => {
  const page = await skein.page();
  await page.goto(`${skein.url}/sensors/feed?tab=cursor`);
  await page.getByLabel('Token').fill('skein_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This token is unknown, expired or revoked.').waitFor();
  await page.getByLabel('Token').fill(ROOT);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('until').waitFor();
  expect(page.url()).toContain('/sensors/feed?tab=cursor');
  await page.context().close();
}, 60_000);

test('a viewer sees the page, and each control says why it is not for them', async () => {
  const headers = { authorization: `Bearer ${ROOT}` };
  const { token } = await skein.api<{ token: string }>(
    'POST',
    '/tokens',
    { name: 'a viewer', role: 'viewer' },
    headers,
  );
  const page = await skein.page();
  await page.goto(`${skein.url}/sensors/feed?tab=cursor`);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const reset = page.getByRole('button', { name: 'Reset…' });
  await reset.hover({ force: true });
  await page
    .getByRole('tooltip')
    .getByText(/operator/)
    .waitFor();
  await reset.click({ force: true });
  expect(await page.getByRole('dialog').count()).toBe(0);
  await page.goto(`${skein.url}/system?tab=tokens`);
  await page.getByText(/admin/).first().waitFor();
  await page.context().close();
}, 60_000);

test('a session that ends is opened again over the page; what was typed stays', async () => {
  const page = await skein.page();
  await page.goto(`${skein.url}/sensors/feed?tab=cursor`);
  await page.getByLabel('Token').fill(ROOT);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('note').fill('typed before the end');
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Preview the next tick' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByLabel('Token').fill(ROOT);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await page.getByLabel('note').inputValue()).toBe('typed before the end');
  await page.context().close();
}, 60_000);
