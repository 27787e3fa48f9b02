/** `skein labels …` as people and scripts meet it: real processes, their exit codes, what they print, and what they refuse. */

import { execFile } from 'node:child_process';
import path from 'node:path';

import { appDbBinding, clickhouseBinding, labelConversationsJob } from '@skein/jobs';
import { type JsonObject, defineDeployment } from '@skein/orchestrator';
import { type Engine, type SkeinWorker, createClient, openEngine, startWorker } from '@skein/orchestrator/runtime';

import { testRedis } from '../../../../infra/embedded/test-services/index.ts';
import { LEASE_TERMS, claim, ensureOwnSchema } from '../../src/conversation-labels/lease.ts';
import { type CallCenter, CUSTOMER, openCallCenter } from './call-center.ts';

const ROOT = path.resolve(__dirname, '../../../..');
const SKEIN = path.join(ROOT, 'packages/orchestrator/bin/skein.mjs');
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const RANGE = ['--customer', CUSTOMER, '--from', '2026-02-09', '--to', '2026-02-11'];

let center: CallCenter;
let engine: Engine;
let worker: SkeinWorker | undefined;
let env: Record<string, string>;

beforeAll(async () => {
  center = await openCallCenter();
  const redis = testRedis();
  env = {
    SKEIN_REDIS_URL: redis.url,
    SKEIN_REDIS_PREFIX: `{${redis.prefix}}`,
    SKEIN_PULSE_MS: '100',
    SKEIN_APP_DB_URL: center.urls.postgres,
    SKEIN_CLICKHOUSE_URL: center.urls.clickhouse,
  };
  const deployment = defineDeployment({
    definitions: { jobs: [labelConversationsJob], sensors: [] },
    resources: [appDbBinding, clickhouseBinding],
  });
  engine = await openEngine(deployment, { env });
  await center.addOnline('b', '00:00', '23:00');
  await center.addChats([
    { id: 'c1', agent: 'b', usecase: 'chat' },
    { id: 'c2', created: '2026-02-09T01:00:00Z', ended: '2026-02-09T02:00:00Z' },
    { id: 'c3', agent: 'b', created: '2026-02-11T01:00:00Z', ended: '2026-02-11T02:00:00Z' },
  ]);
  await center.plantLabels([{}, { conversation_id: 'ghost' }]);
});
afterAll(async () => {
  await worker?.stop(500);
  const keys = await engine.redis.keys(`${env.SKEIN_REDIS_PREFIX}*`);
  if (keys.length > 0) await engine.redis.del(...keys);
  await engine.close();
  await center.close();
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Of `--json`. */
  readonly json: JsonObject;
}

function skein(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['-C', 'source', '--import', 'tsx', SKEIN, 'labels', ...args],
      { cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env, ...more } },
      (error, out, err) => {
        const json = args.includes('--json') && out.trim() !== '' ? (JSON.parse(out) as JsonObject) : {};
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err, json });
      },
    );
    child.stdin?.end();
  });
}

const agents = async () => (await center.labels()).map((row) => `${row.conversation_id} ${row.agent_user_id}`);
const STALE = ['c1 a', 'ghost a'];

