/** From the legacy layout to the one in which a later row replaces an earlier one; and labelling on it. */

import { migrateLayout } from '../../src/conversation-labels/migrate-layout.ts';
import { type CallCenter, CUSTOMER, openCallCenter, partition } from './call-center.ts';

let center: CallCenter;
beforeEach(async () => {
  center = await openCallCenter();
});
afterEach(() => center.close());

test('1,000 conversations with 30 duplicates become 1,000 rows, each the newest version', async () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => ({ conversation_id: `c${i}` }));
  await center.plantLabels(
    rows.slice(0, 30).map((row) => ({ ...row, agent_user_id: 'newest', update_time: '2026-02-18 00:00:00.000000' })),
  );
  await center.plantLabels(rows);
  const moved = await migrateLayout(center.clickhouse, center.database);
  expect(moved).toEqual({ rowsBefore: 1_030, rows: 1_000, kept: `${center.database}.conversation_with_labels_legacy` });
  expect((await center.labels({ where: `agent_user_id = 'newest'` })).length).toBe(30);
  await expect(migrateLayout(center.clickhouse, center.database)).rejects.toThrow('has the new layout already');

  // A later version replaces an earlier one, whatever the order in which they came.
  await center.plantLabels([
    { conversation_id: 'c500', agent_user_id: 'b', update_time: '2026-02-19 00:00:00.000000' },
  ]);
  await center.plantLabels([
    { conversation_id: 'c500', agent_user_id: 'z', update_time: '2026-02-11 00:00:00.000000' },
  ]);
  expect(await center.labels({ final: true, where: `conversation_id = 'c500'` })).toMatchObject([
    { agent_user_id: 'b' },
  ]);
});

test.each(['delete-insert', 'swap'])('labelling works on the new layout: %s', async (mode) => {
  await center.plantLabels([{}]);
  await migrateLayout(center.clickhouse, center.database);
  await center.addChats([
    { id: 'c1', agent: 'b', ended: '03:05' },
    { id: 'c2', created: '2026-01-31T22:00:00Z' },
  ]);
  const run = await center.run({ partitions: [partition()], config: { mode } });
  expect(run).toMatchObject({ status: 'SUCCESS', result: { rows: 2, verified: true } });
  expect(await center.labels({ where: `customer_id = '${CUSTOMER}'` })).toMatchObject([
    { conversation_id: 'c1', agent_user_id: 'b' },
    { conversation_id: 'c2', agent_user_id: 'a' },
  ]);
});
