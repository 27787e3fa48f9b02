/**
 * The served OpenAPI document fuzzed over the network by schemathesis, as each role and as nobody, over a ledger with
 * runs, backfills, ticks and changes, while a worker works: never a fault, never a status or content type that the
 * document does not know, never a success for who may not.
 * SKEIN_FUZZ_EXAMPLES is how many examples each operation gets; npm run fuzz sets it. SKEIN_FUZZ_PATHS is an expression
 * that limits it to some paths.
 */

import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { findSchemathesis } from '../../../../infra/embedded/test-services/index.ts';
import { ACCESS, type Need, judge } from '../../src/api/access/permissions.ts';
import type { Principal, Role } from '../../src/api/access/principal.ts';
import { type SkeinServer, startServer } from '../../src/api/server.ts';
import { SILENT } from '../engine/harness.ts';
import { type ApiHarness, type Body, apiDeployment, closeApis, openApi } from './harness.ts';

const ROOT = 'root-of-the-test-0123456789';
const { SKEIN_FUZZ_EXAMPLES: EXAMPLES, SKEIN_FUZZ_PATHS: PATHS } = process.env;

const program = findSchemathesis();
const testWhere = program === undefined ? test.skip : test;

let dir: string;
let server: SkeinServer | undefined;
beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), 'skein-fuzz-'))));
afterEach(async () => {
  await server?.close();
  await closeApis();
  rmSync(dir, { recursive: true, force: true });
});

/** Small: the fuzzer starts hundreds, and their runs go on in the same process as the API. */
const BACKFILL = { job: 'events_job', ids: ['1..2'], from: '2024-02-01', to: '2024-02-01' };

