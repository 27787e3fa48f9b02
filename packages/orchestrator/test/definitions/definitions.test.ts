import { z } from 'zod';

import {
  ERRORS,
  backoffMs,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSchedule,
  defineSensor,
  exponential,
  fixed,
  materialized,
  parseBySchema,
  parseDurationMs,
  provide,
  registerErrors,
  resource,
  skip,
} from '../../src/index.ts';

const spec = {
  key: 'days',
  description: 'Days.',
  partitions: daily({ start: '2024-01-01' }),
  config: z.object({ rows: z.number().default(1) }),
  materialize: async () => materialized(),
};

test('durations are a number and a unit', () => {
  expect(['250ms', '1.5s', '5m', '4h', '1d'].map(parseDurationMs)).toEqual([
    250, 1_500, 300_000, 14_400_000, 86_400_000,
  ]);
  for (const bad of ['5', 's', '-1s', '1w', '']) expect(() => parseDurationMs(bad)).toThrow('not a duration');
});

test('backoff doubles up to its limit', () => {
  const backoff = exponential('10s', { max: '1m' });
  expect([2, 3, 4, 5, 6].map((attempt) => backoffMs(backoff, attempt))).toEqual([
    10_000, 20_000, 40_000, 60_000, 60_000,
  ]);
  expect(backoffMs(fixed('3s'), 9)).toBe(3_000);
});

test('definitions that contradict themselves are refused, with what and why', () => {
  expect(() => defineAsset({ ...spec, key: 'Days' })).toThrow('lower-case');
  expect(() => defineAsset({ ...spec, materialize: undefined as never })).toThrow('either materialize or tasks');
  expect(() => defineJob({ name: 'nothing', assets: [] })).toThrow('no assets');
  const first = defineAsset({ ...spec, dependsOn: [{ asset: 'second', mapping: 'identity' }] });
  const second = defineAsset({ ...spec, key: 'second' });
  expect(() => defineJob({ name: 'both', assets: [first, second] })).toThrow('depends on “second”');
  const nightly = {
    name: 'nightly',
    description: 'Every night.',
    job: defineJob({ name: 'one', assets: [second] }),
    requests: () => [],
  };
  const night = { ...nightly, cron: '0 3 * * *', timeZone: 'Europe/Berlin' };
  expect(defineSchedule(night)).toMatchObject({
    catchUp: 'latest',
    defaultStatus: 'STOPPED',
    timeZone: 'Europe/Berlin',
  });
  expect(() => defineSchedule({ ...nightly, cron: '0 25 * * *' })).toThrow('“nightly”: “0 25 * * *” in the zone UTC');
  expect(() => defineSchedule({ ...night, timeZone: 'Europe/Nowhere' })).toThrow('Europe/Nowhere is no plan');
});

test('a deployment names everything that is missing at once', () => {
  const clickhouse = resource<object>('clickhouse', 'ClickHouse');
  const asset = defineAsset({ ...spec, resources: { clickhouse } });
  const job = defineJob({ name: 'days_job', assets: [asset] });
  const other = defineJob({ name: 'other_job', assets: [asset] });
  const sensor = defineSensor({
    name: 'feed',
    description: '',
    job: other,
    every: '1m',
    cursor: z.object({ at: z.string().optional() }),
    evaluate: async () => skip('never'),
  });
  expect(() => defineDeployment({ definitions: { jobs: [job], sensors: [sensor] } })).toThrow(
    /asset “days” needs the resource “clickhouse”.*“feed” launches the job “other_job”/,
  );
  const binding = provide(clickhouse, { open: async () => ({}) });
  expect(defineDeployment({ definitions: { jobs: [job] }, resources: [binding] }).assets.get('days')).toBe(asset);
});

test('a config error names every field, and unknown keys are refused', () => {
  const schema = z.object({
    team_id: z.number(),
    mode: z.enum(['a', 'b']),
    nested: z.object({ on: z.boolean() }).optional(),
  });
  expect(() => parseBySchema(schema, { team_id: 'x', mode: 'c', extra: 1 }, 'config')).toThrow(
    /team_id: .*mode: .*extra: is not a known key/,
  );
  expect(() =>
    parseBySchema(schema, JSON.parse('{"team_id":1,"mode":"a","__proto__":{"admin":true}}'), 'config'),
  ).toThrow('__proto__');
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
  expect(parseBySchema(schema, { team_id: 1, mode: 'a' }, 'config')).toEqual({ team_id: 1, mode: 'a' });
});

test('a deployment’s own codes join the registry, and mean one thing each', () => {
  registerErrors({ OUR_SINK_FULL: 'The sink is full.' });
  registerErrors({ OUR_SINK_FULL: 'The sink is full.' });
  expect(ERRORS.OUR_SINK_FULL).toBe('The sink is full.');
  expect(() => registerErrors({ OUR_SINK_FULL: 'Something else.' })).toThrow(/OUR_SINK_FULL is taken/);
  expect(() => registerErrors({ NOT_FOUND: 'Ours.' })).toThrow(/NOT_FOUND is taken/);
  expect(() => registerErrors({ sinkFull: 'x' })).toThrow(/UPPER_SNAKE/);
  expect(() => registerErrors({ ['__proto__']: 'x' })).toThrow(/UPPER_SNAKE/);
  expect(ERRORS.sinkFull).toBeUndefined();
});
