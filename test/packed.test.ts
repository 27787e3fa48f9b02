/**
 * A project outside this repository that uses the packed package: it has what `npm pack` ships and the dependencies that
 * the package declares, and nothing else. A file that is not shipped or a dependency that is not declared shows here.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from 'ioredis';

import { testRedis } from '../infra/embedded/test-services/index.ts';
import { codeBlocks } from './markdown.ts';

const ROOT = path.resolve(__dirname, '..');
const PACKAGE = path.join(ROOT, 'packages/orchestrator');

let project: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), 'skein-project-'));
  cpSync(path.join(ROOT, 'examples/hello'), project, { recursive: true });
  writeFileSync(path.join(project, 'package.json'), '{ "name": "my-shop", "private": true, "type": "module" }');
  installPacked();
  const { url, prefix } = testRedis();
  const { PATH, HOME } = process.env;
  env = { PATH, HOME, SKEIN_REDIS_URL: url, SKEIN_REDIS_PREFIX: `{${prefix}}`, SKEIN_LOG_LEVEL: 'warn' };
});

afterAll(async () => {
  rmSync(project, { recursive: true, force: true });
  const redis = new Redis(env.SKEIN_REDIS_URL ?? '');
  const keys = await redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
});

test('the definitions load and a partition is made', () => {
  expect(skein('check')).toMatchObject({ status: 0, stdout: expect.stringContaining('sound: 1 jobs') as string });
  const run = skein('run', 'order_totals_job', '--partition', '7_2026-01-01', '--wait', '--json');
  expect(run).toMatchObject({ status: 0 });
  expect(JSON.parse(run.stdout)).toMatchObject({ status: 'SUCCESS', result: { rows: 3, cents: 9649 } });
});

test('its types check by a strict compiler', () => {
  const shown = codeBlocks(readFileSync(path.join(ROOT, 'docs/guide.md'), 'utf8')).find(
    ({ argument }) => argument === 'tsconfig.json of a project',
  );
  const { compilerOptions } = JSON.parse(shown?.code ?? '') as { compilerOptions: object };
  const typeRoots = [path.join(ROOT, 'node_modules/@types')];
  const config = { compilerOptions: { ...compilerOptions, typeRoots }, files: ['skein.config.ts'] };
  writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify(config));
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const checked = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
  expect(checked).toMatchObject({ stdout: '', status: 0 });
});

function skein(...args: string[]) {
  const bin = path.join(project, 'node_modules/@skein/orchestrator/bin/skein.mjs');
  return spawnSync(process.execPath, ['-C', 'source', '--import', 'tsx', bin, ...args], {
    cwd: project,
    env,
    encoding: 'utf8',
  });
}

function installPacked(): void {
  const target = path.join(project, 'node_modules/@skein/orchestrator');
  mkdirSync(target, { recursive: true });
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', project];
  const answer = execFileSync('npm', pack, { cwd: PACKAGE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [packed] = JSON.parse(answer) as { filename: string }[];
  execFileSync('tar', ['xzf', path.join(project, packed?.filename ?? ''), '--strip-components=1', '-C', target]);
  const { dependencies } = JSON.parse(readFileSync(path.join(target, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const own = path.join(PACKAGE, 'node_modules', name);
    const link = path.join(project, 'node_modules', name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(existsSync(own) ? own : path.join(ROOT, 'node_modules', name), link);
  }
}
