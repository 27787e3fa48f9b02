/** Questions in SQL over HTTP: what they answer, what they refuse, and that none is worked on for nobody. */

import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { closeApis, openApi } from './harness.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'skein-test-sql-'));
});
afterEach(closeApis);
afterAll(() => rm(dir, { recursive: true, force: true }));

const open = () => openApi(() => ({ rows: 1 }), { env: { SKEIN_HISTORY_URL: pathToFileURL(dir).href } });

test('an answer holds columns, rows, and whether there are more; a mistake is told with its place', async () => {
  const api = await open();
  for (const partitions of [['1_2024-01-15'], ['2_2024-01-15'], ['3_2024-01-15']])
    await api.post('/api/v1/launch', { job: 'events_job', partitions });
  const ask = (query: string, more = {}) => api.post('/api/v1/sql', { query, ...more });
  expect((await ask('SELECT job, count(*) AS n FROM runs GROUP BY 1')).body).toEqual({
    columns: ['job', 'n'],
    rows: [{ job: 'events_job', n: 3 }],
    cut: false,
    notes: [],
  });
  expect((await ask('SELECT id FROM runs', { max_rows: 2 })).body).toMatchObject({ cut: true, rows: [{}, {}] });
  expect((await ask('SELECT id FROM runs', { live: 1 })).body).toMatchObject({
    rows: [{}],
    notes: [expect.stringContaining('The newest 1 of 3 runs')],
  });
  const large = (await ask("SELECT repeat('x', 1000000) AS x FROM range(10)")).body;
  expect([large.cut, large.rows?.length]).toEqual([true, 4]);
  for (const [query, says] of [
    ['SELECT nope FROM runs', '"nope" not found'],
    ['DROP TABLE live_runs', 'Only a SELECT'],
    ['SELECT 1; SELECT 2', 'One query at a time'],
    ["SELECT * FROM read_text('/etc/hostname')", 'disabled'],
  ] as const) {
    const refused = await ask(query);
    expect([query, refused.status, String(refused.body.code)]).toEqual([query, 400, 'SQL_INVALID']);
    expect(String(refused.body.detail)).toContain(says);
  }
  const key = { headers: { 'idempotency-key': 'asked-twice' } };
  await api.post('/api/v1/sql', { query: 'SELECT 1 AS one' }, key);
  const again = await api.post('/api/v1/sql', { query: 'SELECT 2 AS two' }, key);
  expect(again.body).toMatchObject({ rows: [{ two: 2 }] });
});

test('two queries at once are worked on, a third is refused, and what nobody waits for any more is stopped', async () => {
  const api = await open();
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.app.server.address() as AddressInfo;
  const ask = (query: string, signal?: AbortSignal) =>
    fetch(`http://127.0.0.1:${port}/api/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
      ...(signal === undefined ? {} : { signal }),
    });
  // Would take days.
  const endless = 'SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b';
  const leave = new AbortController();
  // The look below may be in the way for a moment.
  const insist = async (): Promise<Response> => {
    const reply = await ask(endless, leave.signal);
    return reply.status === 429 ? insist() : reply;
  };
  const left = Promise.allSettled([insist(), insist()]);
  const statusOf = async () => (await ask('SELECT 1')).status;
  await api.until(statusOf, (status) => status === 429);
  leave.abort();
  expect((await left).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await api.until(statusOf, (status) => status === 200);
});
