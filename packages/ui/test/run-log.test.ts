/**
 * A large log: found in, jumped about, scrolled both ways, while the page holds only what is near. A tenth of the size
 * that it is made for; LOG_LINES=1000000 is the whole of it.
 */

import type { Page } from 'playwright-core';

import { type Skein, openSkein, until } from './harness.ts';

const LINES = Number(process.env.LOG_LINES ?? 100_000);
const FEWER = 5_000;
const BATCH = 10_000;

let skein: Skein;
let page: Page;
let id: string;
let small: string;
beforeAll(async () => {
  skein = await openSkein({ SKEIN_RUN_LOG_LINES: String(Math.max(LINES, FEWER)) });
  page = await skein.page();
  [id, small] = [await runWithLog('2026-01-02', LINES), await runWithLog('2026-01-03', FEWER)];
}, 600_000);

/** A run that ended, with a log as a worker writes it. */
async function runWithLog(day: string, lines: number): Promise<string> {
  const request = { job: 'events_job', partitions: [`acme_${day}`], config: { lines: 0 } };
  const { run_id: run } = await skein.api<{ run_id: string }>('POST', '/launch', request);
  await until(
    () => skein.api<{ status: string }>('GET', `/runs/${run}`),
    ({ status }) => status === 'SUCCESS',
  );
  const { redis, keys } = skein.engine;
  for (let from = 1; from <= lines; from += BATCH) {
    const pipeline = redis.pipeline();
    for (let i = from; i < Math.min(from + BATCH, lines + 1); i++) {
      const level = i === lines - 5 ? 'error' : 'info';
      const words = i === 12 ? `\u001b[31mred line ${i} of many\u001b[0m \u001b[2J` : `line ${i} of many`;
      const line = ['l', level, 'm', words, 'f', `{"n":${i}}`, 'u', `${run}.0.p.1`, 'at', i];
      pipeline.xadd(keys.runLog(run), `${i}-0`, ...line);
    }
    await pipeline.exec();
  }
  return run;
}
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
});

test('it grows both ways from there without a gap, and goes to its ends', async () => {
  const wanted = Math.floor(LINES * 0.777);
  await page.goto(`${skein.url}/runs/${id}?tab=log&line=${wanted}-0`);
  await line(wanted).waitFor();
  const shown = async () =>
    (await page.locator('.log-line .message').allTextContents()).map((text) => Number(/line (\d+)/.exec(text)?.[1]));
  const asked: string[] = [];
  page.on('request', (request) => void (request.url().includes('before=') && asked.push(request.url())));
  await log().hover();
  for (let i = 0; i < 24; i++) {
    await page.mouse.wheel(0, -1_000);
    const numbers = await until(shown, (all) => all.length > 5);
    // Whatever is seen is one row after the other.
    expect(numbers.every((n, at) => at === 0 || n === (numbers[at - 1] ?? 0) + 1)).toBe(true);
  }
  // No window of it twice: its lines would be there twice.
  expect(asked.length).toBeGreaterThan(1);
  expect(new Set(asked).size).toBe(asked.length);
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
  await page.getByRole('button', { name: 'errors', exact: true, pressed: true }).click();
  await line(1).first().waitFor();
  // The strip beside the lines knows where it is.
  await page.getByRole('button', { name: '1 error: next' }).click();
  await page
    .locator('.log-line[data-here]')
    .getByText(`line ${LINES - 5} of`)
    .waitFor();
  const strip = await page.getByRole('img', { name: 'Where in the log: 1 errors' }).boundingBox();
  const mark = await page.locator('.log-map i[data-tone="bad"]').boundingBox();
  expect(((mark?.y ?? 0) - (strip?.y ?? 0)) / (strip?.height ?? 1)).toBeGreaterThan(0.9);
});

test('an expression is looked for by the server, hides other lines, and a wrong one is refused in words', async () => {
  await page.goto(`${skein.url}/runs/${small}?tab=log`);
  await line(12).waitFor();
  // Its colour is drawn, what would clear a terminal is shown.
  await page.locator('.log-line .ansi-red').getByText('red line 12 of many').waitFor();
  await page.getByText('\\u001b[2J').waitFor();
  await page.locator('.log-line').nth(3).getByRole('button', { name: 'Fields' }).click();
  await page.locator('.log-json').getByText('"n":').waitFor();
  await page.keyboard.press('Control+f');
  await page.keyboard.type('line \\d*(777|778) of');
  await page.getByRole('button', { name: 'As a regular expression' }).click();
  await page.getByText('10 in 5,000 lines').waitFor();
  await page.getByRole('button', { name: 'only these' }).click();
  await line(777).waitFor();
  await page.reload();
  await line(1_778).waitFor();
  expect(await page.locator('.log-line:not([data-hit])').count()).toBe(0);
  const file = await page.getByRole('link', { name: 'Download' }).getAttribute('href');
  const lines = (await (await fetch(skein.url + String(file))).text()).trimEnd().split('\n');
  expect([lines.length, lines[0]?.slice(25)]).toEqual([10, 'info  line 777 of many {"n":777}']);
  const field = page.getByRole('textbox', { name: 'Find in the whole log' });
  await field.fill('line (');
  await page.getByText('is not a regular expression of RE2').first().waitFor();
  expect(skein.faults).toEqual([]);
});
