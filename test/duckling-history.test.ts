/**
 * The history of several ducklings through the four sensors, the real engine, a real worker and real lakes: every day
 * of events and persons once, in turn, while the daily sensors run; a cursor that is reset and a duckling that is reset
 * in the middle. Only the sensors' clock is the test's: it stands in March 2024, so that a leap day and the changes of
 * year lie in the history. `SKEIN_TEST_HISTORY_DAYS=730` is the whole form (`npm run chaos`). By default there are some
 * days around the leap day and the change of year; those between are marked as done, and the bound of a tick is reached
 * in a preview of a longer history.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { testClickHouse, testDatabase, testRedis } from '@skein/embedded/test-services';
import {
  type DatasetName,
  type Duckling,
  DucklingRow,
  type Ducklings,
  clickhouseBinding,
  ducklingEventsBackfillJob,
  ducklingPersonsBackfillJob,
  ducklingsBinding,
  openClickHouse,
  openDucklings,
  resetDuckling,
} from '@skein/jobs';
import {
  type RunRequest,
  type RunSummary,
  type Sensor,
  type SkeinClient,
  addDays,
  daysBetween,
  defineDeployment,
} from '@skein/orchestrator';
import { type Engine, createClient, openEngine, startWorker } from '@skein/orchestrator/runtime';
import {
  ducklingEventsDailyBackfillSensor,
  ducklingEventsFullBackfillSensor,
  ducklingPersonsDailyBackfillSensor,
  ducklingPersonsFullBackfillSensor,
} from '@skein/sensors';
import pg from 'pg';

import { previewTicks } from '../packages/orchestrator/src/engine/preview.ts';

/** In the whole form each team has as many days. */
const DAYS = Number(process.env.SKEIN_TEST_HISTORY_DAYS ?? 0);
/** The sensors' first day of work; the daily ones own the day before it. */
const TODAY = '2024-03-04';
const YESTERDAY = addDays(TODAY, -1);
/** The last day of the full sensors' first pass. */
const THROUGH = addDays(TODAY, -2);
/** Ids with rows of their own; 40 has none at all, 50 only ones of 1960 and 2200. */
const TEAMS = [10, 20, 30] as const;
const ALL_TEAMS = [...TEAMS, 40, 50] as const;
/** Enabled for the preview only: its history is longer than what one tick may ask for. */
const LONG_TEAM = 60;
const LONG_FIRST_DAY = '2023-01-01';
/** Uneven in the short form, so that some teams are through before others. */
const SHORT_FIRST_DAYS: Readonly<Record<number, string>> = { 10: '2023-12-30', 20: '2024-02-20', 30: '2024-02-25' };
const FIRST_DAYS: Readonly<Record<number, string>> = Object.fromEntries(
  TEAMS.map((team) => [team, DAYS > 0 ? addDays(THROUGH, 1 - DAYS) : (SHORT_FIRST_DAYS[team] ?? '')]),
);
/** Days of team 10 that somebody has marked as materialized; they have no rows here. */
const MARKED = DAYS > 0 ? [] : daysBetween('2024-01-03', '2024-02-26');
const daysOf = (team: number, through: string) =>
  daysBetween(FIRST_DAYS[team] ?? '', through).filter((day) => team !== 10 || !MARKED.includes(day));
const DAYS_IN_ALL = TEAMS.reduce((sum, team) => sum + daysOf(team, THROUGH).length, 0);
/** Days of team 20 that have no rows, between others that have. */
const isGap = (day: string) => day.endsWith('4') && day !== FIRST_DAYS[20];
const ROWS_A_DAY = 6;
/** In the whole form most ticks find a hundred runs in flight. */
const TICK_MS = DAYS > 0 ? 1_000 : 500;
const NEVER = new AbortController().signal;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const KINDS = ['events', 'persons'] as const;

interface Tick {
  readonly sensor: string;
  readonly now: string;
  readonly keys: readonly string[];
  readonly position: string;
}

