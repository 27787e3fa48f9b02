import fc from 'fast-check';

import { eventWriter } from '../../src/raw-events/event-text.ts';
import { type Profile, mapPayload } from '../../src/raw-events/map-payload.ts';
import { type MappedRows, mapRows } from '../../src/raw-events/map-rows.ts';
import { TEXT_FIELDS } from '../../src/raw-events/payload.ts';
import { NOT_PLAIN } from '../../src/raw-events/plain-json.ts';
import { PlainRows } from '../../src/raw-events/plain-rows.ts';
import { OWN_NAMES } from '../../src/raw-events/properties.ts';
import { endOfLine, parseRow, textOfLine } from '../../src/raw-events/raw-row.ts';
import { TextBytes } from '../../src/raw-events/text-bytes.ts';
import { B0, CASES, profiles } from './cases.ts';

const ROW = { tenant_id: 't "1"', environment_id: 'e\\1' };
const RUNS = Number(process.env.SKEIN_FUZZ_RUNS ?? 10_000);

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\0': '\\0',
  "'": "\\'",
};
/** As ClickHouse writes TabSeparated. */
const lineOf = (payload: string) =>
  ['1774051237092', 'row-1', 'c', 'n', payload.replace(/[\\\t\n\r\b\f\0']/g, (c) => ESCAPES[c] ?? c)].join('\t');

interface Written {
  /** As bytes: what is no UTF-8 must not look like what it becomes. */
  readonly text: string;
  readonly id: string;
  readonly customer: string;
}

/** What `map-payload.ts` makes of each line, one by one; undefined where there is no event. */
function expectedOf(block: Buffer, profile: Profile): (Written | undefined)[] {
  const write = eventWriter(ROW);
  const all: (Written | undefined)[] = [];
  for (let start = 0; start < block.length;) {
    const end = endOfLine(block, start);
    const row = parseRow(textOfLine(block, start, end));
    const mapped = mapPayload(row?.payload ?? '', profile);
    all.push(
      mapped.kind === 'event' && mapped.event.canBeWritten
        ? {
            text: Buffer.from(write(mapped.event)).toString('latin1'),
            id: mapped.event.id,
            customer: mapped.event.customerId,
          }
        : undefined,
    );
    start = end + 1;
  }
  return all;
}

function writtenOf({ texts, eventIds, customers }: MappedRows): Written[] {
  const values = texts.flatMap(({ bytes, ends }) =>
    ends.map((end, i) => Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)).toString('latin1')),
  );
  return values.map((text, i) => ({ text, id: eventIds[i] ?? '', customer: customers[i] ?? '' }));
}

function compare(lines: readonly (string | Buffer)[], profile: Profile): void {
  const block = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]));
  const mapped = mapRows({ tenant: ROW.tenant_id, environment: ROW.environment_id, profile, blocks: [block] });
  const expected = expectedOf(block, profile);
  expect(writtenOf(mapped)).toEqual(expected.filter((one) => one !== undefined));
  expect(mapped.positions).toEqual(expected.flatMap((one, i) => (one === undefined ? [] : [i + 1])));
}

/** Whether a payload needs nobody but these rows. */
function isPlain(payload: string, profile: Profile): boolean {
  return new PlainRows(ROW, profile).write(Buffer.from(lineOf(payload)), 0, new TextBytes()) !== NOT_PLAIN;
}

const odd = fc.oneof(
  fc.constantFrom('1e3', '01', '1.', '-', 'nul', '"', '"\u0001"', '"a\\"b"', '"\'"'),
  fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => JSON.stringify(text)),
);
const usual = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '-0', '-0.5', '0.0', '1.50', '0.0001', '0.00001', '999999', '1000000'),
  fc.constantFrom('0.1234567890123', '0.12345678901234567', '123456.123456789', '17', '2', '1500'),
  fc.integer({ min: -2_000_000, max: 2_000_000 }).map(String),
  fc.tuple(fc.integer({ min: 0, max: 9_999 }), fc.nat(99_999)).map(([a, b]) => `${a}.${String(b).padStart(5, '0')}`),
  fc.constantFrom('""', '"12"', '"007"', '" x"', '"{"', '"[1"', '"<&>"', '"ü🎉"', '"\u007f"'),
  fc.constantFrom('"gpt-4.1"', '"GPT 4"', '"BEDROCK_LLM"', '"1_0"', '"+5"', '"inf"', '"x\ufeff"', '"Ä"', '"\u2028"'),
);
const scalar = fc.oneof({ weight: 40, arbitrary: usual }, odd);
const text = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('"x"', '"Ab C"', '"BEDROCK_LLM"', '"Ü"') }, scalar);
const KEYS = [
  ...OWN_NAMES,
  ...['modelName', 'numCharacters', 'durationMS', 'channels', 'promptTokens', 'cachedPromptTokens'],
  ...['', 'a', 'value', 'z', '__proto__', '10', '9', 'ä', 'x<y', 'model Name', 'b\\u0061', 'q\\"'],
];
type Entry = readonly [key: string, value: string];
const object = (entries: readonly Entry[], comma = ',', colon = ':') =>
  `{${entries.map(([key, value]) => `"${key}"${colon}${value}`).join(comma)}}`;
const sorted = (entries: readonly Entry[]) => [...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : 1));
const spacing = fc.constantFrom([',', ':'], [',', ':'], [', ', ': '], [' ,', ' :']);

