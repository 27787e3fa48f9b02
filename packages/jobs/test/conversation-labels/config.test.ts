/** The config, the environment of the job that this one replaces, and windows: pure. */

import { type LabelConversationsConfig, labelConversations } from '@skein/jobs';
import { parseConfig } from '@skein/orchestrator';
import fc from 'fast-check';

import { bindToPartitions, parseInstant, partitionsOfConfig, scopeOf } from '../../src/conversation-labels/config.ts';
import { batchSizeMs, rangeDefaults, switchedOff } from '../../src/conversation-labels/environment.ts';
import { coversDay, cutWindow, daysOf, intersect, windowsOfDays } from '../../src/conversation-labels/windows.ts';

const START = 'LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE_CONV_START_AT_RANGE_START';
const END = 'LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE_CONV_START_AT_RANGE_END';
const OTHER_END = 'LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE_CONV_END_AT_RANGE_END';
const FILTER = 'FILTER_CUSTOMER_IN_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE';
const read = (config: object) => parseConfig(labelConversations, config) as LabelConversationsConfig;

test('defaults', () => {
  expect(read({})).toEqual({
    selection: 'ended_at',
    cluster: null,
    mutation_timeout_seconds: 600,
    skip_delete: false,
    dry_run: false,
  });
});

test.each([
  [{ range_start: '2026-01-01T00:00:00Z' }, 'range_end: is not set although range_start is'],
  [{ range_end: '2026-01-01T00:00:00Z' }, 'range_start: is not set although range_end is'],
  [
    { range_start: '2026-01-01T00:00:00Z', range_end: '2026-01-01T00:00:00Z' },
    'range_end: 2026-01-01T00:00:00Z is not after',
  ],
  [{ range_start: '2026-01-01T00:00:00Z', range_end: '2025-12-31T23:59:59-05:00' }, undefined],
  [{ range_start: '2026-01-01', range_end: '2026-01-02' }, 'range_start: is not an RFC 3339 instant'],
  [
    { range_start: '2026-02-30T00:00:00Z', range_end: '2026-03-02T00:00:00Z' },
    'range_start: is not an RFC 3339 instant',
  ],
  [{ range_start: '2026-01-01T00:00:00', range_end: '2026-01-02T00:00:00' }, 'range_start: is not an RFC 3339 instant'],
  [{ mode: 'truncate' }, 'mode:'],
  [{ selection: 'updated_at' }, 'selection:'],
  [{ cluster: 'x; DROP TABLE y' }, 'cluster: is not the name of a cluster'],
  [{ mutation_timeout_seconds: 0 }, 'mutation_timeout_seconds:'],
  [{ customer: 'alaska-air' }, 'customer: is not a known key'],
])('config %j', (config, message) => {
  if (message === undefined) expect(() => read(config)).not.toThrow();
  else expect(() => read(config)).toThrow(message);
});

test('a range names its days, half-open', () => {
  const keys = partitionsOfConfig(
    read({ customer_id: 'alaska-air', range_start: '2026-01-01T00:00:00Z', range_end: '2026-02-19T00:00:00Z' }),
    {},
  );
  expect(keys).toHaveLength(49);
  expect([keys?.[0], keys?.at(-1)]).toEqual(['alaska-air_2026-01-01', 'alaska-air_2026-02-18']);
  expect(partitionsOfConfig(read({ customer_id: 'a_b' }), {})).toBeNull();
  expect(() => partitionsOfConfig(read({}), {})).toThrow('names no scope');
});

test('the environment of the seed: either spelling of the end, never half a range', () => {
  const both = { [FILTER]: 'alaska-air', [START]: '2026-01-01T00:00:00Z', [OTHER_END]: '2026-01-03T00:00:00Z' };
  expect(partitionsOfConfig(read({}), both)).toEqual(['alaska-air_2026-01-01', 'alaska-air_2026-01-02']);
  expect(rangeDefaults({ ...both, [END]: '2026-01-03T00:00:00Z' })).toMatchObject({ rangeEnd: '2026-01-03T00:00:00Z' });
  expect(() => partitionsOfConfig(read({}), { ...both, [END]: '2026-01-04T00:00:00Z' })).toThrow(
    'are both set and differ',
  );
  expect(() => partitionsOfConfig(read({}), { [FILTER]: 'a', [START]: '2026-01-01T00:00:00Z' })).toThrow(
    `${START} is set and`,
  );
  expect(() => partitionsOfConfig(read({}), { [FILTER]: 'a', [OTHER_END]: '2026-01-01T00:00:00Z' })).toThrow(
    `${START} is not`,
  );
  expect(() => partitionsOfConfig(read({}), { ...both, [START]: 'yesterday' })).toThrow(
    'range_start: is not an RFC 3339 instant',
  );
  expect(() => partitionsOfConfig(read({}), { ...both, [START]: '2026-01-03T00:00:00Z' })).toThrow('is not after');
  // What the config says counts; the environment only fills in.
  expect(
    partitionsOfConfig(
      read({ customer_id: 'b', range_start: '2026-05-01T00:00:00Z', range_end: '2026-05-01T01:00:00Z' }),
      both,
    ),
  ).toEqual(['b_2026-05-01']);
});

