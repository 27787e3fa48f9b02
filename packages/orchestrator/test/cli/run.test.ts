import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from 'ioredis';

import { type TestSkein, createSkein } from './skein.ts';

let skein: TestSkein;
beforeEach(() => {
  skein = createSkein();
});
afterEach(() => skein.close());

test('run --wait --json works the run itself where no worker is alive, and ends with exactly the contract’s object', async () => {
  const ended = await skein.start(['run', 'events_job', '--partition', '1_2024-01-15', '--wait', '--json']).ended;
  expect(ended.code).toBe(0);
  expect(ended.json()).toEqual({
    run_id: expect.stringMatching(/^[0-9A-Z]{26}$/),
    status: 'SUCCESS',
    partitions: [{ key: '1_2024-01-15', outcome: 'materialized', error: null, metadata: { rows: 7 } }],
    result: { rows: 7 },
  });
  expect(ended.stderr).toContain('counting rows');
});

test('a run that fails exits 1 and says why; retry with only the failed partitions makes a new run', async () => {
  const first = await skein.run('run', 'chunks_job', '--config', '{"team_ids":[1,13]}', '--wait', '--json');
  expect(first.code).toBe(1);
  const run = first.json<{ run_id: string }>();
  expect(run).toMatchObject({
    status: 'FAILURE',
    partitions: [
      { key: '1_2024-01-01', outcome: 'materialized', metadata: { rows: 1 } },
      { key: '13_2024-01-01', outcome: 'failed', error: { code: 'BAD_TEAM', message: 'team 13 is bad' } },
    ],
    result: { teams_done: 2 },
  });
  const again = await skein.run('runs', 'retry', run.run_id, '--failed-partitions', '--wait', '--json');
  expect(again.code).toBe(1);
  const retried = again.json<{ run_id: string; partitions: { key: string }[] }>();
  expect(retried.partitions.map(({ key }) => key)).toEqual(['13_2024-01-01']);
  const shown = await skein.run('runs', 'show', retried.run_id, '--json');
  expect(shown.json()).toMatchObject({ run_id: retried.run_id, tags: { retry_of: run.run_id }, status: 'FAILURE' });
  const listed = await skein.run('runs', 'list', '--status', 'failed', '--json');
  expect(listed.json<{ runs: { run_id: string }[] }>().runs.map(({ run_id }) => run_id)).toEqual([
    retried.run_id,
    run.run_id,
  ]);
});

test('ranges, tags, priority, a config in a file and a rehearsal arrive as they were given', async () => {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'skein-cli-')), 'config.json');
  writeFileSync(file, '{"rows": 3}');
  const args = ['--partition', '1..2_2024-01-01..2024-01-02', '--config', `@${file}`, '--tag', 'a=1', 'b=2=3'];
  const ended = await skein.run('run', 'events_job', ...args, '--priority', '-5', '--dry-run', '--wait', '--json');
  expect(ended.code).toBe(0);
  const run = ended.json<{ run_id: string; partitions: { key: string; metadata: unknown }[] }>();
  expect(run.partitions.map(({ key }) => key)).toEqual([
    '1_2024-01-01',
    '1_2024-01-02',
    '2_2024-01-01',
    '2_2024-01-02',
  ]);
  const shown = await skein.run('runs', 'show', run.run_id, '--json');
  expect(shown.json()).toMatchObject({
    config: { rows: 3, dry_run: true },
    tags: { a: '1', b: '2=3' },
    priority: -5,
    cause: expect.stringMatching(/^cli:/),
  });
  // Only a rehearsal: the state of the partitions is as it was.
  const partitions = await skein.run('partitions', 'events', '--json');
  expect(partitions.json()).toMatchObject({ partitions: [], counts: { materialized: 0 } });
});

describe('what is wrong with a request', () => {
  let shared: TestSkein;
  beforeAll(() => {
    shared = createSkein();
  });
  afterAll(() => shared.close());

  test.each([
    ['a key that cannot be parsed', ['run', 'events_job', '--partition', 'abc'], 'PARTITION_KEY_INVALID', 'abc'],
    ['an unknown job', ['run', 'nope', '--partition', '1_2024-01-01'], 'NOT_FOUND', 'events_job'],
    ['no partition', ['run', 'events_job'], 'PARTITION_KEY_INVALID', '--partition'],
    ['an unknown key of the config', ['run', 'chunks_job', '--config', '{"nope":1}'], 'CONFIG_INVALID', 'nope'],
    ['a wrong type', ['run', 'chunks_job', '--config', '{"team_ids":"x"}'], 'CONFIG_INVALID', 'team_ids'],
    ['what is no JSON', ['run', 'chunks_job', '--config', '{bad'], 'CONFIG_INVALID', '--config'],
    ['a file that is not there', ['run', 'chunks_job', '--config', '@/nope.json'], 'USAGE_INVALID', '/nope.json'],
    [
      'a job that cannot rehearse',
      ['run', 'endless_job', '--partition', '1_2024-01-01', '--dry-run'],
      'CONFIG_INVALID',
      'dry_run',
    ],
    ['a run that is not there', ['runs', 'show', 'NOPE'], 'NOT_FOUND', 'NOPE'],
    ['an unknown command', ['nope'], 'USAGE_INVALID', 'nope'],
    ['an unknown option', ['runs', 'list', '--nope'], 'USAGE_INVALID', '--nope'],
    ['a missing argument', ['run'], 'USAGE_INVALID', 'job'],
    ['a malformed number', ['runs', 'list', '--limit', 'x'], 'USAGE_INVALID', '--limit'],
  ])('%s is refused with 2, one message and no stack', async (_what, args, code, named) => {
    const ended = await shared.run(...args, '--json');
    expect(ended.code).toBe(2);
    const { error } = ended.json<{ error: { code: string; message: string; hint: string | null; details: object } }>();
    expect(error).toEqual({
      code,
      message: expect.stringContaining(named),
      hint: error.hint,
      details: expect.any(Object),
    });
    expect(ended.stderr).toContain(error.message);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });
});

