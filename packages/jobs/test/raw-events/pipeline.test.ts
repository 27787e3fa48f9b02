import type { ClickHouse, Publisher } from '@skein/jobs';
import type { AssetRun } from '@skein/orchestrator/testing';

import { type World, DAY, NOW, WHOLE_DAY, openWorld, payloadOf } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const COUNTERS = [
  'total_events_found',
  'total_events_published',
  'total_events_dropped',
  'total_transformation_errors',
  'total_events_failed',
  'processed_batches',
];

/** In the order of COUNTERS. */
function countersOf(run: AssetRun): unknown[] {
  if (run.error) throw run.error as Error;
  const values = COUNTERS.map((name) => run.result?.[name] as number);
  expect(values[0]).toBe(values.slice(1, 5).reduce((a, b) => a + b));
  return values;
}

const idsOf = (messages: readonly { value: Record<string, unknown> }[]) =>
  messages.map(({ value }) => value.id as string).sort();
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `evt-${String(i).padStart(5, '0')}` }));

test('P1 2500 rows in pages of 1000 are three pages, and every event arrives', async () => {
  await world.insert(many(2500));
  const run = await world.run(WHOLE_DAY);
  expect(countersOf(run)).toEqual([2500, 2500, 0, 0, 0, 3]);
  expect(run.result?.success_rate_percent).toBe('100.00');
  expect(run.partitions.get(`t1_${DAY}`)?.kind).toBe('materialized');
  expect(run.counters.get('skein_raw_events_published_total')).toBe(2500);
  expect(idsOf(await world.received())).toEqual(many(2500).map(({ id }) => id));
  expect(run.logs.filter(({ message }) => message === 'batch processing complete').map(({ fields }) => fields)).toEqual(
    [1000, 1000, 500].map((batch_size, batch) => ({
      batch,
      batch_size,
      batch_published: batch_size,
      batch_dropped: 0,
      batch_transform_errors: 0,
      batch_publish_failed: 0,
    })),
  );
});

test('P2 the empty page after two full ones is not counted', async () => {
  await world.insert(many(2000));
  expect(countersOf(await world.run(WHOLE_DAY, { rowsPerQuery: 1 }))).toEqual([2000, 2000, 0, 0, 0, 2]);
});

test('P3–P6 each key once, with versions that no merge has collapsed, across pages of one row', async () => {
  const rows = ['b', 'a', 'c'].flatMap((id) => [
    {
      id,
      external_customer_id: 'org-1',
      version: 2,
      payload: payloadOf(id, 'org-1', undefined, { providerName: 'new' }),
    },
    { id, external_customer_id: 'org-2', version: 1 },
  ]);
  await world.insert(rows);
  // Older versions of the same keys, in another part.
  await world.insert(
    rows.map((row) => ({
      ...row,
      version: 0,
      payload: payloadOf(row.id, row.external_customer_id, undefined, { providerName: 'old' }),
    })),
  );
  for (const batch_size of [1, 2, 1000]) {
    expect(countersOf(await world.run({ ...WHOLE_DAY, batch_size }, { rowsPerQuery: 1 })).slice(0, 2)).toEqual([6, 6]);
  }
  const received = await world.received();
  expect(received.filter(({ value }) => String(value.event_name).startsWith('old'))).toEqual([]);
  expect(received).toHaveLength(18);
});

test('P7 both ends are included, to the millisecond', async () => {
  const at = (time: string) => ({ id: time, timestamp: `${DAY}T${time}Z` });
  await world.insert([at('10:00:00.122'), at('10:00:00.123'), at('10:00:00.456'), at('10:00:00.457')]);
  const run = await world.run({ ...WHOLE_DAY, start_date: `${DAY}T10:00:00.123Z`, end_date: `${DAY}T10:00:00.456Z` });
  expect(countersOf(run)).toEqual([2, 2, 0, 0, 0, 1]);
  expect(idsOf(await world.received())).toEqual(['10:00:00.123', '10:00:00.456']);
  expect(run.partitions.get(`t1_${DAY}`)).toMatchObject({
    kind: 'rehearsed',
    reason: 'part of a day: it starts later',
  });
  const same = await world.run({
    ...WHOLE_DAY,
    start_date: `${DAY}T15:30:00.456+05:30`,
    end_date: `${DAY}T10:00:00.456Z`,
  });
  expect(countersOf(same)).toEqual([1, 1, 0, 0, 0, 1]);
});