/** Fills the ledger; what of it the fuzzer shall know, as `schemathesis_hooks.py` says. */
async function fill(api: ApiHarness): Promise<object[]> {
  const headers = { authorization: `Bearer ${ROOT}` };
  const ask = async (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object): Promise<Body> => {
    const options = { method, headers, url: `/api/v1/${url}` };
    const answer =
      payload === undefined ? await api.get(options.url, options) : await api.post(options.url, payload, options);
    if (answer.status >= 300) throw new TypeError(`${method} ${url}: ${answer.text}`);
    return answer.body;
  };
  const idsOf = (page: Body): string[] => [...(page.items as unknown as { id: string }[])].map(({ id }) => id);

  const runs: string[] = [];
  for (const [job, partition] of [
    ['events_job', '1_2024-01-15'],
    ['events_job', '2_2024-01-15'],
    ['both_job', '1_2024-01-16'],
    ['chunks_job', '2_2024-01-17'],
    ['events_job', '1_2024-01-18'],
  ] as const)
    runs.push(String((await ask('POST', 'launch', { job, partitions: [partition] })).run_id));
  await ask('POST', `runs/${runs.at(-1)}/cancel`, {});
  await api.worker({ concurrency: 2 });
  for (const id of runs)
    await api.until(
      () => ask('GET', `runs/${id}`),
      (run) => run.ended_at !== null,
    );
  const backfills: string[] = [];
  for (let i = 0; i < 3; i++) backfills.push(String((await ask('POST', 'backfills', BACKFILL)).id));
  await ask('POST', `backfills/${backfills[0]}/pause`, {});
  await ask('PUT', 'sensors/feed/cursor', { cursor: { next: 1, until: 3 }, reason: 'x', if_version: 1 });
  await ask('POST', 'sensors/feed/evaluate', {});
  const ticks = await api.until(
    async () => idsOf(await ask('GET', 'sensors/feed/ticks')),
    (ids) => ids.length > 0,
  );
  await ask('PUT', 'jobs/events_job/presets/usual', { config: { note: 'x' } });
  await ask('PUT', 'views/mine', { q: 'status:failed' });
  await ask('PUT', 'pools/narrow', { limit: 3 });
  const tokens: string[] = [];
  for (const role of ['viewer', 'operator', 'admin'] as const) tokens.push((await api.token(role)).id);

  const launches = [
    { job: 'events_job', partitions: ['1_2024-01-15'], config: {} },
    { job: 'both_job', partitions: ['1..2_2024-01-15..2024-01-16'], config: { note: 'x' } },
    { job: 'chunks_job', partitions: [], config: {} },
  ];
  const cursor = { next: 1, until: 2 };
  const cursors = [
    { cursor, reason: 'x', if_version: null },
    { cursor, reason: 'x', if_version: 'current' },
  ];
  const restores = [1, 2].map((version) => ({ version, reason: 'x', if_version: null }));
  // One that comes again with another request is refused, and nothing behind it would be asked.
  const requestKeys = Array.from({ length: 5_000 }, (_, i) => `request-${i}`);
  return [
    { at: '/api/v1/*', headers: { 'idempotency-key': requestKeys } },
    { at: '/api/v1/runs/{id}*', path: { id: runs }, query: { attempt: [`${runs[0]}.events.1_2024-01-15.1`] } },
    { at: '/api/v1/runs*', query: { job: ['events_job'], q: ['status:failed', 'partition:"1_2024-01-15"'] } },
    { at: '/api/v1/failures', query: { job: ['events_job'] } },
    { at: '/api/v1/launch*', body: launches },
    { at: '/api/v1/backfills/{id}*', path: { id: backfills } },
    { at: '/api/v1/backfills/plan', body: [BACKFILL] },
    { at: '/api/v1/backfills', body: [BACKFILL, { ...BACKFILL, job: 'both_job' }] },
    { at: '/api/v1/sensors/{name}*', path: { name: ['feed'], tick: ticks } },
    { at: '/api/v1/sensors/{name}/cursor/restore', body: restores },
    { at: '/api/v1/sensors/{name}/cursor/reset', body: cursors },
    { at: '/api/v1/sensors/{name}/cursor', headers: { 'if-match': ['*', '"1"'] }, body: cursors },
    { at: '/api/v1/sensors/{name}/apply', body: cursors.slice(1) },
    { at: '/api/v1/schedules/{name}*', path: { name: ['nightly', 'hourly_all'] } },
    { at: '/api/v1/pools/{name}', path: { name: ['narrow'] } },
    { at: '/api/v1/jobs/{name}*', path: { name: ['events_job', 'chunks_job'], preset: ['usual'] } },
    {
      at: '/api/v1/views/{name}',
      path: { name: ['mine', 'own'] },
      headers: { 'if-match': ['*'] },
      body: [{ q: 'status:failed' }],
    },
    { at: '/api/v1/audit/{id}*', path: { id: idsOf(await ask('GET', 'audit')) } },
    { at: '/api/v1/tokens/{id}', path: { id: tokens } },
    {
      at: '/api/v1/assets/{key}*',
      path: { key: ['events', 'chunks', 'report'] },
      query: { partition: ['1_2024-01-15', '2_2024-01-15'], row: ['1'], from: ['2024-01-01'], to: ['2024-01-31'] },
    },
    ...['mark', 'forget'].map((verb) => ({
      at: `/api/v1/assets/{key}/partitions/${verb}`,
      body: [{ partitions: ['1_2024-01-15'] }, { ids: ['1..3'] }, { partitions: ['1..3_2024-01-15..2024-02-15'] }],
    })),
    ...['tiles', 'values'].map((what) => ({
      at: `/api/v1/assets/{key}/partitions/${what}`,
      body: [{ rows: ['1', '2'], from: 3_300, to: 3_400, ...(what === 'values' ? { of: 'duration_ms' } : {}) }],
    })),
  ];
}

/** Answers by operation, as `ACCESS` writes it, and status. */
type Answers = ReadonlyMap<string, ReadonlyMap<number, number>>;

interface Found {
  /** What it prints, when it found something. */
  readonly report: string | undefined;
  readonly answers: Answers;
}

