/** The labels' part of the demo: its sample has the troubles that it claims, and the run cures them. */

import { createPool, labelConversations, openClickHouse } from '@skein/jobs';
import { runAsset } from '@skein/orchestrator/testing';

import { labelsPart } from '../../src/demo/labels-part.ts';
import type { DemoContext } from '../../src/demo/part.ts';
import { testClickHouse, testDatabase } from '../../test-services/index.ts';

test('stale before, equal to the source afterwards, and loaded only once', async () => {
  const [postgres, ch] = await Promise.all([testDatabase('app'), testClickHouse()]);
  const [appDb, clickhouse] = [createPool(postgres.url), openClickHouse(ch.url)];
  const submitted: (readonly string[])[] = [];
  const started: unknown[] = [];
  const context = {
    env: { SKEIN_CLICKHOUSE_URL: ch.url },
    appDb,
    clickhouse,
    scale: 0.2,
    now: new Date('2026-03-01T10:00:00Z'),
    client: { submit: async ({ partitions }: { partitions: readonly string[] }) => void submitted.push(partitions) },
    startSensor: async (...args: unknown[]) => void started.push(args),
  } as unknown as DemoContext;
  try {
    await labelsPart.load(context);
    await labelsPart.load(context);
    const before = await labelsPart.before(context);
    expect(before).toMatchObject({ rows: 5_600 + 448 + 11, rows_source: 5_600, rows_duplicate: 11 });
    expect(Number(before.rows_disagreeing)).toBeGreaterThan(400);
    expect(Number(before.reservations_chat)).toBeGreaterThan(Number(before.reservations_chat_source) * 1.2);

    const keys = labelsPart.partitions(context);
    await labelsPart.launch(context);
    expect(keys).toHaveLength(14);
    expect(submitted).toEqual([keys]);
    expect(started).toEqual([
      ['label_conversations_sensor', { customers: { 'alaska-air': { labelled_to: '2026-03-01T00:00:00.000Z' } } }],
    ]);
    const run = await runAsset(labelConversations, {
      partitions: keys,
      resources: { appDb, clickhouse },
      now: context.now,
    });
    expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });

    const verdict = await labelsPart.verify(context, true);
    expect(verdict).toMatchObject({
      verified: true,
      after: { rows: 5_600, rows_source: 5_600, rows_duplicate: 0, rows_disagreeing: 0 },
    });
    expect(verdict.after.active_days).toBe(verdict.after.active_days_source);
    expect(verdict.details.every((detail) => detail.rows_labels === detail.rows_source)).toBe(true);
  } finally {
    await clickhouse.command('DROP DATABASE IF EXISTS alaska_air_us_east_1 SYNC');
    await Promise.all([appDb.end(), clickhouse.close()]);
    await Promise.all([postgres.drop(), ch.drop()]);
  }
});
