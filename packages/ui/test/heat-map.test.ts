/** A million cells: what travels, how soon it is painted, and that a frame of panning is cheap. Prints what it measured. */

import { type Skein, openSkein, until } from './harness.ts';

const ROWS = 1_000;
const DAYS = 1_000;
const WIRE_BYTES = 50_000;

let skein: Skein;

/** Outcome × 4, as the ledger keeps it: half a byte a day. */
const MATERIALIZED = 4;
const FAILED = 8;
const MISSING = 0;

beforeAll(async () => {
  skein = await openSkein({}, { firstDay: '2023-01-01' });
  // Written into the ledger directly: a million runs would take longer than a test may.
  const { redis, keys } = skein.engine;
  const pipeline = redis.pipeline();
  for (let row = 0; row < ROWS; row++) {
    const id = String(row).padStart(4, '0');
    pipeline.zadd(keys.rows('events'), 0, id);
    pipeline.set(keys.states('events', id), statesOf(row));
  }
  await pipeline.exec();
}, 60_000);

/** Teams began at different days; one partition in fifty failed, at places that follow no pattern. */
function statesOf(row: number): Buffer {
  const bytes = Buffer.alloc(DAYS / 2);
  const begun = (row * 37) % 400;
  for (let day = 0; day < DAYS; day++) {
    const dice = Math.imul(row * DAYS + day + 1, 2_654_435_761) >>> 0;
    const state = day < begun ? MISSING : dice % 50 === 0 ? FAILED : MATERIALIZED;
    const at = day >> 1;
    bytes[at] = (bytes[at] ?? 0) | (day % 2 === 0 ? state << 4 : state);
  }
  return bytes;
}

afterAll(async () => {
  await skein?.close();
});

test('a map of 1,000,000 cells is light on the wire, and panned smoothly', async () => {
  const page = await skein.page();
  let bytes = 0;
  let tiles = 0;
  page.on('response', (response) => {
    if (!response.url().includes('/partitions/tiles')) return;
    tiles++;
    void response
      .request()
      .sizes()
      .then(({ responseBodySize }) => (bytes += responseBodySize));
  });
  await page.goto(`${skein.url}/assets/events?col=0&zoom=1`);
  await page.getByRole('application').waitFor();
  await page.getByRole('button', { name: 'Show every day' }).click();
  await until(
    async () => tiles,
    (n) => n > 0,
  );
  await page.waitForLoadState('networkidle');
  // Twenty steps of panning, each in a frame of its own; the time that scripts took of each.
  const frames = (await page.evaluate(PAN)) as number[];
  const sorted = [...frames].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  process.stderr.write(`heat map: ${tiles} tiles, ${bytes} bytes on the wire, median frame ${median.toFixed(1)} ms\n`);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(WIRE_BYTES);
  expect(median).toBeLessThan(20);
  expect(skein.faults).toEqual([]);
  await page.context().close();
}, 60_000);

const PAN = `(async () => {
  const canvas = document.querySelector('canvas');
  const frames = [];
  for (let i = 0; i < 40; i++) {
    const before = performance.now();
    canvas.dispatchEvent(new WheelEvent('wheel', { deltaX: 12, deltaY: 30, bubbles: true, cancelable: true }));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    frames.push(performance.now() - before);
  }
  return frames;
})()`;
