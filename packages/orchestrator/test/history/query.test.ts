/** `skein sql`: what it answers, what it refuses, and that it reads nothing but history. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { archiveRuns } from '../../src/history/archive.ts';
import { querySql } from '../../src/history/query.ts';
import { until } from '../engine/harness.ts';
import { type HistoryHarness, days, openHistory } from './harness.ts';

let h: HistoryHarness;
beforeAll(async () => {
  h = await openHistory(({ key }) => {
    if (key.startsWith('2_')) throw new TypeError('a bad day');
    return { rows: 3 };
  });
  await h.worker();
  await h.work([...days(1, 4), ...days(2, 2)]);
  await archiveRuns(h.engine, { olderThanMs: 0, limit: 3 });
});
afterAll(() => h.close());

const ask = (sql: string, options: { live?: number; maxRows?: number } = {}) =>
  querySql(h.engine, sql, { live: 1_000, maxRows: 1_000, ...options });

test('live and past runs are one list', async () => {
  const { columns, rows } = await ask(
    'SELECT status, count(*) AS n, count(DISTINCT live) AS places FROM runs GROUP BY ALL ORDER BY 1',
  );
  expect(columns).toEqual(['status', 'n', 'places']);
  expect(rows.map((row) => [row.status, row.n])).toEqual([
    ['FAILURE', 2],
    ['SUCCESS', 4],
  ]);
  expect(
    (await ask('SELECT count(*) FILTER (live) AS live, count(*) FILTER (NOT live) AS past FROM runs')).rows,
  ).toEqual([{ live: 3, past: 3 }]);
});

test('failures by code, slowest partitions, runs per day: the examples of the help', async () => {
  expect(
    (await ask("SELECT job, error_code, count(*) AS n FROM runs WHERE status = 'FAILURE' GROUP BY ALL ORDER BY n DESC"))
      .rows,
  ).toEqual([{ job: 'events_job', error_code: 'ASSET_FAILED', n: 2 }]);
  const slow = await ask(
    'SELECT asset, key, max(duration_ms) AS ms FROM run_partitions GROUP BY ALL ORDER BY ms DESC LIMIT 20',
  );
  expect(slow.rows).toHaveLength(6);
  expect(typeof slow.rows[0]?.ms).toBe('number');
  const perDay = await ask('SELECT created_at::DATE AS day, count(*) AS runs FROM runs GROUP BY ALL ORDER BY day');
  expect(perDay.rows.reduce((sum, row) => sum + Number(row.runs), 0)).toBe(6);
  expect((await ask("SELECT sum((metadata->>'rows')::INT) AS n FROM run_partitions")).rows).toEqual([{ n: 12 }]);
});

test('ticks and partitions come from the ledger', async () => {
  await h.engine.script('switch-sensor', 'feed', 'RUNNING', 'test');
  await until(
    async () => (await ask('SELECT sensor, decision, requested, run_ids FROM ticks WHERE decision IS NOT NULL')).rows,
    (rows) => rows.length > 0 && rows[0]?.decision === 'requested' && rows[0].requested === 1,
  );
  await until(
    () => h.engine.redis.scard(h.engine.keys.openRuns('events_job')),
    (n) => n === 0,
  );
  const { rows } = await ask(
    'SELECT outcome, count(*) AS n, max(failures) AS failures FROM partitions GROUP BY ALL ORDER BY outcome',
  );
  expect(rows).toEqual([
    { outcome: 'failed', n: 2, failures: 1 },
    { outcome: 'materialized', n: 4, failures: 0 },
  ]);
});

test('events of runs that left and of runs that stay', async () => {
  const { rows } = await ask("SELECT run_id, type FROM events WHERE type = 'unit.failed'");
  expect(new Set(rows.map((row) => row.run_id)).size).toBe(2);
});

test('loading is bounded, and what was left out is said', async () => {
  const { notes, rows } = await ask('SELECT count(*) AS n FROM runs WHERE live', { live: 1 });
  expect(rows).toEqual([{ n: 1 }]);
  expect(notes).toEqual([expect.stringMatching(/^The newest 1 of \d+ runs/)]);
  expect((await ask('SELECT count(*) AS n FROM runs WHERE live', { live: 0 })).rows).toEqual([{ n: 0 }]);
  const cut = await ask('SELECT range AS n FROM range(100)', { maxRows: 10 });
  expect(cut).toMatchObject({ cut: true, notes: [] });
  expect(cut.rows).toHaveLength(10);
});

test('mistakes are told with their place', async () => {
  await expect(ask('selec 1')).rejects.toMatchObject({
    code: 'SQL_INVALID',
    exitCode: 2,
    message: expect.stringContaining('syntax error'),
  });
  await expect(ask('SELECT nope FROM runs')).rejects.toMatchObject({
    code: 'SQL_INVALID',
    message: expect.stringContaining('"nope" not found'),
    hint: expect.stringContaining('LINE 1'),
  });
  await expect(ask('SELECT * FROM nowhere')).rejects.toMatchObject({ code: 'SQL_INVALID' });
  await expect(ask("SELECT 'x'::INT")).rejects.toMatchObject({ code: 'SQL_INVALID' });
  await expect(ask(' -- nothing\n;')).rejects.toMatchObject({ code: 'SQL_INVALID', message: 'The query is empty.' });
});

test('nothing is written and nothing else is read', async () => {
  const secret = path.join(h.dir, 'secret.csv');
  await writeFile(secret, 'a\nb\n');
  const target = path.join(h.dir, 'runs', 'x.parquet');
  for (const sql of [
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM read_text('/etc/hostname')`,
    `SELECT * FROM glob('/etc/*')`,
    `SELECT * FROM read_csv('${path.join(h.dir, 'runs', '..', 'secret.csv')}')`,
    `COPY (SELECT 1) TO '${target}'`,
    `EXPLAIN ANALYZE COPY (SELECT 1) TO '${target}'`,
    `ATTACH '${path.join(h.dir, 'runs', 'x.db')}'`,
    'SET enable_external_access = true',
    'SET threads = 1',
    'INSTALL httpfs',
    'CREATE TABLE x (a INT)',
    'DROP VIEW runs',
    'SELECT 1; DROP VIEW runs',
    'PRAGMA enable_profiling',
    'CALL pragma_version()',
  ]) {
    await expect(ask(sql).then((answer) => ({ sql, answer }))).rejects.toMatchObject({
      code: 'SQL_INVALID',
      exitCode: 2,
    });
  }
  expect((await h.files()).every((name) => name.startsWith(path.join('runs', 'day=')))).toBe(true);
});