test('a Redis that does not answer is 3, and one that would lose the ledger 2 with its cure', async () => {
  const away = await skein.start(['runs', 'list'], { SKEIN_REDIS_URL: 'redis://:topsecret@127.0.0.1:1' }).ended;
  expect(away.code).toBe(3);
  expect(away.stderr).toContain('SKEIN_REDIS_URL');
  expect(away.stderr).not.toContain('topsecret');
  const unset = await skein.start(['runs', 'list'], { SKEIN_REDIS_URL: '' }).ended;
  expect(unset.code).toBe(3);
  const wrong = await skein.start(['runs', 'list'], { SKEIN_PORT: 'x', SKEIN_LEASE_MS: '1' }).ended;
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/SKEIN_PORT.*|SKEIN_LEASE_MS.*/);
});

test('a ledger of a newer Skein is refused by every kind of process, and left as it was', async () => {
  const redis = new Redis(skein.env.SKEIN_REDIS_URL ?? '');
  const key = `${skein.env.SKEIN_REDIS_PREFIX}:meta`;
  try {
    await redis.hset(key, 'state_version', 99);
    const commands = [
      ['worker'],
      ['worker', '--child'],
      ['server', '--port', '0'],
      ['dev', '--port', '0'],
      ['runs', 'list'],
      ['doctor'],
    ];
    const ends = await Promise.all([
      ...commands.slice(0, 1).map((args) => skein.start([...args, '--json']).ended),
      ...commands.slice(1).map((args) => skein.run(...args, '--json')),
    ]);
    for (const ended of ends) {
      expect(ended.code).toBe(2);
      expect(ended.stderr).toMatch(/state version 99, this one knows \d+.*LEDGER_NEWER/);
    }
    expect(await redis.keys(`${skein.env.SKEIN_REDIS_PREFIX}:*`)).toEqual([key]);
    expect(await redis.hgetall(key)).toEqual({ state_version: '99' });
  } finally {
    redis.disconnect();
  }
});

test('Ctrl-C while waiting cancels the run and exits 130', async () => {
  const waiting = skein.start(['run', 'endless_job', '--partition', '1_2024-01-01', '--wait', '--json']);
  await waiting.says('waiting');
  waiting.child.kill('SIGINT');
  const ended = await waiting.ended;
  expect(ended.code).toBe(130);
  expect(ended.json()).toMatchObject({ status: 'CANCELED', partitions: [{ outcome: null }] });
});

test('secrets of the environment are not in what is streamed and kept', async () => {
  const secret = 'correct-horse-battery';
  const ended = await skein.start(['run', 'events_job', '--partition', '1_2024-01-15', '--wait', '--json'], {
    FIXTURE_PASSWORD: secret,
  }).ended;
  expect(ended.code).toBe(0);
  expect(ended.stderr).toContain('password=***');
  const { run_id } = ended.json<{ run_id: string }>();
  const logs = await skein.run('runs', 'logs', run_id, '--json');
  expect(logs.json<{ lines: unknown[] }>().lines).toEqual([
    expect.objectContaining({ level: 'info', message: 'counting rows' }),
  ]);
  expect(`${ended.stdout}${ended.stderr}${logs.stdout}`).not.toContain(secret);
});

test('without --wait the run is queued; it can be cancelled', async () => {
  const launched = await skein.run('run', 'events_job', '--partition', '1_2024-01-15', '--json');
  const { run_id } = launched.json<{ run_id: string }>();
  expect(launched.json()).toEqual({ run_id, status: expect.stringMatching(/QUEUED|STARTING/), is_new: true });
  const cancelled = await skein.run('runs', 'cancel', run_id, '--json');
  expect(cancelled.json()).toEqual({ runs: [{ run_id, status: 'CANCELED' }] });
});
