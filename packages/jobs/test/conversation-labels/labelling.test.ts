/** What is labelled, and how: the rules of selection and of the label, on real PostgreSQL and ClickHouse. */

import { type CallCenter, CUSTOMER, NOW, openCallCenter, partition } from './call-center.ts';

let center: CallCenter;
beforeEach(async () => {
  center = await openCallCenter();
});
afterEach(() => center.close());

describe.each(['delete-insert', 'swap'] as const)('%s', (mode) => {
  const day = (config = {}) => center.run({ partitions: [partition()], config: { mode, ...config } });
  const ids = async () => (await center.labels()).map((row) => row.conversation_id);

  test('a closed conversation becomes one row with its agent, its usecase and its assistance', async () => {
    await center.addChats([{ id: 'c1' }]);
    await center.addOnline('a', '01:00', '03:00');
    const run = await day();

    expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
    expect(await center.labels()).toEqual([
      {
        customer_id: CUSTOMER,
        profile_id: 'chat',
        conversation_id: 'c1',
        agent_user_id: 'a',
        usecase_id: 'reservations-chat',
        conversation_start_time: '2026-02-10 01:33:00.000',
        conversation_end_time: '2026-02-10 01:50:00.000',
        has_agent_assistance: true,
        conversation_source: 0,
        update_time: '2026-03-01 00:00:00.000000',
      },
    ]);
    expect(run.partitions.get(partition())).toMatchObject({ kind: 'materialized', metadata: { rows: 1 } });
    expect(run.result).toMatchObject({ rows: 1, verified: true });
  });

  test('assistance needs an online interval that touches the conversation; both bounds count', async () => {
    await center.addChats([
      { id: 'before', agent: 'a' },
      { id: 'touching', agent: 'b' },
      { id: 'long', agent: 'x', created: '2026-02-08T10:00:00Z' },
      { id: 'still', agent: 'y' },
      { id: 'after', agent: 'z' },
    ]);
    await center.addOnline('a', '01:00', '01:20');
    await center.addOnline('b', '01:00', '01:33');
    // Touches only the beginning of a conversation of two days, far more than three hours before the day.
    await center.addOnline('x', '2026-02-08T09:00:00Z', '2026-02-08T10:30:00Z');
    await center.addOnline('y', '01:50', null);
    await center.addOnline('z', '01:50:00.001', '02:00');
    await day();

    const assisted = Object.fromEntries(
      (await center.labels()).map((row) => [row.conversation_id, row.has_agent_assistance]),
    );
    expect(assisted).toEqual({ before: false, touching: true, long: true, still: true, after: false });
  });

  test('developers, bots and deleted conversations are left out, unassigned ones are not', async () => {
    await center.addChats([
      { id: 'dev', agent: 'd' },
      { id: 'bot', source: 7 },
      { id: 'deleted', deleted: '01:55' },
      { id: 'unassigned', agent: null, usecase: null },
      { id: 'ingested', source: 8 },
      { id: 'unknown-agent', agent: 'nobody-knows' },
    ]);
    const run = await day();

    expect(await ids()).toEqual(['ingested', 'unassigned', 'unknown-agent']);
    expect((await center.labels({ where: `conversation_id = 'unassigned'` }))[0]).toMatchObject({
      agent_user_id: '',
      usecase_id: '',
    });
    expect(run.partitions.get(partition())).toMatchObject({
      metadata: { rows: 3, rows_affected: 6, skipped: { deleted: 1, other_source: 1, dev_user: 1 } },
    });
  });

  test('an open conversation is labelled only when selecting by creation, with the end 1970-01-01', async () => {
    await center.addChats([{ id: 'open', ended: null }]);
    await day();
    expect(await ids()).toEqual([]);

    const run = await day({ selection: 'created_at' });
    expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
    expect(await center.labels()).toMatchObject([
      { conversation_id: 'open', conversation_end_time: '1970-01-01 00:00:00.000' },
    ]);
  });

  test('an end at the range’s start is in, at its end is out', async () => {
    await center.addChats([
      { id: 'at-start', created: '2026-02-09T23:00:00Z', ended: '00:00' },
      { id: 'at-end', ended: '2026-02-11T00:00:00Z' },
      { id: 'last', ended: '23:59:59.999' },
    ]);
    await day();
    expect(await ids()).toEqual(['at-start', 'last']);
  });

  test('a server in another time zone labels the same rows', async () => {
    const name = (await center.appDb.query<{ n: string }>('SELECT current_database() AS n')).rows[0]?.n ?? '';
    await center.appDb.query(`ALTER DATABASE ${name} SET timezone = 'America/New_York'`);
    const { createPool } = await import('@skein/jobs');
    const newYork = createPool(center.urls.postgres);
    await center.addChats([
      { id: 'c1' },
      { id: 'edge', created: '00:00', ended: '00:00' },
      { id: 'eve', ended: '2026-02-09T23:59:59.999Z', created: '2026-02-09T23:00:00Z' },
    ]);
    const run = await center.run({
      partitions: [partition()],
      config: { mode, range_start: '2026-02-10T00:00:00Z', range_end: '2026-02-10T19:00:00-05:00' },
      appDb: newYork,
    });
    await newYork.end();

    expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
    expect(await center.labels()).toMatchObject([
      {
        conversation_id: 'c1',
        conversation_start_time: '2026-02-10 01:33:00.000',
        conversation_end_time: '2026-02-10 01:50:00.000',
      },
      { conversation_id: 'edge' },
    ]);
  });

  test('ids and texts of any shape arrive as they are', async () => {
    const odd = ["it's", 'back\\slash', 'tab\tnew\nline', 'ü — 漢字 🙂', '"double"', '{c:String}', '\\N'];
    await center.addChats(odd.map((id) => ({ id, usecase: id, agent: id })));
    expect((await day()).error).toBeUndefined();
    // Again, so that they are deleted by id as well: the unit's rows are taken for remains of an interrupted insert.
    expect((await day()).error).toBeUndefined();
    const rows = await center.labels();
    expect(new Set(rows.map((row) => row.conversation_id))).toEqual(new Set(odd));
    expect(
      rows.every((row) => row.usecase_id === row.conversation_id && row.agent_user_id === row.conversation_id),
    ).toBe(true);
  });

  test('25,000 conversations of one day: one row each', async () => {
    await center.appDb.query(
      `INSERT INTO app.chats SELECT $1, 'chat', 'c' || i, 'a', 'cargo', 0, timestamptz '2026-02-10T00:00Z' + i * interval '1 s', timestamptz '2026-02-10T00:30Z' + i * interval '1 s', now(), null
       FROM generate_series(1, 25000) i`,
      [CUSTOMER],
    );
    const run = await day();
    expect(run.result).toMatchObject({ rows: 25_000, verified: true });
    expect(
      await center.clickhouse.rows(
        `SELECT count() AS n, uniqExact(conversation_id) AS u FROM ${center.database}.conversation_with_labels`,
      ),
    ).toEqual([{ n: '25000', u: '25000' }]);
  });

  test('a part of a day and a day that is not over leave the partition as it was', async () => {
    await center.addChats([
      { id: 'in', ended: '01:50' },
      { id: 'out', ended: '03:50' },
    ]);
    const part = await center.run({
      partitions: [partition()],
      config: { mode, range_start: '2026-02-10T01:00:00Z', range_end: '2026-02-10T02:00:00Z' },
    });
    expect(part.partitions.get(partition())).toMatchObject({ kind: 'rehearsed', metadata: { rows: 1 } });
    expect(await ids()).toEqual(['in']);

    const early = await center.run({
      partitions: [partition()],
      config: { mode },
      now: new Date('2026-02-10T12:00:00Z'),
    });
    expect(early.partitions.get(partition())).toMatchObject({ kind: 'rehearsed', reason: 'the day has not ended yet' });
    expect(await ids()).toEqual(['in', 'out']);
    const late = await center.run({ partitions: [partition()], config: { mode }, now: NOW });
    expect(late.partitions.get(partition())).toMatchObject({ kind: 'materialized' });
  });
});

