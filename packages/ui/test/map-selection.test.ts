/** The map without a browser: columns and their folds, what the address says of a selection, what lies under a point. */

import type { PartitionsInfo } from '../src/api/generated/client.ts';
import { columnsOf } from '../src/assets/heat-map/columns.ts';
import {
  MAX_PINS,
  idsOf,
  outcomesOf,
  parseAt,
  placeOf,
  searchOf,
  selectionOf,
  togglePin,
} from '../src/assets/heat-map/selection.ts';
import { AXIS_PX, GUTTER_PX, hitAt, reveal, rowHeight, seen, spanOf } from '../src/assets/heat-map/view.ts';

const info = (first: string, last: number, grammar = '<id>_<YYYY-MM-DD>'): PartitionsInfo => ({
  ...{ kind: 'composite', grammar, row_name: 'id', rows: 3, column_kind: 'time', static_keys: null },
  ...{ first_column: first, last_complete_column: last, last_complete_label: null },
});

test.each([
  ['hour', '2026-02-28T22:00Z', 3, '2026-03-01T01:00Z', 'YYYY-MM-DDTHH:00Z'],
  ['day', '2026-02-27', 2, '2026-03-01', 'YYYY-MM-DD'],
  ['week', '2026-02-23', 2, '2026-03-09', 'YYYY-MM-DD, a Monday'],
  ['month', '2025-11', 3, '2026-02', 'YYYY-MM'],
])('columns of a %s have the labels that the server gives them', (unit, first, column, label, grammar) => {
  const columns = columnsOf(info(first, 9, grammar));
  expect(columns).toMatchObject({ unit, count: 11, fold: undefined });
  expect([columns.label(0), columns.label(column)]).toEqual([first, label]);
  expect(columns.columnOf(label)).toBe(column);
  expect(columns.columnOf('nonsense')).toBeUndefined();
});

test('days fold into weeks that begin on Monday and into months, the first and last ones as far as they go', () => {
  // 28 January 2026 is a Wednesday; to 3 March, 35 days, of which the last is under way.
  const partitions = info('2026-01-28', 33);
  const weeks = columnsOf(partitions, 'week');
  expect([0, 1, 2].map((column) => [weeks.from(column), weeks.to(column)])).toEqual([
    ['2026-01-28', '2026-02-01'],
    ['2026-02-02', '2026-02-08'],
    ['2026-02-09', '2026-02-15'],
  ]);
  const months = columnsOf(partitions, 'month');
  expect(months.count).toBe(3);
  expect([0, 1, 2].map((column) => [months.label(column), months.from(column), months.to(column)])).toEqual([
    ['2026-01', '2026-01-28', '2026-01-31'],
    ['2026-02', '2026-02-01', '2026-02-28'],
    ['2026-03', '2026-03-01', '2026-03-03'],
  ]);
  for (const columns of [weeks, months])
    for (let day = 0; day < 35; day++) {
      const column = columns.holding(day);
      expect(columns.start(column)).toBeLessThanOrEqual(day);
      expect(columns.start(column + 1)).toBeGreaterThan(day);
    }
  expect(months.columnOf('2026-02-14')).toBe(1);
  // What is no day does not fold.
  expect(columnsOf(info('2026-01', 3, 'YYYY-MM'), 'week').fold).toBeUndefined();
});

test('a selection stands in the address, with its states, and comes back from it', () => {
  const columns = columnsOf(info('2026-01-01', 30));
  const ids = ['a,b', 'c|d', '"e"'];
  const selection = {
    rectangle: { from: { row: 0, column: 2 }, to: { row: 1, column: 4 } },
    of: ['missing', 'failed'] as const,
  };
  const search = searchOf(selection, ids, columns);
  expect(search).toEqual({ rows: '["a,b","c|d"]', from: '2026-01-03', to: '2026-01-05', of: 'missing,failed' });
  expect(selectionOf(search, ids, columns)).toEqual(selection);
  // Other rows at the ends, when sorted otherwise; in a fold, what holds its ends.
  expect(selectionOf(search, [...ids].reverse(), columns)?.rectangle.from.row).toBe(1);
  expect(selectionOf(search, ids, columnsOf(info('2026-01-01', 30), 'month'))?.rectangle.to.column).toBe(0);
  for (const wrong of [
    { rows: '["a,b"]' },
    { rows: '{' },
    { rows: '["a,b","gone"]' },
    { to: '2026-01-01' },
    { to: '2099-01-01' },
  ])
    expect(selectionOf({ ...search, ...wrong }, ids, columns)).toBeUndefined();
  expect(searchOf(undefined, ids, columns)).toEqual({});
  expect(outcomesOf('failed,nonsense')).toEqual(['failed']);
  expect(placeOf('2026-01-02|c|d', ids, columns)).toEqual({ row: 1, column: 1 });
  expect(parseAt('2026-01-02|c|d')).toEqual({ label: '2026-01-02', row: 'c|d' });
});

test('rows are pinned and let go, as many as there is room for', () => {
  const all = Array.from({ length: MAX_PINS + 1 }, (_, i) => `row ${i}`);
  const pinned = all.reduce((pins: readonly string[], id) => idsOf(togglePin(pins, id)), []);
  expect(pinned).toEqual(all.slice(1));
  expect(togglePin(['a', 'b'], 'a')).toBe('["b"]');
  expect(togglePin(['a'], 'a')).toBeUndefined();
  expect([idsOf('[1,"a",null]'), idsOf('"a"'), idsOf('{'), idsOf(undefined)]).toEqual([['a'], [], [], []]);
});

test('under a point lies a cell, or the label of its row or column; pinned rows do not pan', () => {
  const extent = { rows: 1_000, columns: 100, pinned: 2 };
  const height = rowHeight(extent.rows);
  const view = { col: 10, top: 50, zoom: 20 };
  const at = (x: number, row: number) => hitAt(view, x, AXIS_PX + row * height + 1, extent);
  expect(at(GUTTER_PX + 1, 1)).toEqual({ kind: 'cells', place: { row: 1, column: 10 } });
  expect(at(GUTTER_PX + 21, 2)).toEqual({ kind: 'cells', place: { row: 52, column: 11 } });
  expect(at(5, 0)).toEqual({ kind: 'rows', place: { row: 0, column: 0 } });
  expect(hitAt(view, GUTTER_PX + 1, 5, extent)).toEqual({ kind: 'columns', place: { row: 0, column: 10 } });
  expect(hitAt(view, 5, 5, extent)).toBeUndefined();
  const [a, b] = [
    { row: 7, column: 5 },
    { row: 3, column: 9 },
  ];
  expect(spanOf('rows', a, b, extent)).toEqual({ from: { row: 3, column: 0 }, to: { row: 7, column: 99 } });
  expect(spanOf('columns', a, b, extent)).toEqual({ from: { row: 0, column: 5 }, to: { row: 999, column: 9 } });
  expect(spanOf('cells', a, b, extent)).toEqual({ from: { row: 3, column: 5 }, to: { row: 7, column: 9 } });

  const size = { width: GUTTER_PX + 200, height: AXIS_PX + 10 * height };
  expect(seen(view, size, extent)).toEqual({ firstRow: 52, lastRow: 59, firstColumn: 10, lastColumn: 20 });
  expect(reveal(view, { row: 0, column: 12 }, size, extent)).toEqual(view);
  // Eight rows pan below the two: row 30 comes to their top.
  expect(reveal(view, { row: 30, column: 12 }, size, extent).top).toBe(28);
  expect(reveal(view, { row: 90, column: 12 }, size, extent).top).toBe(81);
});