test(`${DAYS_IN_ALL} days of ${TEAMS.length} ducklings × events and persons through the four sensors: every day once`, async () => {
  const world = await openWorld();
  try {
    const { client, clock, engine, ticks } = world;
    for (const kind of KINDS) {
      const marked = MARKED.map((day) => `10_${day}`);
      expect(await client.markPartitions(`duckling_${kind}_backfill`, marked, 'materialized', 'ana')).toBe(
        marked.length,
      );
    }
    await expectLongHistoryInTurn(world);

    for (const name of engine.deployment.sensors.keys())
      await engine.script('switch-sensor', name, 'RUNNING', 'the test');

    // In the middle: one full sensor's cursor is reset, and one duckling as a whole.
    await until(async () => (await launchesOf(client, 'events')).length >= DAYS_IN_ALL / 3);
    await client.resetCursor('duckling_events_full_backfill_sensor', { by: 'ana', reason: 'look again' });
    const resetAt = await resetInTheMiddle(world, 30);
    await until(() => isComplete(client, THROUGH));

    // The next UTC day: yesterday is the daily sensors', and the full ones find their own work done.
    clock.today = addDays(TODAY, 1);
    await until(async () => (await isComplete(client, YESTERDAY)) && (await isDone(client, ALL_TEAMS, TODAY)));
    // A team without rows has no days that a full sensor waits for: its daily runs may still be under way.
    await until(async () => {
      const launches = (await Promise.all(KINDS.map((kind) => launchesOf(client, kind)))).flat();
      return launches.every(({ endedAt }) => endedAt !== undefined);
    });

    const runs = { events: await launchesOf(client, 'events'), persons: await launchesOf(client, 'persons') };
    for (const kind of KINDS) {
      expect(runs[kind].filter((run) => run.status !== 'SUCCESS')).toEqual([]);
      const expected = [
        ...TEAMS.flatMap((team) => daysOf(team, THROUGH).map((day) => `${team}_${day}`)),
        ...ALL_TEAMS.flatMap((team) => [`${team}_${YESTERDAY}`, `${team}_${TODAY}`]),
      ].sort();
      const kept = runs[kind].filter((run) => !(isOf(run, 30) && run.createdAt.getTime() < resetAt));
      expect(kept.map((run) => run.firstPartition ?? '').sort()).toEqual(expected);
      // Before its reset, too, no day of that duckling was launched twice.
      const before = runs[kind].filter((run) => isOf(run, 30) && run.createdAt.getTime() < resetAt);
      expect(new Set(before.map((run) => run.firstPartition)).size).toBe(before.length);
      expect(before.length).toBeGreaterThan(0);
      for (const team of TEAMS) await expectLakeToEqualClickHouse(world, kind, team);
    }
    expectRules(ticks);
    process.stderr.write(`${figures(runs, ticks)}\n`);
  } finally {
    await world.close();
  }
}, 3_600_000);

type World = Awaited<ReturnType<typeof openWorld>>;

/** A duckling with a longer history than a tick may ask for: it takes its turns, and the others lose none of theirs. */
async function expectLongHistoryInTurn({ engine, ducklings, clickhouse, rows }: World): Promise<void> {
  const row = rows.get(LONG_TEAM) as Duckling;
  await ducklings.catalog.edit({ ...row, enabled: true });
  const ours = openClickHouse(clickhouse.url);
  for (const kind of KINDS) {
    const sensor = engine.deployment.sensors.get(`duckling_${kind}_full_backfill_sensor`) as Sensor;
    const ticks = await previewTicks(engine, sensor, {
      ticks: 3,
      openResources: async () => ({ clickhouse: ours, ducklings }),
      log: SILENT,
    });
    const keys = ticks.map(({ requests }) => requests.flatMap(({ partitions }) => partitions));
    expect(keys.map((asked) => asked.length)).toEqual([100, 100, 100]);
    expect(new Set(keys.flat()).size).toBe(300);
    for (const team of [...TEAMS, LONG_TEAM]) {
      const first = keys[0]?.filter((key) => key.startsWith(`${team}_`)) ?? [];
      const days = team === LONG_TEAM ? daysBetween(LONG_FIRST_DAY, THROUGH) : daysOf(team, THROUGH);
      expect(first.length).toBeGreaterThanOrEqual(Math.min(25, days.length));
      expect(first).toEqual(days.slice(0, first.length).map((day) => `${team}_${day}`));
    }
  }
  await ours.close();
  await ducklings.catalog.edit({ ...row, enabled: false });
}