test('exact bounds of the environment count for just its days, and never for others', () => {
  const env = { [FILTER]: 'a', [START]: '2026-01-01T06:00:00Z', [OTHER_END]: '2026-01-02T06:00:00Z' };
  const days = [
    { id: 'a', day: '2026-01-01' },
    { id: 'a', day: '2026-01-02' },
  ];
  expect(bindToPartitions(read({}), days, env)).toMatchObject({ range_start: '2026-01-01T06:00:00Z' });
  expect(bindToPartitions(read({}), days.slice(1), env).range_start).toBeUndefined();
  expect(bindToPartitions(read({}), [{ id: 'b', day: '2026-01-01' }], env).range_start).toBeUndefined();
});

test('partitions and config that contradict each other are refused', () => {
  expect(() => bindToPartitions(read({ customer_id: 'a' }), [{ id: 'b', day: '2026-01-01' }], {})).toThrow(
    'of another customer',
  );
  const config = read({ range_start: '2026-01-01T00:00:00Z', range_end: '2026-01-02T00:00:00Z' });
  expect(() => bindToPartitions(config, [{ id: 'b', day: '2026-01-02' }], {})).toThrow(
    'do not touch the partition b_2026-01-02',
  );
});

test('the switch and the batch size', () => {
  expect(switchedOff({})).toBeUndefined();
  expect(switchedOff({ ENABLE_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE: 'true' })).toBeUndefined();
  expect(switchedOff({ ENABLE_LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE: 'yes' })).toContain('not “true”');
  const size = (text: string) => batchSizeMs({ LABEL_CONVERSATIONS_WITH_AGENT_ASSISTANCE_BATCH_SIZE: text });
  expect([batchSizeMs({}), size('24h'), size('1h30m')]).toEqual([86_400_000, 86_400_000, 5_400_000]);
  for (const wrong of ['25h', '0h', '24', 'h', '-1h']) expect(() => size(wrong)).toThrow('BATCH_SIZE');
});

test('days become windows and windows days again', () => {
  const days = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(days, (numbers) => {
      const list = numbers.map((n) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10));
      const windows = windowsOfDays(list);
      expect(daysOf(windows)).toEqual([...list].sort());
      expect(list.every((day) => coversDay(windows, day))).toBe(true);
      for (const [i, window] of windows.entries()) expect(window.startMs).toBeGreaterThan(windows[i - 1]?.endMs ?? -1);
    }),
  );
});

test('pieces of a window touch, stay within a day and the size, and add up', () => {
  const instant = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 0, 10) });
  fc.assert(
    fc.property(
      instant,
      fc.integer({ min: 1, max: 3 * 86_400_000 }),
      fc.integer({ min: 600_000, max: 86_400_000 }),
      (startMs, length, pieceMs) => {
        const window = { startMs, endMs: startMs + length };
        const pieces = cutWindow(window, pieceMs, 10_000);
        expect([pieces[0]?.startMs, pieces.at(-1)?.endMs]).toEqual([window.startMs, window.endMs]);
        for (const [i, piece] of pieces.entries()) {
          expect(piece.endMs - piece.startMs).toBeLessThanOrEqual(pieceMs);
          expect(daysOf([piece])).toHaveLength(1);
          expect(piece.startMs).toBe(pieces[i - 1]?.endMs ?? startMs);
        }
      },
    ),
  );
  expect(cutWindow({ startMs: 0, endMs: 10 * 86_400_000 }, 86_400_000, 3)).toHaveLength(3);
});

test('the scope of a run: each customer’s days, cut to the range', () => {
  const config = read({ range_start: '2026-01-01T12:00:00Z', range_end: '2026-01-03T00:00:00Z' });
  const scope = scopeOf(config, [
    { id: 'b', day: '2026-01-02' },
    { id: 'a', day: '2026-01-01' },
    { id: 'b', day: '2026-01-01' },
  ]);
  expect([...scope.keys()]).toEqual(['a', 'b']);
  expect(scope.get('b')).toEqual([{ startMs: Date.UTC(2026, 0, 1, 12), endMs: Date.UTC(2026, 0, 3) }]);
  expect(intersect(windowsOfDays(['2026-01-05']), { startMs: 0, endMs: 1 })).toEqual([]);
  expect(parseInstant('2026-01-01T00:00:00+02:00')).toBe(Date.UTC(2025, 11, 31, 22));
});
