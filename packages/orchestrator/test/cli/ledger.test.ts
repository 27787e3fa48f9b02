/** Partitions, backfills, pools, doctor and the lists of definitions. */

import { Redis } from 'ioredis';

import { type TestSkein, createSkein } from './skein.ts';

let skein: TestSkein;
beforeEach(() => {
  skein = createSkein();
});
afterEach(() => skein.close());

interface Listed {
  readonly partitions: { readonly key: string; readonly status: string; readonly run_id: string | null }[];
  readonly counts: Record<string, number>;
}
const partitions = async (...args: string[]) =>
  (await skein.run('partitions', 'events', ...args, '--json')).json<Listed>();
const keys = ({ partitions: found }: Listed) => found.map(({ key, status }) => `${key} ${status}`);

test('partitions are listed by id, day and status, marked and forgotten', async () => {
  await skein.run('run', 'events_job', '--partition', '1..2_2024-01-01..2024-01-02', '--wait');
  await skein.run('run', 'events_job', '--partition', '3_2024-01-01', '--config', '{"fail":true}', '--wait');
  const all = await partitions();
  expect(all.counts).toMatchObject({ materialized: 4, failed: 1 });
  expect(keys(all)).toEqual([
    '1_2024-01-01 materialized',
    '1_2024-01-02 materialized',
    '2_2024-01-01 materialized',
    '2_2024-01-02 materialized',
    '3_2024-01-01 failed',
  ]);
  expect(all.partitions[0]?.run_id).toMatch(/^[0-9A-Z]{26}$/);
  expect(keys(await partitions('--id', '2..3', '--from', '2024-01-01', '--to', '2024-01-01'))).toEqual([
    '2_2024-01-01 materialized',
    '3_2024-01-01 failed',
  ]);
  const missing = await partitions(
    '--id',
    '3',
    '--status',
    'missing,failed',
    '--from',
    '2024-01-01',
    '--to',
    '2024-01-02',
  );
  expect(keys(missing)).toEqual(['3_2024-01-01 failed', '3_2024-01-02 missing']);

  const preview = ['forget', 'events', '1_2024-01-01', '--id', '2..3', '--preview', '--json'];
  expect((await skein.run('partitions', ...preview)).json()).toEqual({
    asset: 'events',
    as: 'missing',
    changed: 4,
    busy: 0,
    preview: true,
  });
  expect(await partitions()).toEqual(all);
  const marked = await skein.run(
    'partitions',
    'mark',
    'events',
    '3_2024-01-01..2024-01-02',
    '--as',
    'materialized',
    '--reason',
    'made by hand',
    '--json',
  );
  expect(marked.json()).toMatchObject({ changed: 2, busy: 0 });
  const forgotten = await skein.run('partitions', 'forget', 'events', '1_2024-01-01', '--id', '2', '--json');
  expect(forgotten.json()).toMatchObject({ changed: 3 });
  expect(keys(await partitions())).toEqual([
    '1_2024-01-02 materialized',
    '3_2024-01-01 materialized',
    '3_2024-01-02 materialized',
  ]);
  expect((await skein.run('partitions', 'mark', 'events', '1_2024-01-01', '--as', 'failed')).code).toBe(2);
  expect((await skein.run('partitions', 'events', '--id', 'x')).code).toBe(2);
  expect((await skein.run('partitions', 'forget', 'events')).code).toBe(2);
  expect((await skein.run('partitions', 'nope')).code).toBe(2);
});

