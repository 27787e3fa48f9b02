/** Workers killed with SIGKILL at every named point and at random, and Redis restarted: nothing lost, nothing twice, nothing stuck. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';

import { createBackfill, readBackfill } from '../../src/engine/backfill.ts';
import { createClient } from '../../src/engine/client.ts';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { FAILPOINTS } from '../../src/engine/failpoint.ts';
import { until } from './harness.ts';
import { killDeployment } from './worker-process.ts';

const ROOT = path.resolve(__dirname, '../../../..');
const SCRIPT = path.join(__dirname, 'worker-process.ts');

interface World {
  readonly engine: Engine;
  readonly env: Record<string, string>;
  readonly list: string;
  readonly children: Set<ChildProcess>;
  spawnWorker(failpoint?: string): ChildProcess;
}

const open: World[] = [];

async function world(): Promise<World> {
  const name = `k${randomBytes(6).toString('hex')}`;
  const env = {
    SKEIN_REDIS_URL: process.env.SKEIN_REDIS_URL ?? '',
    SKEIN_REDIS_PREFIX: `{${name}}`,
    SKEIN_LEASE_MS: '800',
    SKEIN_LEASE_RENEW_MS: '200',
    SKEIN_PULSE_MS: '100',
    SKEIN_RESEND_MS: '500',
    SKEIN_MAX_LOST: '20',
    TEST_HISTORY: `history-${name}`,
  };
  const engine = await openEngine(killDeployment(undefined, ''), { env });
  const children = new Set<ChildProcess>();
  const made: World = {
    engine,
    env,
    list: env.TEST_HISTORY,
    children,
    spawnWorker(failpoint) {
      const child = spawn(process.execPath, ['-C', 'source', '--import', 'tsx', SCRIPT], {
        cwd: ROOT,
        env: { ...process.env, ...env, ...(failpoint === undefined ? {} : { SKEIN_FAILPOINT: failpoint }) },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      children.add(child);
      child.once('exit', () => children.delete(child));
      return child;
    },
  };
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const { engine, env, list, children } of open.splice(0)) {
    await Promise.all([...children].map((child) => (child.kill('SIGKILL'), once(child, 'exit'))));
    const keys = await engine.redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
    await engine.redis.del(list, ...keys);
    await engine.close();
  }
});

/** What must hold when everything is quiet, whatever was killed. */
async function expectQuiet(engine: Engine): Promise<void> {
  const { redis, keys } = engine;
  expect({
    leases: await redis.zcard(keys.leases),
    outbox: await redis.zcard(keys.outbox),
    delayed: await redis.zcard(keys.delayed),
    held: await redis.hlen(keys.holders('days')),
    open: await redis.scard(keys.openRuns('days_job')),
  }).toEqual({ leases: 0, outbox: 0, delayed: 0, held: 0, open: 0 });
  for (const row of await redis.zrange(keys.rows('days'), 0, '-1')) {
    expect(JSON.parse((await engine.script('recount', 'days', row, 0)) as string)).toMatchObject({ equal: true });
  }
}

test('a worker killed at every named point: every partition is made, and the last epoch is the one that counts', async () => {
  const w = await world();
  const client = createClient(w.engine);
  const backfills: string[] = [];
  const points = FAILPOINTS.filter((name) => /^(dispatch|expand|attempt\.(begun|worked|settled))/.test(name));
  for (const [i, point] of points.entries()) {
    const request = { job: 'days_job', ids: [String(i + 1)], from: '2024-01-01', to: '2024-01-12', maxActive: 2 };
    backfills.push((await createBackfill(w.engine, request, 'test')).id);
    const child = w.spawnWorker(`${point}:2`);
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect({ point, code, signal }).toEqual({ point, code: null, signal: 'SIGKILL' });
  }
  w.spawnWorker();
  for (const id of backfills) {
    const done = await until(
      () => readBackfill(w.engine, id),
      (b) => b.status !== 'IN_PROGRESS',
      60_000,
    );
    expect(done).toMatchObject({ status: 'COMPLETED', succeeded: 12, requested: 12, failed: 0 });
  }
  const effects = (await w.engine.redis.lrange(w.list, 0, -1)).map(
    (text) => JSON.parse(text) as { key: string; run: string; epoch: number },
  );
  expect(new Set(effects.map((effect) => effect.key)).size).toBe(12 * points.length);
  for (const run of await client.runs({ limit: 200 })) {
    const epochs = effects.filter((effect) => effect.run === run.id).map((effect) => effect.epoch);
    const { partitions } = await client.run(run.id);
    // What was committed is the newest effect; epochs never go back.
    expect(partitions[0]?.metadata).toEqual({ epoch: Math.max(...epochs) });
    expect(epochs).toEqual([...epochs].sort((x, y) => x - y));
  }
  await expectQuiet(w.engine);
}, 180_000);

test('a sensor whose worker is killed in the middle of ticks requests every day exactly once', async () => {
  const w = await world();
  const client = createClient(w.engine);
  await w.engine.script('switch-sensor', 'feed', 'RUNNING', 'test');
  for (const point of ['tick.begun', 'tick.decided', 'tick.committed'] as const) {
    const child = w.spawnWorker(`${point}:2`);
    await once(child, 'exit');
  }
  w.spawnWorker();
  await until(
    () => client.cursor('feed'),
    ({ cursor }) => (cursor as { next: number }).next >= 40,
    60_000,
  );
  const runs = await until(
    () => client.runs({ limit: 100 }),
    (all) => all.length >= 40 && all.every((run) => run.endedAt !== undefined),
    40_000,
  );
  expect(runs).toHaveLength(40);
  expect(runs.every((run) => run.status === 'SUCCESS')).toBe(true);
  const keys = await Promise.all(runs.map(async (run) => (await client.run(run.id)).partitions[0]?.key));
  expect(new Set(keys).size).toBe(40);
  await expectQuiet(w.engine);
}, 180_000);

test('workers killed at random, ten times in a hundred partitions: the same result', async () => {
  const w = await world();
  const { id } = await createBackfill(
    w.engine,
    { job: 'days_job', ids: ['1..10'], from: '2024-02-01', to: '2024-02-10', maxActive: 10 },
    'test',
  );
  for (let kills = 0; kills < 10; kills++) {
    const child = w.spawnWorker();
    await once(child.stdout ?? child, 'data');
    const before = (await readBackfill(w.engine, id)).succeeded;
    await until(
      () => readBackfill(w.engine, id),
      (b) => b.succeeded > before + (kills % 4) || b.status !== 'IN_PROGRESS',
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  w.spawnWorker();
  expect(
    await until(
      () => readBackfill(w.engine, id),
      (b) => b.status !== 'IN_PROGRESS',
      40_000,
    ),
  ).toMatchObject({ status: 'COMPLETED', succeeded: 100, failed: 0 });
  await expectQuiet(w.engine);
}, 180_000);
