import fc from 'fast-check';

import {
  addDays,
  composite,
  daily,
  dayFromNumber,
  dayNumber,
  daysBetween,
  dynamic,
  hourly,
  isDay,
  monthly,
  positiveInteger,
  staticPartitions,
  text,
  weekly,
} from '../../src/index.ts';
import type { PartitionsDefinition } from '../../src/index.ts';

const teamDays = composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2015-01-01' }) });
const tenantDays = composite({ id: dynamic('tenant_id', text), day: daily({ start: '2015-01-01' }) });
const day = fc.integer({ min: dayNumber('2015-01-01'), max: dayNumber('2199-12-31') }).map(dayFromNumber);
const teamId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 });

describe('keys as the reference has them', () => {
  test.each([
    ['12345_2024-01-15', { id: 12345, day: '2024-01-15' }],
    ['1_2020-12-31', { id: 1, day: '2020-12-31' }],
    ['999999_2025-06-01', { id: 999999, day: '2025-06-01' }],
    ['7_2024-02-29', { id: 7, day: '2024-02-29' }],
  ])('%s', (key, value) => expect(teamDays.parse(key)).toEqual(value));

  test.each([
    ['invalid', 'Invalid partition key format'],
    ['', 'Invalid partition key format'],
    ['abc_2024-01-15', 'Invalid team_id'],
    ['12345_invalid-date', 'Invalid date'],
    ['12_34_2024-01-15', 'Invalid team_id'],
    [' 12_2024-01-15', 'Invalid team_id'],
    ['+5_2024-01-01', 'Invalid team_id'],
    ['-5_2024-01-15', 'Invalid team_id'],
    ['007_2024-01-15', 'Invalid team_id'],
    ['7_2024-1-5', 'Invalid date'],
    ['7_2024-01', 'Invalid date'],
    ['²_2024-01-15', 'Invalid team_id'],
    ['7_2023-02-29', 'Invalid date'],
    ['7_2014-12-31', 'Invalid date'],
    ['_2024-01-15', 'Invalid partition key format'],
    ['9007199254740993_2024-01-15', 'Invalid team_id'],
    ['1\n_2024-01-15', 'control or invisible character'],
    ['1_2024-01-15\u200b', 'control or invisible character'],
  ])('%j is refused: %s', (key, message) => expect(() => teamDays.parse(key)).toThrow(message));

  test('text ids may hold underscores, slashes, emoji; unnormalised and invisible ones are refused, not merged', () => {
    expect(tenantDays.parse('acme_eu/1,|{}*_2024-01-15')).toEqual({ id: 'acme_eu/1,|{}*', day: '2024-01-15' });
    expect(tenantDays.parse('🦆_2024-01-15').id).toBe('🦆');
    expect(() => tenantDays.parse('e\u0301_2024-01-15')).toThrow('normal form');
    expect(() => tenantDays.parse('a\u202eb_2024-01-15')).toThrow('invisible');
    expect(() => tenantDays.parse('\ud800_2024-01-15')).toThrow('control or invisible');
    expect(() => tenantDays.parse(`${'x'.repeat(600)}_2024-01-15`)).toThrow('longer than 512 bytes');
    expect(tenantDays.parse('__proto___2024-01-15').id).toBe('__proto__');
  });
});

