// The other forms of tests that attack Skein: with the full numbers, too long for every change, or on another service.
//   npm run chaos   every process, Redis and the network attacked (docs/reliability.md); the ledger against its model
//   npm run soak    mixed faults for four hours: nothing grows (SKEIN_SOAK_MINUTES)
//   npm run minio   the S3 tests on MinIO instead of moto
//   npm run fuzz    odd values at every operation of the API, any bytes at the transformer, a million inputs
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const FORMS = {
  chaos: {
    env: {
      SKEIN_MODEL_SEQUENCES: '10000',
      SKEIN_TEST_KILLS: '200',
      SKEIN_TEST_HISTORY_DAYS: '730',
      SKEIN_CHAOS_ALONE: '1',
      SKEIN_CHAOS_WORKER_KILLS: '1000',
      SKEIN_CHAOS_SERVER_KILLS: '1000',
      SKEIN_CHAOS_FAILPOINT_KILLS: '1008',
      SKEIN_CHAOS_DOOMED_RUNS: '200',
      SKEIN_CHAOS_REDIS_KILLS: '120',
      SKEIN_CHAOS_REDIS_DOWN_MS: '60000',
      SKEIN_CHAOS_AOF_CUTS: '200',
      SKEIN_CHAOS_FAILOVERS: '100',
      SKEIN_CHAOS_TOXIC_ROUNDS: '20',
      SKEIN_CHAOS_TOXIC_MS: '30000',
      SKEIN_CHAOS_LINK_FAULTS: '720',
      SKEIN_CHAOS_LINK_MS: '13000',
      SKEIN_CHAOS_UNHEARD: '400',
      SKEIN_CHAOS_REPLACEMENTS: '100',
      SKEIN_CHAOS_RESTORES: '20',
      SKEIN_CHAOS_STOPS: '200',
      SKEIN_CHAOS_BLOCKS: '200',
      SKEIN_CHAOS_CLOCK_JUMPS: '60',
      SKEIN_CHAOS_POOL_RUNS: '500',
      SKEIN_CHAOS_BACKFILLS: '50',
      SKEIN_CHAOS_BACKFILL_PARTITIONS: '10000',
      SKEIN_CHAOS_CURSOR_WRITES: '10000',
      SKEIN_STREAM_CLIENTS: '500',
      SKEIN_STREAM_RUNS: '2000',
      SKEIN_STREAM_RESTARTS: '5',
      SKEIN_OVERLOAD_SECONDS: '60',
    },
    // One at a time: attacks share the two cores with what they attack, and time is part of what is judged.
    inBand: true,
    tests: [
      'test/rig',
      'test/engine/(model|losses|isolation)',
      'test/security/(streams|overload)',
      'duckling/kill',
      'duckling-(kills|history)',
      'orphan-sync/faults',
      'raw-events/resume',
      'reconciliation/faults',
      'conversation-labels/resume',
    ],
  },
  soak: {
    env: { SKEIN_SOAK_MINUTES: process.env.SKEIN_SOAK_MINUTES ?? '240', SKEIN_TEST_SERVICES: 'redis' },
    inBand: true,
    tests: ['test/rig/soak'],
  },
  minio: {
    env: { SKEIN_TEST_S3_SERVER: 'minio', SKEIN_TEST_SERVICES: 's3,postgres,clickhouse,ducklake' },
    tests: ['duckling/s3', 'embedded/test/moto'],
  },
  fuzz: {
    env: { SKEIN_FUZZ_RUNS: '1000000', SKEIN_FUZZ_EXAMPLES: '500', SKEIN_FUZZ_HISTORIES: '1000' },
    tests: [
      'test/api/(hostile|schemathesis)',
      'test/security/(keys|pollution)',
      'resources/object-store-file',
      'raw-events/transform.test',
      'definitions/partitions',
      'reconciliation/(modes-agree|undo|apply-in-place)',
    ],
  },
};

const form = FORMS[process.argv[2] ?? ''];
if (form === undefined) {
  process.stderr.write(`There is no long form “${process.argv[2] ?? ''}”. Known: ${Object.keys(FORMS).join(', ')}.\n`);
  process.exit(2);
}
const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const given = process.argv.slice(3);
// Files that are named first stand for all of them.
const tests = given[0]?.startsWith('-') === false ? [] : form.tests;
const args = [jest, '--testTimeout', '86400000', ...(form.inBand ? ['--runInBand'] : []), ...tests, ...given];
spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...form.env } }).on(
  'exit',
  (code) => process.exit(code ?? 1),
);
