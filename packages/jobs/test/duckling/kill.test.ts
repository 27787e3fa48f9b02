/**
 * kill -9 at every boundary of a partition's run and at random moments: afterwards another attempt makes the day right,
 * no file is registered twice, and what was left behind is found as orphans, and nothing else.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { type Duckling, ducklingEventsBackfill } from '@skein/jobs';
import { addDays } from '@skein/orchestrator';
import { runAsset } from '@skein/orchestrator/testing';

import { NODE_MODULES, bundleProcess } from '../../../../test/rig/bundle.ts';
import { runSkein } from './command-line.ts';
import { type LakeHouse, openLakeHouse, seedEvents } from './lake-house.ts';

let house: LakeHouse;
let duckling: Duckling;
let script: string;
beforeAll(async () => {
  house = await openLakeHouse();
  script = await bundleProcess(house.root, join(__dirname, 'killed-child.ts'));
  duckling = await house.addDuckling(2);
  await seedEvents(house, 2, '2023-12-31', 5);
  // The table is there, as it is in all runs but the very first.
  await runAsset(ducklingEventsBackfill, { partition: '2_2023-12-31', resources: house, runId: 'FIRST' });
});
afterAll(() => house.close());

const FIRST_RANDOM = '2024-02-01';
interface DayCount {
  readonly day: string;
  readonly n: string;
}

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
    NODE_PATH: NODE_MODULES,
    CHILD_PARTITION: partition,
    CHILD_RUN: run,
    CHILD_KILL_AT: killAt ?? '',
    ...(killAfterMs === undefined ? {} : { CHILD_KILL_AFTER_MS: String(killAfterMs) }),
  };
  const child = spawn(process.execPath, [script], {
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
const KILLS = Number(process.env.SKEIN_TEST_KILLS ?? 6);

/** Where a duckling's very first run makes its lake and its table: the boundary, and how long after it at most. */
const FIRST_KILLS: readonly (readonly [killAt: string, withinMs: number])[] = [
  ['before the lake is opened', 600],
  ['in the transaction, before its work', 0],
  ['before the commit', 0],
  ['after the commit', 0],
  ...Array.from({ length: Math.floor(KILLS / 10) }, () => ['before the lake is opened', 600] as const),
];

test.each(FIRST_KILLS.map((plan, i) => [...plan, 100 + i] as const))(
  'the very first run of a duckling, killed %s (+%i ms, team %i): the next attempt makes lake, table and day',
  async (killAt, withinMs, team) => {
    await house.addDuckling(team);
    await seedEvents(house, team, '2024-01-01', 25);
    const partition = `${team}_2024-01-01`;
    const killAfterMs = Math.floor(withinMs * Math.random());
    expect(['SIGKILL', '0']).toContain(await runChild({ partition, run: 'FIRST', killAt, killAfterMs }));
    const next = await runAsset(ducklingEventsBackfill, { partition, resources: house, runId: 'FIRST', attempt: 2 });
    expect(next.error).toBeUndefined();
    expect(next.result).toMatchObject({ rows: 25, rows_in_lake: 25 });
  },
);