test('P8 one of each: the counters, the log lines and the dead letters of the original', async () => {
  await world.insert([
    { id: '1' },
    { id: '2', payload: '{"orgId":"a"}' },
    { id: '3', payload: '{bad' },
    {
      id: '4',
      payload: payloadOf('evt-4', 'org-1', undefined, { data: { modelName: 'm', x: 'x'.repeat(1_100_000) } }),
    },
  ]);
  const run = await world.run({ ...WHOLE_DAY, dead_letter_topic: world.deadLetters });
  expect(countersOf(run)).toEqual([4, 1, 1, 1, 1, 1]);
  expect(run.status).toBe('SUCCESS');
  expect(run.result).toMatchObject({
    success_rate_percent: '25.00',
    drop_reasons: { missing_method_name: 1 },
    drop_examples: { missing_method_name: ['2'] },
    completed_at: '2026-04-01T12:00:00Z',
  });
  const common = (id: string, batch_position: number) => ({
    raw_event_id: id,
    external_customer_id: 'org-1',
    event_name: 'openai-modeling-gpt-4.1',
    timestamp: `${DAY}T00:00:37.092Z`,
    batch: 0,
    batch_position,
  });
  expect(run.logs.filter(({ fields }) => 'raw_event_id' in fields)).toEqual([
    {
      level: 'info',
      message: 'validation failed - event dropped',
      fields: { ...common('2', 2), reason: 'failed_bento_validation', drop_reason: 'missing_method_name' },
    },
    {
      level: 'warn',
      message: 'transformation error - event skipped',
      fields: { ...common('3', 3), error: expect.stringContaining('Failed to parse Bento payload') as string },
    },
    {
      level: 'error',
      message: 'failed to publish transformed event',
      fields: {
        ...common('4', 4),
        transformed_event_id: 'evt-4',
        error: expect.stringContaining('more than the limit of 1000000') as string,
      },
    },
  ]);
  const letters = (await world.received(world.deadLetters)).map(({ value }) => value);
  expect(
    letters.map(({ raw_event_id, kind, reason, payload }) => [
      raw_event_id,
      kind,
      String(reason).slice(0, 20),
      payload,
    ]),
  ).toEqual([
    ['2', 'dropped', 'missing_method_name', '{"orgId":"a"}'],
    ['3', 'error', 'Failed to parse Bent', '{bad'],
    ['4', 'failed', 'the message has 1100', null],
  ]);
  expect(letters[0]).toMatchObject({
    tenant_id: 't1',
    environment_id: 'e1',
    external_customer_id: 'org-1',
    timestamp: `${DAY}T00:00:37.092Z`,
  });
});

test('what only the broker finds too large fails alone too', async () => {
  await world.insert([
    ...many(50),
    {
      id: 'huge',
      payload: payloadOf('huge', 'org-1', undefined, { data: { modelName: 'm', x: 'x'.repeat(1_500_000) } }),
    },
  ]);
  const run = await world.run(WHOLE_DAY, { settings: { max_message_bytes: 10_000_000 } });
  expect(countersOf(run)).toEqual([51, 50, 0, 0, 1, 1]);
  expect(idsOf(await world.received())).toEqual(many(50).map(({ id }) => id));
});

