/** `skein sql`, `backup`, `backup verify` and `restore` as one types them. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { openEngine } from '../../src/engine/engine.ts';
import { archiveRuns } from '../../src/history/archive.ts';
import { type TestSkein, createSkein } from '../cli/skein.ts';
import { testDeployment } from '../engine/harness.ts';

let dir: string;
let skein: TestSkein;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'skein-test-history-'));
  skein = createSkein({ SKEIN_HISTORY_URL: pathToFileURL(dir).href });
  await skein.run('run', 'events_job', '--partition', '1..2_2024-01-01..2024-01-02', '--wait');
});
afterAll(async () => {
  await skein.close();
  await rm(dir, { recursive: true, force: true });
});

test('sql answers as a table and as one object', async () => {
  const query = 'SELECT key, outcome FROM partitions ORDER BY key';
  const table = await skein.run('sql', query);
  expect(table.code).toBe(0);
  expect(table.stdout.trimEnd().split('\n')).toEqual([
    'key           outcome',
    '1_2024-01-01  materialized',
    '1_2024-01-02  materialized',
    '2_2024-01-01  materialized',
    '2_2024-01-02  materialized',
  ]);
  expect((await skein.run('sql', `${query} LIMIT 1`, '--json')).json()).toEqual({
    columns: ['key', 'outcome'],
    rows: [{ key: '1_2024-01-01', outcome: 'materialized' }],
    cut: false,
  });
  const help = await skein.run('sql', '--help');
  expect(help.stdout).toContain('failures grouped by error code');
});

test('a mistake in SQL ends with 2 and says where', async () => {
  const wrong = await skein.run('sql', 'SELECT nope FROM runs', '--json');
  expect(wrong.code).toBe(2);
  expect(wrong.json()).toMatchObject({ error: { code: 'SQL_INVALID', hint: expect.stringContaining('LINE 1') } });
  expect((await skein.run('sql', "COPY (SELECT 1) TO 'x'")).code).toBe(2);
  expect((await skein.run('sql')).code).toBe(2);
});

test('backup, verify, restore, and what each refuses', async () => {
  const file = path.join(dir, 'b', 'skein.jsonl.gz');
  const made = await skein.run('backup', '--to', file, '--json');
  expect(made.json()).toMatchObject({ place: file, bytes: expect.any(Number), pause_ms: expect.any(Number) });
  const report = await skein.run('backup', 'verify', file, '--json');
  expect(report.json()).toMatchObject({ ok: true, runs: 1, partitions: 4, problems: [] });
  expect(report.code).toBe(0);
  expect((await skein.run('backup', 'verify', `${file}.nope`)).code).toBe(2);
  expect((await skein.run('backup', '--max-pause', 'soon')).code).toBe(2);

  const refused = await skein.run('restore', file, '--json');
  expect(refused.code).toBe(2);
  expect(refused.json()).toMatchObject({ error: { code: 'REFUSED' } });
  const other = createSkein({ SKEIN_HISTORY_URL: pathToFileURL(dir).href });
  try {
    expect((await other.run('restore', file)).code).toBe(0);
    expect((await other.run('partitions', 'events', '--json')).json()).toMatchObject({ counts: { materialized: 4 } });
    expect((await other.run('doctor')).code).toBe(0);
    const forced = await other.run('restore', file, '--force', '--json');
    expect(forced.json()).toMatchObject({ created_at: report.json<{ created_at: string }>().created_at });
    const audit = await other.run('sql', 'SELECT count(*) AS n FROM runs', '--json');
    expect(audit.json()).toMatchObject({ rows: [{ n: 1 }] });
  } finally {
    await other.close();
  }
});

test('runs that have left for history are listed and shown as before', async () => {
  const { runs: before } = (await skein.run('runs', 'list', '--json')).json<{ runs: { run_id: string }[] }>();
  const id = before[0]?.run_id ?? '';
  const shown = (await skein.run('runs', 'show', id, '--json')).json();
  const engine = await openEngine(
    testDeployment(() => ({})),
    { env: skein.env },
  );
  try {
    expect(await archiveRuns(engine, { olderThanMs: 0, limit: 10 })).toMatchObject({ archived: 1 });
  } finally {
    await engine.close();
  }
  expect((await skein.run('runs', 'list', '--json')).json()).toEqual({ runs: before });
  expect((await skein.run('runs', 'list', '--before', id, '--json')).json()).toEqual({ runs: [] });
  expect((await skein.run('runs', 'show', id, '--json')).json()).toEqual(shown);
  expect((await skein.run('runs', 'logs', id)).code).toBe(0);
  expect((await skein.run('runs', 'show', '01ARZ3NDEKTSV4RRFFQ69G5FAV')).code).toBe(2);
});
