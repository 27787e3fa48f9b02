/** The pure parts: what the words of a command line mean. */

import { describeProgress } from '../../src/cli/progress-bar.ts';
import { readGlobalFlags } from '../../src/cli/global-flags.ts';
import { diffJson } from '../../src/cli/json-diff.ts';
import {
  collectIds,
  collectTag,
  parseRunStatus,
  readConfigArgument,
  wholeNumber,
  wordsOf,
} from '../../src/cli/parse-arguments.ts';
import { expandKeys } from '../../src/cli/partition-arguments.ts';
import { duration } from '../../src/cli/terminal.ts';
import { describeFailure } from '../../src/cli/report-error.ts';
import { expandRows } from '../../src/definitions/partitions/partitions.ts';
import type { RunSummary } from '../../src/index.ts';
import {
  composite,
  daily,
  defineAsset,
  dynamic,
  materialized,
  positiveInteger,
  staticPartitions,
  text,
  weekly,
} from '../../src/index.ts';
import { z } from 'zod';

test('global flags are found wherever they stand, and --json ends up behind the command', () => {
  expect(readGlobalFlags(['--json', 'runs', 'list'])).toMatchObject({ json: true, rest: ['runs', 'list', '--json'] });
  expect(readGlobalFlags(['run', 'x', '--json', '--partition', 'a'])).toMatchObject({
    json: true,
    rest: ['run', 'x', '--partition', 'a', '--json'],
  });
  expect(readGlobalFlags(['--json', '--help']).rest).toEqual(['--help']);
  expect(readGlobalFlags(['dev', '--allow-unsafe-redis'])).toEqual({
    json: false,
    allowUnsafeRedis: true,
    rest: ['dev'],
  });
  expect(readGlobalFlags(['run', '--', '--json'])).toMatchObject({ json: false, rest: ['run', '--', '--json'] });
});

test('values are parsed strictly', () => {
  expect(wholeNumber(1, 9)('7')).toBe(7);
  for (const wrong of ['', '0', '10', '1.5', '1e0', ' 7', '0x7', 'x'])
    expect(() => wholeNumber(1, 9)(wrong)).toThrow('from 1 to 9');
  expect(collectTag('a=b=c', { x: '1' })).toEqual({ x: '1', a: 'b=c' });
  expect(() => collectTag('=b')).toThrow('name=value');
  expect(wordsOf(['missing', 'failed'])('Missing,failed')).toEqual(['missing', 'failed']);
  expect(() => wordsOf(['missing', 'failed'])('missing,nope')).toThrow('Known: missing, failed');
  expect(parseRunStatus('failed')).toBe('FAILURE');
  expect(parseRunStatus('Cancelled')).toBe('CANCELED');
  expect(() => parseRunStatus('nope')).toThrow('Known');
  expect(readConfigArgument(undefined)).toBeUndefined();
  expect(() => readConfigArgument('[1]')).toThrow('must be a JSON object');
  expect(readConfigArgument('{"n":9007199254740991}')).toEqual({ n: 9007199254740991 });
  expect(() => readConfigArgument('{"n":{"m":9007199254740993}}')).toThrow('--config: n.m cannot be kept exactly');
});

const asset = (id: Parameters<typeof dynamic>[1]) =>
  defineAsset({
    key: 'thing',
    description: 'A thing.',
    partitions: composite({ id: dynamic('id', id), day: daily({ start: '2024-01-01' }) }),
    config: z.object({}),
    materialize: () => Promise.resolve(materialized()),
  });

test('keys, ranges and ids are expanded once each', () => {
  const numbers = asset(positiveInteger as Parameters<typeof dynamic>[1]);
  expect(expandKeys(numbers, ['1_2024-01-01', '1..2_2024-01-01'])).toEqual(['1_2024-01-01', '2_2024-01-01']);
  const rows = (one: typeof numbers, ...texts: string[]) =>
    expandRows(
      one.partitions,
      texts.reduce<readonly string[]>((ids, id) => collectIds(id, ids), []),
      10_000,
    );
  expect(rows(numbers, '1..3', '2,7')).toEqual(['1', '2', '3', '7']);
  expect(() => rows(numbers, 'x')).toThrow('positive whole number');
  expect(() => rows(numbers, '3..1')).toThrow('“3..1” is empty');
  expect(() => rows(numbers, '1..99999999')).toThrow('more than');
  expect(() => rows(numbers, '1..6000,5001..12000')).toThrow('more than 10000 ids');
  expect(rows(asset(text as Parameters<typeof dynamic>[1]), 'tenant_a', '1..2')).toEqual(['tenant_a', '1..2']);
  const keyed = (partitions: Parameters<typeof expandRows>[0]) => () => expandRows(partitions, ['1..2'], 10);
  expect(keyed(dynamic('id', positiveInteger))()).toEqual(['1', '2']);
  expect(keyed(staticPartitions(['1..2', 'b']))()).toEqual(['1..2']);
  expect(keyed(weekly({ start: '2024-01-01' }))).toThrow('no ids');
});

test('a diff names what changed, by path', () => {
  expect(diffJson({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 1, c: 3 }, e: 1 })).toEqual([
    { path: 'a.c', before: 2, after: 3 },
    { path: 'd', before: [1], after: undefined },
    { path: 'e', before: undefined, after: 1 },
  ]);
  expect(diffJson({ a: 1 }, { a: 1 })).toEqual([]);
});

test('errors nobody foresaw are 1, those of other packages keep their code, a Redis that went away is 3', () => {
  expect(describeFailure(new TypeError('boom'))).toMatchObject({ code: 'UNEXPECTED', exitCode: 1 });
  const foreign = Object.assign(new TypeError('no java'), {
    code: 'SERVICE_MISSING_PROGRAM',
    exitCode: 3,
    hint: 'install it',
  });
  expect(describeFailure(foreign)).toMatchObject({ code: 'SERVICE_MISSING_PROGRAM', exitCode: 3, hint: 'install it' });
  expect(describeFailure(new TypeError('Connection is closed.'))).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    exitCode: 3,
  });
  expect(describeFailure(new TypeError('my s3cret'), (line) => line.replace('s3cret', '***')).message).toContain(
    'my ***',
  );
});

test('progress says how far a run is, and what it waits for', () => {
  const run = (more: Partial<RunSummary>) =>
    describeProgress({
      status: 'STARTED',
      counts: { total: 4, materialized: 1, failed: 1, skipped: 0 },
      blocked: undefined,
      progress: undefined,
      ...more,
    } as RunSummary);
  expect(run({})).toBe('50 % 2/4 1 failed');
  const one = { total: 1, materialized: 0, failed: 0, skipped: 0 };
  expect(run({ counts: one, progress: { done: 30, total: 100, note: 'exporting' } })).toBe('30 % 30/100 exporting');
  expect(run({ counts: one, blocked: 'partition x is held' })).toBe('0 % 0/1 partition x is held');
  expect(run({ counts: { ...one, total: 0 }, status: 'QUEUED' })).toBe('0 % queued');
});

test('durations are short', () => {
  expect([5, 1_500, 30_000, 60_000, 90_000, 3_600_000, 5_430_000].map(duration)).toEqual([
    '5 ms',
    '1.5 s',
    '30 s',
    '1 min',
    '1 min 30 s',
    '1 h',
    '1 h 30 min',
  ]);
});
