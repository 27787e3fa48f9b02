/**
 * A large log: found in, jumped about, scrolled both ways, while the page holds only what is near. A tenth of the size
 * that it is made for; LOG_LINES=1000000 is the whole of it.
 */

import type { Page } from 'playwright-core';

import { type Skein, openSkein, until } from './harness.ts';

const LINES = Number(process.env.LOG_LINES ?? 100_000);
const BATCH = 10_000;

let skein: Skein;
let page: Page;
let id: string;
beforeAll(async () => {
  skein = await openSkein({ SKEIN_RUN_LOG_LINES: String(Math.max(LINES, 1_000)) });
  page = await skein.page();
  const request = { job: 'events_job', partitions: ['acme_2026-01-02'], config: { lines: 0 } };
  ({ run_id: id } = await skein.api<{ run_id: string }>('POST', '/launch', request));
  await until(
    () => skein.api<{ status: string }>('GET', `/runs/${id}`),
    ({ status }) => status === 'SUCCESS',
  );
  const { redis, keys } = skein.engine;
  for (let from = 1; from <= LINES; from += BATCH) {
    const pipeline = redis.pipeline();
    for (let i = from; i < from + BATCH; i++) {
      const level = i === LINES - 5 ? 'error' : 'info';
      // As a worker writes it.
      pipeline.xadd(
        keys.runLog(id),
        `${i}-0`,
        'l',
        level,
        'm',
        `line ${i} of many`,
        'f',
        `{"n":${i}}`,
        'u',
        `${id}.0.p.1`,
        'at',
        i,
      );
    }
    await pipeline.exec();
  }
}, 600_000);
afterAll(() => skein.close());

const log = () => page.getByRole('log', { name: 'Log lines' });
const line = (n: number) => page.locator('.log-line').getByText(`line ${n} of many`, { exact: false });

test('find looks at every line and jumps to the one it found, with its neighbours', async () => {
  await page.goto(`${skein.url}/runs/${id}?tab=log`);
  await page.getByText(`Log, ${LINES.toLocaleString('en')} lines`).waitFor();
  await line(1).first().waitFor();
  const wanted = Math.floor(LINES * 0.777);
  await page.keyboard.press('Control+f');
  const began = Date.now();
  await page.keyboard.type(`line ${wanted} of`);
  await page.getByText(`1 in ${LINES.toLocaleString('en')} lines`).waitFor({ timeout: 60_000 });
  const tookMs = Date.now() - began;
  await page.keyboard.press('Enter');
  await page.locator('.log-line[data-here]').getByText(`line ${wanted} of`).waitFor();
  await line(wanted - 1).waitFor();
  await line(wanted + 1).waitFor();
  expect(await page.locator('.log-line').count()).toBeLessThan(120);
  await page.reload();
  await page.locator('.log-line[data-here]').getByText(`line ${wanted} of`).waitFor();
  process.stderr.write(`found in ${LINES} lines after ${tookMs} ms\n`);
}, 120_000);

test('it grows both ways from there without a gap, and goes to its ends', async () => {
  const wanted = Math.floor(LINES * 0.777);
  await page.goto(`${skein.url}/runs/${id}?tab=log&line=${wanted}-0`);
  await line(wanted).waitFor();
  const shown = async () =>
    (await page.locator('.log-line .message').allTextContents()).map((text) => Number(/line (\d+)/.exec(text)?.[1]));
  await log().hover();
  for (let i = 0; i < 12; i++) {
    await page.mouse.wheel(0, -2_000);
    const numbers = await until(shown, (all) => all.length > 5);
    // Whatever is seen is one row after the other.
    expect(numbers.every((n, at) => at === 0 || n === (numbers[at - 1] ?? 0) + 1)).toBe(true);
  }
  const [top = 0] = await shown();
  expect(top).toBeLessThan(wanted - 500);
  await page.getByRole('button', { name: 'To the last line' }).click();
  await line(LINES).waitFor();
  await page.getByRole('button', { name: 'To the first line' }).click();
  await line(1).first().waitFor();
  expect(await page.locator('.log-line').count()).toBeLessThan(120);
});

test('only errors, from however far away', async () => {
  await page.goto(`${skein.url}/runs/${id}?tab=log&level=error`);
  await line(LINES - 5).waitFor();
  expect(await page.locator('.log-line').count()).toBe(1);
  expect(skein.faults).toEqual([]);
});
