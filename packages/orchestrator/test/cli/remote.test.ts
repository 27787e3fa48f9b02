/** The same commands through a server's API: no Redis and no configuration of their own, the rights of a token. */

import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type Ended, FIXTURE, type TestSkein, createSkein, until } from './skein.ts';

const ADMIN = 'an-administrator-for-this-test';

let host: TestSkein;
let url: string;
/** Has no Redis. */
let client: TestSkein;

beforeAll(async () => {
  host = createSkein();
  const dev = host.start(['dev', '--port', '0', '--json'], {
    SKEIN_AUTH_MODE: 'token',
    SKEIN_AUTH_ADMIN_TOKEN: ADMIN,
  });
  await dev.says('"url"');
  url = (JSON.parse(dev.output().split('\n')[0] ?? '') as { url: string }).url;
  client = createSkein({ SKEIN_REDIS_URL: 'redis://127.0.0.1:1', SKEIN_TOKEN: ADMIN });
});
afterAll(async () => {
  await client.close();
  await host.close();
});

const remote = (...args: string[]) => client.run(...args, '--server', url, '--json');

async function tokenOf(role: string, jobs?: string[]): Promise<string> {
  const made = await fetch(`${url}/api/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: `${role} of the test`, role, jobs }),
  });
  return ((await made.json()) as { token: string }).token;
}

function refusal(ended: Ended): { code: string; message: string; exit: number | null; details: unknown } {
  const { error } = ended.json<{ error: { code: string; message: string; details: unknown } }>();
  return { code: error.code, message: error.message, details: error.details, exit: ended.code };
}

test('run --wait streams the log and ends with the contract’s object; the run is the token’s', async () => {
  const ended = await remote('run', 'events_job', '--partition', '1..2_2024-01-01', '--tag', 'a=1', '--wait');
  expect(ended.code).toBe(0);
  const run = ended.json<{ run_id: string }>();
  expect(run).toEqual({
    run_id: expect.stringMatching(/^[0-9A-Z]{26}$/),
    status: 'SUCCESS',
    partitions: [
      { key: '1_2024-01-01', outcome: 'materialized', error: null, metadata: { rows: 7 } },
      { key: '2_2024-01-01', outcome: 'materialized', error: null, metadata: { rows: 7 } },
    ],
    result: expect.any(Object),
  });
  expect(ended.stderr.match(/counting rows/g)).toHaveLength(2);
  // What the ledger itself says of it, by the command that speaks to Redis, is the same.
  const [here, there] = await Promise.all([
    host.run('runs', 'show', run.run_id, '--json'),
    remote('runs', 'show', run.run_id),
  ]);
  expect(there.json()).toEqual(here.json());
  expect(there.json()).toMatchObject({ tags: { a: '1' }, cause: 'api:root' });
  const [log, logHere] = await Promise.all([
    remote('runs', 'logs', run.run_id),
    host.run('runs', 'logs', run.run_id, '--json'),
  ]);
  expect(log.json()).toEqual(logHere.json());
  const listed = await remote('runs', 'list', '--job', 'events_job');
  expect(listed.json<{ runs: object[] }>().runs).toContainEqual(
    expect.objectContaining({ run_id: run.run_id, config: null }),
  );
});

test('a run that fails exits 1; its retry is of what failed; lists go on page by page', async () => {
  const first = await remote('run', 'chunks_job', '--config', '{"team_ids":[1,13]}', '--wait');
  expect(first.code).toBe(1);
  const { run_id: id } = first.json<{ run_id: string }>();
  const again = await remote('runs', 'retry', id, '--failed-partitions');
  expect(again.json()).toMatchObject({ retry_of: id, partitions: ['13_2024-01-01'] });
  const { run_id: retried } = again.json<{ run_id: string }>();
  const followed = await remote('runs', 'logs', retried, '--follow');
  expect(followed.code).toBe(0);
  const newest = await remote('runs', 'list', '--job', 'chunks_job', '--limit', '1');
  const older = await remote('runs', 'list', '--job', 'chunks_job', '--limit', '1', '--before', retried);
  const ids = (ended: Ended) => ended.json<{ runs: { run_id: string }[] }>().runs.map((run) => run.run_id);
  expect([...ids(newest), ...ids(older)]).toEqual([retried, id]);
});

test('Ctrl-C while waiting cancels the run on the server and exits 130', async () => {
  const args = ['run', 'endless_job', '--partition', '1_2024-01-01', '--wait', '--server', url, '--json'];
  const waiting = client.start(args);
  await waiting.says('waiting');
  waiting.child.kill('SIGINT');
  const ended = await waiting.ended;
  expect(ended.code).toBe(130);
  expect(ended.json()).toMatchObject({ status: 'CANCELED' });
});

test('a cursor is set, refused, reset, undone and remembered; what asks for no reason here is asked for one', async () => {
  const cursor = (...args: string[]) => remote('sensors', 'cursor', ...args);
  const unreasoned = refusal(await cursor('set', 'feed', '{"next":2}'));
  expect(unreasoned).toMatchObject({ exit: 2, code: 'REQUEST_INVALID', message: expect.stringContaining('reason') });
  const set = await cursor('set', 'feed', '{"next":2}', '--reason', 'skip a day');
  expect(set.json()).toMatchObject({ version: 2, cursor_before: { next: 1, until: 3 }, cursor: { next: 2 } });
  const refused = refusal(await cursor('set', 'feed', '{"next":"x"}', '--reason', 'wrong'));
  expect(refused).toMatchObject({ exit: 2, code: 'CONFIG_INVALID', details: { fields: [{ path: 'next' }] } });
  const late = refusal(await cursor('set', 'feed', '{"next":3}', '--if-version', '1', '--reason', 'late'));
  expect(late).toMatchObject({ exit: 2, code: 'CONFLICT', details: { current_version: 2 } });
  const reset = await cursor('reset', 'feed', '--reason', 'start over');
  expect(reset.json()).toMatchObject({ version: 3, generation: 2, cursor: { next: 1, until: 3 } });
  expect((await cursor('undo', 'feed', '--reason', 'no')).json()).toMatchObject({ version: 4, cursor: { next: 2 } });
  const [here, there] = await Promise.all([
    host.run('sensors', 'cursor', 'history', 'feed', '--json'),
    cursor('history', 'feed'),
  ]);
  expect(there.json()).toEqual(here.json());
});

test('sensors are listed, previewed, switched and evaluated', async () => {
  const [here, there] = await Promise.all([host.run('sensors', 'list', '--json'), remote('sensors', 'list')]);
  expect(there.json()).toEqual(here.json());
  const preview = await remote('sensors', 'preview', 'feed', '--cursor', '{"next":3}', '--ticks', '2');
  expect(preview.json()).toMatchObject({
    ticks: [{ requests: [{ partitions: ['1_2024-01-03'] }] }, { requests: [], skip_reason: 'complete up to day 3' }],
  });
  const tick = await remote('sensors', 'tick', 'feed');
  expect(tick.json()).toMatchObject({ sensor: 'feed', status: 'SUCCESS', trigger: 'api:root' });
  expect((await remote('sensors', 'stop', 'feed')).json()).toEqual({ sensors: [{ name: 'feed', status: 'STOPPED' }] });
  expect((await remote('sensors', 'show', 'feed', '--ticks', '1')).json()).toMatchObject({
    status: 'STOPPED',
    status_by: 'api:root',
    ticks: [{ tick: tick.json<{ tick: string }>().tick }],
  });
});

test('a backfill and a pool: previewed, created, switched; the same fields as from the ledger', async () => {
  const range = ['--ids', '1..2', '--from', '2024-02-01', '--to', '2024-02-03'];
  const preview = await remote('backfill', 'events_job', ...range, '--preview');
  expect(preview.json()).toMatchObject({ preview: true, total: 6, to_run: 6 });
  const made = await remote('backfill', 'events_job', ...range, '--max-active', '1');
  const { backfill_id: id } = made.json<{ backfill_id: string }>();
  expect((await remote('backfills', 'cancel', id)).json()).toMatchObject({ backfill_id: id, status: 'CANCELED' });
  const isStill = async () => (await remote('backfills', 'show', id)).json<{ active: number }>().active === 0;
  await until(isStill, () => 'the end of what it had begun');
  const [here, there] = await Promise.all([
    host.run('backfills', 'list', '--json'),
    remote('backfills', 'list', '--limit', '5'),
  ]);
  expect(there.json()).toEqual(here.json());
  const retried = await remote('backfills', 'retry', id, '--cancelled');
  expect(retried.json()).toMatchObject({ retry_of: id, statuses: ['missing'] });
  expect((await remote('pools', 'set', 'narrow', '5')).json()).toMatchObject({ name: 'narrow', limit: 5 });
  expect((await host.run('pools', 'show', 'narrow', '--json')).json()).toMatchObject({ limit: 5, limit_by: 'set' });
});

test('partitions: listed, marked and forgotten with a reason; the same rows as from the ledger', async () => {
  const listed = (...args: string[]) =>
    Promise.all([host.run('partitions', 'events', ...args, '--json'), remote('partitions', 'events', ...args)]);
  await remote('run', 'events_job', '--partition', '31..33_2024-03-01..2024-03-02', '--wait');
  await remote('run', 'events_job', '--partition', '34_2024-03-01', '--config', '{"fail":true}', '--wait');
  for (const args of [
    ['--id', '31..33'],
    ['--id', '31,34', '--id', '32', '--from', '2024-03-01', '--to', '2024-03-01'],
    ['--status', 'failed,running'],
    ['--id', '34..35', '--status', 'missing', '--from', '2024-03-01', '--limit', '3'],
    ['--limit', '2'],
  ]) {
    const [here, there] = await listed(...args);
    expect([there.code, there.json()]).toEqual([0, here.json()]);
  }
  const [here] = await listed('--id', '31..34', '--from', '2024-03-01', '--to', '2024-03-01');
  expect(here.json()).toMatchObject({
    counts: { materialized: 6, failed: 1 },
    partitions: [{ key: '31_2024-03-01' }, { key: '32_2024-03-01' }, { key: '33_2024-03-01' }, { status: 'failed' }],
  });
  const mark = (verb: string, ...args: string[]) => remote('partitions', verb, 'events', ...args);
  const unreasoned = refusal(await mark('mark', '31_2024-03-01', '--as', 'skipped'));
  expect(unreasoned).toMatchObject({ exit: 2, code: 'REQUEST_INVALID', message: expect.stringContaining('reason') });
  const marked = await mark('mark', '31_2024-03-03..2024-03-04', '--as', 'skipped', '--reason', 'empty');
  expect(marked.json()).toEqual({ asset: 'events', as: 'skipped', changed: 2, busy: 0 });
  const forgotten = await mark('forget', '--id', '31..32', '--reason', 'again');
  expect(forgotten.json()).toMatchObject({ as: 'missing', changed: 6 });
  expect((await listed('--id', '31..32'))[1].json()).toMatchObject({ partitions: [] });
  expect(refusal(await remote('partitions', 'events', '--id', 'x'))).toMatchObject({ exit: 2 });
});

test('assets, jobs and schedules are listed, shown and switched; the same as from the definitions', async () => {
  for (const args of [
    ['assets'],
    ['assets', 'show', 'events'],
    ['jobs'],
    ['schedules'],
    ['schedules', 'show', 'nightly'],
  ]) {
    const [here, there] = await Promise.all([host.run(...args, '--json'), remote(...args)]);
    expect([there.code, there.json()]).toEqual([0, here.json()]);
  }
  expect((await remote('jobs', 'show', 'endless_job')).json()).toMatchObject({
    name: 'endless_job',
    runs: [{ job: 'endless_job', config: null }],
  });
  const started = await remote('schedules', 'start', 'nightly');
  expect(started.json()).toEqual({ schedules: [{ name: 'nightly', status: 'RUNNING' }] });
  expect((await host.run('schedules', 'show', 'nightly', '--json')).json()).toMatchObject({ status: 'RUNNING' });
  await remote('schedules', 'stop', 'nightly');
});

describe('who may what is the server’s say', () => {
  test.each([
    ['a viewer launches', 'viewer', undefined, ['run', 'events_job', '--partition', '1_2024-01-01'], 'FORBIDDEN'],
    ['an operator of another job', 'operator', ['chunks_job'], ['runs', 'list', '--job', 'events_job'], 'NOT_FOUND'],
    [
      'an operator forgets',
      'operator',
      undefined,
      ['partitions', 'forget', 'events', '--id', '7', '--reason', 'x'],
      'FORBIDDEN',
    ],
    ['an operator sets a pool', 'operator', ['chunks_job'], ['pools', 'set', 'narrow', '1'], 'FORBIDDEN'],
  ])('%s: refused with 2', async (_what, role, jobs, args, code) => {
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'skein-cli-')), 'token');
    writeFileSync(file, `${await tokenOf(role, jobs)}\n`);
    expect(refusal(await remote(...args, '--token', `file:${file}`))).toMatchObject({ exit: 2, code });
  });

  test('no token, one that is wrong, and one that stands on the command line', async () => {
    const none = await client.start(['runs', 'list', '--server', url, '--json'], { SKEIN_TOKEN: '' }).ended;
    expect(refusal(none)).toMatchObject({ exit: 2, code: 'UNAUTHENTICATED' });
    const wrong = await client.start(['runs', 'list', '--server', url, '--token', 'env:OTHER', '--json'], {
      OTHER: 'skein_nobody-has-this-one',
    }).ended;
    expect(refusal(wrong)).toMatchObject({ exit: 2, code: 'UNAUTHENTICATED' });
    expect(`${wrong.stdout}${wrong.stderr}`).not.toContain('nobody-has-this-one');
    const typed = await remote('runs', 'list', '--token', ADMIN);
    expect(refusal(typed)).toMatchObject({ exit: 2, code: 'USAGE_INVALID' });
    expect(`${typed.stdout}${typed.stderr}`).not.toContain(ADMIN);
  });
});

test.each([
  ['unknown job', ['run', 'nope', '--partition', '1_2024-01-01'], 'NOT_FOUND', 'nope'],
  ['a key that cannot be parsed', ['run', 'events_job', '--partition', 'abc'], 'PARTITION_KEY_INVALID', 'abc'],
  ['a config that is refused', ['run', 'chunks_job', '--config', '{"nope":1}'], 'CONFIG_INVALID', 'nope'],
  ['a run that is not there', ['runs', 'show', 'NOPE'], 'NOT_FOUND', 'NOPE'],
  ['an asset that is not there', ['partitions', 'nope'], 'NOT_FOUND', 'nope'],
  ['a schedule that is not there', ['schedules', 'start', 'nope'], 'NOT_FOUND', 'nope'],
  ['a sensor that is not there', ['sensors', 'cursor', 'get', 'nope'], 'NOT_FOUND', 'nope'],
  ['a command of the ledger itself', ['doctor'], 'USAGE_INVALID', '--server'],
])('%s is 2 with the code that it has here', async (_what, args, code, named) => {
  const ended = await remote(...args);
  expect(refusal(ended)).toMatchObject({ exit: 2, code, message: expect.stringContaining(named) });
  expect(ended.stderr).not.toMatch(/^\s+at /m);
});

test.each([
  ['what is no address', 'nope'],
  ['a file', 'file:///etc/passwd'],
  ['a password in it', 'http://me:topsecret@127.0.0.1:1'],
  ['a path', 'http://127.0.0.1:1/api'],
])('--server with %s is 2', async (_what, server) => {
  const ended = await client.run('runs', 'list', '--server', server, '--json');
  expect(refusal(ended)).toMatchObject({ exit: 2, code: 'USAGE_INVALID' });
  expect(ended.stderr).not.toContain('topsecret');
});

test('a server that is away is 3, and so is one that is no Skein; a token follows no redirect', async () => {
  expect(refusal(await client.run('runs', 'list', '--server', 'http://127.0.0.1:1', '--json'))).toMatchObject({
    exit: 3,
    code: 'SERVICE_UNAVAILABLE',
  });
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.includes('/pools')) response.writeHead(302, { location: '/elsewhere' }).end();
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  try {
    for (const what of ['runs', 'pools'])
      expect((await client.run(what, 'list', '--server', address, '--json')).code).toBe(3);
    expect(asked.some((path) => path.includes('elsewhere'))).toBe(false);
  } finally {
    other.close();
  }
});

test('a configuration that does not load is not needed', async () => {
  const cwd = path.join(FIXTURE, 'broken');
  const ended = await client.start(['pools', 'list', '--server', url, '--json'], {}, cwd).ended;
  expect(ended.code).toBe(0);
  expect(ended.json<{ pools: { name: string }[] }>().pools.map(({ name }) => name)).toContain('narrow');
});