test('of 88 profiles the customer’s one is kept, and the log says so; a name that only resembles it matches nothing', async () => {
  await center.appDb.query(
    `INSERT INTO app.profiles SELECT 'customer' || i, 'p', 'db_' || i, true FROM generate_series(1, 87) i`,
  );
  const run = await center.run({ partitions: [partition()] });
  expect(run.logs).toContainEqual({
    level: 'info',
    message: 'Profiles scanned.',
    fields: { scanned: 88, kept: 1, customer: CUSTOMER },
  });

  const none = await center.run({ partitions: [partition('2026-02-10', 'alaska')] });
  expect(none.status).toBe('FAILURE');
  expect(String(none.error)).toContain(
    'No profile matches the customer “alaska”: 88 enabled profiles were scanned. Names alike: alaska-air.',
  );
});

test('a disabled profile’s conversations and labels are left alone', async () => {
  await center.appDb.query(`INSERT INTO app.profiles VALUES ($1, 'voice', $2, false)`, [CUSTOMER, center.database]);
  await center.addChats([{ id: 'v', profile: 'voice' }, { id: 'c' }]);
  await center.plantLabels([{ conversation_id: 'old', profile_id: 'voice' }]);
  expect((await center.run({ partitions: [partition()] })).error).toBeUndefined();
  expect((await center.labels()).map((row) => row.conversation_id)).toEqual(['c', 'old']);
});