/** Disabled, idle, reset, enabled again. Gives when it was reset. */
async function resetInTheMiddle({ client, ducklings, rows }: World, team: number): Promise<number> {
  const row = rows.get(team) as Duckling;
  await ducklings.catalog.edit({ ...row, enabled: false });
  const reset = () => resetDuckling(ducklings, client, { duckling: row, by: 'ana', now: new Date(), signal: NEVER });
  // A tick that read the catalog before may still launch; the reset refuses as long as anything is under way.
  for (let done = false; !done;) {
    try {
      const result = await reset();
      expect(result.partitionsForgotten.duckling_events_backfill).toBeGreaterThan(0);
      done = true;
    } catch (error) {
      expect(error).toMatchObject({ message: expect.stringContaining('are queued or running') });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  const at = Date.now();
  await ducklings.catalog.edit(row);
  return at;
}

/** In each tick of a full sensor: at most a hundred, each team's days ascending, and the teams in turn. */
function expectRules(ticks: readonly Tick[]): void {
  const full = ticks.filter(({ sensor }) => sensor.includes('full'));
  for (const { keys } of full) {
    expect(keys.length).toBeLessThanOrEqual(100);
    const byTeam = new Map<string, string[]>();
    for (const key of keys) {
      const [team = '', day = ''] = key.split('_');
      byTeam.set(team, [...(byTeam.get(team) ?? []), day]);
    }
    for (const days of byTeam.values()) expect(days).toEqual([...days].sort());
    // Until a team has no more days its turn comes before any other's second next one.
    const lengths = [...byTeam.keys()].map((team) => keys.map((key, i) => (key.startsWith(`${team}_`) ? i : -1)));
    for (const places of lengths) {
      const own = places.filter((i) => i >= 0);
      for (let i = 1; i < own.length; i++) expect((own[i] ?? 0) - (own[i - 1] ?? 0)).toBeLessThanOrEqual(byTeam.size);
    }
  }
  const daily = ticks.filter(({ sensor }) => sensor.includes('daily'));
  // Disjoint: the daily sensors ask for the day that has just ended, the full ones for those before it.
  for (const { keys, now } of daily) for (const key of keys) expect(key.endsWith(addDays(now, -1))).toBe(true);
  for (const { keys, now } of full)
    for (const key of keys) expect((key.split('_')[1] ?? '') < addDays(now, -1)).toBe(true);
  expect(daily.some(({ keys }) => keys.length > 0)).toBe(true);
  const positions = new Set(full.map(({ position }) => position.replace(/\d[\d-]*/g, 'N')));
  expect([...positions].join('\n')).toMatch(/^team N is next, at N; N days of N teams remain up to N/m);
  expect([...positions].join('\n')).toMatch(/^every team is complete up to N \(N teams, pass of N\)/m);
}

function figures(runs: Readonly<Record<DatasetName, readonly RunSummary[]>>, ticks: readonly Tick[]): string {
  const launched = KINDS.map((kind) => `${runs[kind].length} runs of ${kind}`).join(', ');
  const of = (name: string) => ticks.filter(({ sensor }) => sensor.includes(name));
  const most = Math.max(...of('full').map(({ keys }) => keys.length));
  return `${launched}; ${of('full').length} ticks of the full sensors, at most ${most} launches in one; ${of('daily').length} of the daily ones`;
}

async function isComplete(client: SkeinClient, through: string): Promise<boolean> {
  for (const kind of KINDS) {
    const { cursor } = await client.cursor(`duckling_${kind}_full_backfill_sensor`);
    const { complete, position } = cursor as { complete?: boolean; position?: string };
    if (complete !== true || !position?.startsWith(`every team is complete up to ${through} (5 teams`)) return false;
  }
  return true;
}

async function isDone(client: SkeinClient, teams: readonly number[], day: string): Promise<boolean> {
  const keys = teams.map((team) => `${team}_${day}`);
  for (const kind of KINDS) {
    const states = await client.partitionStatus(`duckling_${kind}_backfill`, keys);
    if (keys.some((key) => states.get(key)?.outcome !== 'materialized')) return false;
  }
  return true;
}

function launchesOf(client: SkeinClient, kind: DatasetName): Promise<readonly RunSummary[]> {
  return client.runs({ job: `duckling_${kind}_backfill_job`, limit: 20_000 });
}

const isOf = (run: RunSummary, team: number) => run.firstPartition?.startsWith(`${team}_`) === true;

const SOURCE: Readonly<Record<DatasetName, string>> = {
  events: `SELECT toString(toDate(timestamp, 'UTC')) AS day, count() AS n FROM events
    WHERE team_id = {team:Int64} AND timestamp > '2000-01-01 00:00:00' AND timestamp < '2100-01-01 00:00:00' GROUP BY day ORDER BY day`,
  persons: `SELECT toString(toDate(_timestamp, 'UTC')) AS day, count() AS n FROM person WHERE team_id = {team:Int64} GROUP BY day ORDER BY day`,
};

async function expectLakeToEqualClickHouse(
  { clickhouse, ducklings, rows }: World,
  kind: DatasetName,
  team: number,
): Promise<void> {
  const answer = await clickhouse.client.query({
    query: SOURCE[kind],
    query_params: { team },
    format: 'JSONEachRow',
  });
  const source = await answer.json<{ day: string; n: string }>();
  const time = kind === 'events' ? 'timestamp' : '_timestamp';
  const lake = ducklings.lake(rows.get(team) as Duckling);
  const inLake = await lake.read(NEVER, (db) =>
    db.rows<{ day: string; n: string }>(
      `SELECT strftime(${time}, '%Y-%m-%d') AS day, count(distinct_id) AS n FROM lake.posthog.${kind} GROUP BY day ORDER BY day`,
    ),
  );
  expect(inLake).toEqual(source.map(({ day, n }) => ({ day, n: String(n) })));
  const days = inLake.map(({ day }) => day);
  expect(days).toContain('2024-02-29');
  if (FIRST_DAYS[team] !== undefined && FIRST_DAYS[team] < '2024-01-01')
    expect(days).toEqual(expect.arrayContaining(['2023-12-31', '2024-01-01']));
  // A day without rows was made all the same.
  if (team === 20) expect(daysOf(team, THROUGH).some((day) => isGap(day) && !days.includes(day))).toBe(true);
  const twice = await lake.withCatalog(NEVER, (catalog) =>
    catalog.rows('SELECT path FROM ducklake_data_file WHERE end_snapshot IS NULL GROUP BY path HAVING count(*) > 1'),
  );
  expect(twice).toEqual([]);
}

async function openWorld() {
  const [clickhouse, app] = await Promise.all([
    testClickHouse({ schemas: ['events', 'persons'] }),
    testDatabase('app'),
  ]);
  const lakes = await Promise.all(
    [...ALL_TEAMS, LONG_TEAM].map(async (team) => [team, await testDatabase('empty')] as const),
  );
  await seed(clickhouse.client);
  const redis = testRedis();
  const objects = mkdtempSync(path.join(tmpdir(), 'duckling-history-'));
  const env = {
    ...process.env,
    SKEIN_REDIS_URL: redis.url,
    SKEIN_REDIS_PREFIX: `{${redis.prefix}}`,
    SKEIN_CLICKHOUSE_URL: clickhouse.url,
    SKEIN_APP_DB_URL: app.url,
    SKEIN_OBJECT_STORE: pathToFileURL(objects).href,
    SKEIN_PULSE_MS: '200',
    LAKE_PASSWORD: decodeURIComponent(new URL(app.url).password),
  };
  const pool = new pg.Pool({ connectionString: app.url });
  const ducklings: Ducklings = openDucklings(env, { pool });
  const rows = new Map<number, Duckling>();
  for (const [team, { url }] of lakes) {
    const { hostname, port, pathname, username } = new URL(url);
    const row = DucklingRow.parse({
      team_id: team,
      bucket: `duckling-${team}`,
      db_host: hostname,
      db_port: Number(port),
      db_name: pathname.slice(1),
      db_username: decodeURIComponent(username),
      db_password: 'env:LAKE_PASSWORD',
      enabled: team !== LONG_TEAM,
    });
    rows.set(team, row);
    await ducklings.catalog.add(row);
  }
  const clock = { today: TODAY };
  const ticks: Tick[] = [];
  const engine = await openEngine(deploymentWith(clock, ticks), { env });
  const worker = await startWorker(engine, { log: SILENT, concurrency: 10 });
  return {
    engine: engine as Engine,
    client: createClient(engine),
    clickhouse,
    ducklings,
    rows,
    clock,
    ticks,
    async close() {
      await worker.stop(30_000);
      await engine.close();
      await ducklings.close();
      await pool.end();
      rmSync(objects, { recursive: true, force: true });
      await Promise.all([clickhouse.drop(), app.drop(), ...lakes.map(([, lake]) => lake.drop())]);
    },
  };
}

/** The project's own sensors and jobs; the sensors tick often, see the test's date, and are watched. */
function deploymentWith(clock: { readonly today: string }, ticks: Tick[]) {
  const onClock = (sensor: Sensor, everyMs: number): Sensor => ({
    ...sensor,
    everyMs,
    evaluate: async (context) => {
      const now = new Date(`${clock.today}T00:10:00Z`);
      const result = await sensor.evaluate({ ...context, now });
      const requests: readonly RunRequest[] = result.kind === 'request' ? result.requests : [];
      const cursor = (result.cursor ?? context.cursor) as { position: string };
      ticks.push({
        sensor: sensor.name,
        now: clock.today,
        keys: requests.flatMap((request) => request.partitions ?? []),
        position: cursor.position,
      });
      return result;
    },
  });
  return defineDeployment({
    definitions: {
      jobs: [ducklingEventsBackfillJob, ducklingPersonsBackfillJob],
      sensors: [
        onClock(ducklingEventsDailyBackfillSensor, 2 * TICK_MS),
        onClock(ducklingPersonsDailyBackfillSensor, 2 * TICK_MS),
        onClock(ducklingEventsFullBackfillSensor, TICK_MS),
        onClock(ducklingPersonsFullBackfillSensor, TICK_MS),
      ],
    },
    resources: [clickhouseBinding, ducklingsBinding],
  });
}

/** A few events and persons a day from each team's first day to the day that begins the second pass. */
async function seed(client: Awaited<ReturnType<typeof testClickHouse>>['client']): Promise<void> {
  for (const team of [...TEAMS, LONG_TEAM]) {
    const days =
      team === LONG_TEAM ? [LONG_FIRST_DAY] : daysOf(team, TODAY).filter((day) => team !== 20 || !isGap(day));
    const parameters = { query_params: { team, days, rows: ROWS_A_DAY } };
    await client.command({
      query: `INSERT INTO events (uuid, event, properties, timestamp, team_id, distinct_id, created_at, person_id)
        SELECT generateUUIDv4(), 'pageview', '{}', addSeconds(toDateTime64(day, 6, 'UTC'), n * 17279), {team:Int64}, toString(n), now64(6, 'UTC'), generateUUIDv4(n)
        FROM (SELECT arrayJoin({days:Array(String)}) AS day) ARRAY JOIN range({rows:UInt64}) AS n`,
      ...parameters,
    });
    await client.command({
      query: `INSERT INTO person (id, created_at, team_id, properties, version, _timestamp)
        SELECT reinterpretAsUUID(unhex(hex(sipHash128(day, {team:Int64})))), toDateTime64(day, 3, 'UTC'), {team:Int64}, '{}', 0, toDateTime(day, 'UTC')
        FROM (SELECT arrayJoin({days:Array(String)}) AS day)`,
      ...parameters,
    });
    await client.command({
      query: `INSERT INTO person_distinct_id2 (team_id, distinct_id, person_id, version, _timestamp)
        SELECT {team:Int64}, day, reinterpretAsUUID(unhex(hex(sipHash128(day, {team:Int64})))), 0, toDateTime(day, 'UTC')
        FROM (SELECT arrayJoin({days:Array(String)}) AS day)`,
      ...parameters,
    });
  }
  for (const team of [10, 50])
    await client.command({
      query: `INSERT INTO events (uuid, event, timestamp, team_id, distinct_id)
        SELECT generateUUIDv4(), 'broken clock', toDateTime64(arrayJoin(['1960-02-29', '2200-01-01']), 6, 'UTC'), {team:Int64}, 'x'`,
      query_params: { team },
    });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const ends = performance.now() + 3_000_000;
  while (!(await holds())) {
    if (performance.now() > ends) throw new TypeError('It did not come to that.');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
