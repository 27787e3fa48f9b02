// Runs the checks and every test, and closes with two lines: what did not run on this machine and why, and
// `N passed, N failed, N skipped`. Checks count as tests. Under CI=true what cannot run is a failure.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { ROOT, runInTerminal } from './ground.mjs';

export async function runTests(args, missing) {
  const folder = path.join(ROOT, '.cache', `test-run-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const selected = args.some((arg) => !arg.startsWith('-'));
    const checks = selected ? undefined : await runChecks(path.join(folder, 'checks.json'));
    const tests = await runJest(args, path.join(folder, 'tests.json'));
    return close({ checks, tests, missing });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runChecks(report) {
  const code = await runInTerminal(process.execPath, [path.join(ROOT, 'scripts', 'check.mjs'), '--report', report]);
  const steps = readJson(report);
  if (steps === undefined) return { passed: 0, failed: 1 };
  const failed = steps.filter(({ ok }) => !ok).length;
  return { passed: steps.length - failed, failed: Math.max(failed, code === 0 ? 0 : 1) };
}

async function runJest(args, report) {
  const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const code = await runInTerminal(process.execPath, [jest, '--json', `--outputFile=${report}`, ...args], {
    // Jest's own report goes to stderr; with --json its stdout holds nothing for people.
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  const result = readJson(report);
  if (result === undefined) return { passed: 0, failed: 1, skipped: [] };
  const skipped = result.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'pending' || status === 'todo').map(({ fullName }) => fullName),
  );
  // A file that cannot even be loaded has no tests to count, yet it failed.
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return { passed: result.numPassedTests, failed: Math.max(failed, code === 0 ? 0 : 1), skipped };
}

function close({ checks, tests, missing }) {
  const absent = Object.entries(missing).map(([name, reason]) => `${name} (${reason.split('\n')[0]})`);
  const strict = process.env.CI === 'true';
  const passed = tests.passed + (checks?.passed ?? 0);
  const failed = tests.failed + (checks?.failed ?? 0) + (strict ? absent.length : 0);

  const notRun = [
    ...absent,
    ...(tests.skipped.length > 0 ? [`${tests.skipped.length} skipped tests: ${shortList(tests.skipped)}`] : []),
    ...(checks === undefined ? ['the checks, because tests were selected'] : []),
  ];
  print(notRun.length > 0 ? `Not run on this machine: ${notRun.join('; ')}` : 'Everything ran on this machine.');
  print(`${passed} passed, ${failed} failed${tests.skipped.length > 0 ? `, ${tests.skipped.length} skipped` : ''}`);
  return failed > 0 ? 1 : 0;
}

function shortList(names) {
  const shown = names.slice(0, 3).map((name) => `“${name}”`);
  return shown.join(', ') + (names.length > shown.length ? ', …' : '');
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