test('doctor recounts the counters, finds a wrong one and repairs it', async () => {
  await skein.run('run', 'events_job', '--partition', '1_2024-01-01..2024-01-03', '--wait');
  expect((await skein.run('doctor')).code).toBe(0);
  const redis = new Redis(skein.env.SKEIN_REDIS_URL ?? '');
  const prefix = skein.env.SKEIN_REDIS_PREFIX;
  const [seconds] = await redis.time();
  await redis.zadd(`${prefix}:due`, 1_000, 'feed');
  await redis.hset(`${prefix}:meta`, 'backup_at', 1_000);
  await redis.set(`${prefix}:pulse`, 1_000);
  await redis.hset(`${prefix}:stats`, 'fenced_commits', 2, 'lost_attempts', 2, 'repairs', 1);
  await redis.hset(`${prefix}:sensor:feed`, 'status', 'RUNNING', 'status_by', 'a person');
  await redis.hset(`${prefix}:lags`, 'feed', JSON.stringify({ lag: 9, from: 4, since: 1_000, version: '1' }));
  await redis.zadd(`${prefix}:workers`, Number(seconds) * 1_000, 'busy');
  await redis.hset(`${prefix}:workers:about`, 'busy', JSON.stringify({ id: 'busy', concurrency: 4, loop_p99_ms: 900 }));
  await redis.zadd(`${prefix}:runs:st:QUEUED`, 1_000, '01ARZ3NDEKTSV4RRFFQ69G5FAV');
  const overdue = (await skein.run('doctor', '--json')).json<{
    findings: { check: string; state: string; fix: string }[];
  }>();
  for (const [check, state] of [
    ['pulse', 'problem'],
    ['backup', 'problem'],
    ['fenced commits', 'notice'],
    ['lost workers', 'problem'],
    ['repairs', 'notice'],
    ['queue', 'problem'],
    ['tick lag', 'problem'],
    ['cursors', 'problem'],
    ['event loops', 'problem'],
    ['clock', 'ok'],
    ['outbox', 'ok'],
    ['replication', 'ok'],
  ])
    expect(overdue.findings).toContainEqual(expect.objectContaining({ check, state }));
  expect(overdue.findings.filter(({ state, fix }) => state === 'problem' && !fix)).toEqual([]);
  await redis.del(`${prefix}:due`, `${prefix}:lags`, `${prefix}:workers`, `${prefix}:workers:about`, `${prefix}:stats`);
  await redis.hset(`${prefix}:sensor:feed`, 'status', 'STOPPED', 'status_by', 'definition');
  await redis.zrem(`${prefix}:runs:st:QUEUED`, '01ARZ3NDEKTSV4RRFFQ69G5FAV');
  await redis.hdel(`${prefix}:meta`, 'backup_at');
  await redis.del(`${prefix}:pulse`);
  await redis.hincrby(`${prefix}:cntr:events:1`, 'o1', 5);
  await redis.hincrby(`${prefix}:cnt:events`, 'o1', 5);
  const sick = await skein.run('doctor', '--json');
  expect(sick.code).toBe(1);
  expect(sick.json<{ findings: unknown[] }>().findings).toContainEqual(
    expect.objectContaining({ check: 'counters', state: 'problem', message: expect.stringContaining('events/1') }),
  );
  expect((await skein.run('doctor', '--repair')).code).toBe(0);
  await redis.hincrby(`${prefix}:cnt:events`, 'o1', -1); // only the total is wrong
  expect((await skein.run('doctor')).code).toBe(1);
  expect((await skein.run('doctor', '--repair')).code).toBe(0);
  expect(await redis.hget(`${prefix}:cnt:events`, 'o1')).toBe('3');
  redis.disconnect();
});

