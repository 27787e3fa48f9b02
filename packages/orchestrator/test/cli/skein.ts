/**
 * Runs the real command over the fixture's deployment and a ledger of the test's own: `start` in a process of its own,
 * as a person would, `run` in one child process that does command after command.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { Redis } from 'ioredis';

const BIN = path.resolve(__dirname, '../../bin/skein.mjs');
export const FIXTURE = path.resolve(__dirname, 'fixture');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of stdout. */
  json<T = Record<string, unknown>>(): T;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout or stderr holds the text. */
  says(text: string | RegExp): Promise<void>;
  output(): string;
}

export interface TestSkein {
  readonly env: Record<string, string>;
  start(args: readonly string[], env?: Record<string, string>, cwd?: string): Running;
  /** Not for commands that stay, or that signals are sent to. */
  run(...args: string[]): Promise<Ended>;
  /** Ends what still runs and forgets the ledger. */
  close(): Promise<void>;
}

const PATIENCE_MS = 60_000;

export function createSkein(settings: Record<string, string> = {}): TestSkein {
  const url = process.env.SKEIN_REDIS_URL;
  if (!url) throw new TypeError('SKEIN_REDIS_URL is not set: these tests need Redis.');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    SKEIN_REDIS_URL: url,
    SKEIN_REDIS_PREFIX: `{c${randomBytes(6).toString('hex')}}`,
    SKEIN_LOG_LEVEL: 'warn',
    SKEIN_PULSE_MS: '100',
    ...settings,
  };
  const children = new Set<ChildProcess>();
  const keep = (child: ChildProcess) => {
    children.add(child);
    child.once('close', () => children.delete(child));
  };
  const start: TestSkein['start'] = (args, more = {}, cwd = FIXTURE) => {
    const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', BIN, ...args], {
      cwd,
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    keep(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal, stdout, stderr, json: <T>() => JSON.parse(stdout) as T });
      });
    });
    const says = async (text: string | RegExp) => {
      const has = () =>
        typeof text === 'string' ? `${stdout}${stderr}`.includes(text) : text.test(`${stdout}${stderr}`);
      await until(has, () => `“${String(text)}” in: ${stdout}${stderr}`);
    };
    return { child, ended, says, output: () => `${stdout}${stderr}` };
  };
  let shell: Shell | undefined;
  return {
    env,
    start,
    run(...args) {
      if (shell === undefined) {
        shell = openShell(env);
        keep(shell.child);
      }
      return shell.run(args);
    },
    async close() {
      const ends = [...children].map((child) => new Promise((resolve) => child.once('close', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(ends);
      const redis = new Redis(url);
      const keys = await redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
      if (keys.length > 0) await redis.del(...keys);
      redis.disconnect();
    },
  };
}

interface Shell {
  readonly child: ChildProcess;
  run(args: readonly string[]): Promise<Ended>;
}

function openShell(env: Record<string, string>): Shell {
  const script = path.join(FIXTURE, 'shell.ts');
  const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', script], {
    cwd: FIXTURE,
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve: (ended: Ended) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, code, stdout, stderr }: { id: number; code: number; stdout: string; stderr: string }) => {
    waiting.get(id)?.resolve({ code, signal: null, stdout, stderr, json: <T>() => JSON.parse(stdout) as T });
    waiting.delete(id);
  });
  child.once('close', (code) => {
    for (const { reject } of waiting.values()) reject(new TypeError(`The shell ended with ${code}.`));
  });
  let last = 0;
  return {
    child,
    run: (args) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        child.send({ id, args });
      }),
  };
}

/** Looks until the condition holds. */
export async function until(holds: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const ends = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > ends) throw new TypeError(`waited in vain for ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
