import { spawnSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '..', '..', '..');

function setup(...args: string[]) {
  const env = { ...process.env, SKEIN_TEST_SERVICES: 'none', CI: 'false' };
  return spawnSync(process.execPath, ['infra/embedded/setup.mjs', ...args], { cwd: ROOT, env, encoding: 'utf8' });
}

test('a test run ends with what did not run and with the counts', () => {
  const { status, stdout } = setup('test', '--', 'infra/embedded/test/bridge/statement.test.ts');
  const [notRun, counts] = stdout.trimEnd().split('\n').slice(-2);
  expect(notRun).toMatch(/^Not run on this machine: .*the checks, because tests were selected$/);
  expect(counts).toMatch(/^\d+ passed, 0 failed$/);
  expect(status).toBe(0);
});

test('tests that fail, or cannot be found, fail the run', () => {
  const { status, stdout } = setup('test', '--', 'no-such-test-file');
  expect(stdout).toMatch(/\n0 passed, 1 failed\n$/);
  expect(status).toBe(1);
});

test('a target that does not exist is refused', () => {
  const { status, stderr } = setup('dance');
  expect(stderr).toBe('There is no target “dance”. Known: demo, test.\n');
  expect(status).toBe(2);
});
