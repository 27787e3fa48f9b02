/** A cursor as people and programs may send it: what is not sound JSON of its schema is refused by name, nothing is polluted. */

import { type ApiHarness, closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const URL = '/api/v1/sensors/feed/cursor';

async function put(api: ApiHarness, payload: string | Buffer): Promise<{ status: number; text: string }> {
  const headers = { host: 'localhost', 'content-type': 'application/json', 'if-match': '*' };
  const reply = await api.app.inject({ method: 'PUT', url: URL, headers, payload });
  return { status: reply.statusCode, text: reply.body };
}

const body = (cursor: string) => `{"cursor":${cursor},"reason":"test"}`;

test('malformed, poisoned, huge, deep and foreign cursors are refused, and the stored one stays', async () => {
  const api = await openApi();
  const before = (await api.get(URL)).body;
  for (const [cursor, status] of [
    ['{"next":', 400],
    ['{"next":NaN}', 400],
    ['{"next":1e999}', 400],
    ['{"next":9007199254740993}', 400],
    ['{"next":-0}', 400],
    ['{"next":1,"next":2}', 400],
    ['{"next":"1"}', 422],
    ['{"next":null}', 422],
    ['{"next":1,"colour":"red"}', 422],
    ['[1]', 422],
    ['"next"', 422],
    ['{"__proto__":{"polluted":true}}', 400],
    ['{"next":1,"constructor":{"prototype":{"polluted":true}}}', 400],
    ['{"next":1\u0000}', 400],
    [`${'{"next":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
    [`{"next":1,"pad":"${'x'.repeat(10_000_000)}"}`, 413],
  ] as const) {
    const answer = await put(api, body(cursor));
    expect([cursor.slice(0, 60), answer.status]).toEqual([cursor.slice(0, 60), status]);
    expect(answer.text).toContain('"code":"');
    expect(answer.text.length).toBeLessThan(5_000);
  }
  // Before a document nothing may stand but blanks, and a byte-order mark is none.
  expect((await put(api, Buffer.from(`\ufeff${body('{"next":')}`))).status).toBe(400);
  expect((await api.get(URL)).body).toEqual(before);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  const wrong = await put(api, body('{"next":"1"}'));
  expect(wrong.text).toContain('next');
  const inexact = await put(api, body('{"next":9007199254740993}'));
  expect(JSON.parse(inexact.text)).toMatchObject({
    code: 'REQUEST_INVALID',
    errors: [{ path: 'body.cursor.next', message: expect.stringContaining('would become 9007199254740992') }],
  });
});

test('what is accepted is stored as it was sent', async () => {
  const api = await openApi();
  for (const [sent, stored] of [
    ['{"next":7,"until":9,"pause_ms":0}', { next: 7, until: 9, pause_ms: 0 }],
    ['{"next":9007199254740991}', { next: 9007199254740991 }],
    ['{"next":1.50}', { next: 1.5 }],
  ] as const) {
    expect([sent, (await put(api, body(sent))).status]).toEqual([sent, 200]);
    expect((await api.get(URL)).body.cursor).toMatchObject(stored);
    const text = (await api.engine.redis.hget(api.engine.keys.sensor('feed'), 'cursor')) ?? '';
    expect(JSON.parse(text)).toMatchObject(stored);
  }
});
