/**
 * The served OpenAPI document fuzzed over the network by schemathesis, as each role and as nobody: never a fault, never
 * a status or content type that the document does not know, never a success for who may not.
 * SKEIN_FUZZ_EXAMPLES is how many examples each operation gets; npm run fuzz sets it.
 */

import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { findSchemathesis } from '../../../../infra/embedded/test-services/index.ts';
import { type SkeinServer, startServer } from '../../src/api/server.ts';
import { SILENT } from '../engine/harness.ts';
import { closeApis, openApi } from './harness.ts';

const ROOT = 'root-of-the-test-0123456789';
const EXAMPLES = process.env.SKEIN_FUZZ_EXAMPLES;

const program = findSchemathesis();
const testWhere = program === undefined ? test.skip : test;

/** Names that exist, in place of most that are made up: otherwise nearly everything ends as “not found”. */
const HOOKS = `
import schemathesis

KNOWN = {
    "key": ["events", "chunks"],
    "job": ["events_job"],
    "name": ["feed", "nightly", "events_job", "narrow"],
    "partition": ["1_2024-01-15"],
}

def known(values):
    for name in KNOWN.keys() & (values or {}).keys():
        pick = len(str(values[name])) % (len(KNOWN[name]) + 1)
        if pick < len(KNOWN[name]):
            values[name] = KNOWN[name][pick]
    return values

@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    return known(path_parameters)

@schemathesis.hook
def map_query(ctx, query):
    return known(query)
`;

let dir: string;
let server: SkeinServer | undefined;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'skein-fuzz-'));
  writeFileSync(path.join(dir, 'hooks.py'), HOOKS);
});
afterEach(async () => {
  await server?.close();
  await closeApis();
  rmSync(dir, { recursive: true, force: true });
});

interface Found {
  /** What it prints, when it found something. */
  readonly report: string | undefined;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
}

async function fuzz(who: string, token: string | undefined): Promise<Found> {
  const log = path.join(dir, `${who}.ndjson`);
  const args = [
    'run',
    `${server?.url}/api/v1/openapi.json`,
    ...(token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`]),
    // The stream has no end, so nobody can wait for its answer.
    ...['--exclude-path', '/api/v1/events'],
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
      env: { ...process.env, NO_COLOR: '1', PYTHONPATH: dir, SCHEMATHESIS_HOOKS: 'hooks' },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => {
      const report = code === 0 ? undefined : `${who}:\n${output}`;
      statusesIn(log).then((statuses) => resolve({ report, statuses }), reject);
    });
  });
}

/** One valid request for each operation; hostile.test.ts asks the others. */
const SHORT = ['--max-examples', '1', '--phases', 'fuzzing', '--mode', 'positive'];

/** Line by line: the whole form writes more than fits into one text. */
async function statusesIn(log: string): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  for await (const line of createInterface({ input: createReadStream(log) })) {
    for (const [, text] of line.matchAll(/"status_code": ?(\d{3})/g)) {
      const status = Number(text);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }
  return statuses;
}

describe('schemathesis', () => {
  testWhere.each(['viewer', 'operator', 'admin', 'anonymous'] as const)(
    'finds no fault and nothing undocumented as %s',
    async (who) => {
      const api = await openApi(undefined, {
        env: { SKEIN_AUTH_MODE: 'token', SKEIN_AUTH_ADMIN_TOKEN: ROOT, SKEIN_REQUESTS_PER_MINUTE: '100000000' },
      });
      server = await startServer(api.engine, { log: SILENT, host: '127.0.0.1', port: 0 });
      const token = who === 'anonymous' ? undefined : (await api.token(who)).token;
      const { report, statuses } = await fuzz(who, token);
      if (EXAMPLES !== undefined) {
        const figures = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
        process.stderr.write(`schemathesis as ${who}: ${figures.join(', ')}\n`);
      }
      expect(report).toBeUndefined();
      // Not all of it is refused at the door.
      const successes = (statuses.get(200) ?? 0) + (statuses.get(202) ?? 0);
      expect(successes).toBeGreaterThan(who === 'anonymous' ? 0 : 10);
    },
    24 * 3_600_000,
  );
});
