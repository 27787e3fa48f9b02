/**
 * The dashboard's budgets, each figure beside its budget: the first load and a change of page in a slow browser on a slow
 * network, a map of a million cells, and errors among a million lines of a log. A real server, a real Chromium, the
 * dashboard as it is built now.
 */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import {
  type Deployment,
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  dynamic,
  materialized,
  text,
} from '@skein/orchestrator';
import { type Browser, type Page, chromium } from 'playwright-core';
import { z } from 'zod';

import { ensureChromium } from '../infra/embedded/src/chromium.ts';
import { startServer } from '../packages/orchestrator/src/api/server.ts';
import { createClient } from '../packages/orchestrator/src/engine/client.ts';
import { type Engine, openEngine } from '../packages/orchestrator/src/engine/engine.ts';
import { lookInRunLog } from '../packages/orchestrator/src/engine/reads/look-in-log.ts';
import { startWorker } from '../packages/orchestrator/src/worker/worker.ts';
import { type Bench, type BenchOptions, type BenchRow, row } from './bench.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SLOW_CPU = 4;
/** 10 Mbit a second, 40 ms there and back. */
const SLOW_NETWORK = { offline: false, latency: 40, downloadThroughput: 1_250_000, uploadThroughput: 1_250_000 };
const ROWS = 1_000;
const DAYS = 1_000;
const LINES = 1_000_000;
const RUNS = 20;
/** Outcome × 4, as the ledger keeps it: half a byte a day. */
const [MISSING, MATERIALIZED, FAILED] = [0, 4, 8];

function deployment(): Deployment {
  const events = defineAsset({
    key: 'events',
    description: 'A day of a customer.',
    partitions: composite({ id: dynamic('customer', text), day: daily({ start: '2023-01-01' }) }),
    config: z.object({}),
    materialize: async () => materialized({ rows: 1 }),
  });
  return defineDeployment({
    definitions: { jobs: [defineJob({ name: 'events_job', assets: [events] })], sensors: [] },
  });
}

/** Written into the ledger directly: a million runs would take hours. Teams began at different days; one in fifty failed. */
async function fillMap(engine: Engine): Promise<void> {
  const pipeline = engine.redis.pipeline();
  for (let customer = 0; customer < ROWS; customer++) {
    const id = String(customer).padStart(4, '0');
    const states = Buffer.alloc(DAYS / 2);
    for (let day = (customer * 37) % 400; day < DAYS; day++) {
      const dice = Math.imul(customer * DAYS + day + 1, 2_654_435_761) >>> 0;
      const state = dice % 50 === 0 ? FAILED : dice % 997 === 0 ? MISSING : MATERIALIZED;
      const at = day >> 1;
      states[at] = (states[at] ?? 0) | (day % 2 === 0 ? state << 4 : state);
    }
    pipeline.zadd(engine.keys.rows('events'), 0, id).set(engine.keys.states('events', id), states);
  }
  await pipeline.exec();
}

/** As a worker writes them. */
async function fillLog(engine: Engine, run: string, lines: number): Promise<void> {
  const batch = 10_000;
  for (let from = 1; from <= lines; from += batch) {
    const pipeline = engine.redis.pipeline();
    for (let i = from; i < from + batch; i++) {
      const level = i === lines - 5 ? 'error' : 'info';
      const line = ['l', level, 'm', `line ${i} of many`, 'f', `{"n":${i}}`, 'u', `${run}.0.p.1`, 'at', i];
      pipeline.xadd(engine.keys.runLog(run), `${i}-0`, ...line);
    }
    await pipeline.exec();
  }
}

/** Notes, in the page, when it is whole, how far its layout moved, and when cells came and were painted. */
const WATCH = `
  window.moved = 0;
  window.movers = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => {
    if (one.hadRecentInput) return;
    window.moved += one.value;
    for (const { node } of one.sources) window.movers.push((node?.className || node?.nodeName) ?? '');
  })).observe({ type: 'layout-shift', buffered: true });
  window.whole = (words) => new Promise((resolve) => {
    const look = () => {
      const main = document.querySelector('main');
      if (main?.textContent.includes(words) && !main.querySelector('[aria-label="Loading"]'))
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
      else requestAnimationFrame(look);
    };
    look();
  });
  window.painted = [];
  const { drawImage } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.drawImage = function (...args) {
    drawImage.apply(this, args);
    requestAnimationFrame(() => setTimeout(() => window.painted.push(performance.now())));
  };`;

