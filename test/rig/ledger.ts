/** Reads the ledger as the checker wants it, and waits until nothing moves in it any more. */

import { createClient } from '../../packages/orchestrator/src/engine/client.ts';
import { getCursor } from '../../packages/orchestrator/src/engine/cursor.ts';
import type { Engine } from '../../packages/orchestrator/src/engine/engine.ts';
import type { Ledger, LedgerRun } from './checker.ts';

/** Counts of what is held, owed or under way; all 0 when the system is quiet. */
async function readRemains(engine: Engine): Promise<Record<string, number>> {
  const { redis, keys, deployment } = engine;
  const assets = [...deployment.assets.keys()];
  const sum = async (counts: readonly Promise<number>[]) => (await Promise.all(counts)).reduce((n, one) => n + one, 0);
  const bells = await engine.work.getJobCounts('wait', 'delayed', 'prioritized', 'failed');
  return {
    leases: await redis.zcard(keys.leases),
    outbox: await redis.zcard(keys.outbox),
    ready: await redis.zcard(keys.ready),
    delayed: await redis.zcard(keys.delayed),
    cancelling: await redis.scard(keys.cancelling),
    claims: await sum(assets.map((asset) => redis.hlen(keys.holders(asset)))),
    slots: await sum(Object.keys(deployment.pools).map((pool) => redis.scard(keys.pool(pool)))),
    'open runs': await sum([...deployment.jobs.keys()].map((job) => redis.scard(keys.openRuns(job)))),
    bells: Object.values(bells).reduce((n, one) => n + one, 0),
  };
}

/** What has no counter is looked for by name, once, at the end. */
async function readOrphans(engine: Engine): Promise<Record<string, number>> {
  const orphans = { units: 0, waiters: 0 };
  let cursor = '0';
  do {
    const [next, found] = await engine.redis.scan(cursor, 'MATCH', `${engine.keys.prefix}:*`, 'COUNT', 5_000);
    cursor = next;
    for (const key of found) {
      if (key.startsWith(engine.keys.unit(''))) orphans.units++;
      if (key.startsWith(`${engine.keys.prefix}:wait:`)) orphans.waiters++;
    }
  } while (cursor !== '0');
  return orphans;
}

/** The first of what still moves, as it is: units that are out, with what the queue knows of them. */
async function readUnits(engine: Engine): Promise<object[]> {
  const { redis, keys } = engine;
  const attempts = [...(await redis.zrange(keys.outbox, 0, '4')), ...(await redis.zrange(keys.leases, 0, '4'))];
  return Promise.all(
    attempts.map(async (attempt) => ({
      attempt,
      unit: await redis.hgetall(keys.unit(attempt.slice(0, attempt.lastIndexOf('.')))),
      job: (await engine.work.getJob(attempt))?.toJSON(),
      state: await engine.work.getJobState(attempt),
    })),
  );
}

const SIXTY_SECONDS = 60_000;
const ENDS = ['SUCCESS', 'FAILURE', 'CANCELED'] as const;

/** @throws RangeError that says what still moves when nothing has ended for a minute after all faults are over */
export async function untilQuiet(
  engine: Engine,
  ended: () => Promise<boolean>,
  timeoutMs = SIXTY_SECONDS,
): Promise<void> {
  const { redis, keys } = engine;
  const runsEnded = async () =>
    (await Promise.all(ENDS.map((end) => redis.zcard(keys.runsByStatus(end))))).reduce((n, one) => n + one, 0);
  let [most, since] = [await runsEnded(), performance.now()];
  for (;;) {
    const remains = await readRemains(engine);
    const quiet = Object.values(remains).every((count) => count === 0);
    if (quiet && (await ended())) return;
    // A backlog takes as long as the machine needs for it; what is judged is that it goes on.
    const now = await runsEnded();
    if (now > most) [most, since] = [now, performance.now()];
    if (performance.now() - since > timeoutMs)
      throw new RangeError(
        `Nothing ended for ${timeoutMs} ms: ${JSON.stringify({ ...remains, units: await readUnits(engine) })}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function readLedger(engine: Engine): Promise<Ledger> {
  const { redis, keys, deployment } = engine;
  const client = createClient(engine);
  const ids = await redis.zrange(keys.runs, 0, '-1');
  const runs: LedgerRun[] = [];
  for (let at = 0; at < ids.length; at += 200) {
    for (const run of await Promise.all(ids.slice(at, at + 200).map((id) => client.run(id)))) {
      runs.push({
        ...{
          id: run.id,
          status: run.status,
          endReason: run.endReason,
          cause: run.cause,
          fanOut: run.job === 'pieces_job',
        },
        partitions: run.partitions.map(({ key, outcome, metadata }) => ({
          key,
          outcome,
          epoch: Number(metadata.epoch),
        })),
      });
    }
  }
  const cursors: Record<string, number> = {};
  for (const name of deployment.sensors.keys())
    cursors[name] = ((await getCursor(engine, name)).cursor as { next: number }).next;
  const miscounted: string[] = [];
  for (const asset of deployment.assets.keys())
    for (const row of await redis.zrange(keys.rows(asset), 0, '-1')) {
      const { equal } = JSON.parse((await engine.script('recount', asset, row, 0)) as string) as { equal: boolean };
      if (!equal) miscounted.push(`${asset}|${row}`);
    }
  return { runs, cursors, miscounted, remains: { ...(await readRemains(engine)), ...(await readOrphans(engine)) } };
}