test('a backfill is previewed, created, paused, resumed and cancelled', async () => {
  const range = ['--ids', '1..3', '--from', '2024-02-01', '--to', '2024-02-03'];
  const preview = await skein.run('backfill', 'events_job', ...range, '--preview', '--json');
  expect(preview.json()).toMatchObject({
    preview: true,
    total: 9,
    to_run: 9,
    first: '1_2024-02-01',
    last: '3_2024-02-03',
  });
  expect((await skein.run('backfills', 'list', '--json')).json()).toEqual({ backfills: [] });

  const made = await skein.run(
    'backfill',
    'events_job',
    ...range,
    '--status',
    'missing',
    '--max-active',
    '2',
    '--json',
  );
  const { backfill_id } = made.json<{ backfill_id: string }>();
  expect(made.json()).toMatchObject({ total: 9, to_run: 9 });
  const switched = async (...args: string[]) =>
    (await skein.run('backfills', ...args, '--json')).json<{ status: string }>();
  expect(await switched('show', backfill_id)).toMatchObject({ status: 'IN_PROGRESS', max_active: 2, active: 2 });
  expect(await switched('pause', backfill_id, '--reason', 'slow')).toMatchObject({
    status: 'PAUSED',
    status_reason: 'slow',
  });
  expect(await switched('resume', backfill_id)).toMatchObject({ status: 'IN_PROGRESS' });
  expect(await switched('cancel', backfill_id)).toMatchObject({ status: 'CANCELED' });
  expect(await switched('retry', backfill_id, '--cancelled')).toMatchObject({
    retry_of: backfill_id,
    statuses: ['missing'],
  });
  expect((await skein.run('backfill', 'events_job', ...range, '--config', '{"rows":"x"}')).code).toBe(2);
  expect((await skein.run('backfills', 'show', 'NOPE')).code).toBe(2);
});

test('assets, jobs and pools are listed, shown and set', async () => {
  const assets = (await skein.run('assets', '--json')).json<{ assets: { key: string }[] }>();
  expect(assets.assets.map(({ key }) => key)).toEqual(['events', 'endless', 'blocking', 'chunks']);
  expect((await skein.run('assets', 'show', 'events', '--json')).json()).toMatchObject({
    key: 'events',
    pool: 'narrow',
    config_schema: { properties: { rows: { type: 'number' } } },
  });
  expect((await skein.run('jobs', 'show', 'events_job', '--json')).json()).toMatchObject({
    assets: ['events'],
    runs: [],
  });
  expect((await skein.run('pools', '--json')).json()).toEqual({
    pools: [{ name: 'narrow', limit: 2, used: 0, limit_by: 'definition', version: 0 }],
  });
  expect((await skein.run('pools', 'set', 'narrow', '5', '--json')).json()).toMatchObject({
    limit: 5,
    limit_by: 'set',
  });
  expect((await skein.run('pools', 'set', 'narrow', 'x')).code).toBe(2);
  expect((await skein.run('pools', 'set', 'nope', '5')).code).toBe(2);
});

test('every change is in the audit log under the name of the operating-system user', async () => {
  skein.env.DUCKLING_7_PASSWORD = 'hunter2hunter2';
  await skein.run('pools', 'set', 'narrow', '4');
  await skein.run('sensors', 'cursor', 'reset', 'feed', '--reason', 'start over');
  await skein.run(
    'partitions',
    'mark',
    'events',
    '1_2024-01-01',
    '--as',
    'skipped',
    '--reason',
    'as hunter2hunter2 says',
  );
  const redis = new Redis(skein.env.SKEIN_REDIS_URL ?? '');
  const entries = await redis.xrange(`${skein.env.SKEIN_REDIS_PREFIX}:audit`, '-', '+');
  redis.disconnect();
  const text = entries.map(([, fields]) => fields.join(' '));
  expect(text).toEqual([
    expect.stringMatching(
      /actor cli:\S+ .*action skein pools set target pool:narrow .*before \{"limit":2.* after \{"limit":4/,
    ),
    expect.stringMatching(
      /actor cli:\S+ .*action skein sensors cursor reset target sensor:feed\/cursor reason start over before \{.*"version":1.* after \{.*"version":2/,
    ),
    // With what an undo needs, and without the secrets of the environment.
    expect.stringMatching(
      /target asset:events reason as \*\*\* says before \{"outcomes":\{"1_2024-01-01":"missing"\}\} after \{.*"outcomes":\{"1_2024-01-01":"skipped"\}/,
    ),
  ]);
});
