/** What a program would lose of a JSON text is found by its place, and nothing else is. */

import fc from 'fast-check';

import { lossesOf } from '../../src/definitions/exact-json.ts';

const paths = (text: string) => lossesOf(text).map(({ path }) => path);

test.each([
  ['9007199254740993', ['']],
  ['{"a":{"b":[1,2,9007199254740993]}}', ['a.b.2']],
  ['{"a":1e400,"b":-1e400,"c":1e-400}', ['a', 'b', 'c']],
  ['{"a":-0,"b":-0.0,"c":[-0e5]}', ['a', 'b', 'c.0']],
  ['{"a":3.141592653589793238}', ['a']],
  ['{"a":1,"b":{"a":2},"a":1}', ['a']],
  ['{"a":1,"\\u0061":1}', ['a']],
  ['[{"x":1},{"x":1,"y":{"x":1,"x":2}}]', ['1.y.x']],
  ['{"a":"-0, 1e400, {\\"b\\":1, \\"b\\":2} \\\\","b":[]}', []],
  ['{"a":1.50,"b":15e-1,"c":0.1,"d":1E+2,"e":0.0,"f":1e21,"g":5e-324,"h":1.7976931348623157e308}', []],
  ['[[],{},"",true,false,null,-1,100000000000000000000]', []],
])('%s', (text, expected) => {
  JSON.parse(text);
  expect(paths(text)).toEqual(expected);
});

test('what a program has written itself loses nothing, whatever it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
      expect(lossesOf(JSON.stringify(value, null, 1))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('one digit too many anywhere is found where it stands', () => {
  const name = fc.string({ minLength: 1, unit: fc.constantFrom('a', '"', '\\', '{', ',', '0') });
  fc.assert(
    fc.property(fc.array(fc.oneof(name, fc.nat(3)), { maxLength: 8 }), (place) => {
      const text = place.reduceRight<string>(
        (inner, step) =>
          typeof step === 'number' ? `[${'0,'.repeat(step)}${inner}]` : `{"0":0,${JSON.stringify(step)}x:${inner}}`,
        '9007199254740993',
      );
      const json = text.replaceAll('"x:', 'x":');
      JSON.parse(json);
      expect(paths(json)).toEqual([place.map((step) => (typeof step === 'number' ? step : `${step}x`)).join('.')]);
    }),
    { numRuns: 300 },
  );
});

test('long texts and deep ones take no longer than they are long', () => {
  const deep = `${'['.repeat(200_000)}9007199254740993${']'.repeat(200_000)}`;
  expect(lossesOf(deep)).toHaveLength(1);
  expect(lossesOf(JSON.stringify({ a: '\\"'.repeat(500_000) }))).toEqual([]);
});
