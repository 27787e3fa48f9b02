/**
 * The topology of the Compose file and the chart, as plain processes: two servers with sign-in and two workers on one
 * Redis. All of them are replaced one by one, as an upgrade does, while a backfill runs: nothing lost, nothing twice.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from 'ioredis';

import { testRedis } from '../infra/embedded/test-services/index.ts';

const ROOT = path.resolve(__dirname, '..');
const BIN = path.join(ROOT, 'packages/orchestrator/bin/skein.mjs');
const PATIENCE_MS = 120_000;
const TOKEN = 'an-administrators-token-of-this-test';
const IDS = 100;
const DAYS = 30;

const folder = mkdtempSync(path.join(tmpdir(), 'skein-topology-'));
const log = path.join(folder, 'done');
const running = new Set<ChildProcess>();
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  const { url, prefix } = testRedis();
  writeFileSync(log, '');
  writeFileSync(`${log}.slow`, '');
  env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TOPOLOGY_LOG: log,
    SKEIN_REDIS_URL: url,
    SKEIN_REDIS_PREFIX: `{${prefix}}`,
    SKEIN_AUTH_MODE: 'token',
    SKEIN_AUTH_ADMIN_TOKEN: TOKEN,
    SKEIN_LOG_LEVEL: 'warn',
  };
});

afterAll(async () => {
  const ended = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  await Promise.all(ended);
  rmSync(folder, { recursive: true });
  const redis = new Redis(env.SKEIN_REDIS_URL ?? '');
  const keys = await redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
});

test('a rolling restart of every process under load: 0 lost, 0 doubled', async () => {
  const servers = [await start(['server', '--port', '0']), await start(['server', '--port', '0'])];
  const workers = [await start(WORKER), await start(WORKER)];

  const { backfill_id } = await ask<{ backfill_id: string }>([
    ...['backfill', 'stamp_job', '--ids', `1..${IDS}`, '--max-active', '20'],
    ...['--from', '2026-01-01', '--to', `2026-01-${DAYS}`],
  ]);
  const total = IDS * DAYS;
  await until(() => done().length > 20);

  // As an upgrade goes: the new one is up before the old one is asked to stop.
  for (const [group, args] of [
    [workers, WORKER],
    [servers, ['server', '--port', '0']],
  ] as const) {
    for (const old of [...group]) {
      group.push(await start(args));
      expect(await stop(old)).toBe(0);
      group.splice(group.indexOf(old), 1);
    }
  }
  // It was under load until the last of them was replaced; what is left may go fast.
  expect(done().length).toBeLessThan(total);
  rmSync(`${log}.slow`);
  await until(async () => {
    const { status } = await ask<{ status: string }>(['backfills', 'show', backfill_id]);
    return status !== 'IN_PROGRESS';
  });

  const lines = done();
  expect(new Set(lines.map((line) => line.split(' ')[1])).size).toBe(total);
  expect(lines.length).toBe(total);
  expect(await ask(['backfills', 'show', backfill_id])).toMatchObject({
    status: 'COMPLETED',
    succeeded: total,
    failed: 0,
  });
  expect((await ask<{ findings: { check: string; state: string }[] }>(['doctor'])).findings).not.toContainEqual(
    expect.objectContaining({ state: 'problem' }),
  );

  const url = servers[0]?.url ?? '';
  expect((await fetch(`${url}/api/v1/runs`)).status).toBe(401);
  expect((await fetch(`${url}/api/v1/runs`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
  expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ ready: true });
}, 300_000);

const WORKER = ['worker', '--concurrency', '5', '--grace-seconds', '20'];

interface Process {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly url: string;
}

const done = () => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean);

function skein(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['-C', 'source', '--import', 'tsx', BIN, ...args], {
    cwd: path.join(__dirname, 'topology'),
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Resolves when it is ready: the server listens, the worker’s child takes work. */
async function start(args: readonly string[]): Promise<Process> {
  const child = skein(args);
  running.add(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  void ended.then(() => running.delete(child));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until(() => {
    if (child.exitCode !== null) throw new RangeError(`it ended: ${text}`);
    return /Skein is at|is ready/.test(text);
  });
  return { child, ended, url: /http:\/\/[\w.:]+/.exec(text)?.[0] ?? '' };
}

function stop({ child, ended }: Process): Promise<number | null> {
  child.kill('SIGTERM');
  return ended;
}

async function ask<T>(args: readonly string[]): Promise<T> {
  const child = skein([...args, '--json']);
  let text = '';
  let notes = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (notes += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (text === '') throw new RangeError(`skein ${args.join(' ')} ended with ${String(code)}: ${notes}`);
  return JSON.parse(text) as T;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const ends = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > ends) throw new RangeError(`waited in vain; ${done().length} runs were done`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