describe('before anything has run', () => {
  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a day that is none',
      ['verify', '--customer', CUSTOMER, '--from', '2026-02-30', '--to', '2026-03-01'],
      /--from “2026-02-30” is neither a day/,
    ],
    [
      'an end before its start',
      ['backfill', '--customer', CUSTOMER, '--from', '2026-02-11', '--to', '2026-02-09', '--yes'],
      /--to 2026-02-09 lies before --from 2026-02-11/,
    ],
    ['a tolerance beyond 100', ['verify', ...RANGE, '--tolerance', '101'], /write a number from 0 to 100/],
    [
      'a change without a terminal and without --yes',
      ['backfill', ...RANGE],
      /there is no terminal to ask on: say --yes/,
    ],
    ['a day to reset that is none', ['reset', '--customer', CUSTOMER, '--day', 'yesterday'], /yesterday/],
    [
      'a cluster whose name would be SQL',
      ['verify', ...RANGE, '--cluster', 'x; DROP TABLE y'],
      /--cluster is not the name of a cluster: letters, digits/,
    ],
  ];
  test.each(refused)('%s is refused with exit code 2, and nothing changes', async (_, args, message) => {
    const ended = await skein(args);
    expect({ code: ended.code, err: ended.err }).toEqual({ code: 2, err: expect.stringMatching(message) as string });
    expect(ended.err).not.toMatch(/\n\s+at /);
    expect(await agents()).toEqual(STALE);
  });

  test('a customer that no profile has', async () => {
    const ended = await skein(['verify', '--customer', 'alaska', '--from', '2026-02-09', '--to', '2026-02-11']);
    expect(ended.err).toContain('No profile matches the customer “alaska”');
    expect(ended.err).toContain('Names alike: alaska-air');
    expect(ended.code).toBe(2);
  });

  test('a database that does not answer: exit code 3, without its password', async () => {
    const url = 'postgres://skein:hunter2@127.0.0.1:1/app';
    const ended = await skein(['verify', ...RANGE], { SKEIN_APP_DB_URL: url });
    expect(ended.code).toBe(3);
    expect(ended.err).toContain('PostgreSQL does not answer');
    expect(ended.out + ended.err).not.toContain('hunter2');
  });

  test('status of a customer that was never labelled, a reset of nothing, a release of nobody', async () => {
    const [status, reset, release] = await Promise.all([
      skein(['status', '--customer', CUSTOMER, '--from', '2026-01-01', '--to', '2026-02-18']),
      skein(['reset', '--customer', CUSTOMER, '--day', '2026-02-10']),
      skein(['release', '--customer', CUSTOMER]),
    ]);
    expect(status).toMatchObject({
      code: 0,
      out: 'missing          49   2026-01-01 ... 2026-02-18\nNobody holds the customer.\n',
    });
    expect(reset).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'alaska-air_2026-02-10 has never been labelled; there is nothing to reset.',
      ) as string,
    });
    expect(release).toMatchObject({ code: 0, out: 'Nobody holds alaska-air.\n' });
  });

  test('a dry run shows the counts and the statement, launches nothing and leaves no trace', async () => {
    const ended = await skein(['backfill', ...RANGE, '--dry-run', '--mode', 'delete-insert', '--json']);
    expect(ended).toMatchObject({
      code: 0,
      json: {
        dry_run: true,
        customer: CUSTOMER,
        days: 3,
        databases: [
          {
            database: center.database,
            mode: 'delete-insert',
            rows_in_windows: 2,
            rows_to_write: 3,
            statement: expect.stringContaining(
              "DELETE WHERE customer_id = 'alaska-air' AND profile_id IN ('chat') AND ((conversation_end_time >= '2026-02-09 00:00:00.000'",
            ) as string,
          },
        ],
      },
    });
    expect(await createClient(engine).runs({ limit: 5 })).toEqual([]);
    expect(await agents()).toEqual(STALE);
    const { rows } = await center.appDb.query(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = 'skein_labels' AND table_name LIKE 'affected%'
       UNION ALL SELECT operation FROM skein_labels.operations UNION ALL SELECT customer_id FROM skein_labels.leases`,
    );
    expect(rows).toEqual([]);
  });
});

test('the whole way: verify fails, backfill, who holds it, release, verify passes, reset, status', async () => {
  // Fails, and names the rows; the exit code is what scripts read.
  const before = await skein(['verify', ...RANGE]);
  expect(before.code).toBe(1);
  expect(before.out).toMatch(/^FAIL {2}rows +3 conversations in the source: 2 missing, 1 surplus, 1 different/m);
  expect(before.out).toMatch(/^different {2}chat\/c1: agent_user_id is “a”, in the source “b”/m);
  expect(before.out).toMatch(/^surplus {4}chat\/ghost: 1 label row, but the source has no eligible conversation/m);
  expect(before.out).toContain('The labels do not agree with the source.');

  // Launched, and not taken yet, because no worker is there.
  const launched = await skein(['backfill', ...RANGE, '--yes', '--json']);
  expect(launched.code).toBe(0);
  expect(launched.err).toContain('"rows_to_write": 3');
  const runId = String(launched.json.run_id);
  await ensureOwnSchema(center.appDb);
  await claim({
    db: center.appDb,
    customerId: CUSTOMER,
    runId,
    kind: 'backfill',
    terms: LEASE_TERMS,
    signal: new AbortController().signal,
  });
  const [held, kept, days] = await Promise.all([
    skein(['status', '--customer', CUSTOMER, '--from', '2026-02-09', '--to', '2026-02-11']),
    skein(['release', '--customer', CUSTOMER]),
    skein(['reset', '--customer', CUSTOMER, '--day', '2026-02-10']),
  ]);
  expect(held).toMatchObject({
    code: 0,
    out: expect.stringContaining(`Held by backfill run ${runId} since `) as string,
  });
  expect(kept).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      new RegExp(`Run ${runId} holds alaska-air and is [A-Z]+: cancel it with “skein runs cancel ${runId}”`),
    ) as string,
  });
  expect(days).toMatchObject({
    code: 2,
    err: expect.stringMatching(/alaska-air_2026-02-10 is \w+: wait for its run or cancel it first/) as string,
  });

  worker = await startWorker(engine, { log: SILENT, concurrency: 4 });
  expect(await createClient(engine).wait(runId)).toMatchObject({
    status: 'SUCCESS',
    counts: { materialized: 3, total: 3 },
  });
  expect(await agents()).toEqual(['c1 b', 'c2 a', 'c3 b']);
  const after = await skein(['verify', ...RANGE]);
  expect(after).toMatchObject({ code: 0, out: expect.stringContaining('All eight points pass.') as string });

  // A holder that has ended and left its lease, as one that was killed does.
  await claim({
    db: center.appDb,
    customerId: CUSTOMER,
    runId,
    kind: 'backfill',
    terms: LEASE_TERMS,
    signal: new AbortController().signal,
  });
  const waiting = await skein(['backfill', ...RANGE, '--mode', 'delete-insert', '--yes', '--wait', '--json']);
  expect(waiting).toMatchObject({ code: 1, json: { status: 'FAILURE' } });
  const second = await createClient(engine).run(String(waiting.json.run_id));
  expect(second.error?.message).toMatch(
    new RegExp(`held by a backfill: run ${runId}.*skein labels release --customer alaska-air`),
  );
  const freed = await skein(['release', '--customer', CUSTOMER]);
  expect(freed).toMatchObject({ code: 0, out: `alaska-air is free again; run ${runId} ended SUCCESS.\n` });
  const again = await skein(['backfill', ...RANGE, '--mode', 'delete-insert', '--yes', '--wait']);
  expect(again).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Run \w+: SUCCESS\. 3 of 3 days materialized\.\n$/) as string,
  });

  // One day back to missing; the others, and its number of runs, stay.
  const reset = await skein(['reset', '--customer', CUSTOMER, '--day', '2026-02-10']);
  expect(reset).toMatchObject({
    code: 0,
    out: 'alaska-air_2026-02-10 is missing again (was materialized). Its runs and their number are kept.\n',
  });
  const [status, twice] = await Promise.all([
    skein(['status', '--customer', CUSTOMER, '--from', '2026-02-09', '--to', '2026-02-11', '--json']),
    skein(['reset', '--customer', CUSTOMER, '--day', '2026-02-10']),
  ]);
  expect(status.json).toMatchObject({
    days: {
      materialized: { count: 2, first: '2026-02-09', last: '2026-02-11' },
      missing: { count: 1, first: '2026-02-10' },
    },
    held_by: null,
  });
  expect(twice.code).toBe(1);
  expect(await createClient(engine).runs({ limit: 10 })).toHaveLength(3);
}, 240_000);
