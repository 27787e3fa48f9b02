import { transformRawEvent } from '@skein/jobs';

import { eventWriter } from '../../src/raw-events/event-text.ts';
import { mapPayload } from '../../src/raw-events/map-payload.ts';
import { OWN_NAMES } from '../../src/raw-events/properties.ts';
import { TextBytes } from '../../src/raw-events/text-bytes.ts';
import { B0, CASES, profiles } from './cases.ts';

const ROW = { tenant_id: 't "1"', environment_id: 'e\\1' };
const write = eventWriter(ROW);

test('the names that the mapping writes itself are sorted, for they are merged as such', () => {
  expect([...OWN_NAMES].sort()).toEqual([...OWN_NAMES]);
});

test.each(profiles)('the text of a message is the JSON of the event, byte by byte, profile %s', (profile) => {
  let events = 0;
  for (const { payload } of CASES) {
    const mapped = mapPayload(payload, profile);
    const transformed = transformRawEvent(payload, ROW, profile);
    if (mapped.kind !== 'event' || transformed.kind !== 'event') {
      expect(mapped).toEqual(transformed);
      continue;
    }
    events++;
    expect(write(mapped.event)).toBe(JSON.stringify(transformed.event));
  }
  expect(events).toBeGreaterThan(50);
});

test.each([
  ['quotes and backslashes', { a: 'say "x\\y"', 'k"ey': 'v' }],
  ['control characters and line separators', { a: '\u0000\n\u001f\u2028\u007f' }],
  [
    'nested JSON, which has quotes though the payload has no escape',
    { a: { b: ['x', 1] }, c: ['y'], d: { value: [{}] } },
  ],
  ['text that looks nested', { a: '{', b: '[not json' }],
  ['beyond ASCII', { ä: 'ü🎉', ключ: 'значение' }],
  ['unsorted keys, and such as sort before digits', { z: '1', b: '2', B: '3', '!': '4', _: '5' }],
])('%s come through', (_title, more) => {
  const payload = JSON.stringify({ ...B0, data: { ...B0.data, ...more } });
  const mapped = mapPayload(payload, 'seed');
  const transformed = transformRawEvent(payload, ROW, 'seed');
  if (mapped.kind !== 'event' || transformed.kind !== 'event') throw new Error(mapped.kind);
  expect(write(mapped.event)).toBe(JSON.stringify(transformed.event));
});

test('texts of any size keep their bytes while others follow', () => {
  const bytes = new TextBytes();
  const texts = [
    '',
    'a',
    'ü'.repeat(500_000),
    'x'.repeat(1 << 21),
    ...Array.from({ length: 5_000 }, (_, i) => `🎉 ${i} `.repeat(50)),
  ];
  for (const text of texts) bytes.write(text);
  const written = bytes
    .chunks()
    .flatMap(({ bytes: chunk, ends }) => ends.map((end, i) => Buffer.from(chunk.subarray(ends[i - 1] ?? 0, end))));
  expect(written).toHaveLength(texts.length);
  expect(written.every((text, i) => text.toString('utf8') === texts[i])).toBe(true);
});
