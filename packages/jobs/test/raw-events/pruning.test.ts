import { readRawEventsSettings } from '@skein/jobs';

import { ROWS_PER_QUERY } from '../../src/raw-events/asset.ts';
import { RawEventsConfig } from '../../src/raw-events/config.ts';
import { type KeyCursor, rowsSql } from '../../src/raw-events/sql.ts';
import { type World, DAY, WHOLE_DAY, openWorld } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  // 40 granules of one day, and a second day beside it.
  await world.clickhouse.command('ALTER TABLE raw_events MODIFY SETTING index_granularity_bytes = 0').catch(() => {});
  await world.clickhouse.command(
    `INSERT INTO raw_events (id, tenant_id, environment_id, external_customer_id, event_name, payload, timestamp, version)
     SELECT toString(number), 't1', 'e1', concat('org-', leftPad(toString(number % 4), 2, '0')), 'n', '{}',
       addMilliseconds(toDateTime64('${DAY} 00:00:00', 3, 'UTC'), intDiv(number, 4) * 250 + 86400000 * (number % 10 = 0)), 1
     FROM numbers(655360)`,
  );
  await world.clickhouse.command('OPTIMIZE TABLE raw_events FINAL');
});
afterAll(() => world.close());

interface Index {
  readonly Type: string;
  readonly 'Initial Granules': number;
  readonly 'Selected Granules': number;
}

/** Granules that a page's query may read, and those of the table. */
async function granules(
  cursor: KeyCursor | undefined,
  changes: object = {},
): Promise<{ read: number; all: number; plan: string }> {
  const start = Date.parse(`${DAY}T00:00:00Z`);
  const config = { ...RawEventsConfig.parse({ ...WHOLE_DAY, ...changes }), tenant_id: 't1' };
  const scope = { settings: readRawEventsSettings({}), config, range: { fromMs: start, toMs: start + 86_399_999 } };
  const { sql, params } = rowsSql(scope, 'e1', cursor, 1000);
  const rows = await world.clickhouse.rows<{ explain: string }>(
    `SELECT explain FROM (EXPLAIN json = 1, indexes = 1 ${sql})`,
    {
      params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
    },
  );
  const plan = rows.map(({ explain }) => explain).join('\n');
  const indexes = [...plan.matchAll(/"Initial Granules": (\d+),\s*"Selected Granules": (\d+)/g)].map(
    ([, initial, selected]) =>
      ({ 'Initial Granules': Number(initial), 'Selected Granules': Number(selected) }) as Index,
  );
  return { read: indexes.at(-1)?.['Selected Granules'] ?? -1, all: indexes[0]?.['Initial Granules'] ?? -1, plan };
}

const cursor = (customer: string, hours: number): KeyCursor => ({
  environment_id: 'e1',
  external_customer_id: customer,
  timestamp_ms: Date.parse(`${DAY}T00:00:00Z`) + hours * 3_600_000,
  event_name: 'n',
  id: '5',
});

test('the day is one part; the cursor prunes granules of customers and of times before it', async () => {
  const first = await granules(undefined);
  expect(first.all).toBeGreaterThan(35);
  expect(first.read).toBeLessThan(first.all);
  const later = await granules(cursor('org-02', 0));
  expect(later.read).toBeLessThan(first.read * 0.6);
  const inside = await granules(cursor('org-03', 9));
  expect(inside.read).toBeLessThanOrEqual(4);
});

test('a customer filter prunes beside the cursor', async () => {
  const one = await granules(cursor('org-01', 6), { external_customer_id: 'org-01' });
  expect(one.read).toBeLessThanOrEqual(6);
});

test('the rows come in key order without sorting the day', async () => {
  for (const limit of [1_000, ROWS_PER_QUERY]) {
    const start = Date.parse(`${DAY}T00:00:00Z`);
    const config = { ...RawEventsConfig.parse(WHOLE_DAY), tenant_id: 't1' };
    const scope = { settings: readRawEventsSettings({}), config, range: { fromMs: start, toMs: start + 86_399_999 } };
    const { sql, params } = rowsSql(scope, 'e1', cursor('org-01', 0), limit);
    const rows = await world.clickhouse.rows<{ explain: string }>(`SELECT explain FROM (EXPLAIN PIPELINE ${sql})`, {
      params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
    });
    const pipeline = rows.map(({ explain }) => explain).join('\n');
    expect(pipeline).toContain('algorithm: InOrder');
    expect(pipeline).not.toMatch(/PartialSortingTransform|MergeSortingTransform/);
  }
});
