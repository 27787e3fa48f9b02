/** A million cells: few tiles travel, and they are light. How fast it is painted and panned, `npm run bench -- dashboard` says. */

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
});

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

test('a map of 1,000,000 cells is light on the wire, and panned', async () => {
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
  await page.mouse.move(700, 500);
  for (let i = 0; i < 10; i++) await page.mouse.wheel(0, 300);
  await page.waitForLoadState('networkidle');
  await page.getByRole('application', { name: /^Map of 500 rows and/ }).waitFor();
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(WIRE_BYTES);
  expect(tiles).toBeLessThan(20);
  expect(skein.faults).toEqual([]);
  await page.context().close();
});
