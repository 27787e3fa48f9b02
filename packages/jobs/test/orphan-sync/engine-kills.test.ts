/** Whole workers of a real engine killed between any two tasks of a scan: the run ends as if nothing had been. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { type Engine, createClient, openEngine } from '@skein/orchestrator/runtime';

import { testRedis } from '../../../../infra/embedded/test-services/index.ts';
import { POINTS, deploymentThatDies } from './killed-worker.ts';
import { COMPLETE, REAL, expectRepaired, mixedTeam } from './mixed-team.ts';
import { type World, eventually, openWorld } from './persons-world.ts';

const ROOT = path.resolve(__dirname, '../../../..');
const SCRIPT = path.join(__dirname, 'killed-worker.ts');
const JOB = 'sync_person_distinct_ids_job';

let world: World;
let engine: Engine;
let env: Record<string, string>;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  world = await openWorld();
  const redis = testRedis();
  env = {
    ...world.env,
    PERSONS_DB_READER_URL: world.env.PERSONS_DB_WRITER_URL,
    KAFKA_PREFIX: world.topicPrefix,
    SKEIN_REDIS_URL: redis.url,
    SKEIN_REDIS_PREFIX: `{${redis.prefix}}`,
    SKEIN_LEASE_MS: '1000',
    SKEIN_LEASE_RENEW_MS: '200',
    SKEIN_PULSE_MS: '100',
    SKEIN_RESEND_MS: '500',
    SKEIN_MAX_LOST: '20',
  };
  engine = await openEngine(deploymentThatDies(undefined), { env });
}, 120_000);
afterAll(async () => {
  await Promise.all([...children].map((child) => (child.kill('SIGKILL'), once(child, 'exit'))));
  const keys = await engine.redis.keys(`${env.SKEIN_REDIS_PREFIX}*`);
  if (keys.length > 0) await engine.redis.del(...keys);
  await engine.close();
  await world.close();
});

function worker(dieAt?: string): ChildProcess {
  const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', SCRIPT], {
    cwd: ROOT,
    env: { ...process.env, ...env, ...(dieAt === undefined ? {} : { DIE_AT: dieAt }) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

const submit = async (team: number) =>
  (await createClient(engine).submit({ job: JOB, partitions: [`${team}_2026-11-24`], config: REAL, cause: 'test' }))
    .runId;
const ended = (runId: string) =>
  eventually(
    () => createClient(engine).run(runId),
    (run) => run.endedAt !== undefined && run.endedAt !== null,
    60_000,
  );

test('killed once between every two tasks, each time another worker: exact counters, nothing doubled', async () => {
  const sample = await mixedTeam(world);
  const runId = await submit(sample.team);

  // Each death lies behind the progress of the one before, as a run has them that is very unlucky.
  for (const point of POINTS) {
    const child = worker(`${point}:1`);
    await eventually(
      async () => [child.signalCode, (await createClient(engine).run(runId)).status] as const,
      ([signal, status]) => signal !== null || status === 'FAILURE',
    );
    expect([point, child.signalCode]).toEqual([point, 'SIGKILL']);
  }
  worker();
  const run = await ended(runId);
  expect(run).toMatchObject({ status: 'SUCCESS', counts: { materialized: 1, failed: 0 } });
  expect(run.result).toMatchObject(COMPLETE);
  await expectRepaired(world, sample);
}, 180_000);