const { nested, value } = fc.letrec<{ value: string; nested: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, { weight: 6, arbitrary: scalar }, tie('nested')),
  nested: fc.oneof(
    { depthSize: 'small' },
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .tuple(fc.array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 4 }), fc.nat(9), spacing)
      .map(([entries, chance, [comma, colon]]) => object(chance === 0 ? entries : sorted(entries), comma, colon)),
    tie('value').map((one) => `{"value":${one}}`),
  ),
}));
/** What the mapping looks at, usually as it should be. */
const looked = fc.tuple(
  fc.constantFrom('numCharacters', 'durationMS', 'channels', 'promptTokens', 'cachedPromptTokens'),
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom('1500', '2', '17', '"31"', '0.5') }, value),
);
const modelName = fc.tuple(fc.constant('modelName'), fc.oneof({ weight: 9, arbitrary: text }, value));
const entry = fc.tuple(fc.constantFrom(...KEYS), value);
const data = fc
  .tuple(fc.array(entry, { maxLength: 5 }), fc.array(looked, { maxLength: 4 }), modelName, fc.nat(9), spacing)
  .map(([others, known, model, chance, [comma, colon]]) => {
    const entries = chance === 1 ? [...others, ...known] : [...others, ...known, model];
    return object(chance === 0 ? entries : sorted(entries), comma, colon);
  });

const time = fc.oneof(
  fc.constantFrom(
    '2026-02-29T00:00:00Z',
    '2026-02-28T23:59:59.120Z',
    '2026-01-31T10:00:00.5Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567891Z',
    '2026-01-01T00:00:00+05:30',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01 00:00:00Z',
    '2026-01-00T00:00:00Z',
  ),
  fc
    .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((d) => d.toISOString()),
);
/** Nearly the usual event: some of its fields are other ones, gone, or twice. */
const payload = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...TEXT_FIELDS), text), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom('byok', 'referenceCost', 'other', 'id', 'ORGID', 'data'), value), {
      maxLength: 1,
    }),
    fc.oneof({ weight: 9, arbitrary: data }, nested),
    time,
    fc.nat(19),
    spacing,
  )
  .map(([texts, others, dataText, createdAt, chance, [comma, colon]]) => {
    const usual = Object.entries({ ...B0, createdAt }).map(([key, one]) => [key, JSON.stringify(one)] as const);
    const entries = [...usual, ...texts, ['data', dataText] as const, ...others];
    const fields = chance === 0 ? entries : [...new Map(entries)].slice(chance === 1 ? 1 : 0);
    return object(fields, comma, colon);
  });

test('whatever a row is, it becomes what the mapping makes of it, byte by byte', () => {
  const plain = { seed: 0, current: 0 };
  fc.assert(
    fc.property(payload, fc.constantFrom(...profiles), (text, profile) => {
      if (isPlain(text, profile)) plain[profile]++;
      compare([lineOf(text)], profile);
    }),
    { numRuns: RUNS },
  );
  // Otherwise the mapping would have been compared with itself.
  expect(Math.min(plain.seed, plain.current)).toBeGreaterThan(RUNS / 40);
}, 3_600_000);

test('a damaged line is never taken for another one', () => {
  const damaged = fc
    .tuple(payload, fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 3 }))
    .map(([text, at, length, insert]) => {
      const line = Buffer.from(lineOf(text));
      const cut = at % (line.length + 1);
      return Buffer.concat([line.subarray(0, cut), insert.filter((c) => c !== 10), line.subarray(cut + length)]);
    });
  fc.assert(
    fc.property(damaged, fc.constantFrom(...profiles), (line, profile) => {
      if (parseRow(line.toString()) !== undefined) compare([line], profile);
    }),
    { numRuns: RUNS },
  );
}, 3_600_000);

test.each(profiles)('rows of all kinds in one block, profile %s', (profile) => {
  compare(
    CASES.filter(({ payload: text }) => text.isWellFormed()).map(({ payload: text }) => lineOf(text)),
    profile,
  );
  compare(
    Array.from({ length: 3_000 }, (_, i) => lineOf(JSON.stringify({ ...B0, id: `evt-${i}`, orgId: `org-${i >> 6}` }))),
    profile,
  );
});

test.each(profiles)('what is plain, and what is left to others, profile %s', (profile) => {
  const withData = (given: object) => JSON.stringify({ ...B0, data: Object.fromEntries(Object.entries(given).sort()) });
  for (const plain of [
    JSON.stringify(B0),
    JSON.stringify({ ...B0, createdAt: '2026-01-31T00:00:00+02:00', byok: false, referenceCost: 0.001994 }),
    withData({ modelName: 'm', a: { b: [1, 'x'] }, c: { value: 2 }, note: 'ü'.repeat(500) }),
  ])
    expect([plain, isPlain(plain, profile)]).toEqual([plain, true]);
  for (const unusual of [
    withData({ modelName: 'say "x"' }),
    withData({ modelName: 'm', ä: 1 }),
    withData({ modelName: 'm', a: 1e21 }),
    withData({ modelName: 'm', a: 'x'.repeat(70_000) }),
    JSON.stringify({ ...B0, data: { modelName: 'm', a: 1 } }),
    JSON.stringify({ ...B0, ORGID: 'x' }),
    JSON.stringify({ ...B0, orgId: '' }),
  ])
    expect([unusual, isPlain(unusual, profile)]).toEqual([unusual, false]);
});
