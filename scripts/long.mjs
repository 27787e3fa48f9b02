// The other forms of tests that attack Skein: with the full numbers, too long for every change, or on another service.
//   npm run chaos   workers and jobs killed, the ledger against its model, 10,000 sequences
//   npm run minio   the S3 tests on MinIO instead of moto
//   npm run fuzz    odd values at every operation of the API, any bytes at the transformer, a million inputs
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const FORMS = {
  chaos: {
    env: { SKEIN_MODEL_SEQUENCES: '10000', SKEIN_TEST_KILLS: '200', SKEIN_TEST_HISTORY_DAYS: '730' },
    tests: [
      'test/engine/(model|kills|redis-restart|losses|isolation)',
      'duckling/kill',
      'duckling-(kills|history)',
      'orphan-sync/faults',
      'raw-events/resume',
      'reconciliation/faults',
      'conversation-labels/resume',
    ],
  },
  minio: {
    env: { SKEIN_TEST_S3_SERVER: 'minio', SKEIN_TEST_SERVICES: 's3,postgres,clickhouse,ducklake' },
    tests: ['duckling/s3', 'embedded/test/moto'],
  },
  fuzz: {
    env: { SKEIN_FUZZ_RUNS: '1000000', SKEIN_FUZZ_EXAMPLES: '500' },
    tests: ['test/api/(hostile|schemathesis)', 'raw-events/transform.test', 'definitions/partitions'],
  },
};

const form = FORMS[process.argv[2] ?? ''];
if (form === undefined) {
  process.stderr.write(`There is no long form “${process.argv[2] ?? ''}”. Known: ${Object.keys(FORMS).join(', ')}.\n`);
  process.exit(2);
}
const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const args = [jest, '--testTimeout', '86400000', ...form.tests, ...process.argv.slice(3)];
spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...form.env } }).on(
  'exit',
  (code) => process.exit(code ?? 1),
);
