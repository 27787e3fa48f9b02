/** What people saw go wrong: Active Days and the usecase distribution, before a relabelling, after it, and in the source. */

import { activeDay, activeDaysCells } from '../../src/conversation-labels/active-days.ts';
import { recordAffected } from '../../src/conversation-labels/affected.ts';
import { LabelConversationsConfig } from '../../src/conversation-labels/config.ts';
import { dropScratch } from '../../src/conversation-labels/finish.ts';
import { ensureOwnSchema } from '../../src/conversation-labels/lease.ts';
import { dropOperation, placeOf } from '../../src/conversation-labels/operation.ts';
import { type Work, planOperations } from '../../src/conversation-labels/prepare.ts';
import { verify } from '../../src/conversation-labels/verification.ts';
import { type CallCenter, CUSTOMER, NOW, openCallCenter, partition } from './call-center.ts';

test.each([
  ['nothing on either side', undefined, undefined, 'N/A'],
  ['closed conversations and assistance', 3, 1, '1'],
  ['closed conversations without assistance', 3, undefined, '0'],
  ['assistance without a closed conversation', undefined, 1, '0'],
  ['assistance of conversations that do not count', 0, 1, '0'],
] as const)('%s: total %j, active %j is %j', (_, total, active, cell) => expect(activeDay(total, active)).toBe(cell));

describe('on real rows', () => {
  let center: CallCenter;
  beforeEach(async () => {
    center = await openCallCenter();
    for (const agent of ['a', 'b']) await center.addOnline(agent, '00:00', '23:00');
  });
  afterEach(() => center.close());

  /** Verifies the day; cells are asked for while its tables are there. */
  async function look(options: { readonly excludeIngestion?: boolean; readonly usecase?: string } = {}) {
    const work: Work = {
      db: center.appDb,
      clickhouse: center.clickhouse,
      signal: new AbortController().signal,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      config: LabelConversationsConfig.parse({ mode: 'delete-insert' }),
      runId: 'look',
      regular: false,
      phase: (_name, step) => step(),
      event() {},
    };
    await ensureOwnSchema(center.appDb);
    const windows = [{ startMs: Date.UTC(2026, 1, 10), endMs: Date.UTC(2026, 1, 11) }];
    const [operation] = await planOperations(work, CUSTOMER, windows, NOW.getTime());
    if (!operation) throw new TypeError('the customer has a profile');
    const { excludeIngestion = false, usecase } = options;
    await recordAffected(work, operation);
    const verification = await verify(work, operation, { excludeIngestion });
    const { sql, params } = activeDaysCells(placeOf(operation), {
      excludeIngestion,
      ...(usecase === undefined ? {} : { usecase }),
    });
    const rows = await center.clickhouse.rows<{ agent: string; total: string; active: string }>(sql, { params });
    await dropScratch(work, operation);
    await dropOperation(center.appDb, operation.id);
    return {
      verification,
      failed: verification.points.filter((point) => !point.passed).map((point) => point.name),
      cells: Object.fromEntries(rows.map((row) => [row.agent, activeDay(Number(row.total), Number(row.active))])),
    };
  }

  test('the incident: assigned to b after it was labelled for a; b’s day is lost until the labels are made again', async () => {
    await center.plantLabels([{}]);
    await center.addChats([{ id: 'c1', agent: 'b', usecase: 'chat' }]);
    const before = await look();
    expect(before.cells).toEqual({ a: '0', b: '0' });
    expect(before.failed).toContain('active_days');
    expect(before.verification.points.find((point) => point.name === 'active_days')?.description).toContain(
      'b on 2026-02-10: 0 instead of 1',
    );

    // Written again beside the old row, as the original did at first: a still has evidence of a day that was b's.
    await center.plantLabels([{ agent_user_id: 'b', usecase_id: 'chat', update_time: '2026-02-10 03:30:00.000000' }]);
    const doubled = await look();
    expect(doubled.failed).toContain('duplicates');
    expect(
      await center.clickhouse.rows(
        `SELECT agent_user_id AS agent, count() AS rows FROM ${center.database}.conversation_with_labels FINAL WHERE has_agent_assistance GROUP BY agent ORDER BY agent`,
      ),
    ).toEqual([
      { agent: 'a', rows: '1' },
      { agent: 'b', rows: '1' },
    ]);

    const run = await center.run({ partitions: [partition()] });
    expect(run).toMatchObject({
      status: 'SUCCESS',
      result: { verification: [{ active_days: { before: 2, after: 1, source: 1 } }] },
    });
    expect(await look()).toMatchObject({ failed: [], cells: { b: '1' } });
    expect((await look()).cells).not.toHaveProperty('a');
  });

  test('only conversations of the ingestion count, or only other ones: with and without the flag', async () => {
    await center.addChats([{ id: 'c1', source: 8 }]);
    await center.run({ partitions: [partition()] });
    expect((await look()).cells).toEqual({ a: '1' });
    expect(await look({ excludeIngestion: true })).toMatchObject({
      failed: [],
      cells: { a: '0' },
      verification: { activeDays: { after: 0, source: 0 } },
    });
  });

  test('a conversation that is labelled for another usecase is no evidence under the usecase’s filter', async () => {
    await center.addChats([{ id: 'c1', usecase: 'chat' }]);
    await center.plantLabels([{ usecase_id: 'cargo' }]);
    expect((await look({ usecase: 'chat' })).cells).toEqual({ a: '0' });
    expect((await look()).cells).toEqual({ a: '1' });
    await center.run({ partitions: [partition()] });
    expect((await look({ usecase: 'chat' })).cells).toEqual({ a: '1' });
    expect((await look({ usecase: 'cargo' })).cells).toEqual({});
  });

  test('usecases before, after and in the source, with the difference; one row too many of one fails', async () => {
    const chats = Array.from({ length: 40 }, (_, i) => ({
      id: `c${i}`,
      usecase: i < 30 ? 'reservations-chat' : 'chat',
    }));
    await center.addChats(chats);
    await center.plantLabels(chats.map(({ id }) => ({ conversation_id: id })));
    const run = await center.run({ partitions: [partition()] });
    expect(run).toMatchObject({
      status: 'SUCCESS',
      result: {
        verification: [
          {
            usecases: [
              { usecase: 'chat', before: 0, after: 10, source: 10, difference: 10 },
              { usecase: 'reservations-chat', before: 40, after: 30, source: 30, difference: -10 },
            ],
          },
        ],
      },
    });
    await center.clickhouse.command(
      `ALTER TABLE ${center.database}.conversation_with_labels UPDATE usecase_id = 'reservations-chat' WHERE conversation_id = 'c39'`,
      { settings: { mutations_sync: '2' } },
    );
    const found = await look();
    expect(found.failed).toEqual(['rows', 'usecases']);
    expect(found.verification.points.find((point) => point.name === 'usecases')?.description).toContain(
      'reservations-chat: 31 labels, 30 in the source',
    );
  });
});