async function fuzz(who: string, token: string | undefined, known: readonly object[]): Promise<Found> {
  const log = path.join(dir, `${who}.ndjson`);
  const knownFile = path.join(dir, 'known.json');
  writeFileSync(knownFile, JSON.stringify(known));
  const args = [
    'run',
    `${server?.url}/api/v1/openapi.json`,
    ...(token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`]),
    // The stream has no end, so nobody can wait for its answer.
    ...['--exclude-path', '/api/v1/events'],
    ...(PATHS === undefined ? [] : ['--include-path-regex', PATHS]),
    ...[
      '--checks',
      'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth',
    ],
    ...(EXAMPLES === undefined ? SHORT : ['--max-examples', EXAMPLES]),
    ...['--seed', '4711', '--no-shrink', '--continue-on-failure'],
    ...['--suppress-health-check', 'all', '--warnings', 'off', '--request-timeout', '30'],
    ...['--report', 'ndjson', '--report-ndjson-path', log],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(program ?? '', args, {
      cwd: dir,
      env: {
        ...process.env,
        NO_COLOR: '1',
        PYTHONPATH: __dirname,
        PYTHONDONTWRITEBYTECODE: '1',
        SCHEMATHESIS_HOOKS: 'schemathesis_hooks',
        SKEIN_FUZZ_KNOWN: knownFile,
      },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => {
      const report = code === 0 ? undefined : `${who}:\n${output}`;
      answersIn(log).then((answers) => resolve({ report, answers }), reject);
    });
  });
}

/** One valid request for each operation; hostile.test.ts asks the others. */
const SHORT = ['--max-examples', '1', '--phases', 'fuzzing', '--mode', 'positive'];

interface Scenario {
  readonly recorder?: {
    readonly cases?: Readonly<Record<string, { readonly value: { readonly method: string; readonly path: string } }>>;
    readonly interactions?: Readonly<Record<string, { readonly response?: { readonly status_code: number } | null }>>;
  };
}

/** Line by line: the whole form writes more than fits into one text. */
async function answersIn(log: string): Promise<Answers> {
  const answers = new Map<string, Map<number, number>>();
  for await (const line of createInterface({ input: createReadStream(log) })) {
    const { recorder } = (JSON.parse(line) as { ScenarioFinished?: Scenario }).ScenarioFinished ?? {};
    for (const [id, { response }] of Object.entries(recorder?.interactions ?? {})) {
      const asked = recorder?.cases?.[id]?.value;
      if (!asked || !response) continue;
      const operation = `${asked.method} ${asked.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
      const statuses = answers.get(operation) ?? new Map<number, number>();
      answers.set(operation, statuses.set(response.status_code, (statuses.get(response.status_code) ?? 0) + 1));
    }
  }
  return answers;
}

function figures(answers: Answers): string {
  const sums = new Map<number, number>();
  for (const statuses of answers.values())
    for (const [status, count] of statuses) sums.set(status, (sums.get(status) ?? 0) + count);
  const byStatus = [...sums].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  return `${[...sums.values()].reduce((sum, count) => sum + count, 0)} answers to ${answers.size} operations; ${byStatus.join(', ')}`;
}

const isSuccess = (status: number) => status >= 200 && status < 300;
const succeeded = (answers: Answers) =>
  [...answers].filter(([, statuses]) => [...statuses.keys()].some(isSuccess)).map(([operation]) => operation);

type Who = Role | 'anonymous';

async function tokenOf(api: ApiHarness, who: Who): Promise<string | undefined> {
  if (who === 'anonymous') return undefined;
  // A token of an administrator's the fuzzer would revoke on its way.
  return who === 'admin' ? ROOT : (await api.token(who)).token;
}

const principalOf = (role: Role): Principal => ({ name: role, role, via: 'token', tokenId: undefined });

describe('schemathesis', () => {
  testWhere.each(['viewer', 'operator', 'admin', 'anonymous'] satisfies Who[])(
    'finds no fault and nothing undocumented as %s',
    async (who) => {
      const behave = ({ key }: { key: string }) => {
        if (key.startsWith('2_')) throw new TypeError('team 2 is bad');
        return { rows: 1 };
      };
      const api = await openApi(behave, {
        deployment: apiDeployment(behave, { pool: 'narrow' }),
        env: { SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: ROOT, SKEIN_REQUESTS_PER_MINUTE: '100000000' },
      });
      const known = await fill(api);
      server = await startServer(api.engine, { log: SILENT, host: '127.0.0.1', port: 0 });
      const { report, answers } = await fuzz(who, await tokenOf(api, who), known);
      if (EXAMPLES !== undefined) process.stderr.write(`schemathesis as ${who}: ${figures(answers)}\n`);
      expect(report).toBeUndefined();

      const principal = who === 'anonymous' ? undefined : principalOf(who);
      const may = (operation: string) => operation in ACCESS && judge(ACCESS[operation] as Need, principal).allowed;
      expect(succeeded(answers).filter((operation) => !may(operation))).toEqual([]);
      // Not all of it is refused at the door; nobody has told it a secret to sign in with.
      const reached = [...answers.keys()].filter((operation) => may(operation) && operation !== 'POST /api/v1/session');
      const never = reached.filter((operation) => !succeeded(answers).includes(operation));
      if (EXAMPLES !== undefined) expect(never).toEqual([]);
      expect(reached.length - never.length).toBeGreaterThan(who === 'anonymous' || PATHS ? 0 : 10);
    },
    24 * 3_600_000,
  );
});
