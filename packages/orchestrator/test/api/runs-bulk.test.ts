import { createClient } from '../../src/engine/client.ts';
import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const launch = async (api: Awaited<ReturnType<typeof openApi>>, team: number) =>
  String((await api.post('/api/v1/launch', { job: 'events_job', partitions: [`${team}_2024-01-15`] })).body.run_id);

test('all runs of a query are counted, then cancelled page by page; what came later is left alone', async () => {
  const api = await openApi();
  for (let team = 1; team <= 7; team++) await launch(api, team);
  await api.post('/api/v1/launch', { job: 'chunks_job', config: { team_ids: [3] } });
  const counted = (await api.get(`/api/v1/runs/count?q=${encodeURIComponent('job:events_job')}`)).body;
  expect(counted).toMatchObject({ count: 7, exact: true, active: 7 });
  await new Promise((resolve) => setTimeout(resolve, 2)); // a later millisecond
  const later = await launch(api, 8);
  const body = { q: 'job:events_job', before: String(counted.as_of), reason: 'test', limit: 3 };
  const done: number[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const step = (await api.post('/api/v1/runs/cancel', { ...body, ...(after ? { after } : {}) })).body;
    done.push(Number(step.done));
    after = step.next as unknown as string | null;
  }
  expect(done.reduce((sum, n) => sum + n, 0)).toBe(7);
  expect(done.length).toBeGreaterThan(1);
  expect((await api.get(`/api/v1/runs/${later}`)).body.status).not.toMatch(/CANCEL/);
  const again = (await api.post('/api/v1/runs/cancel', body)).body;
  expect(again).toMatchObject({ done: 0 });
  const audit = (await api.get('/api/v1/audit')).body.items as unknown as { action: string; reason: string }[];
  expect(
    audit.filter((one) => one.action === 'POST /api/v1/runs/cancel' && one.reason === 'test').length,
  ).toBeGreaterThan(1);
});

test('failed runs are launched again; one that still works is refused with its reason', async () => {
  const api = await openApi(() => {
    throw new RangeError('broken');
  });
  const id = await launch(api, 1);
  const worker = await api.worker();
  await api.until(
    async () => String((await api.get(`/api/v1/runs/${id}`)).body.status),
    (status) => status === 'FAILURE',
  );
  await worker.stop(0);
  expect((await api.get(`/api/v1/runs/${id}/similar`)).body.group).toMatchObject({ runs: 1, run_ids: [id] });
  const waiting = await launch(api, 2);
  expect((await api.get(`/api/v1/runs/${waiting}/similar`)).body).toEqual({ group: null });
  const groups = async (by: string) => (await api.get(`/api/v1/runs/groups?by=${by}&q=job:events_job`)).body;
  expect(await groups('error')).toMatchObject({
    counted: 2,
    exact: true,
    items: [
      { name: '', newest_id: waiting },
      { count: 1, by_status: { FAILURE: 1 }, newest_id: id },
    ],
  });
  expect(await groups('cause')).toMatchObject({ items: [{ count: 2 }] });
  expect((await api.get('/api/v1/runs/groups?by=colour')).status).toBe(400);
  const counted = (await api.get('/api/v1/runs/count?q=job:events_job')).body;
  const step = (
    await api.post('/api/v1/runs/retry', { q: 'job:events_job', before: String(counted.as_of), reason: 'again' })
  ).body;
  expect(step).toMatchObject({ matched: 2, done: 1, refused: [{ run_id: waiting }], next: null });
  const runs = (await api.get('/api/v1/runs?job=events_job')).body.items as unknown as {
    cause: string;
    first_partition: string;
  }[];
  expect(runs.find((run) => run.cause === `retry:${id}`)?.first_partition).toBe('1_2024-01-15');
});

test('of one status alone the index tells, and tells the same as counting', async () => {
  const api = await openApi();
  const client = createClient(api.engine);
  const key = (i: number) => `${(i % 30) + 1}_2024-01-${String(Math.floor(i / 30) + 1).padStart(2, '0')}`;
  await Promise.all(
    Array.from({ length: 600 }, (_, i) => client.submit({ job: 'events_job', partitions: [key(i)], cause: 'test' })),
  );
  await client.cancel(
    (await client.submit({ job: 'events_job', partitions: ['77_2024-01-01'], cause: 'test' })).runId,
    'ana',
  );
  // Nobody works, so most wait; those that were let out first are STARTING.
  const count = async (q: string) => (await api.get(`/api/v1/runs/count?q=${encodeURIComponent(q)}`)).body;
  const byIndex = await count('status:queued');
  const oneByOne = await count('status:queued after:-24h');
  expect(Number(byIndex.count)).toBeGreaterThan(500);
  expect({ ...byIndex, as_of: oneByOne.as_of }).toEqual(oneByOne);
});

test('a reason is wanted, and a query that is none is refused', async () => {
  const api = await openApi();
  const before = new Date().toISOString();
  expect((await api.post('/api/v1/runs/cancel', { q: '', before, reason: '' })).status).toBe(400);
  expect((await api.post('/api/v1/runs/cancel', { q: 'nope:1', before, reason: 'x' })).status).toBe(400);
  expect((await api.post('/api/v1/runs/cancel', { q: '', before: 'now', reason: 'x' })).status).toBe(400);
});
