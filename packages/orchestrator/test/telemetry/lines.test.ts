import fc from 'fast-check';

import { capLine, printable, printableLine } from '../../src/telemetry/lines.ts';

test('a line has at most 64 KB, whole characters, and says what is missing', () => {
  for (const character of ['x', 'é', '漢', '😀']) {
    const cut = capLine(character.repeat(10_000_000 / Buffer.byteLength(character)));
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(65_536);
    expect(cut).toMatch(/… \(99\d{5} bytes cut\)$/);
    expect(cut).not.toContain('\uFFFD');
    expect(cut.startsWith(character.repeat(1_000))).toBe(true);
  }
  for (const whole of ['', 'x'.repeat(65_536), '漢'.repeat(21_845)]) expect(capLine(whole)).toBe(whole);
});

test.each([
  ['colours', '\u001b[31mred\u001b[0m', '\u001b[31mred\u001b[0m'],
  ['a cleared screen', '\u001b[2J\u001b[Hgone', '\\u001b[2J\\u001b[Hgone'],
  ['a title', '\u001b]0;title\u0007', '\\u001b]0;title\\u0007'],
  ['a link', '\u001b]8;;https://evil.example\u001b\\here', '\\u001b]8;;https://evil.example\\u001b\\here'],
  ['eight-bit codes', '\u009b2J', '\\u009b2J'],
  ['an overwritten line', 'failed\rsucceeded', 'failed\\u000dsucceeded'],
  ['text turned round', 'a\u202ecod.exe', 'a\\u202ecod.exe'],
  ['NUL and backspace', '\u0000\b', '\\u0000\\u0008'],
])('%s on a terminal', (_what, text, shown) => expect(printable(text)).toBe(shown));

test('whatever is written, a terminal is told nothing but colours', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const shown = printableLine(`${text}\u001b[1m`).replaceAll(/\u001b\[[0-9;]*m/g, '');
      expect(shown).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 10_000 },
  );
});