test(
  `${KILLS} kills at random moments: every day whole, no file twice, orphans found and nothing else`,
  async () => {
    await seedEvents(house, 2, '2024-01-31', 30);
    expect(await runChild({ partition: '2_2024-01-31', run: 'WHOLE' })).toBe('0');
    const before = await referredFiles();
    const days: string[] = [];
    let killed = 0;
    const ended = new Set<string>();
    // Three at a time, so that what is killed also waits for another's lock, or holds it. Those that end before their
    // moment do not count.
    const lane = async () => {
      while (killed < KILLS) {
        const i = days.length;
        const day = addDays(FIRST_RANDOM, i);
        days.push(day);
        await seedEvents(house, 2, day, 30 + i);
        // Some time after a boundary, so that every phase has its share, on a fast machine and on a slow one; of the
        // first few at the boundary itself, so that some are killed on any.
        const killAt = ['at the start', ...BOUNDARIES][Math.floor(Math.random() * (BOUNDARIES.length + 1))] ?? '';
        const killAfterMs = i % 4 === 0 ? 0 : Math.floor(400 * Math.random() ** 2);
        const how = await runChild({ partition: `2_${day}`, run: `RANDOM${i}`, killAt, killAfterMs });
        ended.add(how);
        if (how === 'SIGKILL') killed++;
      }
    };
    await Promise.all([lane(), lane(), lane()]);
    // Killed, or done; none failed by itself.
    expect([...ended].filter((how) => how !== 'SIGKILL' && how !== '0')).toEqual([]);
    const registered = (await referredFiles()).size - before.size - (days.length - killed);
    const again = await Promise.all(
      days.map((day, i) =>
        runAsset(ducklingEventsBackfill, { partition: `2_${day}`, resources: house, runId: `RANDOM${i}`, attempt: 2 }),
      ),
    );
    expect(again.map((r) => r.error)).toEqual(days.map(() => undefined));
    expect(await inLake()).toEqual(await inClickHouse());
    await expectNothingTwice();
    const referred = await referredFiles();

    // What was left behind is found by the command, and nothing else; deleting it hurts no day.
    const leftBehind = (await objects()).filter((url) => !referred.has(url));
    const command = 'ducklings orphans --team-id 2 --older-than 0';
    const found = await runSkein(house, command);
    expect((found.value.orphans as unknown as { url: string }[]).map((o) => o.url).sort()).toEqual(leftBehind.sort());
    await runSkein(house, `${command} --delete --yes`);
    expect((await objects()).filter((url) => !referred.has(url))).toEqual([]);
    expect(await inLake()).toEqual(await inClickHouse());
    process.stderr.write(
      `${days.length} children: ${killed} killed, ${days.length - killed} had ended before; ${registered} of the killed had committed; ${leftBehind.length} orphans\n`,
    );
  },
  120_000 + KILLS * 20_000,
);

async function rowsOf(day: string): Promise<string | undefined> {
  const [row] = await house.lake<{ n: string }>(
    2,
    `SELECT count(uuid) AS n FROM events WHERE timestamp >= TIMESTAMPTZ '${day} 00:00:00+00' AND timestamp < TIMESTAMPTZ '${addDays(day, 1)} 00:00:00+00'`,
  );
  return row?.n;
}

/** Rows of each day from the first of the random kills on, by plain DuckDB. */
function inLake(): Promise<DayCount[]> {
  return house.lake<DayCount>(
    2,
    `SELECT strftime(timestamp, '%Y-%m-%d') AS day, count(uuid) AS n FROM events WHERE timestamp >= TIMESTAMPTZ '${FIRST_RANDOM} 00:00:00+00' GROUP BY 1 ORDER BY 1`,
  );
}

async function inClickHouse(): Promise<DayCount[]> {
  const rows = await house.clickhouse.rows<DayCount>(
    `SELECT toString(toDate(timestamp, 'UTC')) AS day, toString(count()) AS n FROM events WHERE team_id = 2 AND timestamp >= {from:DateTime64(6, 'UTC')} GROUP BY day ORDER BY day`,
    { params: { from: `${FIRST_RANDOM} 00:00:00` } },
  );
  return rows.map(({ day, n }) => ({ day, n }));
}

async function objects(): Promise<string[]> {
  const bucket = house.ducklings.bucket(duckling);
  const urls: string[] = [];
  for await (const object of bucket.list('backfill/'))
    urls.push(house.ducklings.store.url(duckling.bucket, object.key));
  return urls;
}

async function referredFiles(): Promise<Set<string>> {
  const catalog = await house.catalog(2);
  const { rows } = await catalog.query<{ path: string }>('SELECT path FROM ducklake_data_file');
  await catalog.end();
  return new Set(rows.map((row) => row.path));
}

async function expectNothingTwice(): Promise<void> {
  const catalog = await house.catalog(2);
  const { rows } = await catalog.query('SELECT path FROM ducklake_data_file GROUP BY path HAVING count(*) > 1');
  await catalog.end();
  expect(rows).toEqual([]);
}
