/** kill -9 in every state of a unit: the same run goes on where it was, and the rows are exact afterwards. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type CallCenter, CUSTOMER, openCallCenter, partition } from './call-center.ts';
import { type CrashPlan, type CrashPoint, fileCheckpoints } from './crashing-run.ts';

const DAYS = ['2026-02-09', '2026-02-10', '2026-02-11'];
let center: CallCenter;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'skein-labels-'));
  center = await openCallCenter();
  await center.appDb.query(
    `INSERT INTO app.chats SELECT $1, 'chat', 'c' || i, CASE WHEN i % 2 = 0 THEN 'b' ELSE 'a' END, 'u' || i % 5, 0,
       timestamptz '2026-02-09T00:00Z' + i * interval '4 min', timestamptz '2026-02-09T00:10Z' + i * interval '4 min', now(), null FROM generate_series(0, 1000) i`,
    [CUSTOMER],
  );
  // Stale labels: all with agent a, every tenth twice, some of them long before, some of conversations that have gone.
  await center.clickhouse.command(
    `INSERT INTO ${center.database}.conversation_with_labels (customer_id, profile_id, conversation_id, agent_user_id, usecase_id, conversation_start_time, conversation_end_time, update_time)
     SELECT '${CUSTOMER}', 'chat', concat('c', toString(number % 1100)), 'stale', 'old', t - 600, if(number >= 1100, t - 3000000, t), '2026-02-12 00:00:00'
     FROM (SELECT number, toDateTime64('2026-02-09 00:10:00', 3, 'UTC') + number % 1100 * 240 AS t FROM numbers(1200))`,
  );
});
afterEach(async () => {
  await center.close();
  rmSync(folder, { recursive: true, force: true });
});

const POINTS: Readonly<Record<'delete-insert' | 'swap', readonly CrashPoint[]>> = {
  'delete-insert': ['recording', 'before-delete', 'deleting', 'deleted', 'half-inserted', 'inserted', 'verifying'],
  swap: ['recording', 'deleted', 'half-inserted', 'inserted', 'copying', 'replacing', 'verifying'],
};

for (const mode of ['delete-insert', 'swap'] as const) {
  test.each(POINTS[mode])(`${mode}, killed at: %s`, async (point) => {
    const plan: CrashPlan = {
      clickhouse: center.urls.clickhouse,
      postgres: center.urls.postgres,
      point,
      runId: 'CRASHED',
      partitions: DAYS.map((day) => partition(day)),
      config: { mode },
      checkpoints: path.join(folder, 'checkpoints.json'),
    };
    expect(await crash(plan)).toBe('SIGKILL');
    // Meanwhile nobody else gets the customer: the run still holds it.
    const other = await center.run({ partitions: [partition('2026-02-09'), partition('2026-02-10')] });
    expect(other.error).toMatchObject({ code: 'REFUSED', details: { run_id: 'CRASHED' } });

    const resumed = await center.run({
      partitions: plan.partitions,
      config: plan.config,
      runId: 'CRASHED',
      attempt: 2,
      checkpoints: fileCheckpoints(plan.checkpoints),
    });
    expect(resumed).toMatchObject({ status: 'SUCCESS', error: undefined, result: { verified: true } });
    expect([...resumed.partitions.values()].map((outcome) => outcome.kind)).toEqual([
      'materialized',
      'materialized',
      'materialized',
    ]);
    const [rows] = await center.clickhouse.rows(
      `SELECT count() AS n, uniqExact(conversation_id) AS u, countIf(agent_user_id = 'stale') AS stale, uniqExact(update_time) AS clocks,
              countIf(usecase_id = concat('u', toString(toUInt32(substring(conversation_id, 2)) % 5))) AS right
       FROM ${center.database}.conversation_with_labels WHERE conversation_end_time < '2026-02-12 00:00:00'`,
    );
    const [expected] = (
      await center.appDb.query<{ n: string }>(
        `SELECT count(*) AS n FROM app.chats WHERE ended_at < '2026-02-12T00:00Z'`,
      )
    ).rows;
    expect(rows).toEqual({ n: expected?.n, u: expected?.n, stale: '0', clocks: '1', right: expected?.n });
    expect((await center.appDb.query('SELECT * FROM skein_labels.leases')).rows).toEqual([]);
  });
}

test('a run that was cut off and never resumed: the next one brings back what only its labels named', async () => {
  // Its label row is in the range, its source row ends a month later: once deleted, only the record knows of it.
  await center.addChats([{ id: 'moved', ended: '2026-03-20T10:00:00Z' }]);
  await center.plantLabels([{ conversation_id: 'moved' }]);
  const plan: CrashPlan = {
    clickhouse: center.urls.clickhouse,
    postgres: center.urls.postgres,
    point: 'deleted',
    runId: 'LOST',
    partitions: DAYS.map((day) => partition(day)),
    config: { mode: 'delete-insert' },
    checkpoints: path.join(folder, 'checkpoints.json'),
  };
  expect(await crash(plan)).toBe('SIGKILL');
  expect(await center.labels({ where: `conversation_id = 'moved'` })).toEqual([]);
  await center.appDb.query(`UPDATE skein_labels.leases SET expires_at = now() - interval '1 s'`);

  for (const day of DAYS)
    expect((await center.run({ partitions: [partition(day)], config: { mode: 'delete-insert' } })).status).toBe(
      'SUCCESS',
    );
  expect(await center.labels({ where: `conversation_id = 'moved'` })).toMatchObject([
    { conversation_end_time: '2026-03-20 10:00:00.000' },
  ]);
  expect((await center.appDb.query('SELECT operation FROM skein_labels.operations')).rows).toEqual([]);
});

test('PostgreSQL fails in the middle of a day: the day fails and says that it is deleted; the next run completes it', async () => {
  const { tamper } = await import('./tampering.ts');
  let counts = 0;
  const clickhouse = tamper(center.clickhouse, {
    // Counted after each day: the first count is the end of the first.
    rows: async (sql, pass) => {
      if (sql.includes('AND (profile_id, conversation_id) IN') && sql.includes('{unit:Date}') && ++counts === 1) {
        await center.appDb.query('ALTER TABLE app.agent_online RENAME TO away');
      }
      return pass(sql);
    },
  });
  const broken = await center.run({
    partitions: DAYS.map((day) => partition(day)),
    config: { mode: 'delete-insert' },
    clickhouse,
  });
  expect(broken.status).toBe('FAILURE');
  await center.appDb.query('ALTER TABLE app.away RENAME TO agent_online');
  expect(broken.partitions.get(partition('2026-02-09'))).toMatchObject({ kind: 'materialized' });
  const failed = [...broken.partitions].filter(([, outcome]) => outcome.kind === 'failed');
  expect(failed.length).toBeGreaterThan(0);
  expect(broken.logs).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('were not written; their ids are kept') }),
  );

  const again = await center.run({ partitions: DAYS.map((day) => partition(day)), config: { mode: 'delete-insert' } });
  expect(again).toMatchObject({ status: 'SUCCESS', result: { verified: true } });
});

async function crash(plan: CrashPlan): Promise<NodeJS.Signals | null> {
  const child = spawn(
    process.execPath,
    ['-C', 'source', '--import', 'tsx', path.join(__dirname, 'crashing-run.ts'), JSON.stringify(plan)],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}
