/** Every page: it shows what it should, reloads to the same view, has no accessibility violation in either theme. */

import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';

import { HTML, ODD_IDS } from './deployment.ts';
import { type Skein, openSkein, until } from './harness.ts';

let skein: Skein;
let runId = '';
let badRun = '';
let backfillId = '';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

beforeAll(async () => {
  skein = await openSkein();
  const launch = (key: string) =>
    skein.api<{ run_id: string }>('POST', '/launch', { job: 'events_job', partitions: [key] });
  for (const id of ODD_IDS) await launch(`${id}_2026-01-05`);
  runId = (await launch('acme_2026-01-06')).run_id;
  badRun = (await launch('bad_2026-01-06')).run_id;
  const ended = (id: string) =>
    until(
      () => skein.api<{ ended_at: string | null }>('GET', `/runs/${id}`),
      (run) => run.ended_at !== null,
    );
  await Promise.all([ended(runId), ended(badRun)]);
  const skipped = { as: 'skipped', partitions: ['acme_2026-01-01'], reason: 'so that later days are late' };
  await skein.api('POST', '/assets/report/partitions/mark', skipped);
  const body = { job: 'events_job', ids: ['acme'], from: '2026-01-01', to: '2026-01-03' };
  backfillId = (await skein.api<{ id: string }>('POST', '/backfills', body)).id;
  await skein.api('POST', '/sensors/feed/evaluate');
  await until(
    () => skein.api<{ items: unknown[] }>('GET', '/sensors/feed/ticks'),
    ({ items }) => items.length > 0,
  );
  await until(
    () => skein.api<{ ended_at: string | null }>('GET', `/backfills/${backfillId}`),
    (one) => one.ended_at !== null,
  );
});

afterAll(async () => {
  await skein?.close();
});

/** Each address with words that only the loaded page has. */
const ROUTES = (): readonly (readonly [string, string | RegExp])[] => [
  ['/', '1 of 1 late'],
  ['/assets', 'A report of the day.'],
  ['/assets?view=graph&sel=report&depth=1', 'Made from'],
  ['/assets?view=graph&closed=%5B%22lake%22%5D', 'Groups'],
  ['/assets?q=report', 'A report of the day.'],
  ['/assets/events?at=2026-01-06%7Cacme&col=0&zoom=20', 'acme_2026-01-06'],
  ['/assets/events?rows=%5B%22acme%22%2C%22bad%22%5D&from=2026-01-01&to=2026-01-10', /partitions:/],
  ['/assets/events?tab=table&status=failed', 'bad_2026-01-06'],
  ['/assets/events?tab=runs', 'events_job'],
  ['/assets/events?tab=config', 'How much is read.'],
  ['/assets/report?tab=lineage', 'identity'],
  ['/assets/report?tab=automation', 'nightly'],
  ['/assets/report?at=2026-01-05%7Cacme&pin=%5B%22acme%22%5D', 'it is made from'],
  [
    '/assets/events?fold=month&sort=lag&by=tries&of=failed&rows=%5B%22acme%22%2C%22bad%22%5D&from=2026-01-01&to=2026-01-31',
    /of .* partitions:/,
  ],
  ['/sensors?state=stopped', 'Asks for the next day'],
  ['/sensors/feed', 'What will the next tick do?'],
  ['/sensors/feed?tab=cursor', 'The day of January that comes next.'],
  ['/sensors/feed?tab=cursor&edit=json', '"until"'],
  ['/sensors/feed?tab=runs', 'feed'],
  ['/sensors/feed?status=requested&range=24h&tick=feed.1', 'Replay this tick in preview'],
  ['/sensors/feed?tab=logs&level=info', 'looks at day'],
  ['/sensors/feed?tab=code', 'Schema of the cursor'],
  ['/schedules?name=nightly', 'No ticks yet.'],
  ['/launch?asset=events&partition=acme_2026-01-06', 'can be launched'],
  ['/launch?asset=events&partition=acme_2026-01-06&edit=json', 'can be launched'],
  ['/runs?q=status%3Afailed', 'the source said'],
  ['/runs?by=error&cols=run,tags', 'BAD_SOURCE'],
  ['/runs/act?q=status%3Afailed', '1 run matches'],
  [`/runs/${runId}`, 'attempt'],
  [`/runs/${runId}?tab=log&find=line`, 'line 3 of acme_2026-01-06'],
  [`/runs/${runId}?tab=partitions`, 'quick'],
  [`/runs/${runId}?tab=config`, 'Config as launched'],
  [`/runs/${runId}?tab=why`, /launched it through/],
  [`/runs/${runId}?tab=raw`, 'run.ended'],
  [`/runs/${badRun}`, 'BAD_SOURCE'],
  [`/compare?a=${runId}&b=${badRun}`, 'Second run'],
  ['/backfills', 'events_job'],
  [`/backfills/${backfillId}`, '2026-01-01 … 2026-01-03'],
  ['/ducklings', 'no ducklings'],
  ['/failures', 'BAD_SOURCE'],
  ['/system', 'Append-only file'],
  ['/system?tab=pools', 'narrow'],
  ['/system?tab=audit', 'POST /launch'],
  ['/system?tab=tokens', 'Make a token'],
  ['/nowhere', 'There is no such page.'],
];