describe('arithmetic', () => {
  test('a composite key survives parse, format, cell and back', () => {
    fc.assert(
      fc.property(teamId, day, (id, on) => {
        const key = teamDays.format({ id, day: on });
        expect(teamDays.parse(key)).toEqual({ id, day: on });
        expect(teamDays.at(teamDays.cell({ id, day: on }))).toEqual({ id, day: on });
        const { column } = teamDays.cell({ id, day: on });
        expect(teamDays.columns.label(column)).toBe(on);
        expect(teamDays.columns.column(on)).toBe(column);
      }),
      { numRuns: 2_000 },
    );
  });

  test('any text that parses formats back to itself, and its cell leads back to it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), day, (id, on) => {
        const key = `${id}_${on}`;
        let value;
        try {
          value = tenantDays.parse(key);
        } catch {
          return;
        }
        expect(tenantDays.format(value)).toBe(key);
        expect(tenantDays.at(tenantDays.cell(value))).toEqual(value);
      }),
      { numRuns: 10_000 },
    );
  });

  test('days: addition, distance and order agree with the calendar', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: 0, max: 3_000 }), (from, n) => {
        const to = addDays(from, n);
        expect(isDay(to)).toBe(true);
        expect(daysBetween(from, to)).toHaveLength(n + 1);
        expect(addDays(to, -n)).toBe(from);
        expect(to >= from).toBe(true);
      }),
    );
    expect(daysBetween('2024-02-27', '2024-03-01')).toEqual(['2024-02-27', '2024-02-28', '2024-02-29', '2024-03-01']);
    expect(daysBetween('2024-12-31', '2025-01-01')).toEqual(['2024-12-31', '2025-01-01']);
    expect(daysBetween('2024-01-02', '2024-01-01')).toEqual([]);
  });

  const windows: [string, PartitionsDefinition<{ start: Date; end: Date }>, string, string][] = [
    ['hourly', hourly({ start: '2024-01-01' }), '2024-02-29T23:00Z', '2024-03-01T00:00Z'],
    ['daily', daily({ start: '2024-01-01' }), '2024-02-29', '2024-03-01'],
    ['weekly', weekly({ start: '2024-01-01' }), '2024-12-30', '2025-01-06'],
    ['monthly', monthly({ start: '2024-01-01' }), '2024-12', '2025-01'],
  ];
  test.each(windows)('%s windows touch, and keys lead back', (_name, definition, first, second) => {
    expect(definition.parse(first).end).toEqual(definition.parse(second).start);
    for (const key of [first, second]) {
      expect(definition.format(definition.parse(key))).toBe(key);
      expect(definition.at(definition.cell(definition.parse(key)))).toEqual(definition.parse(key));
    }
    expect(definition.expand(`${first}..${second}`)).toEqual([first, second]);
  });

  test('windows refuse what is not a start, and what lies before the first', () => {
    expect(() => weekly({ start: '2024-01-01' }).parse('2024-01-02')).toThrow('a Monday');
    expect(() => hourly({ start: '2024-01-01' }).parse('2024-01-01T00:30Z')).toThrow('Invalid date');
    expect(() => monthly({ start: '2024-01-01' }).parse('2024-13')).toThrow('Invalid date');
    expect(() => daily({ start: '2024-01-01' }).parse('2023-12-31')).toThrow('first window');
  });

  test('yesterday is the last complete day, at any moment of today', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('2016-01-01'), max: new Date('2099-01-01'), noInvalidDate: true }), (now) => {
        const label = teamDays.columns.label(teamDays.columns.lastComplete(now));
        expect(label).toBe(addDays(now.toISOString().slice(0, 10), -1));
      }),
    );
  });
});

describe('ranges', () => {
  test('ids and days multiply', () => {
    expect(teamDays.expand('1..3_2024-01-31..2024-02-01')).toEqual([
      '1_2024-01-31',
      '1_2024-02-01',
      '2_2024-01-31',
      '2_2024-02-01',
      '3_2024-01-31',
      '3_2024-02-01',
    ]);
    expect(teamDays.expand('1..50_2024-01-01..2024-03-31')).toHaveLength(50 * 91);
    expect(teamDays.expand('7_2024-01-15')).toEqual(['7_2024-01-15']);
  });
  test.each([
    ['3..1_2024-01-01', 'empty'],
    ['1_2024-01-02..2024-01-01', 'empty'],
    ['1..9000_2024-01-01..2024-12-31', 'skein backfill'],
    ['1_2024-01-01..2024-01-02..2024-01-03', 'Invalid'],
    ['a..b_2024-01-01', 'Invalid team_id'],
    ['1..900000000_2024-01-01', 'more than 100000 ids'],
  ])('%s is refused: %s', (range, message) => expect(() => teamDays.expand(range)).toThrow(message));
});

test('static partitions are exactly their keys', () => {
  const regions = staticPartitions(['eu', 'us']);
  expect(regions.parse('eu')).toBe('eu');
  expect(() => regions.parse('asia')).toThrow('none of eu, us');
});
