/** Staleness by the three mappings and by the code's version; freshness of assets with and without time. */

import { z } from 'zod';

import { createClient } from '../../src/engine/client.ts';
import { readFreshness } from '../../src/engine/reads/freshness.ts';
import { readStaleness } from '../../src/engine/reads/staleness.ts';
import {
  type Asset,
  type AssetSpec,
  type Dependency,
  type Deployment,
  type PartitionsDefinition,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  hourly,
  materialized,
  monthly,
  singlePartition,
  skipped,
} from '../../src/index.ts';
import { dueAt, parseFreshness } from '../../src/definitions/freshness.ts';
import { type Harness, openHarness, teamDays } from './harness.ts';

const open: Harness[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

let fails = false;
const config = z.object({});
type More = Partial<Pick<AssetSpec<unknown, typeof config, Record<never, never>>, 'codeVersion' | 'freshness'>>;

function asset(key: string, partitions: unknown, dependsOn: Dependency[] = [], more: More = {}): Asset {
  return defineAsset({
    key,
    description: 'Made of what it depends on.',
    partitions: partitions as PartitionsDefinition<unknown>,
    config,
    dependsOn,
    ...more,
    materialize: async ({ partitionKey }) => {
      if (fails) throw new TypeError('bad');
      return partitionKey.startsWith('9_') ? skipped('not for team 9') : materialized();
    },
  });
}

function deploymentOf(assets: readonly Asset[]): Deployment {
  return defineDeployment({
    definitions: { jobs: assets.map((one) => defineJob({ name: `make_${one.key}`, assets: [one] })) },
  });
}

async function openWith(assets: readonly Asset[]) {
  const h = await openHarness(deploymentOf(assets));
  open.push(h);
  await h.worker();
  const client = createClient(h.engine);
  const make = async (one: Asset, ...keys: string[]) => {
    const { runId } = await client.submit({ job: `make_${one.key}`, partitions: keys, cause: 'test' });
    return (await client.wait(runId)).status;
  };
  const stale = async (one: Asset, key: string) => (await readStaleness(h.engine, one, [key]))[0];
  return { ...h, client, make, stale };
}

const FRESH = { stale: false, reasons: [] };

test('identity: a partition is stale when the same key upstream is newer, and not when another is', async () => {
  const events = asset('events', teamDays);
  const report = asset('report', teamDays, [{ asset: 'events', mapping: 'identity' }]);
  const h = await openWith([events, report]);
  expect(await h.stale(report, '1_2024-01-15')).toEqual({ stale: undefined, reasons: [] });
  await h.make(events, '1_2024-01-15');
  await h.make(report, '1_2024-01-15');
  expect(await h.stale(report, '1_2024-01-15')).toEqual(FRESH);
  await h.make(events, '1_2024-01-16', '2_2024-01-15');
  expect(await h.stale(report, '1_2024-01-15')).toEqual(FRESH);
  await h.make(events, '1_2024-01-15');
  expect(await h.stale(report, '1_2024-01-15')).toEqual({
    stale: true,
    reasons: [{ kind: 'upstream', asset: 'events', key: '1_2024-01-15', at: expect.any(Date) as Date }],
  });
  // A run of it that fails makes nothing fresh, and is no newer data for who reads it.
  fails = true;
  expect(await h.make(events, '1_2024-01-15')).toBe('FAILURE');
  fails = false;
  await h.make(report, '1_2024-01-15');
  expect(await h.stale(report, '1_2024-01-15')).toEqual(FRESH);
});

test('time windows: a month is made of its hours, and a day of an id of the days of that id', async () => {
  const hours = asset('hours', hourly({ start: '2024-01-01' }));
  const month = asset('month', monthly({ start: '2024-01-01' }), [{ asset: 'hours', mapping: 'time_window' }]);
  const h = await openWith([hours, month]);
  await h.make(month, '2024-02');
  await h.make(hours, '2024-01-31T23:00Z', '2024-03-01T00:00Z');
  expect(await h.stale(month, '2024-02')).toEqual(FRESH);
  await h.make(hours, '2024-02-29T23:00Z');
  expect(await h.stale(month, '2024-02')).toMatchObject({ stale: true, reasons: [{ key: '2024-02-29T23:00Z' }] });
  await h.make(month, '2024-02');
  await h.make(hours, '2024-02-01T00:00Z');
  expect(await h.stale(month, '2024-02')).toMatchObject({ reasons: [{ key: '2024-02-01T00:00Z' }] });
});

test('time windows from days of ids to days, and the other way', async () => {
  const events = asset('events', teamDays);
  const total = asset('total', daily({ start: '2024-01-01' }), [{ asset: 'events', mapping: 'time_window' }]);
  const share = asset('share', teamDays, [{ asset: 'total', mapping: 'time_window' }]);
  const h = await openWith([events, total, share]);
  await h.make(events, '1_2024-01-02', '2_2024-01-02');
  await h.make(total, '2024-01-02');
  await h.make(share, '1_2024-01-02');
  await h.make(events, '2_2024-01-03');
  expect(await h.stale(total, '2024-01-02')).toEqual(FRESH);
  await h.make(events, '2_2024-01-02');
  expect(await h.stale(total, '2024-01-02')).toMatchObject({ reasons: [{ asset: 'events', key: '2_2024-01-02' }] });
  await h.make(total, '2024-01-02');
  expect(await h.stale(share, '1_2024-01-02')).toMatchObject({ reasons: [{ asset: 'total', key: '2024-01-02' }] });
});

test('all: any partition upstream that is newer', async () => {
  const events = asset('events', teamDays);
  const model = asset('model', singlePartition(), [{ asset: 'events', mapping: 'all' }]);
  const h = await openWith([events, model]);
  await h.make(events, '1_2024-01-15');
  await h.make(model, 'all');
  expect(await h.stale(model, 'all')).toEqual(FRESH);
  await h.make(events, '7_2019-03-04');
  expect(await h.stale(model, 'all')).toMatchObject({ stale: true, reasons: [{ key: '7_2019-03-04' }] });
});

test('code: made by another version is stale until it is made again, and a failure in between changes nothing', async () => {
  const one = asset('table', teamDays, [], { codeVersion: '1' });
  const h = await openWith([one]);
  await h.make(one, '1_2024-01-15');
  expect(await h.stale(one, '1_2024-01-15')).toEqual(FRESH);
  const [made] = await h.client.runs({});
  expect(await h.client.run(made?.id ?? '')).toMatchObject({ codeVersion: '1', worker: expect.stringMatching(/./) });
  const two = asset('table', teamDays, [], { codeVersion: '2' });
  expect(await h.stale(two, '1_2024-01-15')).toEqual({ stale: true, reasons: [{ kind: 'code', made: '1', now: '2' }] });
  // Cancelled runs leave the outcome: the version and the time of what is there stay known.
  const { runId } = await h.client.submit({
    job: 'make_table',
    partitions: ['1_2024-01-15'],
    priority: -1,
    cause: 'test',
  });
  await h.client.cancel(runId, 'ana');
  const [after] = await readStaleness(h.engine, two, ['1_2024-01-15']);
  expect(after?.stale).toBe(true);
  await expect(readStaleness(h.engine, two, ['nonsense'])).rejects.toMatchObject({ code: 'PARTITION_KEY_INVALID' });
});

test('freshness by windows: each id must have the window that is due; what was skipped needs nothing', async () => {
  const events = asset('events', teamDays, [], { freshness: { within: '6h' } });
  const h = await openWith([events]);
  const at = (text: string) => readFreshness(h.engine, events, new Date(text));
  expect(await at('2024-01-16T12:00:00Z')).toMatchObject({ state: 'unknown', rows: 0 });
  await h.make(events, '1_2024-01-14', '2_2024-01-14', '9_2024-01-14', '1_2024-01-15', '9_2024-01-15');
  // Until six hours after midnight the day before the last one is what is due.
  expect(await at('2024-01-16T05:59:59Z')).toMatchObject({ state: 'fresh', label: '2024-01-14', rows: 3, lateRows: 0 });
  expect(await at('2024-01-16T06:00:00Z')).toMatchObject({
    state: 'late',
    label: '2024-01-15',
    lateRows: 1,
    late: ['2'],
  });
  await h.make(events, '2_2024-01-15');
  expect(await at('2024-01-16T06:00:00Z')).toMatchObject({ state: 'fresh', lateRows: 0 });
});

test('freshness without time: how old the data may be; a run that fails makes them no younger', async () => {
  const model = asset('model', singlePartition(), [], { freshness: { within: '1h' } });
  const h = await openWith([model]);
  await h.make(model, 'all');
  const soon = new Date(Date.now() + 60_000);
  const later = new Date(Date.now() + 2 * 3_600_000);
  expect(await readFreshness(h.engine, model, soon)).toMatchObject({ state: 'fresh' });
  expect(await readFreshness(h.engine, model, later)).toMatchObject({ state: 'late', late: ['all'] });
  fails = true;
  await h.make(model, 'all');
  fails = false;
  expect(await readFreshness(h.engine, model, soon)).toMatchObject({ state: 'fresh' });
  expect(await readFreshness(h.engine, asset('other', singlePartition()), soon)).toBeUndefined();
});

test('with a cron expression what is due is what its last time, and the time allowed after it, asks for', () => {
  const policy = parseFreshness({ within: '2h', cron: '0 9 * * 1', timeZone: 'Europe/Berlin' }, 'x');
  // Monday the 15th of January 2024, 09:00 in Berlin is 08:00 UTC.
  expect(dueAt(policy, new Date('2024-01-15T09:59:59Z')).toISOString()).toBe('2024-01-08T08:00:00.000Z');
  expect(dueAt(policy, new Date('2024-01-15T10:00:00Z')).toISOString()).toBe('2024-01-15T08:00:00.000Z');
  expect(dueAt(parseFreshness({ within: '90m' }, 'x'), new Date('2024-01-15T10:00:00Z')).toISOString()).toBe(
    '2024-01-15T08:30:00.000Z',
  );
  expect(() => asset('x', teamDays, [], { freshness: { within: '2h', cron: '99 * * * *' } })).toThrow(/“x”.*cron/);
  expect(() =>
    asset('x', teamDays, [], { freshness: { within: '2h', timeZone: 'Mars/Base', cron: '0 9 * * *' } }),
  ).toThrow(/“x”/);
  expect(() => asset('x', teamDays, [], { codeVersion: 'a|b' })).toThrow('code version');
});
