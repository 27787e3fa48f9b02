/** Relabelling: what the naive recipes get wrong, and what happens to rows that are none of this run's business. */

import { type CallCenter, CUSTOMER, NOW, labelRow, openCallCenter, partition } from './call-center.ts';

let center: CallCenter;
beforeEach(async () => {
  center = await openCallCenter();
});
afterEach(() => center.close());

const shown = async (final = false) =>
  (await center.labels({ final })).map(
    (row) => `${row.conversation_id} ${row.agent_user_id} ${row.usecase_id} ${row.conversation_end_time.slice(5, 19)}`,
  );

test('why deletion is mandatory: a row written again beside the old one stays, also with FINAL', async () => {
  await center.plantLabels([{}]);
  await center.plantLabels([{ agent_user_id: 'b', usecase_id: 'chat', update_time: '2026-02-10 03:30:00.000000' }]);
  expect(await shown()).toHaveLength(2);
  expect(await shown(true)).toHaveLength(2);
  await center.plantLabels([{ conversation_id: 'c2', update_time: '2026-02-10 03:30:00.000000' }]);
  await center.plantLabels([
    {
      conversation_id: 'c2',
      conversation_end_time: '2026-02-10 01:59:59.999',
      update_time: '2026-02-10 03:31:00.000000',
    },
  ]);
  expect((await center.labels({ where: `conversation_id = 'c2'` })).length).toBe(2);
  expect((await center.labels({ final: true, where: `conversation_id = 'c2'` })).length).toBe(1);
});

describe.each(['delete-insert', 'swap'] as const)('%s', (mode) => {
  const relabel = async (...days: string[]) => {
    const run = await center.run({
      partitions: (days.length > 0 ? days : ['2026-02-10']).map((day) => partition(day)),
      config: { mode },
    });
    expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
    return run;
  };

  test('a conversation that was re-assigned and reclassified after it was labelled', async () => {
    await center.plantLabels([{}]);
    await center.addChats([{ id: 'c1', agent: 'b', usecase: 'chat', ended: '03:05' }]);
    await center.addOnline('b', '03:00', '04:00');
    await relabel();
    expect(await shown()).toEqual(['c1 b chat 02-10 03:05:00']);
  });

  test('overnight conversations survive day by day and as a range', async () => {
    const overnight = { id: 'night', created: '2026-02-09T23:50:00Z', ended: '00:20' };
    await center.addChats([overnight, { id: 'next', created: '23:50', ended: '2026-02-11T00:20:00Z' }]);
    const rows = ['next a reservations-chat 02-11 00:20:00', 'night a reservations-chat 02-10 00:20:00'];
    for (const day of ['2026-02-09', '2026-02-10', '2026-02-11', '2026-02-10', '2026-02-09']) await relabel(day);
    expect(await shown()).toEqual(rows);
    await relabel('2026-02-09', '2026-02-10', '2026-02-11');
    expect(await shown()).toEqual(rows);
    // The edge of a range: the row of `next` touches the window by its start, its source row does not by its end.
    await relabel('2026-02-10');
    expect(await shown()).toEqual(rows);
  });

  test('stale rows outside of the window: an earlier end, an end of 1970, another month', async () => {
    await center.plantLabels([
      { conversation_end_time: '2026-02-09 23:00:00.000', conversation_start_time: '2026-02-09 22:00:00.000' },
      { conversation_end_time: '1970-01-01 00:00:00.000', conversation_start_time: '2026-01-20 22:00:00.000' },
      { conversation_end_time: '2026-01-31 23:59:59.999', conversation_start_time: '2026-01-20 22:00:00.000' },
    ]);
    await center.addChats([{ id: 'c1', agent: 'b' }]);
    await relabel();
    expect(await shown()).toEqual(['c1 b reservations-chat 02-10 01:50:00']);
  });

  test('a row in the window whose conversation has left it is written where it is now', async () => {
    await center.plantLabels([{}]);
    await center.addChats([{ id: 'c1', ended: '2026-02-12T09:00:00Z' }]);
    await relabel();
    expect(await shown()).toEqual(['c1 a reservations-chat 02-12 09:00:00']);
  });

  test('rows of conversations that are not eligible any more go, and nothing is written for them', async () => {
    const gone = ['dev', 'bot', 'deleted', 'reopened', 'vanished'];
    await center.plantLabels(gone.map((conversation_id) => ({ conversation_id })));
    await center.addChats([
      { id: 'dev', agent: 'd' },
      { id: 'bot', source: 7 },
      { id: 'deleted', deleted: '02:00' },
      { id: 'reopened', ended: null },
    ]);
    const run = await relabel();
    expect(await shown()).toEqual([]);
    expect(run.partitions.get(partition())).toMatchObject({
      kind: 'materialized',
      metadata: { rows: 0, rows_affected: 5 },
    });
  });

  test('twice gives the same rows but for the update time', async () => {
    await center.addChats([
      { id: 'c1' },
      { id: 'c2', agent: 'b', ended: '2026-02-11T00:00:00Z' },
      { id: 'c3', created: '2026-02-08T00:00:00Z' },
    ]);
    await relabel('2026-02-10', '2026-02-11');
    const first = await center.labels();
    await center.run({
      partitions: [partition(), partition('2026-02-11')],
      config: { mode },
      now: new Date(NOW.getTime() + 1),
    });
    const second = await center.labels();
    expect(second.map((row) => ({ ...row, update_time: '' }))).toEqual(
      first.map((row) => ({ ...row, update_time: '' })),
    );
    expect(new Set(second.map((row) => row.update_time))).toEqual(new Set(['2026-03-01 00:00:00.001000']));
  });

  test('rows of other days of the same month are kept, duplicates and all', async () => {
    const others = [
      labelRow({
        conversation_id: 'x',
        conversation_start_time: '2026-02-20 10:00:00.000',
        conversation_end_time: '2026-02-20 10:10:00.000',
      }),
    ];
    await center.plantLabels([...others, { ...others[0], agent_user_id: 'b' }]);
    await center.addChats([{ id: 'c1' }]);
    await relabel();
    expect(await shown()).toEqual([
      'c1 a reservations-chat 02-10 01:50:00',
      'x a reservations-chat 02-20 10:10:00',
      'x b reservations-chat 02-20 10:10:00',
    ]);
  });

  test('a server that remembers blocks does not swallow the same rows written again', async () => {
    await center.clickhouse.command(
      `ALTER TABLE ${center.database}.conversation_with_labels MODIFY SETTING non_replicated_deduplication_window = 100`,
    );
    await center.addChats([{ id: 'c1' }, { id: 'c2' }]);
    for (let i = 0; i < 3; i++) {
      // The same run id, the same clock: nothing but the operation differs.
      const run = await center.run({ partitions: [partition()], config: { mode }, runId: 'SAME' });
      expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
      expect(await shown()).toHaveLength(2);
    }
  });

  test('a day that became empty leaves nothing, and can be done again', async () => {
    await center.plantLabels([{}, { conversation_id: 'c2' }]);
    await relabel();
    expect(await shown()).toEqual([]);
    await relabel();
    expect(await shown()).toEqual([]);
  });
});

