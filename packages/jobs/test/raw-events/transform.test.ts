import { PARSE_ERROR, type Profile, TIMESTAMP_ERROR, type Transformed, transformRawEvent } from '@skein/jobs';
import fc from 'fast-check';

import { eventWriter } from '../../src/raw-events/event-text.ts';
import { mapPayload } from '../../src/raw-events/map-payload.ts';
import { B0, CASES, type Expected, profiles } from './cases.ts';

const ROW = { tenant_id: 't1', environment_id: 'e1' };

function summary(result: Transformed): Expected {
  if (result.kind === 'event') return { event: result.event };
  if (result.kind === 'drop') return { drop: result.reason };
  if (result.error.startsWith(TIMESTAMP_ERROR)) return { error: 'timestamp' };
  expect(result.error.startsWith(PARSE_ERROR)).toBe(true);
  return { error: 'parse' };
}

describe.each(profiles)('the cases of the original, profile %s', (profile) => {
  test.each(CASES.map((one) => [one.title, one] as const))('%s', (_title, { payload, expected }) => {
    expect(summary(transformRawEvent(payload, ROW, profile))).toEqual(expected[profile]);
  });
});

test('the ten keys are in order and the properties sorted', () => {
  const result = transformRawEvent(JSON.stringify(B0), ROW, 'seed');
  if (result.kind !== 'event') throw new Error(result.kind);
  expect(Object.keys(result.event)).toEqual([
    'id',
    'tenant_id',
    'environment_id',
    'event_name',
    'properties',
    'source',
    'timestamp',
    'ingested_at',
    'customer_id',
    'external_customer_id',
  ]);
  expect(Object.keys(result.event.properties)).toEqual(Object.keys(result.event.properties).sort());
});

test('a key named __proto__ is a property like any other', () => {
  const payload = `{"data":{"modelName":"m","__proto__":"x"},${JSON.stringify({ ...B0, data: undefined }).slice(1)}`;
  for (const text of [payload, payload.replace('"data":{', '"data":{},"data":{')]) {
    const result = transformRawEvent(text, ROW, 'seed');
    if (result.kind !== 'event') throw new Error(result.kind);
    expect(JSON.parse(JSON.stringify(result.event.properties)) as object).toHaveProperty('modelName', 'm');
    expect(Object.getOwnPropertyDescriptor(result.event.properties, '__proto__')?.value).toBe('x');
  }
});

test('nesting as deep as the decoder allows', () => {
  const deep = `${'['.repeat(9_998)}${']'.repeat(9_998)}`;
  const result = transformRawEvent(
    `{"data":{"modelName":"m","x":${deep}},${JSON.stringify({ ...B0, data: undefined }).slice(1)}`,
    ROW,
    'seed',
  );
  if (result.kind !== 'event') throw new Error(JSON.stringify(result).slice(0, 200));
  expect(result.event.properties.x).toBe(deep);
});

const KEYS = [
  'orgId',
  'ORGID',
  'id',
  'methodName',
  'providerName',
  'createdAt',
  'data',
  'DATA',
  'byok',
  'referenceCost',
  'modelName',
  'value',
  'x',
  'channels',
  'durationMS',
];
const jsonText = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      'null',
      'true',
      '1e400',
      '-0',
      '1e-7',
      '123456789',
      '"2026-03-21T00:00:37+05:30"',
      '""',
      '"\\ud800"',
      '"BEDROCK_LLM"',
      '"0x1p-3"',
    ),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.double().map((n) => (Number.isFinite(n) ? String(n) : '0')),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 8 })
      .map((entries) => `{${entries.map(([k, v]) => `"${k}":${v}`).join(',')}}`),
  ),
})).value;

const write = eventWriter(ROW);

function messageText(payload: string, profile: Profile): string {
  const mapped = mapPayload(payload, profile);
  return mapped.kind === 'event' ? write(mapped.event) : '';
}

/** Whatever comes, there is a result, it is one of the three, and an event keeps its promises. */
function check(payload: string): void {
  for (const profile of profiles) {
    const result = transformRawEvent(payload, ROW, profile);
    if (result.kind !== 'event') continue;
    const { event } = result;
    expect(event.id !== '' && event.external_customer_id !== '' && event.timestamp !== '').toBe(true);
    expect(JSON.parse(messageText(payload, profile))).toEqual(event);
    expect(Object.values(event.properties).every((value) => typeof value === 'string' && value.isWellFormed())).toBe(
      true,
    );
  }
}

const RUNS = Number(process.env.SKEIN_FUZZ_RUNS ?? 20_000);

test('never throws on JSON of any shape', () => {
  fc.assert(fc.property(jsonText, check), { numRuns: RUNS });
}, 3_600_000);

test('never throws on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(Buffer.from(bytes).toString('utf8'))),
    { numRuns: RUNS },
  );
}, 3_600_000);

test('never throws on a damaged payload', () => {
  const whole = CASES.map(({ payload }) => payload).filter((payload) => payload.length < 2_000);
  const damaged = fc
    .tuple(fc.constantFrom(...whole), fc.nat(), fc.nat(12), fc.string({ unit: 'binary', maxLength: 6 }))
    .map(([text, at, length, insert]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + insert + text.slice(cut + length);
    });
  fc.assert(fc.property(damaged, check), { numRuns: RUNS });
}, 3_600_000);
