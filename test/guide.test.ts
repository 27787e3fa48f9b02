/** docs/guide.md, followed word by word on a real Redis; then what its `skein dev` exports, against dashboard and alerts. */

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { Redis } from 'ioredis';

import { testRedis } from '../infra/embedded/test-services/index.ts';
import { type CodeBlock, codeBlocks } from './markdown.ts';
import { exportedNames, namesAskedFor } from './metric-names.ts';

const ROOT = path.resolve(__dirname, '..');
/** npx looks for the same program for a second each time. */
const NPX = `npx() { command=$1; shift; '${path.join(ROOT, 'node_modules/.bin')}'/"$command" "$@"; }`;
const PATIENCE_MS = 60_000;
const blocks = codeBlocks(readFileSync(path.join(ROOT, 'docs/guide.md'), 'utf8'));

let folder: string;
let env: NodeJS.ProcessEnv;
const terminals: Terminal[] = [];

beforeAll(() => {
  const { url, prefix } = testRedis();
  mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, '.cache/guide-'));
  cpSync(path.join(ROOT, 'examples/hello'), folder, {
    recursive: true,
    filter: (source) => path.basename(source) !== 'totals',
  });
  const { PATH, HOME } = process.env;
  env = { PATH, HOME, SKEIN_REDIS_URL: url, SKEIN_REDIS_PREFIX: `{${prefix}}`, SKEIN_PORT: '0' };
});

afterAll(async () => {
  for (const terminal of terminals) await terminal.end();
  rmSync(folder, { recursive: true, force: true });
  const redis = new Redis(env.SKEIN_REDIS_URL ?? '');
  const keys = await redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
});

test('what the page shows of a file is the file', () => {
  const shown = blocks.filter(({ language, directive }) => language === 'ts' && directive === 'file');
  expect(shown.map(({ argument }) => argument).sort()).toEqual([
    ...readdirSync(path.join(ROOT, 'examples/hello'))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `examples/hello/${name}`),
    'test/hello.test.ts',
  ]);
  for (const { argument, code } of shown) expect(code).toBe(readFileSync(path.join(ROOT, argument), 'utf8').trimEnd());
});

test('every command of the page does what the page says', async () => {
  const steps = blocks.filter(({ language, directive }) => language === 'sh' && directive !== 'not run');
  for (const step of steps) await follow(step);
  expect(steps.length).toBeGreaterThan(15);
}, 300_000);

test('the dashboard and the alerts ask for nothing that is not exported', async () => {
  const url = /http:\/\/[\w.:]+/.exec(terminals[0]?.output() ?? '')?.[0] ?? '';
  const exported = exportedNames(await (await fetch(`${url}/metrics`)).text());
  expect(exported.size).toBeGreaterThan(20);
  for (const [where, names] of namesAskedFor(ROOT)) {
    expect({ where, missing: names.filter((name) => !exported.has(name)) }).toEqual({ where, missing: [] });
  }
});

async function follow({ code, directive, argument }: CodeBlock): Promise<void> {
  if (directive === 'second terminal') {
    const terminal = openTerminal(code);
    terminals.push(terminal);
    return until(
      () => Promise.resolve(terminal.output().includes(argument)),
      () => terminal.output(),
    );
  }
  let output = '';
  const once = async () => {
    const terminal = openTerminal(code);
    const exitCode = await terminal.exitCode;
    output = `${code}\n${terminal.output()}`;
    return exitCode;
  };
  if (directive === 'soon shows') {
    return until(
      async () => (await once()) === 0 && output.includes(argument),
      () => output,
    );
  }
  const expected = directive.startsWith('fails with ') ? Number(directive.slice(11)) : 0;
  const exitCode = await once();
  expect([exitCode, output]).toEqual([expected, expect.stringContaining(argument)]);
}

interface Terminal {
  readonly exitCode: Promise<number | null>;
  output(): string;
  end(): Promise<unknown>;
}

/** A process group of its own, so that what a command started ends with it. */
function openTerminal(code: string): Terminal {
  const child: ChildProcess = spawn('bash', ['-euo', 'pipefail', '-c', `${NPX}\n${code}`], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    exitCode,
    output: () => text,
    end() {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      return exitCode;
    },
  };
}

async function until(holds: () => Promise<boolean>, last: () => string): Promise<void> {
  const ends = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > ends) throw new RangeError(`waited in vain; the last answer was: ${last()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
