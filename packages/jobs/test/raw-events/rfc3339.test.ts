import fc from 'fast-check';

import { parseRfc3339, reprintRfc3339 } from '../../src/raw-events/rfc3339.ts';

const digits = (width: number, max: number) => fc.nat(max).map((n) => String(n).padStart(width, '0'));

/** Times of all months and of none, in the usual form and just beside it. */
const text = fc
  .record({
    date: fc.tuple(digits(4, 9_999), digits(2, 14), digits(2, 33)).map((parts) => parts.join('-')),
    time: fc.tuple(digits(2, 25), digits(2, 61), digits(2, 61)).map((parts) => parts.join(':')),
    fraction: fc.oneof(digits(3, 999), digits(2, 99), digits(4, 9_999)).map((part) => `.${part}`),
    zone: fc.constantFrom('Z', 'Z', 'Z', 'z', '+00:00', '+05:30', ''),
  })
  .map(({ date, time, fraction, zone }) => `${date}T${time}${fraction}${zone}`);

test('the short way for the usual form gives what the long one does', () => {
  let usual = 0;
  fc.assert(
    fc.property(text, (input) => {
      const parsed = parseRfc3339(input);
      const reprinted = reprintRfc3339(input);
      expect([reprinted?.text, reprinted?.isSerializable]).toEqual([parsed?.text, parsed?.isSerializable]);
      if (parsed?.text === input) usual++;
    }),
    {
      numRuns: 3_000,
      examples: [['2026-03-21T00:00:37.092Z'], ['2026-02-30T00:00:37.092Z'], ['2026-03-21T00:00:37.090Z']],
    },
  );
  expect(usual).toBeGreaterThan(0);
});
