import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

test('a number of each partition: what the job recorded, or how long it took', async () => {
  let n = 0;
  const api = await openApi(() => ({ rows: ++n * 10 }));
  await api.worker();
  for (const key of ['1_2024-01-15', '1_2024-01-16', '2_2024-01-15']) {
    const { run_id: id } = (await api.post('/api/v1/launch', { job: 'events_job', partitions: [key] })).body;
    await api.until(
      async () => String((await api.get(`/api/v1/runs/${String(id)}`)).body.status),
      (status) => status === 'SUCCESS',
    );
  }
  const column = Number((await api.get('/api/v1/assets/events/partition?partition=1_2024-01-15')).body.column);
  const ask = (of: string, more: object = {}) =>
    api.post('/api/v1/assets/events/partitions/values', {
      rows: ['2', '1', '9'],
      from: column,
      to: column + 2,
      of,
      ...more,
    });
  const rows = await ask('rows');
  expect(rows.body).toEqual({
    cells: [
      [0, column, 30],
      [1, column, 10],
      [1, column + 1, 20],
    ],
    names: ['rows'],
  });
  const took = (await ask('duration_ms')).body.cells as unknown as [number, number, number][];
  expect(took).toHaveLength(3);
  expect(took.every(([, , ms]) => ms >= 0)).toBe(true);
  expect((await ask('nothing')).body.cells).toEqual([]);
  expect((await ask('tries')).body.cells).toEqual([
    [0, column, 1],
    [1, column, 1],
    [1, column + 1, 1],
  ]);
  const numbers = async (of: string) => (await ask(of)).body.cells as unknown as [number, number, number][];
  // Made today, of a window that ended in January 2024, the second of the row a day later.
  const [late, first, second] = await numbers('lag_ms');
  expect(late?.[2]).toBeGreaterThan(Date.now() - Date.parse('2024-01-16T00:00:00Z') - 600_000);
  expect(Math.round((Number(first?.[2]) - Number(second?.[2])) / 86_400_000)).toBe(1);
  expect((await numbers('age_ms')).every(([, , ms]) => ms >= 0 && ms < 600_000)).toBe(true);
  await api.post('/api/v1/assets/events/partitions/forget', { partitions: ['2_2024-01-15'], reason: 'a test' });
  for (const name of ['tries', 'lag_ms', 'age_ms'])
    expect([name, (await numbers(name)).map(([row]) => row)]).toEqual([name, [1, 1]]);
  expect((await ask('rows', { from: 5, to: 4 })).status).toBe(400);
  expect((await ask('rows', { from: 0, to: 9_000_000 })).status).toBe(400);
});
