/** Whole workers of a real engine killed between any two tasks of a scan: the run ends as if nothing had been. */

import path from 'node:path';

import { createClient } from '@skein/orchestrator/runtime';

import { type DyingWorkers, openDyingWorkers } from '../dying-workers.ts';
import { POINTS, deploymentThatDies } from './killed-worker.ts';
import { COMPLETE, REAL, expectRepaired, mixedTeam } from './mixed-team.ts';
import { type World, eventually, openWorld } from './persons-world.ts';

const SCRIPT = path.join(__dirname, 'killed-worker.ts');
const JOB = 'sync_person_distinct_ids_job';

let world: World;
let workers: DyingWorkers;

beforeAll(async () => {
  world = await openWorld();
  workers = await openDyingWorkers(SCRIPT, deploymentThatDies(undefined), {
    ...world.env,
    PERSONS_DB_READER_URL: world.env.PERSONS_DB_WRITER_URL,
    KAFKA_PREFIX: world.topicPrefix,
  });
});
afterAll(async () => {
  await workers.close();
  await world.close();
});

const submit = async (team: number) =>
  (
    await createClient(workers.engine).submit({
      job: JOB,
      partitions: [`${team}_2026-11-24`],
      config: REAL,
      cause: 'test',
    })
  ).runId;
const ended = (runId: string) =>
  eventually(
    () => createClient(workers.engine).run(runId),
    (run) => run.endedAt !== undefined && run.endedAt !== null,
    60_000,
  );

test('killed once between every two tasks, each time another worker: exact counters, nothing doubled', async () => {
  const sample = await mixedTeam(world);
  const runId = await submit(sample.team);

  // Each death lies behind the progress of the one before, as a run has them that is very unlucky.
  for (const point of POINTS) {
    const child = workers.start(`${point}:1`);
    await eventually(
      async () => [child.signalCode, (await createClient(workers.engine).run(runId)).status] as const,
      ([signal, status]) => signal !== null || status === 'FAILURE',
    );
    expect([point, child.signalCode]).toEqual([point, 'SIGKILL']);
  }
  workers.start();
  const run = await ended(runId);
  expect(run).toMatchObject({ status: 'SUCCESS', counts: { materialized: 1, failed: 0 } });
  expect(run.result).toMatchObject(COMPLETE);
  await expectRepaired(world, sample);
});
