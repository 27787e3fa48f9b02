import { submit } from '../../src/engine/submit.ts';
import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

test('a check tells everything of a launch and changes nothing', async () => {
  const api = await openApi();
  await submit(api.engine, { job: 'events_job', partitions: ['2_2024-01-01'], cause: 'test' });
  const { status, body } = await api.post('/api/v1/launch/check', {
    job: 'events_job',
    partitions: ['1..2_2024-01-01..2024-01-02'],
    config: { note: 'hello' },
    tags: { a: 'b' },
    dry_run: true,
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    ok: true,
    errors: [],
    partitions_total: 4,
    busy: 1,
    effective_config: { dry_run: true, note: 'hello' },
    tags: { a: 'b' },
    rehearsal: true,
    on_busy: 'wait',
  });
  expect(body.partitions).toContainEqual({ key: '2_2024-01-01', outcome: 'missing', activity: 'queued' });
  expect((await api.get('/api/v1/runs')).body.total).toBe(1);
});

test('a check names every wrong field', async () => {
  const api = await openApi();
  const check = async (body: object) => (await api.post('/api/v1/launch/check', body)).body;
  expect(
    await check({ job: 'events_job', partitions: ['1_2024-01-01'], config: { dry_run: 'yes', colour: 1 } }),
  ).toMatchObject({
    ok: false,
    errors: expect.arrayContaining([
      { path: 'config.dry_run', message: expect.any(String) },
      { path: 'config.colour', message: 'is not a known key' },
    ]),
  });
  expect(await check({ job: 'events_job', partitions: ['nonsense'] })).toMatchObject({
    ok: false,
    errors: [{ path: 'partitions', message: expect.stringContaining('nonsense') }],
  });
  expect(await check({ job: 'events_job' })).toMatchObject({ ok: false, errors: [{ path: 'partitions' }] });
  expect(await api.post('/api/v1/launch/check', { job: 'nope' })).toMatchObject({ status: 404 });
  expect(await api.post('/api/v1/launch/check', { job: 'events_job', colour: 1 })).toMatchObject({ status: 400 });
});

test('a launch is refused as the engine refuses it: config, key, taken partition, unknown field', async () => {
  const api = await openApi(undefined, { definitions: { onBusy: 'refuse' } });
  const launch = (body: object) => api.post('/api/v1/launch', body);
  expect(await launch({ job: 'events_job', partitions: ['1_2024-01-01'], config: { dry_run: 3 } })).toMatchObject({
    status: 422,
    body: { code: 'CONFIG_INVALID', errors: [{ path: 'dry_run' }] },
  });
  expect(await launch({ job: 'events_job', partitions: ['x'] })).toMatchObject({
    status: 400,
    body: { code: 'PARTITION_KEY_INVALID' },
  });
  expect((await launch({ job: 'events_job', partitions: ['1_2024-01-01'] })).status).toBe(202);
  expect(await launch({ job: 'events_job', partitions: ['1_2024-01-01'] })).toMatchObject({
    status: 409,
    body: { code: 'REFUSED' },
  });
  expect((await launch({ job: 'events_job', partitions: ['2_2024-01-01'], cause: 'sensor:x' })).status).toBe(400);
  expect((await launch({ job: 'chunks_job', config: {}, dry_run: true })).status).toBe(422);
});

test('the same run key launches once', async () => {
  const api = await openApi();
  const launch = () => api.post('/api/v1/launch', { job: 'events_job', partitions: ['1_2024-01-01'], run_key: 'k1' });
  const [first, second] = [await launch(), await launch()];
  expect(second.body).toEqual({ run_id: first.body.run_id, is_new: false });
});

test('why a run waits: behind another run, in a full pool, without a worker; and who has what is under way', async () => {
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const api = await openApi(() => finished.then(() => ({})), { definitions: { pool: 'narrow' } });
  const launch = async (partition: string) =>
    String((await api.post('/api/v1/launch', { job: 'events_job', partitions: [partition] })).body.run_id);
  const why = async (id: string) => (await api.get(`/api/v1/runs/${id}/why`)).body;
  const first = await launch('1_2024-01-01');
  const behind = await launch('1_2024-01-01');
  expect(await why(behind)).toMatchObject({ waits_for_run: first, workers: 0 });
  expect((await why(behind)).sentences).toEqual(
    expect.arrayContaining([
      `It waits: partition 1_2024-01-01 of events is held by run ${first}.`,
      'No worker is alive: start one with “skein worker”.',
    ]),
  );
  await launch('2_2024-01-01');
  const third = await launch('3_2024-01-01');
  const facts = await api.until(
    () => why(third),
    (body) => Number(body.pool?.used) === 2,
  );
  expect(facts).toMatchObject({
    pool: { name: 'narrow', limit: 2 },
    place: { ahead_in_lane: 0 },
    units: { QUEUED: 1 },
  });
  expect(facts.sentences).toContain('The pool narrow is full: 2 of 2 slots are taken.');
  const worker = await api.worker();
  const working = await api.until(
    () => why(first),
    (body) => (body.units as { RUNNING?: number }).RUNNING === 1,
  );
  expect(working.sentences).toContainEqual(
    expect.stringMatching(
      new RegExp(`^Attempt 1 has been under way on the worker ${worker.id} since .*Z; its lease ends at .*Z unless`),
    ),
  );
  finish();
});
