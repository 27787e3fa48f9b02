import { type TestSkein, createSkein } from './skein.ts';

let skein: TestSkein;
beforeEach(() => {
  skein = createSkein();
});
afterEach(() => skein.close());

const cursorOf = async () =>
  (await skein.run('sensors', 'cursor', 'get', 'feed', '--json')).json<{ cursor: unknown; version: number }>();

test('preview shows ticks ahead in the contract’s shape, and changes nothing', async () => {
  const ended = await skein.run('sensors', 'preview', 'feed', '--ticks', '3', '--cursor', '{"next":3}', '--json');
  expect(ended.code).toBe(0);
  const { ticks } = ended.json<{ ticks: Record<string, unknown>[] }>();
  expect(ticks).toHaveLength(3);
  expect(ticks[0]).toMatchObject({
    requests: [{ partitions: ['1_2024-01-03'], config: {}, tags: {}, run_key: expect.any(String) }],
    skip_reason: null,
    cursor_before: { next: 3 },
    cursor_after: { next: 4, until: 3 },
  });
  expect(ticks[1]).toMatchObject({ requests: [], skip_reason: 'complete up to day 3' });
  const shown = await skein.run('sensors', 'preview', 'feed', '--ticks', '5');
  expect(shown.stdout).toContain('3 runs in 3 of 5 ticks, 0 requests suppressed');
  expect(await cursorOf()).toMatchObject({ cursor: { next: 1, until: 3 }, version: 1 });
  expect((await skein.run('runs', 'list', '--json')).json()).toEqual({ runs: [] });
});

test('the cursor is set, refused, reset, undone and remembered, while no worker runs', async () => {
  const set = await skein.run('sensors', 'cursor', 'set', 'feed', '{"next":2}', '--reason', 'skip a day', '--json');
  expect(set.code).toBe(0);
  expect(set.json()).toMatchObject({ version: 2, cursor_before: { next: 1, until: 3 }, cursor: { next: 2 } });

  const refused = await skein.run('sensors', 'cursor', 'set', 'feed', '{"next":"x","nope":1}', '--json');
  expect(refused.code).toBe(2);
  const { error } = refused.json<{
    error: { code: string; message: string; details: { fields: { path: string }[] } };
  }>();
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.details.fields.map(({ path }) => path).sort()).toEqual(['next', 'nope']);
  expect(refused.stderr).toContain('next');

  const late = await skein.run('sensors', 'cursor', 'set', 'feed', '{"next":3}', '--if-version', '1', '--json');
  expect(late.code).toBe(2);
  expect(late.json()).toMatchObject({ error: { code: 'CONFLICT', details: { current_version: 2 } } });

  const reset = await skein.run('sensors', 'cursor', 'reset', 'feed', '--reason', 'start over', '--json');
  expect(reset.json()).toMatchObject({ version: 3, generation: 2, cursor: { next: 1, until: 3 } });
  const undo = await skein.run('sensors', 'cursor', 'undo', 'feed', '--json');
  expect(undo.json()).toMatchObject({ version: 4, cursor: { next: 2 } });

  const history = await skein.run('sensors', 'cursor', 'history', 'feed', '--json');
  const { changes } = history.json<{ changes: { version: number; by: string; reason: string; after: unknown }[] }>();
  expect(changes.map(({ version }) => version)).toEqual([4, 3, 2]);
  expect(changes[1]).toMatchObject({ reason: 'start over', by: expect.stringMatching(/^cli:/) });
  expect(changes[2]).toMatchObject({ reason: 'skip a day', after: { next: 2 } });

  const unknown = await skein.run('sensors', 'cursor', 'get', 'nope');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('feed');
});

test('a tick is evaluated here where no worker is alive, launches its run and moves the cursor', async () => {
  const tick = await skein.run('sensors', 'tick', 'feed', '--json');
  expect(tick.code).toBe(0);
  expect(tick.json()).toMatchObject({ sensor: 'feed', decision: 'requested', cursor_after: { next: 2, until: 3 } });
  const { runs } = tick.json<{ runs: string[] }>();
  const shown = await skein.run('runs', 'show', runs[0] ?? '', '--json');
  expect(shown.json()).toMatchObject({
    job: 'events_job',
    cause: 'sensor:feed:feed.1',
    status: expect.stringMatching(/QUEUED|STARTING/),
  });
  const after = await skein.run('sensors', 'show', 'feed', '--json');
  expect(after.json()).toMatchObject({
    name: 'feed',
    status: 'STOPPED',
    version: 2,
    ticks: [{ decision: 'requested' }],
  });
});

test('sensors and schedules are listed, started and stopped', async () => {
  const before = await skein.run('sensors', 'list', '--json');
  expect(before.json()).toMatchObject({ sensors: [{ name: 'feed', status: 'STOPPED', job: 'events_job' }] });
  expect((await skein.run('sensors', 'start', 'feed', '--json')).json()).toEqual({
    sensors: [{ name: 'feed', status: 'RUNNING' }],
  });
  expect((await skein.run('sensors', 'list', '--json')).json()).toMatchObject({ sensors: [{ status: 'RUNNING' }] });
  // Nobody works, and a sensor waits for it: the doctor says so.
  const doctor = await skein.run('doctor', '--json');
  expect(doctor.code).toBe(1);
  expect(doctor.json<{ findings: unknown[] }>().findings).toContainEqual(
    expect.objectContaining({ check: 'workers', state: 'problem', fix: expect.stringContaining('skein worker') }),
  );
  expect((await skein.run('sensors', 'stop', 'feed', 'nope')).code).toBe(2);
  expect((await skein.run('sensors', 'stop', 'feed')).stdout).toBe('feed STOPPED\n');
  expect((await skein.run('schedules', 'start', 'nightly', '--json')).code).toBe(0);
  expect((await skein.run('schedules', 'show', 'nightly', '--json')).json()).toMatchObject({
    status: 'RUNNING',
    next_tick_at: expect.any(String),
  });
});