async function newPage(browser: Browser, isSlow: boolean): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1360, height: 860 } })).newPage();
  await page.addInitScript(WATCH);
  if (isSlow) {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    await devtools.send('Network.emulateNetworkConditions', SLOW_NETWORK);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOW_CPU });
  }
  return page;
}

interface Load {
  readonly first: number;
  readonly change: number;
  readonly moved: number;
  /** What of the page it was. */
  readonly movers: string;
}

/** Cold: a browser that has never been here. */
async function load(browser: Browser, url: string): Promise<Load> {
  const page = await newPage(browser, true);
  await page.goto(url, { waitUntil: 'commit' });
  const first = (await page.evaluate(`whole('Latest runs')`)) as number;
  const change = (await page.evaluate(`(async () => {
    const link = document.querySelector('nav a[href="/runs"]');
    const began = performance.now();
    link.click();
    return (await whole('events_job')) - began;
  })()`)) as number;
  const moved = (await page.evaluate('moved')) as number;
  const movers = ((await page.evaluate('movers')) as string[]).join(', ');
  await page.context().close();
  return { first, change, moved, movers };
}

interface MapFigures {
  readonly paint: number;
  readonly pan: number;
  readonly zoom: number;
  readonly bytes: number;
}

async function map(browser: Browser, url: string): Promise<MapFigures> {
  const page = await newPage(browser, false);
  let bytes = 0;
  const sizes: Promise<void>[] = [];
  page.on('requestfinished', (request) => {
    if (!request.url().includes('/partitions/tiles')) return;
    sizes.push(request.sizes().then(({ responseBodySize }) => void (bytes += responseBodySize)));
  });
  await page.goto(`${url}/assets/events?col=0&zoom=1`);
  await page.waitForLoadState('networkidle');
  const paint = (await page.evaluate(`(() => {
    const tiles = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/partitions/tiles'));
    const came = Math.max(...tiles.map(({ responseEnd }) => responseEnd));
    return painted.find((at) => at > came) - came;
  })()`)) as number;
  const rate = (event: string, frames: number) =>
    page.evaluate(`(async () => {
      const canvas = document.querySelector('canvas');
      const { left, top, width } = canvas.getBoundingClientRect();
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const began = await frame();
      for (let i = 0; i < ${frames}; i++) {
        canvas.dispatchEvent(new WheelEvent('wheel', {
          bubbles: true, cancelable: true, clientX: left + width / 2, clientY: top + 200, ...(${event})(i) }));
        await frame();
      }
      return ${frames} / (((await frame()) - began) / 1000);
    })()`) as Promise<number>;
  const more = page.getByRole('button', { name: /more/i });
  if ((await more.count()) > 0) await more.click();
  await page.waitForLoadState('networkidle');
  const pan = await rate('(i) => ({ deltaX: 12, deltaY: 70 })', 150);
  await page.waitForLoadState('networkidle');
  await Promise.all(sizes);
  // Every row was seen by now; what zooming reads are other levels of detail.
  const whole = bytes;
  const zoom = await rate('(i) => ({ ctrlKey: true, deltaY: i % 30 < 15 ? -1 : 1 })', 150);
  await page.context().close();
  return { paint, pan, zoom, bytes: whole };
}

/** Errors among the lines of a log: sifted by Redis, beside reading every line. */
async function errors(engine: Engine, run: string): Promise<{ sifted: number; read: number }> {
  const began = performance.now();
  let found = 0;
  for (let [from, isEnd]: [string | undefined, boolean] = [undefined, false]; !isEnd;) {
    const look = await lookInRunLog(engine, run, { from, isBackwards: false }, { level: 'error' }, 500);
    found += look.wanted;
    [from, isEnd] = [look.last, look.last === undefined];
  }
  if (found !== 1) throw new RangeError(`${found} errors were found, not the one that is there.`);
  const sifted = performance.now() - began;
  let place = '-';
  for (;;) {
    const lines = await engine.redis.xrange(engine.keys.runLog(run), place, '+', 'COUNT', 2_000);
    const last = lines.at(-1);
    if (last === undefined) break;
    place = `(${last[0]}`;
  }
  return { sifted, read: performance.now() - began - sifted };
}

