// Takes the pictures of the docs from a Skein that runs with the demo's data:
//   npm run screenshots -w @skein/ui -- http://127.0.0.1:3070
// Nothing is changed in it. A picture that grows beyond 300 KB is an error.
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const IMAGES = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const MAX_BYTES = 300_000;
const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

const url = process.argv[2]?.replace(/\/$/, '');
if (url === undefined) throw new TypeError('Give the address of a running Skein, such as http://127.0.0.1:3070.');

const read = async (route) => (await fetch(`${url}/api/v1${route}`)).json();
const [run] = (await read('/runs?limit=1&status=success')).items;
const [asset] = (await read('/assets')).items.filter(({ counts }) => counts.materialized > 10);
const last = asset.partitions.last_complete_label;
const rows = (await read(`/assets/${encodeURIComponent(asset.key)}/partitions/rows`)).items.map(({ id }) => id);
const daysBefore = (days) => new Date(Date.parse(last) - days * 86_400_000).toISOString().slice(0, 10);
const painted = new URLSearchParams({
  at: `${daysBefore(6)}|${rows[1]}`,
  rows: JSON.stringify([rows[2], rows[4] ?? rows.at(-1)]),
  from: daysBefore(24),
  to: daysBefore(12),
});
const sensors = (await read('/sensors')).items;
const sensor = sensors.find(({ name }) => name.includes('orphan')) ?? sensors[0];

const PAGES = [
  ['overview', '/', 'Latest runs'],
  ['heat-map', `/assets/${encodeURIComponent(asset.key)}?${painted}`, 'partitions:'],
  ['sensor-cursor', `/sensors/${sensor.name}?tab=cursor&edit=json`, 'History'],
  ['run', `/runs/${run.id}`, 'queued'],
  ['compare', `/compare?a=${run.id}`, 'How long each step took'],
  [
    'launchpad',
    `/launch?asset=${encodeURIComponent(asset.key)}&partition=${encodeURIComponent(`${rows[1]}_${last}`)}`,
    'can be launched',
  ],
];

const SHORTEN = `for (const pre of document.querySelectorAll('pre'))
  pre.textContent = pre.textContent.replaceAll(/"\\/[^"]*\\/objects\\//g, '"…/');`;

mkdirSync(IMAGES, { recursive: true });
const browser = await chromium.launch({ executablePath: findBrowser(), args: ['--no-sandbox', '--disable-gpu'] });
for (const theme of ['light', 'dark']) {
  const context = await browser.newContext({
    colorScheme: theme,
    reducedMotion: 'reduce',
    viewport: { width: 1360, height: 820 },
  });
  const page = await context.newPage();
  for (const [name, route, words] of PAGES) {
    await page.goto(url + route);
    await page.locator('main').getByText(words).first().waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => {});
    // Paths of the machine say nothing to a reader.
    await page.evaluate(SHORTEN);
    const file = path.join(IMAGES, `${name}-${theme}.png`);
    await page.screenshot({ path: file });
    const { size } = statSync(file);
    if (size > MAX_BYTES) throw new RangeError(`${file} has ${size} bytes.`);
    process.stdout.write(`${path.basename(file)} ${Math.round(size / 1_000)} KB\n`);
  }
  await context.close();
}
await browser.close();

function findBrowser() {
  if (process.env.SKEIN_CHROMIUM) return process.env.SKEIN_CHROMIUM;
  for (const name of NAMES) {
    const { status, stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  throw new TypeError('No Chromium was found; set SKEIN_CHROMIUM.');
}
