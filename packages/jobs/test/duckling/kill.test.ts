/**
 * kill -9 at every boundary of a partition's run and at random moments: afterwards another attempt makes the day right,
 * no file is registered twice, and what was left behind is found as orphans, and nothing else.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { type Duckling, ducklingEventsBackfill } from '@skein/jobs';
import { addDays } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import { findOrphans } from '../../src/duckling/orphans.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

let house: LakeHouse;
let duckling: Duckling;
beforeAll(async () => {
  house = await openLakeHouse();
  duckling = await house.addDuckling(2);
  await seedEvents(house, 2, '2023-12-31', 5);
  // The table is there, as it is in all runs but the very first.
  await runAsset(ducklingEventsBackfill, { partition: '2_2023-12-31', resources: house, runId: 'FIRST' });
});
afterAll(() => house.close());

interface ChildPlan {
  readonly partition: string;
  readonly run: string;
  readonly killAt?: string;
  readonly killAfterMs?: number;
}

/** Gives how the process ended: `SIGKILL` or its exit code. */
function runChild({ partition, run, killAt, killAfterMs }: ChildPlan): Promise<string> {
  const env = {
    ...process.env,
    ...house.env,
    CHILD_PARTITION: partition,
    CHILD_RUN: run,
    CHILD_KILL_AT: killAt ?? '',
    ...(killAfterMs === undefined ? {} : { CHILD_KILL_AFTER_MS: String(killAfterMs) }),
  };
  const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', join(__dirname, 'killed-child.ts')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? String(code))));
}

const BOUNDARIES = [
  'before the export',
  'after the export',
  'before the transaction',
  'in the transaction, before its work',
  'after the delete',
  'after the file is added',
  'before the commit',
  'after the commit',
];

test.each(BOUNDARIES)('killed %s: the next attempt makes the day right', async (killAt) => {
  const day = addDays('2024-01-01', BOUNDARIES.indexOf(killAt));
  const partition = `2_${day}`;
  await seedEvents(house, 2, day, 40);
  await runAsset(ducklingEventsBackfill, { partition, resources: house, runId: 'BEFORE' });
  await seedEvents(house, 2, day, 2, { event: 'late' });
  expect(await runChild({ partition, run: 'KILLED', killAt })).toBe('SIGKILL');
  // Readers see the old day or the new one.
  expect(['40', '42']).toContain(await rowsOf(day));
  const next = await runAsset(ducklingEventsBackfill, { partition, resources: house, runId: 'KILLED', attempt: 2 });
  expect(next.error).toBeUndefined();
  expect(await rowsOf(day)).toBe('42');
  await expectNothingTwice();
});

/** `SKEIN_TEST_KILLS=200` for the whole number; the default keeps the suite short. */
const KILLS = Number(process.env.SKEIN_TEST_KILLS ?? 12);

test(`${KILLS} kills at random moments: every day whole, no file twice, orphans found and nothing else`, async () => {
  const days = Array.from({ length: KILLS }, (_, i) => addDays('2024-02-01', i));
  let killed = 0;
  for (const [i, day] of days.entries()) {
    await seedEvents(house, 2, day, 30 + i);
    // From the start of the work to some time after a fast machine has ended it.
    const killAfterMs = Math.floor(Math.random() * 900);
    if ((await runChild({ partition: `2_${day}`, run: `RANDOM${i}`, killAfterMs })) === 'SIGKILL') killed++;
  }
  expect(killed).toBeGreaterThan(0);
  const again = await Promise.all(
    days.map((day, i) =>
      runAsset(ducklingEventsBackfill, { partition: `2_${day}`, resources: house, runId: `RANDOM${i}`, attempt: 2 }),
    ),
  );
  expect(again.map((r) => r.error)).toEqual(days.map(() => undefined));
  const inLake = await house.lake<{ day: string; n: string }>(
    2,
    `SELECT strftime(timestamp, '%Y-%m-%d') AS day, count(uuid) AS n FROM events WHERE timestamp >= TIMESTAMPTZ '2024-02-01 00:00:00+00' GROUP BY 1 ORDER BY 1`,
  );
  expect(inLake).toEqual(days.map((day, i) => ({ day, n: String(30 + i) })));
  await expectNothingTwice();

  const catalog = await house.catalog(2);
  const { rows } = await catalog.query<{ path: string }>('SELECT path FROM ducklake_data_file');
  await catalog.end();
  const referred = new Set(rows.map((row) => row.path));
  const orphans = await findOrphans(
    house.ducklings,
    duckling,
    0,
    new Date(Date.now() + 60_000),
    new AbortController().signal,
  );
  const objects: string[] = [];
  const bucket = house.ducklings.bucket(duckling);
  for await (const object of bucket.list('backfill/'))
    objects.push(house.ducklings.store.url(duckling.bucket, object.key));
  expect(orphans.map((o) => o.url).sort()).toEqual(objects.filter((url) => !referred.has(url)).sort());
}, 600_000);

async function rowsOf(day: string): Promise<string | undefined> {
  const [row] = await house.lake<{ n: string }>(
    2,
    `SELECT count(uuid) AS n FROM events WHERE timestamp >= TIMESTAMPTZ '${day} 00:00:00+00' AND timestamp < TIMESTAMPTZ '${addDays(day, 1)} 00:00:00+00'`,
  );
  return row?.n;
}

async function expectNothingTwice(): Promise<void> {
  const catalog = await house.catalog(2);
  const { rows } = await catalog.query('SELECT path FROM ducklake_data_file GROUP BY path HAVING count(*) > 1');
  await catalog.end();
  expect(rows).toEqual([]);
}
