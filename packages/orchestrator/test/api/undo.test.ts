/** What the audit log tells of is undone where an inverse exists, and only while nobody changed it since. */

import { type ApiHarness, closeApis, openApi, yearOfBackfill } from './harness.ts';

afterEach(closeApis);

const newest = async (api: ApiHarness) => String((await api.get('/api/v1/audit?limit=1')).body.items?.[0]?.id);
const undo = (api: ApiHarness, id: string) => api.post(`/api/v1/audit/${id}/undo`, { reason: 'a mistake' });

test('switches, pools, cursors, backfills, marks, views and presets go back to what they were, and forth again', async () => {
  const api = await openApi();
  const backfill = await yearOfBackfill(api);
  const because = { reason: 'test' };
  const day = { partitions: ['1_2024-01-15', '2_2024-01-15'], ...because };
  const outcomes = '/api/v1/assets/events/partition?partition=1_2024-01-15';
  const presets = '/api/v1/jobs/events_job/presets';
  const match = { headers: { 'if-match': '*' } };
  for (const [look, field, change] of [
    ['/api/v1/sensors/feed', 'status', () => api.post('/api/v1/sensors/feed/start', because)],
    ['/api/v1/schedules/nightly', 'status', () => api.post('/api/v1/schedules/nightly/start', because)],
    ['/api/v1/pools', 'items', () => api.send('PUT', '/api/v1/pools/narrow', { limit: 7 })],
    ['/api/v1/pools', 'items', () => api.send('PUT', '/api/v1/pools/narrow', { limit: 8 })],
    [
      '/api/v1/sensors/feed/cursor',
      'cursor',
      () => api.send('PUT', '/api/v1/sensors/feed/cursor', { cursor: { next: 5 }, ...because }, match),
    ],
    [backfill, 'status', () => api.post(`${backfill}/pause`, because)],
    [backfill, 'max_active', () => api.send('PATCH', backfill, { max_active: 4 })],
    ['/api/v1/views', 'items', () => api.send('PUT', '/api/v1/views/mine', { q: 'status:failed' })],
    ['/api/v1/views', 'items', () => api.send('PUT', '/api/v1/views/mine', { q: 'job:events_job' })],
    [presets, 'items', () => api.send('PUT', `${presets}/quick`, { config: { mode: 'quick' } })],
    [presets, 'items', () => api.send('DELETE', `${presets}/quick`)],
    [outcomes, 'outcome', () => api.post('/api/v1/assets/events/partitions/mark', { as: 'skipped', ...day })],
  ] as const) {
    const read = async () => {
      const value = (await api.get(look)).body[field];
      // Who set a limit, why, and how often it was set, is not a part of the limit.
      return JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
        key === 'reason' || key === 'version' ? '' : inner,
      ) as unknown;
    };
    const before = await read();
    expect((await change()).status).toBeLessThan(300);
    const after = await read();
    expect(after).not.toEqual(before);
    const undone = await undo(api, await newest(api));
    expect([look, undone.status, await read()]).toEqual([look, 200, before]);
    const redone = await undo(api, await newest(api));
    expect([look, redone.status, await read()]).toEqual([look, 200, after]);
  }
});

test('what was changed since, what has no inverse and what is not there is refused with the reason', async () => {
  const api = await openApi();
  await api.send('PUT', '/api/v1/pools/narrow', { limit: 5 });
  const first = await newest(api);
  await api.send('PUT', '/api/v1/pools/narrow', { limit: 6 });
  const late = await undo(api, first);
  expect(late).toMatchObject({ status: 409, body: { code: 'REFUSED' } });
  expect(late.body.detail).toMatch(/was changed since: it is \{"set_limit":6\} now/);
  expect((await api.get('/api/v1/pools')).body.items?.[0]).toMatchObject({ set_limit: 6 });
  expect((await api.get('/api/v1/audit?limit=1')).body.items?.[0]).toMatchObject({
    result: '409',
    target: 'pool:narrow',
  });

  await api.post('/api/v1/launch', { job: 'events_job', partitions: ['1_2024-01-15'] });
  expect((await undo(api, await newest(api))).body.detail).toMatch(/no inverse/);
  await api.post('/api/v1/sensors/feed/stop', {});
  expect((await undo(api, await newest(api))).body.detail).toMatch(/changed nothing/);
  expect((await undo(api, '1-1')).status).toBe(404);
  expect((await undo(api, 'nonsense')).status).toBe(400);
});
