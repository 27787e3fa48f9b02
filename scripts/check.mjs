// `npm run check`: format, lint, types, import rules, dead code. Every step runs, even when one fails, two at a time;
// one line for each step with its seconds, and the output of those that failed. Exit code 1 when any failed.
// `--report FILE` also writes `[{ "step", "ok", "seconds" }]`, for `npm test`.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Each step keeps one core busy; more at once would only slow one another. */
const AT_ONCE = 2;

const STEPS = [
  { step: 'types', bin: 'typescript/bin/tsc', args: ['-p', 'tsconfig.json'] },
  { step: 'lint', bin: 'eslint/bin/eslint.js', args: ['.', '--max-warnings', '0'] },
  { step: 'format', bin: 'prettier/bin/prettier.cjs', args: ['--check', '--log-level', 'warn', '.'] },
  {
    step: 'types of the dashboard',
    bin: 'typescript/bin/tsc',
    args: ['-p', 'packages/ui/tsconfig.json', '--noEmit'],
    needs: 'packages/ui/tsconfig.json',
  },
  {
    step: 'import rules',
    bin: 'dependency-cruiser/bin/dependency-cruise.mjs',
    args: ['--config', '.dependency-cruiser.mjs', ...['packages', 'infra', 'bench', 'test'].filter(exists)],
    needs: '.dependency-cruiser.mjs',
  },
  { step: 'dead code', bin: 'knip/bin/knip.js', args: ['--no-progress'], needs: 'knip.json' },
].filter(({ needs }) => needs === undefined || exists(needs));

function exists(name) {
  return existsSync(path.join(ROOT, name));
}

function run({ step, bin, args }) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(ROOT, 'node_modules', bin), ...args], { cwd: ROOT });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      const seconds = (performance.now() - begun) / 1000;
      process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${step} (${seconds.toFixed(1)} s)\n`);
      resolve({ step, ok: code === 0, seconds, output });
    });
  });
}

const waiting = [...STEPS];
const results = [];
const lane = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await run(next));
};
await Promise.all(Array.from({ length: AT_ONCE }, lane));

const failed = results.filter(({ ok }) => !ok);
for (const { step, output } of failed) process.stdout.write(`\n──── ${step}\n${output.trim()}\n`);

const report = process.argv.indexOf('--report');
if (report > 0) {
  const rows = results.map(({ step, ok, seconds }) => ({ step, ok, seconds }));
  writeFileSync(process.argv[report + 1], JSON.stringify(rows));
}
process.exitCode = failed.length > 0 ? 1 : 0;
