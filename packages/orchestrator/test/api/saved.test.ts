import { createToken } from '../../src/api/access/tokens.ts';
import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

test('a view is saved, listed for everyone, replaced by its author and kept from others', async () => {
  const api = await openApi(() => ({ rows: 1 }), { env: { SKEIN_AUTH_MODE: 'token' } });
  const as = async (role: 'viewer' | 'operator') => ({
    headers: { authorization: `Bearer ${(await api.token(role)).token}` },
  });
  const [viewer, operator] = [await as('viewer'), await as('operator')];
  const url = `/api/v1/views/${encodeURIComponent('mine, a|b/c 🚀')}`;
  expect((await api.send('PUT', url, { q: 'status:failed' }, viewer)).status).toBe(200);
  expect((await api.send('PUT', url, { q: 'status:failed after:-24h' }, viewer)).status).toBe(200);
  expect((await api.get('/api/v1/views', operator)).body.items).toMatchObject([
    { name: 'mine, a|b/c 🚀', q: 'status:failed after:-24h', by: 'api:viewer of the test' },
  ]);
  expect((await api.send('PUT', '/api/v1/views/theirs', { q: '' }, operator)).status).toBe(200);
  const refused = await api.send('PUT', '/api/v1/views/theirs', { q: 'job:x' }, viewer);
  expect([refused.status, String(refused.body.code)]).toEqual([403, 'FORBIDDEN']);
  expect((await api.send('DELETE', '/api/v1/views/theirs', undefined, viewer)).status).toBe(403);
  expect((await api.send('DELETE', url, undefined, operator)).status).toBe(200);
  expect((await api.send('DELETE', url, undefined, operator)).status).toBe(404);
});

test('who is limited to a job sees its views and their own, and learns nothing of others’', async () => {
  const api = await openApi(() => ({ rows: 1 }), { env: { SKEIN_AUTH_MODE: 'token' } });
  const everybody = { headers: { authorization: `Bearer ${(await api.token('operator')).token}` } };
  const made = await createToken(api.engine, { name: 'limited', role: 'operator', jobs: ['chunks_job'], by: 'test' });
  const limited = { headers: { authorization: `Bearer ${made.token}` } };
  const save = (name: string, q: string, as: typeof limited) => api.send('PUT', `/api/v1/views/${name}`, { q }, as);
  await save('other', 'job:events_job status:failed', everybody);
  await save('all', 'partition:"77_2024-01-01"', everybody);
  await save('shared', 'job:chunks_job', everybody);
  expect((await save('mine', 'status:failed', limited)).status).toBe(200);
  const namesFor = async (as: typeof limited) =>
    ((await api.get('/api/v1/views', as)).body.items as unknown as { name: string }[]).map(({ name }) => name);
  expect(await namesFor(limited)).toEqual(['mine', 'shared']);
  expect(await namesFor(everybody)).toEqual(['all', 'mine', 'other', 'shared']);
  const taken = await save('other', 'job:chunks_job', limited);
  expect([taken.status, String(taken.body.detail)]).toEqual([403, 'The name “other” is taken: choose another one.']);
  expect((await api.send('DELETE', '/api/v1/views/other', undefined, limited)).status).toBe(404);
  expect(await namesFor(everybody)).toContain('other');
});

test('a view that is no query is refused with the word that is wrong', async () => {
  const api = await openApi();
  const refused = await api.send('PUT', '/api/v1/views/x', { q: 'statu:failed' });
  expect(refused.status).toBe(400);
  expect(String(refused.body.detail)).toContain('“statu:” is not known');
});

test('a preset is kept for its job, never with a secret, and asks for an operator', async () => {
  const api = await openApi();
  const url = '/api/v1/jobs/events_job/presets/quick';
  const made = await api.send('PUT', url, { config: { mode: 'quick' }, description: 'Only the head.' });
  expect(made.body).toMatchObject({ job: 'events_job', name: 'quick', config: { mode: 'quick' }, by: 'api:local' });
  expect((await api.get('/api/v1/jobs/events_job/presets')).body.items).toHaveLength(1);
  expect((await api.get('/api/v1/jobs/chunks_job/presets')).body.items).toHaveLength(0);
  const secret = await api.send('PUT', url, { config: { db: { password: 'hunter2' } } });
  expect(secret.status).toBe(400);
  expect(secret.text).not.toContain('hunter2');
  expect((await api.send('PUT', url, { config: { password: 'env:DB_PASSWORD' } })).status).toBe(200);
  expect((await api.send('PUT', url, { config: { text: 'x'.repeat(70_000) } })).status).toBe(400);
  expect((await api.send('PUT', '/api/v1/jobs/nope/presets/x', { config: {} })).status).toBe(404);
  expect((await api.send('DELETE', url)).body).toEqual({ ok: true });
});