test('delete-insert leaves another customer’s rows in the same table and day byte-equal', async () => {
  await center.appDb.query(`INSERT INTO app.profiles VALUES ('other', 'chat', $1)`, [center.database]);
  const others = Array.from({ length: 50 }, (_, i) => labelRow({ customer_id: 'other', conversation_id: `c${i}` }));
  await center.plantLabels([...others, {}]);
  const before = await center.labels({ where: `customer_id = 'other'` });
  await center.addChats([
    { id: 'c1', agent: 'b' },
    { id: 'c1', customer: 'other', agent: 'b' },
  ]);
  // Nothing is said of the mode: two customers share the database, so it is delete-insert.
  const run = await center.run({ partitions: [partition()] });
  expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
  expect(await center.labels({ where: `customer_id = 'other'` })).toEqual(before);
  expect(await center.labels({ where: `customer_id = '${CUSTOMER}'` })).toMatchObject([{ agent_user_id: 'b' }]);
});

test('swap is refused where profiles of several customers share the database', async () => {
  await center.appDb.query(`INSERT INTO app.profiles VALUES ('other', 'chat', $1, false)`, [center.database]);
  const run = await center.run({ partitions: [partition()], config: { mode: 'swap' } });
  expect(String(run.error)).toContain('mode swap is not possible');
});

test('swap refuses before anything is replaced when rows of another customer lie in a partition', async () => {
  await center.plantLabels([{}, labelRow({ customer_id: 'stranger', conversation_id: 's1' })]);
  await center.addChats([{ id: 'c1', agent: 'b' }]);
  const run = await center.run({ partitions: [partition()] });
  expect(run.status).toBe('FAILURE');
  expect(run.partitions.get(partition())).toMatchObject({
    kind: 'failed',
    error: { code: 'REFUSED', message: expect.stringContaining('1 rows of other customers lie in it') },
  });
  expect((await center.labels()).map((row) => `${row.customer_id} ${row.agent_user_id}`)).toEqual([
    'alaska-air a',
    'stranger a',
  ]);
});

test('readers see a gap while delete-insert works, and none while partitions are swapped', async () => {
  await center.appDb.query(
    `INSERT INTO app.chats SELECT $1, 'chat', 'c' || i, 'a', 'cargo', 0, timestamptz '2026-02-10T01:00Z', timestamptz '2026-02-10T02:00Z', now(), null FROM generate_series(1, 2000) i`,
    [CUSTOMER],
  );
  await center.run({ partitions: [partition()], config: { mode: 'delete-insert' } });

  const lowestWhile = async (mode: string) => {
    let lowest = Number.POSITIVE_INFINITY;
    let polls = 0;
    let working = true;
    const reader = (async () => {
      while (working) {
        const [row] = await center.clickhouse.rows<{ n: string }>(
          `SELECT count() AS n FROM ${center.database}.conversation_with_labels WHERE toDate(conversation_end_time) = '2026-02-10'`,
        );
        lowest = Math.min(lowest, Number(row?.n));
        polls++;
      }
    })();
    const run = await center.run({ partitions: [partition()], config: { mode } });
    working = false;
    await reader;
    expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
    expect(polls).toBeGreaterThan(5);
    return lowest;
  };
  expect(await lowestWhile('swap')).toBe(2000);
  expect(await lowestWhile('delete-insert')).toBe(0);
});

test('nothing of the operation is left behind', async () => {
  await center.addChats([{ id: 'c1' }]);
  await center.run({ partitions: [partition()], config: { mode: 'swap' } });
  await center.run({ partitions: [partition()], config: { mode: 'delete-insert' } });
  expect(
    await center.clickhouse.rows(
      `SELECT name FROM system.tables WHERE database = '${center.database}' AND name LIKE 'skein%'`,
    ),
  ).toEqual([]);
  const { rows } = await center.appDb.query(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'skein_labels' AND table_name LIKE 'affected%'`,
  );
  expect(rows).toEqual([]);
  expect((await center.appDb.query('SELECT * FROM skein_labels.leases')).rows).toEqual([]);
  expect((await center.appDb.query('SELECT * FROM skein_labels.operations')).rows).toEqual([]);
});