export const bench: Bench = {
  name: 'dashboard',
  summary: 'the dashboard’s budgets: first load when all is slow, a map of a million cells, a log of a million lines',
  async run({ scale, rounds, note }: BenchOptions): Promise<readonly BenchRow[]> {
    const built = spawnSync('npm', ['run', 'build', '-w', '@skein/ui'], { cwd: ROOT, encoding: 'utf8' });
    if (built.status !== 0) throw new TypeError(`The dashboard could not be built: ${built.stderr}`);
    const prefix = `{dashboard-${randomBytes(4).toString('hex')}}`;
    const lines = Math.round(LINES * scale);
    const engine = await openEngine(deployment(), {
      env: { ...process.env, SKEIN_REDIS_PREFIX: prefix, SKEIN_REQUESTS_PER_MINUTE: '1000000' },
    });
    const worker = await startWorker(engine, { log: SILENT });
    const server = await startServer(engine, { log: SILENT, host: '127.0.0.1', port: 0 });
    const browser = await chromium.launch({
      executablePath: await ensureChromium(note),
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    try {
      const client = createClient(engine);
      let run = '';
      for (let day = 1; day <= RUNS; day++) {
        const partitions = [`0001_2024-01-${String(day).padStart(2, '0')}`];
        ({ runId: run } = await client.submit({ job: 'events_job', partitions, cause: 'bench' }));
        await client.wait(run);
      }
      await fillMap(engine);
      await fillLog(engine, run, lines);
      const loads: Load[] = [];
      const maps: MapFigures[] = [];
      const looks: Awaited<ReturnType<typeof errors>>[] = [];
      for (let round = 1; round <= rounds; round++) {
        const [one, cells, look] = [
          await load(browser, server.url),
          await map(browser, server.url),
          await errors(engine, run),
        ];
        note(
          `round ${round}: load ${Math.round(one.first)} ms, change ${Math.round(one.change)} ms, moved ${one.moved.toFixed(3)} (${one.movers}); paint ${Math.round(cells.paint)} ms, pan ${Math.round(cells.pan)}/s, zoom ${Math.round(cells.zoom)}/s, ${cells.bytes} bytes; errors ${Math.round(look.sifted)} ms, all lines ${Math.round(look.read)} ms`,
        );
        loads.push(one);
        maps.push(cells);
        looks.push(look);
      }
      const budget = (work: string, values: readonly number[], limit: number, unit: string, target = '≤ 1') =>
        row(work, values, [limit], { otherIs: 'budget', unit, target });
      const slow = `${SLOW_CPU} × CPU, 10 Mbit/s, 40 ms`;
      return [
        budget(
          `first load of the overview (${slow})`,
          loads.map(({ first }) => first),
          1_500,
          'ms',
        ),
        budget(
          `from the overview to the runs (${slow})`,
          loads.map(({ change }) => change),
          300,
          'ms',
        ),
        budget(
          'layout that moved by itself',
          loads.map(({ moved }) => moved),
          0.02,
          'CLS',
        ),
        budget(
          'map of 1,000,000 cells: painted after its data',
          maps.map(({ paint }) => paint),
          300,
          'ms',
        ),
        budget(
          'map of 1,000,000 cells: panned',
          maps.map(({ pan }) => pan),
          50,
          'frames/s',
          '≥ 1',
        ),
        budget(
          'map of 1,000,000 cells: zoomed',
          maps.map(({ zoom }) => zoom),
          50,
          'frames/s',
          '≥ 1',
        ),
        budget(
          'map of 1,000,000 cells: all that travels',
          maps.map(({ bytes }) => bytes / 1_000),
          50,
          'KB',
        ),
        row(
          `errors among ${lines.toLocaleString('en')} lines of a log`,
          looks.map(({ sifted }) => sifted),
          looks.map(({ read }) => read),
          { otherIs: 'reading every line', unit: 'ms' },
        ),
      ];
    } finally {
      await browser.close();
      await worker.stop(1_000);
      await server.close();
      await engine.redis.flushdb();
      await engine.close();
    }
  },
};
