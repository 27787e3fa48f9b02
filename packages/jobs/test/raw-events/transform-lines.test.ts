import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { transformLines } from '../../src/raw-events/transform-lines.ts';
import { B0, CASES, profiles } from './cases.ts';

async function transform(
  input: string | Buffer[],
  options: { profile?: 'seed' | 'current'; plain?: boolean } = {},
): Promise<Record<string, unknown>[]> {
  const output = new PassThrough();
  const all = text(output);
  const chunks = typeof input === 'string' ? [Buffer.from(input)] : input;
  await transformLines(Readable.from(chunks), output, {
    profile: options.profile ?? 'seed',
    plain: options.plain ?? false,
  });
  output.end();
  return (await all)
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test.each(profiles)('the cases of the original come out in their order, profile %s', async (profile) => {
  const lines = CASES.map(({ payload }) => JSON.stringify({ payload, tenant_id: 't1', environment_id: 'e1' }));
  const results = await transform(lines.join('\n'), { profile });
  expect(results).toHaveLength(CASES.length);
  results.forEach((result, i) => {
    const expected = CASES[i]?.expected[profile];
    if (expected && 'event' in expected) expect(result).toEqual({ kind: 'event', event: expected.event });
    else if (expected && 'drop' in expected) expect(result).toEqual({ kind: 'drop', reason: expected.drop });
    else expect(result).toEqual({ kind: 'error', error: expect.any(String) as string });
  });
});

test('plain lines, also empty ones, and lines cut anywhere', async () => {
  const bytes = Buffer.from(`${JSON.stringify({ ...B0, orgId: 'ü\u2028' })}\n\n{bad\r\nnull`);
  const chunks = Array.from(bytes, (byte) => Buffer.from([byte]));
  const results = await transform(chunks, { plain: true });
  expect(results.map(({ kind }) => kind)).toEqual(['event', 'error', 'error', 'drop']);
  expect(results[0]).toMatchObject({ event: { external_customer_id: 'ü\u2028', tenant_id: '' } });
});

test('many lines stream through', async () => {
  const line = `${JSON.stringify({ payload: JSON.stringify(B0), tenant_id: 't1' })}\n`;
  expect(await transform(line.repeat(5_000))).toHaveLength(5_000);
});

test('a line that is no case is named', async () => {
  await expect(transform('{"payload":"{}"}\n{"payload":5}\n')).rejects.toMatchObject({
    code: 'RAW_EVENT_CASE_INVALID',
    message: expect.stringContaining('Line 2: payload must be text') as string,
  });
  await expect(transform('nonsense\n')).rejects.toThrow('Line 1 is not JSON');
});
