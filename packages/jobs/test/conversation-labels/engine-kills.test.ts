/** Whole workers of a real engine killed in every state that a unit goes through, in one backfill: the rows are exact in the end. */

import path from 'node:path';

import { addDays } from '@skein/orchestrator';
import { createClient } from '@skein/orchestrator/runtime';

import { type DyingWorkers, openDyingWorkers } from '../dying-workers.ts';
import { type CallCenter, CUSTOMER, openCallCenter, partition } from './call-center.ts';
import type { CrashPoint } from './crashing-run.ts';
import { deploymentThatDies } from './killed-worker.ts';

const SCRIPT = path.join(__dirname, 'killed-worker.ts');
const DAYS = Array.from({ length: 7 }, (_, i) => addDays('2026-02-09', i));
const POINTS = {
  'delete-insert': ['recording', 'before-delete', 'deleting', 'deleted', 'half-inserted', 'inserted', 'verifying'],
  swap: ['half-inserted', 'copying', 'replacing'],
} as const satisfies Record<string, readonly CrashPoint[]>;

let center: CallCenter;
let workers: DyingWorkers;

beforeEach(async () => {
  center = await openCallCenter();
  workers = await openDyingWorkers(SCRIPT, deploymentThatDies(undefined), {
    SKEIN_APP_DB_URL: center.urls.postgres,
    SKEIN_CLICKHOUSE_URL: center.urls.clickhouse,
  });
  await center.appDb.query(
    `INSERT INTO app.chats SELECT $1, 'chat', 'c' || i, CASE WHEN i % 2 = 0 THEN 'b' ELSE 'a' END, 'u' || i % 5, 0,
       timestamptz '2026-02-09T00:00Z' + i * interval '10 min', timestamptz '2026-02-09T00:05Z' + i * interval '10 min', now(), null
     FROM generate_series(0, 1007) i`,
    [CUSTOMER],
  );
  await center.clickhouse.command(
    `INSERT INTO ${center.database}.conversation_with_labels (customer_id, profile_id, conversation_id, agent_user_id, usecase_id, conversation_start_time, conversation_end_time, update_time)
     SELECT '${CUSTOMER}', 'chat', concat('c', toString(number % 1100)), 'stale', 'old', t - 300, if(number >= 1100, t - 3000000, t), '2026-02-16 00:00:00'
     FROM (SELECT number, toDateTime64('2026-02-09 00:05:00', 3, 'UTC') + number % 1100 * 600 AS t FROM numbers(1200)) WHERE number % 1100 < 1008`,
  );
});
afterEach(async () => {
  await workers.close();
  await center.close();
});

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new RangeError(`not within a minute: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test.each(['delete-insert', 'swap'] as const)(
  '%s: one run, a worker killed in each of its states',
  async (mode) => {
    const client = createClient(workers.engine);
    const { runId } = await client.submit({
      job: 'label_conversations_job',
      partitions: DAYS.map((day) => partition(day)),
      config: { mode },
      cause: 'test',
    });
    for (const point of POINTS[mode]) {
      const child = workers.start(point);
      await until(
        async () => [child.signalCode, (await client.run(runId)).endedAt ?? null] as const,
        ([signal, endedAt]) => signal !== null || endedAt !== null,
      );
      expect([point, child.signalCode]).toEqual([point, 'SIGKILL']);
    }
    workers.start();
    const run = await until(
      () => client.run(runId),
      (one) => (one.endedAt ?? null) !== null,
    );
    expect(run).toMatchObject({ status: 'SUCCESS', counts: { materialized: DAYS.length, failed: 0 } });
    expect(run.result).toMatchObject({ verified: true, rows: 1008 });
    expect(
      await center.clickhouse.rows(
        `SELECT count() AS n, uniqExact(conversation_id) AS u, countIf(agent_user_id = 'stale') AS stale, uniqExact(update_time) AS clocks,
                countIf(usecase_id = concat('u', toString(toUInt32(substring(conversation_id, 2)) % 5))) AS right
         FROM ${center.database}.conversation_with_labels`,
      ),
    ).toEqual([{ n: '1008', u: '1008', stale: '0', clocks: '1', right: '1008' }]);
    expect((await center.appDb.query('SELECT * FROM skein_labels.leases')).rows).toEqual([]);
    expect((await center.appDb.query('SELECT operation FROM skein_labels.operations')).rows).toEqual([]);
  },
  180_000,
);