test('P9 no rows: zeros, and the partition is made', async () => {
  const run = await world.run(WHOLE_DAY);
  expect(countersOf(run)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(run.result?.success_rate_percent).toBe('0.00');
  expect(run.partitions.get(`t1_${DAY}`)?.kind).toBe('materialized');
});

test('P10 key and headers of a message; another identity when it is sent again', async () => {
  await world.insert([{ id: 'evt-1' }]);
  await world.run(WHOLE_DAY);
  await world.run(WHOLE_DAY);
  const [first, second] = await world.received();
  for (const message of [first, second]) {
    expect(message?.key).toBe('t1:org-1');
    expect(message?.headers).toMatchObject({ tenant_id: 't1', environment_id: 'e1', partition_key: 't1:org-1' });
    expect(Object.keys(message?.headers ?? {})).toHaveLength(4);
    expect(message?.headers._watermill_message_uuid).toMatch(/^evt-1-\d{19}-\d+$/);
    expect(Object.keys(message?.value ?? {})).toEqual([
      'id',
      'tenant_id',
      'environment_id',
      'event_name',
      'properties',
      'source',
      'timestamp',
      'ingested_at',
      'customer_id',
      'external_customer_id',
    ]);
  }
  expect(first?.headers._watermill_message_uuid).not.toBe(second?.headers._watermill_message_uuid);
});

test('case 70: columns of the row that contradict the payload; the payload decides', async () => {
  await world.insert([
    {
      id: 'row',
      external_customer_id: 'row-customer',
      event_name: 'row-name',
      timestamp: `${DAY}T20:00:00Z`,
      payload: payloadOf('evt-1', 'org-1', `${DAY}T05:30:37+05:30`),
    },
  ]);
  await world.run(WHOLE_DAY);
  const [message] = await world.received();
  expect(message?.key).toBe('t1:org-1');
  expect(message?.value).toMatchObject({
    id: 'evt-1',
    external_customer_id: 'org-1',
    event_name: 'openai-modeling-gpt-4.1',
    timestamp: `${DAY}T05:30:37+05:30`,
  });
});

test('P11 an event whose timestamp cannot be written is a failed publication', async () => {
  await world.insert([{ id: '1', payload: payloadOf('evt-1', 'org-1', '2026-03-21T00:00:37+24:00') }]);
  expect(countersOf(await world.run(WHOLE_DAY))).toEqual([1, 0, 0, 0, 1, 1]);
});

test('P14 filters in both spellings; such a run is a rehearsal', async () => {
  const customers = ['c1', 'c2', 'c3'];
  await world.insert(customers.map((c) => ({ id: c, external_customer_id: c, event_name: `name-${c}` })));
  const run = await world.run({ ...WHOLE_DAY, external_customer_id: 'c1', external_customer_ids: ['c2', "it's"] });
  expect(countersOf(run).slice(0, 2)).toEqual([2, 2]);
  expect(run.partitions.get(`t1_${DAY}`)?.kind).toBe('rehearsed');
  expect(countersOf(await world.run({ ...WHOLE_DAY, event_name: 'name-c3' })).slice(0, 2)).toEqual([1, 1]);
});

test('P16 rows of another tenant or environment are never read', async () => {
  await world.insert([{ id: '1' }, { id: '2', tenant_id: 't2' }, { id: '3', environment_id: 'e2' }]);
  const run = await world.run({ ...WHOLE_DAY, environment_id: 'e1' });
  expect(idsOf(await world.received())).toEqual(['1']);
  expect(run.partitions.get(`t1_${DAY}`)).toMatchObject({ kind: 'rehearsed' });
  const all = await world.run(WHOLE_DAY);
  expect(countersOf(all)).toEqual([2, 2, 0, 0, 0, 2]);
  expect(all.partitions.get(`t1_${DAY}`)?.kind).toBe('materialized');
  expect(
    (await world.received()).filter(({ value }) => value.id === '3').map(({ value }) => value.environment_id),
  ).toEqual(['e2']);
});

test('a whole day of the only environment counts as made', async () => {
  await world.insert([{ id: '1' }]);
  const run = await world.run({ ...WHOLE_DAY, environment_id: 'e1', end_date: `${DAY}T23:59:59Z` });
  expect(run.partitions.get(`t1_${DAY}`)?.kind).toBe('materialized');
});

test('a range is one task a day; the day that is not over is a rehearsal', async () => {
  await world.insert(['20', '21', '22'].map((day) => ({ id: day, timestamp: `2026-03-${day}T08:00:00Z` })));
  const run = await world.run(
    { tenant_id: 't1', start_date: '2026-03-20T00:00:00Z' },
    { now: new Date('2026-03-22T12:00:00Z') },
  );
  expect(run.tasks.map(({ task }) => task)).toEqual(['day-2026-03-20', 'day-2026-03-21', 'day-2026-03-22']);
  expect([...run.partitions].map(([key, { kind }]) => [key, kind])).toEqual([
    ['t1_2026-03-20', 'materialized'],
    ['t1_2026-03-21', 'materialized'],
    ['t1_2026-03-22', 'rehearsed'],
  ]);
  expect(countersOf(run)).toEqual([3, 3, 0, 0, 0, 3]);
});

test('partitions alone are enough', async () => {
  await world.insert([{ id: '1' }]);
  const run = await world.run({}, { partitions: [`t1_${DAY}`, 't1_2026-03-22'] });
  expect(countersOf(run)).toEqual([1, 1, 0, 0, 0, 1]);
  expect([...run.partitions.values()].map(({ kind }) => kind)).toEqual(['materialized', 'materialized']);
});

test('a dry run sends nothing and counts what it would send', async () => {
  await world.insert([{ id: '1' }, { id: '2', payload: '{}' }]);
  const run = await world.run({ ...WHOLE_DAY, dry_run: true, dead_letter_topic: world.deadLetters });
  expect(countersOf(run)).toEqual([2, 1, 1, 0, 0, 1]);
  expect(await world.received()).toEqual([]);
  expect(await world.received(world.deadLetters)).toEqual([]);
  expect(run.partitions.get(`t1_${DAY}`)).toMatchObject({ kind: 'rehearsed', reason: 'dry run: nothing was sent' });
});

test('a sample is the same one each time, and part of the larger sample', async () => {
  await world.insert(many(2000));
  const sample = async (sample_percent: number) => {
    const ids: string[] = [];
    const kafka: Publisher = {
      ...world.publisher,
      async publishEach(_topic, messages) {
        ids.push(...messages.map(({ value }) => (JSON.parse(String(value)) as { id: string }).id));
        return [];
      },
    };
    const run = await world.run({ ...WHOLE_DAY, sample_percent }, { kafka });
    expect(run.partitions.get(`t1_${DAY}`)).toMatchObject({ kind: 'rehearsed' });
    return ids.sort();
  };
  const ten = await sample(10);
  expect(ten.length).toBeGreaterThan(120);
  expect(ten.length).toBeLessThan(280);
  expect(await sample(10)).toEqual(ten);
  const thirty = new Set(await sample(30));
  expect(thirty.size).toBeGreaterThan(450);
  expect(ten.filter((id) => !thirty.has(id))).toEqual([]);
});

test('only_missing skips what the final events have, whatever the offset of their instants', async () => {
  await world.insert([
    { id: 'a' },
    { id: 'b' },
    { id: 'c', timestamp: `${DAY}T05:30:37Z` },
    { id: 'a', external_customer_id: 'org-2' },
  ]);
  const event = {
    tenant_id: 't1',
    environment_id: 'e1',
    event_name: 'x',
    external_customer_id: 'org-1',
    properties: '{}',
  };
  await world.clickhouse.insert('usage_events', [
    { ...event, id: 'a', timestamp: `${DAY}T00:00:37.092Z` },
    { ...event, id: 'c', timestamp: '2026-03-20T05:40:00Z' },
    { ...event, id: 'b', timestamp: `${DAY}T00:00:37.092Z`, environment_id: 'e2' },
  ]);
  const run = await world.run({ ...WHOLE_DAY, only_missing: true });
  expect(countersOf(run).slice(0, 2)).toEqual([2, 2]);
  expect((await world.received()).map(({ value }) => [value.id, value.external_customer_id]).sort()).toEqual([
    ['a', 'org-2'],
    ['b', 'org-1'],
  ]);
});

test('within a customer the order of publication is the order of time', async () => {
  const rows = Array.from({ length: 600 }, (_, i) => ({
    id: String((i * 7919) % 600).padStart(3, '0'),
    external_customer_id: `org-${i % 3}`,
    timestamp: `${DAY}T00:${String(Math.trunc(i / 60)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}Z`,
  }));
  await world.insert(rows);
  await world.run({ ...WHOLE_DAY, batch_size: 7 }, { rowsPerQuery: 20 });
  const received = await world.received();
  for (const customer of ['org-0', 'org-1', 'org-2']) {
    const times = received
      .filter(({ value }) => value.external_customer_id === customer)
      .map(({ value }) => value.timestamp as string);
    expect(times).toHaveLength(200);
    expect(times).toEqual([...times].sort());
  }
});

test('keys and payloads of any characters are read as they are, also over a cursor', async () => {
  const odd = 'tab\t newline\n return\r back\\slash \\N \'single\' "double" nul\0 \b\f \u2028 ü🎉';
  const payload = payloadOf(odd, odd, undefined, { data: { modelName: 'm', text: odd } });
  const rows = ['a', 'b', 'c'].map((id) => ({
    id: `${odd}${id}`,
    external_customer_id: odd,
    event_name: odd,
    payload,
  }));
  await world.insert([...rows, { id: odd, external_customer_id: odd, event_name: odd, payload: `{${odd}` }]);
  const run = await world.run({ ...WHOLE_DAY, batch_size: 1 }, { rowsPerQuery: 1 });
  expect(countersOf(run)).toEqual([4, 3, 0, 1, 0, 4]);
  for (const { value } of await world.received()) {
    expect(value).toMatchObject({ id: odd, external_customer_id: odd, properties: { text: odd } });
  }
  expect(run.logs.find(({ level }) => level === 'warn')?.fields).toMatchObject({
    raw_event_id: odd,
    external_customer_id: odd,
    event_name: odd,
  });
});

test('a line that is no row fails the day, and the next attempt reads it again', async () => {
  await world.insert([{ id: '1' }]);
  const clickhouse: ClickHouse = {
    ...world.clickhouse,
    async *lines(sql, options) {
      yield* world.clickhouse.lines(sql, options);
      yield Buffer.from('Code: 241. DB::Exception: memory');
    },
  };
  const run = await world.run(WHOLE_DAY, { clickhouse });
  expect(run.tasks[0]?.error).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    message: expect.stringContaining('Code: 241') as string,
  });
  expect(await world.received()).toEqual([]);
});