/** Text that stays the same while the page only waits; ages and clocks count on. */
async function contentOf(page: Page): Promise<string> {
  const all = await page.locator('main').innerText();
  return (
    all
      .replaceAll(/[-−]?\b(now|(in )?\d+ (ms|s|min|h)( ago)?|\d+(\.\d+)? ?(ms|s)\b)/g, '')
      .replaceAll(/[\d.]+ (bytes|[KMG]B)|\d+(,\d{3})*/g, '#')
      // A duration of two parts, such as “2 min 5 s”, leaves a space that one of full minutes does not.
      .replaceAll(/[ \t]+/g, ' ')
      .replaceAll(/ ?\n ?/g, '\n')
  );
}

/** Once it has stayed the same for a while: answers of cards come after the page is there. */
async function stillContentOf(page: Page): Promise<string> {
  let last = '';
  let reads = 0;
  return until(
    () => contentOf(page),
    (text) => {
      reads = text === last ? reads + 1 : 0;
      last = text;
      return reads >= STILL_READS;
    },
  );
}

const STILL_READS = 6;

async function settled(page: Page, words: string | RegExp): Promise<void> {
  await page.locator('main').getByText(words).first().waitFor({ state: 'attached' });
  await page.locator('main [role="status"][aria-label="Loading"]').first().waitFor({ state: 'detached' });
}

/** Pages at once: while one waits for an answer, another is looked at. */
const LANES = 3;

test('every page is whole, accessible in both themes, and reloads to the same view', async () => {
  const left = [...ROUTES()];
  const violations: string[] = [];
  const look = async () => {
    const page = await skein.page();
    for (let route = left.shift(); route; route = left.shift()) {
      const [url, words] = route;
      await page.goto(skein.url + url);
      await settled(page, words).catch(() => violations.push(`${url} never showed ${String(words)}`));
      await page.evaluate(axe);
      violations.push(...(await violationsOf(page, url, '')));
      // Only colours differ between the themes.
      await page.getByRole('button', { name: 'Switch to dark' }).click();
      await page.locator('html[data-mantine-color-scheme="dark"]').waitFor({ state: 'attached' });
      violations.push(...(await violationsOf(page, `${url} in dark`, "runOnly: ['color-contrast']")));
      await page.getByRole('button', { name: 'Switch to light' }).click();
      const before = await stillContentOf(page);
      const { pathname } = new URL(page.url());
      await page.reload();
      await settled(page, words);
      const after = await until(
        () => contentOf(page),
        (text) => text === before,
      ).catch(() => contentOf(page));
      expect({ url, text: after }).toEqual({ url, text: before });
      expect(new URL(page.url()).pathname).toBe(pathname);
    }
    await page.context().close();
  };
  await Promise.all(Array.from({ length: LANES }, look));
  expect(violations).toEqual([]);
}, 240_000);

async function violationsOf(page: Page, url: string, rules: string): Promise<string[]> {
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'], ${rules} })`)) as Found;
  return found.violations.map(({ id, nodes: [node] }) => {
    const why = node?.any.map((one) => one.message).join(' ') ?? '';
    return `${url}: ${id}: ${node?.html.slice(0, 160) ?? ''} ${why}`;
  });
}

interface Found {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly any: readonly { readonly message: string }[] }[];
  }[];
}

test('what a page does not know or refuses goes out of its address; a time zone in it stays', async () => {
  const page = await skein.page();
  await page.goto(`${skein.url}/assets?view=nonsense&q=report&colour=red&tz=partition`);
  await page.getByText('A report of the day.').waitFor();
  await page.waitForURL(`${skein.url}/assets?tz=partition&q=report`);
  await page.getByRole('link', { name: 'report', exact: true }).click();
  await page.waitForURL(/\/assets\/report\?tz=partition/);
  await page.getByText('1 of 1 late').waitFor();
  await page.getByRole('link', { name: 'Overview', exact: true }).click();
  await page.getByRole('link', { name: 'acme', exact: true }).click();
  await page.getByRole('heading', { name: /^acme_/ }).waitFor();
  await page.getByText('Local', { exact: true }).click();
  await page.waitForURL(/tz=local/);
  await page.context().close();
});

test('odd keys lead everywhere, and no name, key or message is ever run as a script', async () => {
  const page = await skein.page();
  for (const id of ODD_IDS) {
    const key = `${id}_2026-01-05`;
    await page.goto(`${skein.url}/launch?asset=events&partition=${encodeURIComponent(key)}`);
    await settled(page, 'can be launched');
    // From its place on the map to its card, its run and its log, and there once more after a reload.
    await page.goto(`${skein.url}/assets/events?at=${encodeURIComponent(`2026-01-05|${id}`)}`);
    await page
      .getByRole('heading')
      .filter({ hasText: [...id].slice(0, 8).join('') })
      .first()
      .waitFor();
    await page.getByText('materialized').last().waitFor();
    await page.getByRole('link', { name: 'Read it' }).click();
    const line = page.getByText(`line 3 of ${key}`);
    await line.waitFor();
    await page.reload();
    await line.waitFor();
  }
  await page.goto(`${skein.url}/runs/${badRun}`);
  await page.getByText(`the source said ${HTML}`).first().waitFor();
  expect(await page.evaluate('window.pwned')).toBeUndefined();
  expect(skein.faults).toEqual([]);
  await page.context().close();
});
