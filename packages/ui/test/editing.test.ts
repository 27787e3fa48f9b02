/** What the editors decide without a browser: fixes, layers, completion of queries. */

import { fixesOf, nearest } from '../src/editor/fixes.ts';
import type { Json } from '../src/editor/json.ts';
import { type Schema, validate } from '../src/editor/json-schema.ts';
import { layersOf, rebase } from '../src/launch/layers.ts';
import { barsOf, readRange } from '../src/sensors/range.ts';
import { rewound, watermarksOf } from '../src/sensors/watermark.ts';
import { complete, suggest, wordAt } from '../src/runs/query-language.ts';

const SCHEMA: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['team'],
  properties: {
    mode: { enum: ['quick', 'full'], default: 'quick' },
    lines: { type: 'integer', minimum: 0, maximum: 10, default: 3 },
    team: { type: 'integer', minimum: 1 },
    deep: { type: 'object', additionalProperties: { type: 'boolean' } },
  },
};

test('every fix puts its mistake right, and only that one', () => {
  const document: Json = { moed: 'full', mode: 'ful', lines: '12', deep: { a: 'true' }, note: 1 };
  const mistakes = validate(SCHEMA, document);
  expect(mistakes.map(({ path }) => path.join('.')).sort()).toEqual([
    'deep.a',
    'lines',
    'mode',
    'moed',
    'note',
    'team',
  ]);
  for (const mistake of mistakes) {
    const fixes = fixesOf(SCHEMA, document, mistake);
    expect(fixes.length).toBeGreaterThan(0);
    const others = (one: Json) =>
      validate(SCHEMA, one).filter(({ path }) => path.join('.') !== mistake.path.join('.')).length;
    for (const fix of fixes) expect(others(fix.apply(document))).toBeLessThanOrEqual(others(document) + 1);
    // The default is always right; a conversion may still be out of bounds, which has fixes of its own.
    expect(fixes.some((fix) => validate(SCHEMA, fix.apply(document)).length < mistakes.length)).toBe(true);
  }
  const of = (path: string) =>
    fixesOf(SCHEMA, document, { path: path.split('.'), message: '' }).map(({ label }) => label);
  expect(of('mode')).toEqual(['Did you mean "full"?', 'Set the default, "quick"']);
  expect(of('lines')).toEqual(['Set 12', 'Set the default, 3']);
  expect(of('team')).toEqual(['Add it with 1']);
  expect(of('note')).toEqual(['Remove it']);
  expect(of('deep.a')).toEqual(['Set true']);
});

test('a name is meant only when it is near', () => {
  expect(nearest('dry_ru', ['dry_run', 'mode'])).toBe('dry_run');
  expect(nearest('x', ['dry_run', 'mode'])).toBeUndefined();
});

test('each value has the layer that it comes from; edits survive another preset', () => {
  const layers = layersOf({
    defaults: { a: 1, b: 2, c: 3, d: null },
    preset: { b: 20, c: 30 },
    config: { b: 20, c: 31, e: true },
    effective: { a: 1, b: 20, c: 31, d: '2026-01-01', e: true },
  });
  expect(Object.fromEntries(layers.map(({ name, layer }) => [name, layer]))).toEqual({
    a: 'default',
    b: 'preset',
    c: 'edited',
    d: 'partition',
    e: 'edited',
  });
  expect(layers.find(({ name }) => name === 'c')?.below).toBe(30);
  expect(rebase({ b: 20, c: 31, e: true }, { b: 20, c: 30 }, { b: 5, f: 1 })).toEqual({ b: 5, c: 31, e: true, f: 1 });
});

test('completion takes the word at the caret, keeps quotes together and quotes odd names', () => {
  const known = { jobs: ['a job', 'events'], assets: [], sensors: ['s"1'], schedules: [] };
  expect(wordAt('partition:"a, b" sta', 20)).toEqual({ from: 17, word: 'sta' });
  expect(wordAt('partition:"a, b', 15)).toEqual({ from: 0, word: 'partition:"a, b' });
  expect(suggest('job:a', known)).toEqual([{ text: 'job:"a job"', hint: '' }]);
  expect(suggest('cause:s"', known)[0]?.text).toBe('cause:"sensor:s\\"1"');
  expect(complete('x sta y', 5, 'status:')).toEqual({ text: 'x status: y', caret: 9 });
  expect(complete('x status:f', 10, 'status:failed')).toEqual({ text: 'x status:failed ', caret: 16 });
});

test('a reset to a point in time moves every watermark back to it, none forward, and nothing else', () => {
  const time = { type: 'string', format: 'date-time', watermark: true };
  const schema: Schema = {
    type: 'object',
    properties: {
      day: { anyOf: [{ type: 'string', format: 'date', watermark: true }, { type: 'null' }] },
      customers: { type: 'object', additionalProperties: { type: 'object', properties: { to: time, was: {} } } },
      other: { type: 'string', format: 'date-time' },
    },
  };
  const t = '2026-01-09T00:00:00Z';
  const cursor = {
    day: '2026-01-09',
    customers: { a: { to: t, was: t }, b: { to: '2026-01-01T00:00:00Z' } },
    other: t,
  };
  expect(watermarksOf(schema, cursor).map(({ path }) => path.join('.'))).toEqual([
    'day',
    'customers.a.to',
    'customers.b.to',
  ]);
  expect(rewound(schema, cursor, Date.parse('2026-01-03T06:00:00Z'))).toEqual({
    day: '2026-01-03',
    customers: { a: { to: '2026-01-03T06:00:00Z', was: t }, b: { to: '2026-01-01T00:00:00Z' } },
    other: t,
  });
  expect(watermarksOf(schema, { day: null })).toEqual([]);
});

test('a range is relative or fixed; ticks that lie on top of each other show the worst of them', () => {
  expect(readRange('24h', 86_400_000)).toEqual({ fromMs: 0, toMs: 86_400_000, isRelative: true });
  expect(readRange('2026-01-01T00:00:00Z..2026-01-02T00:00:00Z', 0)).toMatchObject({ isRelative: false });
  for (const wrong of [undefined, '', 'soon', '5w', '2026-01-02..2026-01-01', '..'])
    expect(readRange(wrong, 0)).toBeUndefined();
  const at = (second: number, decision: string, ms: number | null = 5) => ({
    at: new Date(second * 1_000).toISOString(),
    decision,
    duration_ms: ms,
  });
  const marks = [at(1, 'skipped'), at(2, 'failed', 90), at(3, 'requested'), at(50, 'skipped'), at(100, 'acted', null)];
  expect(barsOf(marks, { fromMs: 0, toMs: 100_000 }, 100, 10)).toMatchObject([
    { x: 0, ticks: 3, decision: 'failed', longestMs: 90 },
    { x: 50, ticks: 1, decision: 'skipped' },
    { x: 90, ticks: 1, decision: 'acted' },
  ]);
});