test('a customer with two databases has its day in both', async () => {
  const second = `${center.database}_eu`;
  await center.clickhouse.command(`CREATE DATABASE ${second}`);
  await center.clickhouse.command(
    `CREATE TABLE ${second}.conversation_with_labels AS ${center.database}.conversation_with_labels`,
  );
  await center.appDb.query(`INSERT INTO app.profiles VALUES ($1, 'voice', $2, true)`, [CUSTOMER, second]);
  await center.addChats([{ id: 'c1' }, { id: 'v1', profile: 'voice' }, { id: 'v2', profile: 'voice' }]);
  const run = await center.run({ partitions: [partition()] });
  expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
  expect(run.partitions.get(partition())).toMatchObject({ kind: 'materialized', metadata: { rows: 3 } });
  expect(
    await center.clickhouse.rows(`SELECT conversation_id FROM ${second}.conversation_with_labels ORDER BY 1`),
  ).toEqual([{ conversation_id: 'v1' }, { conversation_id: 'v2' }]);
  await center.clickhouse.command(`DROP DATABASE ${second} SYNC`);
});

test('without a range labelling goes on from the last labelled end, open conversations ignored', async () => {
  await center.plantLabels([
    { conversation_id: 'labelled' },
    { conversation_id: 'open', conversation_end_time: '1970-01-01 00:00:00.000' },
  ]);
  await center.addChats([
    { id: 'labelled' },
    { id: 'earlier', created: '00:10', ended: '01:49:59.999' },
    { id: 'later', ended: '01:50:00.001' },
  ]);
  const run = await center.run({ config: { customer_id: CUSTOMER }, now: new Date('2026-02-11T02:00:00Z') });
  expect(run).toMatchObject({ status: 'SUCCESS', error: undefined });
  expect(run.logs).toContainEqual(
    expect.objectContaining({ fields: { customer_id: CUSTOMER, start: '2026-02-10T01:50:00.000Z' } }),
  );
  expect((await center.labels()).map((row) => row.conversation_id)).toEqual(['labelled', 'later', 'open']);

  await center.clickhouse.command(`TRUNCATE TABLE ${center.database}.conversation_with_labels`);
  const empty = await center.run({ config: { customer_id: CUSTOMER } });
  expect(String(empty.error)).toContain('has no labels to go on from');
});
