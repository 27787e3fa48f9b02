/** With sign-in on: nothing without a token, a viewer sees everything and is told why it may not act, sessions end. */

import { type Skein, openSkein } from './harness.ts';

const ROOT = 'a-root-token-of-this-test-only';
let skein: Skein;

beforeAll(async () => {
  skein = await openSkein({
    SKEIN_AUTH_MODE: 'token',
    SKEIN_AUTH_ADMIN_TOKEN: ROOT,
    SKEIN_AUTH_PUBLIC_URL: 'https://skein.example.org',
    SKEIN_AUTH_OIDC_ISSUER: 'https://login.example.org',
    SKEIN_AUTH_OIDC_CLIENT_ID: 'skein',
    SKEIN_AUTH_OIDC_CLIENT_SECRET: 'the-secret-of-this-test',
    SKEIN_AUTH_OIDC_ADMIN: 'admins',
    SKEIN_AUTH_OIDC_LABEL: 'Continue with Example',
  });
});
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
});

test('a provider that is configured has its button, which leads there and back; a refusal is told', async () => {
  const page = await skein.page();
  await page.goto(`${skein.url}/sensors/feed?tab=cursor&sign_in=forbidden`);
  await page
    .getByRole('alert')
    .getByText(/no role in this Skein/)
    .waitFor();
  const way = await page.getByRole('link', { name: 'Continue with Example' }).getAttribute('href');
  expect(way).toBe(`/api/v1/session/oidc?return_to=${encodeURIComponent('/sensors/feed?tab=cursor')}`);
  await page.context().close();
});

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
});

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
});

test('an admin makes a token for one job, and undoes a change where the audit log tells of it', async () => {
  const headers = { authorization: `Bearer ${ROOT}` };
  const status = async () => (await skein.api<{ status: string }>('GET', '/sensors/feed', undefined, headers)).status;
  await skein.api('POST', '/sensors/feed/start', { reason: 'by mistake' }, headers);
  const page = await skein.page();
  await page.goto(`${skein.url}/system?tab=tokens`);
  await page.getByLabel('Token').fill(ROOT);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Name').fill('one <b>job</b>');
  await page.getByLabel('Last day (UTC)').fill('2099-12-31');
  await page.getByRole('group', { name: 'Only these jobs' }).getByRole('button', { name: 'events_job' }).click();
  await page.getByRole('button', { name: 'Make a token' }).click();
  const shown = page.getByRole('dialog', { name: 'The token, shown this once' });
  const token = (await shown.locator('pre').textContent()) ?? '';
  await shown.getByRole('button', { name: 'I have it' }).click();
  await page.getByRole('row', { name: /one <b>job<\/b> viewer events_job .*2099-12-31/ }).waitFor();
  const me = await skein.api<{ jobs: string[] }>('GET', '/me', undefined, { authorization: `Bearer ${token}` });
  expect(me.jobs).toEqual(['events_job']);

  expect(await status()).toBe('RUNNING');
  await page.goto(`${skein.url}/system?tab=audit`);
  await page
    .getByRole('row', { name: /by mistake/ })
    .getByRole('button', { name: /^Details/ })
    .click();
  await page.getByRole('button', { name: 'Undo…' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('it was not meant');
  await page.getByRole('button', { name: 'Undo it' }).click();
  await page.getByRole('row', { name: /sensor:feed it was not meant 200/ }).waitFor();
  expect(await status()).toBe('STOPPED');
  // Undone once, it is not as that change left it: a second time is refused with the reason.
  await page.getByRole('button', { name: 'Undo…' }).click();
  await page.getByRole('button', { name: 'Undo it' }).click();
  await page
    .getByRole('dialog')
    .getByText(/was changed since/)
    .waitFor();
  expect(skein.faults).toEqual([]);
  await page.context().close();
});
