import fc from 'fast-check';

import { stringify } from '../../src/raw-events/go-text.ts';

/** Deeper than what is taken the short way. */
const DEEP = 12;
const wrapped = (text: string) => '['.repeat(DEEP) + text + ']'.repeat(DEEP);

const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('__proto__', 'toJSON', 'constructor', '10', '9', '-1', 'é', '\ue000', '🎉', '<&>'),
);
const { tree } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, false, -0, 1e21, 1e-7, '\u2028', '<a href="&">'),
  ),
  // As JSON.parse makes them, `__proto__` included.
  record: fc
    .array(fc.tuple(key, tie('tree')), { maxLength: 4 })
    .map(
      (entries) =>
        JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`) as object,
    ),
  tree: fc.oneof({ depthSize: 'small' }, tie('leaf'), fc.array(tie('tree'), { maxLength: 4 }), tie('record')),
}));

test('nested JSON is the same text by the short way and by the long one', () => {
  fc.assert(
    fc.property(tree, (value) => {
      const deep = Array.from({ length: DEEP }).reduce<unknown>((inner) => [inner], value);
      expect(stringify(deep as never)).toBe(wrapped(stringify([value] as never).slice(1, -1)));
    }),
    { numRuns: Number(process.env.SKEIN_FUZZ_RUNS ?? 3_000) },
  );
});

test.each([
  ['keys by their bytes', '{"b":1,"a":2,"B":3}', '{"B":3,"a":2,"b":1}'],
  ['numbers as keys', '{"10":1,"9":2,"a":3}', '{"10":1,"9":2,"a":3}'],
  ['beyond the first plane', '{"\\ue000":1,"\\ud83c\\udf89":2}', '{"\ue000":1,"🎉":2}'],
  ['minus zero', '[-0,[-0.0]]', '[-0,[-0]]'],
  ['what HTML would read', '{"a":"<&>\\u2028"}', '{"a":"\\u003c\\u0026\\u003e\\u2028"}'],
])('%s', (_title, json, text) => {
  expect(stringify(JSON.parse(json) as never)).toBe(text);
});