test('disabled by configuration: nothing is read', async () => {
  const run = await world.run(WHOLE_DAY, { settings: { enabled: false } });
  expect(run.error).toMatchObject({ code: 'RAW_EVENTS_REPROCESSING_DISABLED' });
});

test('at debug level every published event is logged', async () => {
  await world.insert([{ id: 'evt-1' }]);
  const run = await world.run(WHOLE_DAY, { settings: { debug: true } });
  expect(run.logs.filter(({ level }) => level === 'debug').map(({ fields }) => fields.transformed_event_id)).toEqual([
    'evt-1',
  ]);
});

test('a config without scope, or with a wrong one, is refused by name', async () => {
  const bad: [object, string][] = [
    [{ tenant_id: 't1' }, 'start_date: is required'],
    [{ start_date: `${DAY}T00:00:00Z` }, 'tenant_id: is required'],
    [{ ...WHOLE_DAY, start_date: '2024-01-01' }, 'start_date: must be in RFC3339 format'],
    [{ ...WHOLE_DAY, start_date: '2026-05-01T00:00:00Z' }, 'Start date must be before end date'],
    [{ ...WHOLE_DAY, batch_size: 0 }, 'batch_size: must be at least 1'],
    [{ ...WHOLE_DAY, batch_size: 50_001 }, 'batch_size: must be at most 50000'],
    [{ ...WHOLE_DAY, start_date: '2014-12-31T00:00:00Z' }, 'start_date: lies before 2015-01-01'],
    [{ ...WHOLE_DAY, nonsense: 1 }, 'nonsense'],
  ];
  for (const [config, message] of bad) {
    await expect(world.run(config as never)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message) as string,
    });
  }
  const tenants = world.run({}, { partitions: [`t1_${DAY}`, `t2_${DAY}`], now: NOW });
  await expect(tenants).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
