/** Growth is told from noise. */

import { growsFasterThan, growth } from './growth.ts';

const points = (value: (hours: number) => number) =>
  Array.from({ length: 25 }, (_, i) => ({ hours: i / 10, value: value(i / 10) }));
const noise = (hours: number) => Math.sin(1_000 * hours);

test('a line is found, in percent of the mean', () => {
  const { percentPerHour, error } = growth(points((hours) => 88 + 10 * hours));
  expect(percentPerHour).toBeCloseTo(10, 5);
  expect(error).toBeCloseTo(0, 5);
});

test('noise is no growth, growth within noise is', () => {
  expect(growsFasterThan(2, growth(points((hours) => 100 + 5 * noise(hours))))).toBe(false);
  expect(growsFasterThan(2, growth(points((hours) => 100 + 8 * hours + 5 * noise(hours))))).toBe(true);
});

test('of too little nothing is said; what is nothing does not grow', () => {
  const few = [1, 2].map((value) => ({ hours: value, value }));
  expect(growsFasterThan(2, growth(few))).toBe(false);
  expect(growth(points(() => 0))).toEqual({ percentPerHour: 0, error: 0 });
});
