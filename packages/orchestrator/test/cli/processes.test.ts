/** The commands that stay: worker, server, dev; and how others see them. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { FIXTURE, type Running, type TestSkein, createSkein, until } from './skein.ts';

let skein: TestSkein;
beforeEach(() => {
  skein = createSkein({ SKEIN_LEASE_MS: '2000', SKEIN_LEASE_RENEW_MS: '400', SKEIN_CANCEL_GRACE_MS: '500' });
});
afterEach(() => skein.close());

const workersOf = (running: Running) =>
  [...running.output().matchAll(/worker process (\d+) is ready/g)].map((m) => Number(m[1]));

/** Waits until a process has started another one, which has barely begun by then. */
async function hasChild(pid: number): Promise<void> {
  await until(
    async () => (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')) !== '',
    () => `a child of process ${pid}`,
  );
}

test('a worker’s process that is killed or blocked beyond its lease is replaced, and the run goes on', async () => {
  const worker = skein.start(['worker']);
  await worker.says(/is ready/);
  const [first = 0] = workersOf(worker);
  process.kill(first, 'SIGKILL');
  await worker.says(/is ready[^]*is ready/);

  const run = await skein.run('run', 'blocking_job', '--partition', '1_2024-01-01', '--wait', '--json');
  expect(run.json()).toMatchObject({ status: 'SUCCESS', result: { rows: 1 } });
  expect(run.stderr).toContain('attempt.lost');
  expect(worker.output()).toContain('does not answer and is killed');

  await worker.says(/(is ready[^]*){3}/);
  worker.child.kill('SIGTERM');
  const ended = await worker.ended;
  expect(ended.code).toBe(0);
  for (const pid of workersOf(worker)) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a worker’s process whose supervisor is killed while it starts does not stay behind', async () => {
  const worker = skein.start(['worker']);
  await hasChild(worker.child.pid ?? 0);
  worker.child.kill('SIGKILL');
  // Its output is closed when no process holds it any more, the child neither.
  expect(await worker.ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
});

test('a worker that cannot start says why once, with its exit code; so does one of a pool that is not there', async () => {
  const away = await skein.start(['worker'], { SKEIN_REDIS_URL: 'redis://127.0.0.1:1' }).ended;
  expect(away.code).toBe(3);
  expect(away.stderr.match(/SERVICE_UNAVAILABLE/g)).toHaveLength(1);
  const misspelt = await skein.run('worker', '--pools', 'narrow,nope', '--json');
  expect(misspelt.code).toBe(2);
  expect(misspelt.stderr).toContain('nope');
  expect((await skein.run('worker', '--pools', ',')).code).toBe(2);
});

test('the metrics of a worker are those of all its processes; a port that is taken is said so', async () => {
  const worker = skein.start(['worker', '--processes', '2', '--metrics-port', '0']);
  await worker.says(/is ready[^]*is ready/);
  await worker.says(/Metrics are at/);
  const url = /http:\S+/.exec(worker.output())?.[0] ?? '';
  for (const day of ['2024-01-01', '2024-01-02', '2024-01-03'])
    expect((await skein.run('run', 'events_job', '--partition', `1_${day}`, '--wait', '--json')).code).toBe(0);
  const answer = await fetch(url);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  const text = await answer.text();
  expect(text).toContain(`skein_run_duration_seconds_count{asset="events",verdict="ok"} 3\n`);
  expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
  const second = await skein.start(['worker', '--metrics-port', new URL(url).port]).ended;
  expect([second.code, second.stderr]).toEqual([3, expect.stringMatching(/port \d+ .*cannot be had: EADDRINUSE/)]);
});

test('dev serves and works; SIGTERM ends it with 0, Ctrl-C with 130', async () => {
  const dev = skein.start(['dev', '--port', '0', '--json']);
  await dev.says('"url"');
  const { url } = JSON.parse(
    dev
      .output()
      .split('\n')
      .find((line) => line.includes('"url"')) ?? '{}',
  ) as { url: string };
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const run = await skein.run('run', 'events_job', '--partition', '1_2024-01-01', '--wait', '--json');
  expect(run.code).toBe(0);
  expect(run.stderr).not.toContain('works the run itself');
  dev.child.kill('SIGTERM');
  expect((await dev.ended).code).toBe(0);

  const server = skein.start(['server', '--port', '0']);
  await server.says('Skein is at http://127.0.0.1:');
  server.child.kill('SIGINT');
  expect((await server.ended).code).toBe(130);
});

test('the command works from a folder inside the project, and says what is missing outside of one', async () => {
  const inside = await skein.start(['check', '--json'], {}, FIXTURE).ended;
  expect(inside.json()).toMatchObject({ ok: true, jobs: 4, sensors: 1 });
  const help = await skein.start(['greet', '--help'], {}, FIXTURE).ended;
  expect(help.stdout).toContain('--json');
  const nested = await skein.start(['greet', 'ana', '--json'], {}, path.join(FIXTURE, 'nested')).ended;
  expect(nested.json()).toEqual({ hello: 'hello ana' });
  const failing = await skein.start(['greet', 'ana', '--fail']).ended;
  expect(failing.code).toBe(1);
  expect(failing.stdout).toBe('hello ana\n');
  const broken = await skein.start(['jobs'], {}, path.join(FIXTURE, 'broken')).ended;
  expect(broken.code).toBe(2);
  expect(broken.stderr).toMatch(/skein\.config\.ts cannot be loaded.*no such deployment/);
  expect(broken.stderr).not.toMatch(/^\s+at /m);
  expect((await skein.start(['--help'], {}, path.join(FIXTURE, 'broken')).ended).code).toBe(0);
});
