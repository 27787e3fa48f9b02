/** Ended runs leave the ledger for Parquet: wholly, once, and nothing that keeps work from happening twice goes with them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { readCounts } from '../../src/engine/reads/partitions.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { archiveRuns } from '../../src/history/archive.ts';
import { startArchiver } from '../../src/history/archiver.ts';
import { takeMaintenanceLock } from '../../src/history/maintenance.ts';
import { querySql } from '../../src/history/query.ts';
import { readHistorySettings } from '../../src/history/settings.ts';
import { SILENT, until } from '../engine/harness.ts';
import { type HistoryHarness, days, openHistory } from './harness.ts';

const open: HistoryHarness[] = [];
const history = async (...args: Parameters<typeof openHistory>) => {
  const made = await openHistory(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const ALL = { olderThanMs: 0, limit: 1_000_000 };
const ASK = { live: 100_000, maxRows: 10_000 };
const rows = async (engine: Engine, sql: string) => (await querySql(engine, sql, ASK)).rows;

test('an archived run is in history with its partitions, events and log, and its keys are gone', async () => {
  const h = await history(({ key }) => (key.startsWith('2_') ? { fail: true } : { rows: 1 }));
  await h.worker();
  const [single = ''] = await h.work(['7_2024-01-01']);
  const { runId } = await h.client.submit({ job: 'chunks_job', config: { team_ids: [1, 2, 3] }, cause: 'test' });
  await h.client.wait(runId);
  await h.engine.redis.xadd(
    h.engine.keys.runLog(runId),
    '*',
    'l',
    'warn',
    'm',
    'a line',
    'f',
    '{"n":1}',
    'u',
    'attempt',
    'at',
    5,
  );
  const before = await h.client.run(runId);
  expect(await archiveRuns(h.engine, ALL)).toEqual({ archived: 2, files: 1, busy: false });
  expect(await h.files()).toHaveLength(1);

  const left = await h.engine.redis.keys(`${h.engine.keys.prefix}:run:*`);
  expect(left).toEqual([]);
  expect(await h.client.runs({ limit: 10 })).toEqual([]);
  expect(await rows(h.engine, 'SELECT id, status, end_reason, total, failed, live FROM runs ORDER BY job')).toEqual(
    [
      { id: runId, status: 'FAILURE', end_reason: 'user_error', total: 3, failed: 1, live: false },
      { id: single, status: 'SUCCESS', end_reason: null, total: 1, failed: 0, live: false },
    ].sort((a, b) => (a.total > b.total ? -1 : 1)),
  );
  expect(await rows(h.engine, `SELECT key, outcome, error_code, metadata FROM run_partitions ORDER BY key`)).toEqual([
    { key: '1_2024-01-01', outcome: 'materialized', error_code: null, metadata: { rows: 1 } },
    { key: '2_2024-01-01', outcome: 'failed', error_code: 'BAD_TEAM', metadata: {} },
    { key: '3_2024-01-01', outcome: 'materialized', error_code: null, metadata: { rows: 1 } },
    { key: '7_2024-01-01', outcome: 'materialized', error_code: null, metadata: { rows: 1 } },
  ]);
  expect(await rows(h.engine, `SELECT level, message, fields, attempt FROM events WHERE type = 'log'`)).toEqual([
    { level: 'warn', message: 'a line', fields: { n: 1 }, attempt: 'attempt' },
  ]);
  const [told] = await rows(h.engine, `SELECT count(*) AS n FROM events WHERE type = 'partition.materialized'`);
  expect(told).toEqual({ n: 2 });
  const [times] = await rows(
    h.engine,
    `SELECT epoch_ms(created_at) AS created, epoch_ms(ended_at) AS ended FROM runs WHERE id = '${runId}'`,
  );
  expect(times).toEqual({ created: before.createdAt.getTime(), ended: before.endedAt?.getTime() });
});

test('what keeps work from happening twice stays: run keys, last materializations, states, counters', async () => {
  const h = await history(() => ({ rows: 1 }));
  await h.worker();
  const [id] = await h.work(['1_2024-01-01'], true);
  await archiveRuns(h.engine, ALL);
  const again = await h.client.submit({
    job: 'events_job',
    partitions: ['1_2024-01-01'],
    cause: 'test',
    runKey: '1_2024-01-01',
  });
  expect(again).toMatchObject({ runId: id, isNew: false });
  const asset = h.deployment.assets.get('events');
  if (!asset) throw new TypeError('no asset');
  expect(await readCounts(h.engine, asset)).toMatchObject({ materialized: 1, failed: 0 });
  expect(await rows(h.engine, 'SELECT key, outcome, last_run, last_status FROM partitions')).toEqual([
    { key: '1_2024-01-01', outcome: 'materialized', last_run: id, last_status: 'SUCCESS' },
  ]);
  expect(JSON.parse(String(await h.engine.script('recount', 'events', '1', 0)))).toMatchObject({ equal: true });
});

test('only ended runs that are old enough leave, at most as many as asked for', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const h = await history(async ({ key }) => {
    if (key === '9_2024-01-01') await held;
    return {};
  });
  await h.worker();
  await h.work(days(1, 5));
  const { runId } = await h.client.submit({ job: 'events_job', partitions: ['9_2024-01-01'], cause: 'test' });
  expect((await archiveRuns(h.engine, { olderThanMs: 60_000, limit: 100 })).archived).toBe(0);
  expect((await archiveRuns(h.engine, { olderThanMs: 0, limit: 2 })).archived).toBe(2);
  expect((await archiveRuns(h.engine, ALL)).archived).toBe(3);
  release();
  expect((await h.client.wait(runId)).status).toBe('SUCCESS');
  expect(await rows(h.engine, 'SELECT live, count(*) AS n FROM runs GROUP BY live ORDER BY live')).toEqual([
    { live: false, n: 5 },
    { live: true, n: 1 },
  ]);
});

test('a crash between writing and deleting: in both places, queried once, archived again', async () => {
  const h = await history(() => ({ rows: 1 }));
  await h.worker();
  await h.work(days(1, 10));
  const dying = new Proxy(h.engine.redis, {
    get(target, name) {
      if (name === 'eval') return () => Promise.reject(new TypeError('killed here'));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  await expect(archiveRuns({ ...h.engine, redis: dying }, ALL)).rejects.toThrow('killed here');
  const count = 'SELECT count(*) AS runs, count(DISTINCT id) AS ids FROM runs';
  expect(await h.files()).toHaveLength(1);
  expect(await rows(h.engine, count)).toEqual([{ runs: 10, ids: 10 }]);
  await h.work(days(2, 3)); // so that the next file has another name
  expect((await archiveRuns(h.engine, ALL)).archived).toBe(13);
  expect(await h.files()).toHaveLength(2);
  expect(await rows(h.engine, count)).toEqual([{ runs: 13, ids: 13 }]);
  expect(await rows(h.engine, 'SELECT count(*) AS n FROM run_partitions')).toEqual([{ n: 13 }]);
});

test('a holder that lost its lock deletes nothing; while another works, nothing is done', async () => {
  const h = await history(() => ({}));
  await h.worker();
  await h.work(days(1, 3));
  const lock = await takeMaintenanceLock(h.engine, 'test');
  expect(await archiveRuns(h.engine, ALL)).toEqual({ archived: 0, files: 0, busy: true });
  await lock?.release();
  const stealing = new Proxy(h.engine.redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'eval') return value.bind(target) as unknown;
      return async (...args: unknown[]) => {
        await target.set(`${h.engine.keys.prefix}:lock:maintenance`, 'someone else');
        return (value as (...all: unknown[]) => Promise<unknown>).apply(target, args);
      };
    },
  });
  expect(await archiveRuns({ ...h.engine, redis: stealing }, ALL)).toMatchObject({ archived: 0, busy: true });
  expect(await h.engine.redis.zcard(h.engine.keys.runs)).toBe(3);
});

test('kill -9 at any moment of an archiver: every run is somewhere, none twice', async () => {
  const h = await history(() => ({ rows: 1 }));
  await h.worker({ concurrency: 50 });
  await h.work(days(1, 1_000));
  const script = path.join(__dirname, 'archive-process.ts');
  for (const wait of ['lock', 'file', 'deleting'] as const) {
    const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', script], {
      cwd: path.resolve(__dirname, '../../../..'),
      env: { ...process.env, ...h.engine.env },
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    await until(
      async () => ({
        lock: await h.engine.redis.exists(`${h.engine.keys.prefix}:lock:maintenance`),
        file: (await h.files()).length,
        deleting: 1_000 - (await h.engine.redis.zcard(h.engine.keys.runs)),
        over: child.exitCode !== null ? 1 : 0,
      }),
      (seen) => seen[wait] > 0 || seen.over > 0,
    );
    child.kill('SIGKILL');
    const [, signal] = (await exited) as [number | null, string | null];
    if (wait !== 'deleting') expect(signal).toBe('SIGKILL'); // that one may be over before it is noticed
    expect(await rows(h.engine, 'SELECT count(*) AS runs, count(DISTINCT id) AS ids FROM runs')).toEqual([
      { runs: 1_000, ids: 1_000 },
    ]);
    await h.engine.redis.del(`${h.engine.keys.prefix}:lock:maintenance`); // as if its minute were over
  }
  await archiveRuns(h.engine, ALL);
  expect(await h.engine.redis.zcard(h.engine.keys.runs)).toBe(0);
  expect(await rows(h.engine, 'SELECT count(*) AS runs, count(DISTINCT id) AS ids FROM runs WHERE NOT live')).toEqual([
    { runs: 1_000, ids: 1_000 },
  ]);
});

test('settings are read by name, and an archiver starts and stops', async () => {
  expect(readHistorySettings({}).retentionMs).toBe(30 * 86_400_000);
  expect(readHistorySettings({ SKEIN_HISTORY_URL: 's3://bucket/a/' }).root).toBe('s3://bucket/a');
  expect(() => readHistorySettings({ SKEIN_HISTORY_URL: 'ftp://x', SKEIN_RETENTION: 'soon' })).toThrow(
    /SKEIN_HISTORY_URL.*SKEIN_RETENTION/s,
  );
  expect(readHistorySettings({ SKEIN_BACKUP_URL: 's3://bucket/b' }).backup).toEqual({
    root: 's3://bucket/b',
    keepMs: 35 * 86_400_000,
  });
  expect(() => readHistorySettings({ SKEIN_BACKUP_PASSWORD: 'short' })).toThrow(/SKEIN_BACKUP_PASSWORD: .*20/);
  expect(() => readHistorySettings({ SKEIN_BACKUP_PASSWORD_FILE: '/nowhere' })).toThrow(/SKEIN_BACKUP_PASSWORD_FILE/);
  const h = await history(() => ({}));
  await startArchiver(h.engine, SILENT).stop();
});
