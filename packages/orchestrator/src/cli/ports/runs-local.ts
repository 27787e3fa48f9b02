/** Runs of the ledger itself: the engine's verbs, the audit log, history behind what is live. */

import { maskSecrets } from '../../api/mask.ts';
import type { RunSummary } from '../../definitions/client.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { cancelRun } from '../../engine/cancel.ts';
import type { Engine } from '../../engine/engine.ts';
import { followRun } from '../../engine/reads/run-events.ts';
import { listRuns, readRun } from '../../engine/reads/runs.ts';
import { retryRun } from '../../engine/retry.ts';
import { submit } from '../../engine/submit.ts';
import { type AllRuns, createAllRuns } from '../../history/all-runs.ts';
import { orderOf } from '../../history/archived-query.ts';
import { type RunArchive, openRunArchive } from '../../history/run-archive.ts';
import { workWhereNobodyDoes } from '../local-worker.ts';
import { assetOfJob, expandKeys } from '../partition-arguments.ts';
import type { Session } from '../session.ts';
import type { RunFilter, RunsPort } from './runs.ts';

/** More than a run keeps. */
const WHOLE_LOG = 100_000;

export function localRuns(session: Session): RunsPort {
  return {
    async launch({ job, config, tags, priority, runKey, dryRun, ...order }) {
      // What the arguments alone can say is said before Redis is asked.
      const partitions = expandKeys(assetOfJob(session.deployment, job), order.partitions);
      const launched = await submit(await session.engine(), {
        job,
        partitions,
        cause: session.by,
        dryRun,
        ...(config === undefined ? {} : { config }),
        ...(tags === undefined ? {} : { tags }),
        ...(priority === undefined ? {} : { priority }),
        ...(runKey === undefined ? {} : { runKey }),
      });
      await session.audit({
        action: 'skein run',
        target: `run:${launched.runId}`,
        after: { job, partitions: partitions.length, config: maskSecrets(config) },
      });
      return launched;
    },
    read: async (id) => withHistory(await session.engine(), (_archive, runs) => runs.read(id)),
    glance: async (id) => readRun(await session.engine(), id),
    async list(filter) {
      if (filter.job !== undefined) lookUp('job', session.deployment.jobs, filter.job);
      const engine = await session.engine();
      const live = await listRuns(engine, filter);
      return [...live, ...(await past(engine, filter, live))];
    },
    tail: async (id, limit) =>
      withHistory(await session.engine(), async (_archive, runs) => {
        await runs.read(id);
        return runs.tail(id, limit);
      }),
    async follow(id, onEvent) {
      const engine = await session.engine();
      if ((await engine.redis.exists(engine.keys.run(id))) === 1) return followRun(engine, id, onEvent);
      await withHistory(engine, async (_archive, runs) => {
        await runs.read(id);
        for (const line of await runs.tail(id, WHOLE_LOG)) onEvent(line);
      });
    },
    async cancel(id) {
      const status = await cancelRun(await session.engine(), id, session.by);
      await session.audit({ action: 'skein runs cancel', target: `run:${id}`, after: { status } });
      return status;
    },
    async retry(id, scope) {
      const retried = await retryRun(await session.engine(), id, scope);
      const { runId, partitions, carried } = retried;
      await session.audit({
        action: 'skein runs retry',
        target: `run:${runId}`,
        after: { retry_of: id, partitions: partitions.length, carried },
      });
      return retried;
    },
    work: async () => workWhereNobodyDoes(session, await session.engine()),
  };
}

/** What the page still has room for, out of history. */
async function past(engine: Engine, filter: RunFilter, live: readonly RunSummary[]): Promise<RunSummary[]> {
  if (live.length >= filter.limit) return [];
  return withHistory(engine, async (archive, runs) => {
    const last = live.at(-1) ?? (filter.before === undefined ? undefined : await runs.read(filter.before));
    const at = last && (orderOf(filter) === 'ended_ms' ? (last.endedAt ?? last.createdAt) : last.createdAt);
    const after = last && at && { id: last.id, score: at.getTime() };
    const found = await archive.page(filter, after, filter.limit - live.length);
    return found.map(({ run }) => run).filter(({ id }) => !live.some((one) => one.id === id));
  });
}

async function withHistory<T>(engine: Engine, work: (archive: RunArchive, runs: AllRuns) => Promise<T>): Promise<T> {
  const archive = openRunArchive(engine);
  try {
    return await work(archive, createAllRuns(engine, archive));
  } finally {
    await archive.close();
  }
}
