/**
 * Retry: a new run for what an earlier one did not make. Whole; only the partitions that failed; or from the failure:
 * steps of a partition that succeeded are not done again, the new run takes over their records and says from where.
 */

import type { RunDetail, RunPartition } from '../definitions/client.ts';
import { RefusedError, RequestError } from '../definitions/errors.ts';
import type { Engine } from './engine.ts';
import { readRun } from './reads/runs.ts';
import { type CarriedPartition, submit } from './submit.ts';

/**
 * `failed`: all steps of the partitions that failed; `from_failure`: the steps that failed or were not reached, of all
 * partitions.
 */
export type RetryScope = 'all' | 'failed' | 'from_failure';

export interface RetryPlan {
  /** Empty where the run knows none: its config names the scope. */
  readonly partitions: readonly string[];
  readonly carried: readonly CarriedPartition[];
}

/** @throws NotFoundError, RefusedError while the run is under way or when nothing of it is left to be done */
export async function retryRun(
  engine: Engine,
  id: string,
  scope: RetryScope,
  policy: { readonly nth?: number; readonly runKey?: string } = {},
): Promise<{ readonly runId: string; readonly partitions: readonly string[]; readonly carried: number }> {
  const run = await readRun(engine, id);
  const { partitions, carried } = planRetry(run, scope);
  const { runId } = await submit(
    engine,
    {
      job: run.job,
      partitions,
      config: run.config,
      tags: { ...run.tags, retry_of: run.id },
      priority: run.priority,
      cause: `retry:${run.id}`,
      ...(policy.runKey === undefined ? {} : { runKey: policy.runKey }),
    },
    carried,
    policy.nth,
  );
  return { runId, partitions, carried: carried.length };
}

/**
 * The next run that a job's policy makes of one that failed. Two pulses that are at it make one run, because of its key.
 * What cannot be run again is left: its run is gone, nothing of it is left to be done, or another run is at it and the job
 * refuses a second one. A process that does not know the job, as an old one during a deployment that adds it, leaves the run
 * due: `expire` gives it to one pulse after another, once in a lease.
 */
export async function runAgain(engine: Engine, id: string): Promise<void> {
  const [job, made] = await engine.redis.hmget(engine.keys.run(id), 'job', 'nth');
  if (job && !engine.deployment.jobs.has(job)) return;
  const nth = Number(made ?? 1) + 1;
  try {
    await retryRun(engine, id, 'from_failure', { nth, runKey: `retry:${id}` });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
  }
  await engine.redis.multi().zrem(engine.keys.retries, id).hdel(engine.keys.run(id), 'blocked').exec();
}

/** What the new run has to do. Pure. @throws RefusedError */
export function planRetry(
  run: Pick<RunDetail, 'id' | 'status' | 'endedAt' | 'partitions'>,
  scope: RetryScope,
): RetryPlan {
  if (run.endedAt === undefined)
    throw new RefusedError(`Run ${run.id} has not ended: it is ${run.status}. Wait for it, or cancel it first.`);
  const all = new Set(run.partitions.map(({ key }) => key));
  if (scope === 'all') return { partitions: [...all], carried: [] };
  const left = ({ outcome }: RunPartition) => (scope === 'failed' ? outcome === 'failed' : !isDone(outcome));
  const undone = new Set(run.partitions.filter(left).map(({ key }) => key));
  // A run whose plan failed knows no partitions yet: from its failure is from its beginning.
  if (undone.size === 0 && (scope === 'failed' || all.size > 0 || run.status === 'SUCCESS'))
    throw new RefusedError(`No partition of run ${run.id} failed: there is nothing to retry.`);
  const carried =
    scope === 'failed' ? [] : run.partitions.filter(({ key }) => undone.has(key)).flatMap((p) => carry(run.id, p));
  return { partitions: [...all].filter((key) => undone.has(key)), carried };
}

function isDone(outcome: RunPartition['outcome']): outcome is 'materialized' | 'skipped' {
  return outcome === 'materialized' || outcome === 'skipped';
}

function carry(runId: string, partition: RunPartition): CarriedPartition[] {
  const { asset, key, outcome, metadata, fromRun } = partition;
  if (!isDone(outcome)) return [];
  const record = { o: outcome, m: metadata, from: fromRun ?? runId };
  return [[`${asset}|${key}`, outcome, JSON.stringify(record)]];
}
