/**
 * Executes one attempt: a pipeline of named steps over one value. Begin, prepare, run user code under lease, timeout
 * and cancellation, settle. User code's failure is an outcome; the ledger's refusal means that another has taken over.
 */

import type { Asset, Task } from '../definitions/asset.ts';
import { runChecks } from '../definitions/check.ts';
import { configOf, parseConfig } from '../definitions/config.ts';
import type { StepContext } from '../definitions/context.ts';
import { lookUp } from '../definitions/deployment.ts';
import {
  AssetFailedError,
  CancelledError,
  CheckFailedError,
  LeaseLostError,
  TimeoutError,
  WorkerStoppingError,
} from '../definitions/errors.ts';
import type { PartitionOutcome } from '../definitions/outcome.ts';
import { backoffMs } from '../definitions/retry.ts';
import {
  type Attempt,
  type OkVerdict,
  beginAttempt,
  settleCancelled,
  settleFailed,
  settleHandedOn,
  settleOk,
  toAttempt,
  unitOf,
} from '../engine/attempt.ts';
import type { Engine, Settled, Taker } from '../engine/engine.ts';
import { failpoint } from '../engine/failpoint.ts';
import { readMaterialized, readTaskResults } from '../engine/reads/task-results.ts';
import type { Part } from '../engine/submit.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Scrub } from '../telemetry/scrub.ts';
import { type ActiveSpan, type SpanFields, inSpan } from '../telemetry/tracing.ts';
import { describeError } from './describe-error.ts';
import type { Lease, LeaseKeeper } from './leases.ts';
import type { ResourcePool } from './resources.ts';
import { createRunLog } from './run-log.ts';
import { createStepContext } from './step-context.ts';
import { untilTaken } from './until-taken.ts';

export interface ExecutePorts {
  readonly engine: Engine;
  readonly worker: string;
  readonly leases: LeaseKeeper;
  readonly resources: ResourcePool;
  readonly metrics: Metrics;
  readonly scrub: Scrub;
}

/** An attempt to execute: rung for, or begun already when the one before it was settled. */
export interface NextAttempt {
  readonly attempt: string;
  readonly begun?: readonly string[] | undefined;
  /** When the ledger was asked for it, by `performance.now()`. */
  readonly askedAt?: number;
}

/**
 * Does nothing when the attempt is not to be had: cancelled, taken, or rung for twice.
 * @param taker who goes on when this one is settled; absent: nobody
 * @returns the next attempt, given when this one was settled
 */
export async function executeAttempt(
  ports: ExecutePorts,
  one: NextAttempt,
  taker: () => Taker | undefined = () => undefined,
): Promise<NextAttempt | undefined> {
  const { engine } = ports;
  failpoint('attempt.taken');
  const askedAt = one.askedAt ?? performance.now();
  const attempt = one.begun ? toAttempt(one.attempt, one.begun) : await beginAttempt(engine, one.attempt, ports.worker);
  if (!attempt) return undefined;
  failpoint('attempt.begun');
  const lease = ports.leases.take(attempt, askedAt);
  const { tracing } = engine;
  const parent = tracing?.ofRun(attempt.runId, attempt.trace);
  return inSpan(tracing, `attempt ${attempt.asset}`, parent, tracing ? aboutAttempt(ports, attempt) : {}, (span) =>
    executeBegun(ports, attempt, lease, taker, span),
  );
}

function aboutAttempt({ worker }: ExecutePorts, attempt: Attempt): SpanFields {
  return {
    'skein.run': attempt.runId,
    'skein.job': attempt.job,
    'skein.asset': attempt.asset,
    'skein.attempt': attempt.number,
    'skein.unit': unitOf(attempt.id),
    'skein.kind': UNIT_KINDS[attempt.kind],
    'skein.partition': attempt.parts.length === 1 ? attempt.parts[0]?.[0] : undefined,
    'skein.partitions': attempt.parts.length,
    'skein.worker': worker,
  };
}

const UNIT_KINDS = { m: 'materialize', plan: 'plan', task: 'task', settle: 'settle' } as const;

async function executeBegun(
  ports: ExecutePorts,
  attempt: Attempt,
  lease: Lease,
  taker: () => Taker | undefined,
  span: ActiveSpan | undefined,
): Promise<NextAttempt | undefined> {
  const { engine, metrics } = ports;
  const log = createRunLog(engine, attempt, ports.scrub);
  const endTimer = metrics.attemptSeconds.startTimer({ asset: attempt.asset });
  let verdict = 'ok';
  let next: NextAttempt | undefined;
  const settle = async (settling: (taker: Taker | undefined) => Promise<Settled>) => {
    const nextAskedAt = performance.now();
    const settled = await untilTaken(lease.signal, engine.settings.leaseMs, () => settling(taker()));
    if (!settled.committed) metrics.fencedCommits.inc();
    if (settled.next) next = { ...settled.next, askedAt: nextAskedAt };
  };
  try {
    const asset = lookUp('asset', engine.deployment.assets, attempt.asset);
    const outcome = await underLimits(asset, lease, engine.settings.cancelGraceMs, (signal) =>
      work(ports, attempt, asset, log, signal),
    );
    await log.flush();
    failpoint('attempt.worked');
    await settle((by) => settleOk(engine, attempt, outcome, by));
    failpoint('attempt.settled');
  } catch (error) {
    verdict = await settleError(ports, attempt, lease.signal, error, log, settle);
    span?.fail(describeError(lease.signal.aborted ? lease.signal.reason : error, ports.scrub).message);
  } finally {
    lease.release();
    endTimer({ verdict });
    span?.set({ 'skein.verdict': verdict });
    await log.flush();
    engine.dispatcher.kick();
  }
  return next;
}

async function settleError(
  { engine, metrics, scrub }: ExecutePorts,
  attempt: Attempt,
  signal: AbortSignal,
  error: unknown,
  log: ReturnType<typeof createRunLog>,
  settle: (settling: (taker: Taker | undefined) => Promise<Settled>) => Promise<void>,
): Promise<string> {
  const reason = causeOf(signal, error);
  if (reason instanceof LeaseLostError) {
    metrics.leaseLost.inc();
    return 'lost'; // The ledger has given or will give the attempt to another; nothing to settle.
  }
  if (reason instanceof WorkerStoppingError) {
    await settle((by) => settleHandedOn(engine, attempt, by));
    return 'handed_on';
  }
  if (reason instanceof CancelledError) {
    failpoint('attempt.cancelling');
    await settle((by) => settleCancelled(engine, attempt, by));
    failpoint('attempt.cancelled');
    return 'cancelled';
  }
  const described = describeError(reason, scrub);
  const policy = engine.deployment.assets.get(attempt.asset)?.retries;
  const again = described.retryable && policy !== undefined && attempt.fails + 1 < policy.attempts;
  // Up to a tenth more, so that attempts that failed together do not come back together.
  const retryInMs = again ? Math.round(backoffMs(policy.backoff, attempt.fails + 2) * (1 + Math.random() / 10)) : -1;
  log.error(described.message, {
    code: described.code,
    reason: described.reason,
    attempt: attempt.number,
    retry_in_ms: retryInMs,
  });
  await log.flush();
  failpoint('attempt.failing');
  const failed = {
    error: { code: described.code, message: described.message },
    reason: described.reason,
    retryInMs,
  };
  await settle((by) => settleFailed(engine, attempt, failed, by));
  failpoint('attempt.failed');
  return 'failed';
}

/** What an aborted attempt ended with is why it was aborted; but nobody who lost the lease settles anything. */
function causeOf(signal: AbortSignal, error: unknown): unknown {
  return signal.aborted && !(error instanceof LeaseLostError) ? signal.reason : error;
}

/** Runs work under the asset's timeout; work that ignores its signal is given up after the grace. */
async function underLimits<T>(
  asset: Asset,
  lease: Lease,
  graceMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = lease;
  signal.throwIfAborted();
  const tooLong = () =>
    lease.abort(new TimeoutError(`The attempt took longer than ${asset.timeoutMs} ms, the timeout of ${asset.key}.`));
  const timer = asset.timeoutMs === undefined ? undefined : setTimeout(tooLong, asset.timeoutMs);
  let graceTimer: NodeJS.Timeout | undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      graceTimer = setTimeout(() => reject(givingUp(signal.reason)), graceMs);
    });
  });
  givenUp.catch(() => {});
  try {
    const value = await Promise.race([work(signal), givenUp]);
    // A lost lease must not commit; a cancellation or timeout that came after the work was done does not undo it.
    if (signal.aborted && signal.reason instanceof LeaseLostError) throw signal.reason;
    return value;
  } catch (error) {
    throw causeOf(signal, error);
  } finally {
    clearTimeout(timer);
    clearTimeout(graceTimer);
  }
}

/** What still works when its worker stops is not handed on: it ends with the process, and its lease runs out after that. */
function givingUp(reason: unknown): Error {
  return reason instanceof WorkerStoppingError
    ? new LeaseLostError('The code went on although its worker stops; its lease is left to run out.')
    : (reason as Error);
}

async function work(
  ports: ExecutePorts,
  attempt: Attempt,
  asset: Asset,
  log: ReturnType<typeof createRunLog>,
  signal: AbortSignal,
): Promise<OkVerdict> {
  const { engine } = ports;
  const job = lookUp('job', engine.deployment.jobs, attempt.job);
  const parsed = parseConfig(asset, configOf(job, asset, attempt.config));
  const settled = new Set<string>();
  const context = createStepContext({
    engine,
    attempt,
    asset,
    config: asset.bindConfig(
      parsed,
      attempt.parts.map(([key]) => asset.partitions.parse(key)),
    ),
    resources: await ports.resources.openAll(asset.resources),
    log,
    signal,
    metrics: ports.metrics,
    settled,
  });
  switch (attempt.kind) {
    case 'm':
      return materialize(asset, attempt, context);
    case 'plan':
      return plan(asset, context);
    case 'task':
      return runTask(asset, attempt, context, settled);
    case 'settle':
      return settleTasks(ports.engine, asset, attempt, context);
  }
}

async function materialize(
  asset: Asset,
  attempt: Attempt,
  context: StepContext<unknown, unknown, unknown>,
): Promise<OkVerdict> {
  const [ref] = context.partitions;
  if (!ref || !asset.materialize)
    throw new AssetFailedError(`${asset.key} cannot make this partition: the code of the worker is another version.`);
  const step = { ...context, partition: ref.value, partitionKey: ref.key };
  const made = await asset.materialize(step);
  const outcome: PartitionOutcome =
    attempt.rehearsal && made.kind === 'materialized'
      ? { kind: 'rehearsed', reason: 'a rehearsal leaves the state as it was', metadata: made.metadata }
      : made;
  if (outcome.kind === 'materialized') await runChecks(asset.checks, step, outcome.metadata);
  return { outcomes: [[ref.key, outcome]], result: outcome.metadata };
}

const TASK_ID = /^[a-z0-9][a-z0-9_-]{0,99}$/;
const MAX_TASKS = 10_000;

async function plan(asset: Asset, context: StepContext<unknown, unknown, unknown>): Promise<OkVerdict> {
  const fan = fanOut(asset);
  const tasks = await fan.plan(context);
  if (tasks.length > MAX_TASKS)
    throw new AssetFailedError(`${asset.key} planned ${tasks.length} tasks; at most ${MAX_TASKS} go into one run.`);
  const seen = new Set<string>();
  for (const task of tasks) {
    if (!TASK_ID.test(task.id) || seen.has(task.id))
      throw new AssetFailedError(`${asset.key} planned a task “${task.id}” twice or with a malformed id.`);
    seen.add(task.id);
  }
  return {
    outcomes: [],
    tasks: tasks.map((task) => [task.id, task.partitions.map((key) => partOf(asset, key)), task.input] as const),
    ...(fan.maxConcurrent ? { maxConcurrent: fan.maxConcurrent(context.config) } : {}),
  };
}

async function runTask(
  asset: Asset,
  attempt: Attempt,
  context: StepContext<unknown, unknown, unknown>,
  settled: ReadonlySet<string>,
): Promise<OkVerdict> {
  const name = attempt.id.split('.').slice(2, -1).join('.');
  const task: Task = {
    id: name.replace(/^t-/, ''),
    partitions: attempt.parts.map(([key]) => key),
    input: attempt.input,
  };
  const result = await fanOut(asset).run({ ...context, task });
  const rest = task.partitions.filter((key) => !settled.has(key));
  return { outcomes: rest.map((key) => [key, defaultOutcome(attempt)] as const), result: result ?? null };
}

async function settleTasks(
  engine: Engine,
  asset: Asset,
  attempt: Attempt,
  context: StepContext<unknown, unknown, unknown>,
): Promise<OkVerdict> {
  const results = await readTaskResults(engine, attempt.runId);
  const result = await fanOut(asset).settle({ ...context, results });
  const failed = await checkPartitions(engine, asset, attempt, context);
  // Partitions that are settled already keep their outcome, but for those that fail a check; the script sees to that.
  return {
    outcomes: attempt.parts.map(([key]) => [key, failed.get(key) ?? defaultOutcome(attempt)] as const),
    result,
  };
}

/** Those of the materialized partitions that fail a check. */
async function checkPartitions(
  engine: Engine,
  asset: Asset,
  attempt: Attempt,
  context: StepContext<unknown, unknown, unknown>,
): Promise<ReadonlyMap<string, PartitionOutcome>> {
  const failed = new Map<string, PartitionOutcome>();
  if (asset.checks.length === 0 || attempt.rehearsal) return failed;
  const metadata = await readMaterialized(engine, attempt);
  for (const { key, value } of context.partitions) {
    const made = metadata.get(key);
    if (made === undefined) continue;
    context.signal.throwIfAborted();
    try {
      await runChecks(asset.checks, { ...context, partition: value, partitionKey: key }, made);
    } catch (error) {
      if (!(error instanceof CheckFailedError)) throw error;
      failed.set(key, { kind: 'failed', error: { code: error.code, message: error.message }, metadata: made });
    }
  }
  return failed;
}

function defaultOutcome(attempt: Attempt): PartitionOutcome {
  return attempt.rehearsal
    ? { kind: 'rehearsed', reason: 'a rehearsal leaves the state as it was', metadata: {} }
    : { kind: 'materialized', metadata: {} };
}

function fanOut(asset: Asset): NonNullable<Asset['tasks']> {
  if (!asset.tasks) throw new AssetFailedError(`${asset.key} has no tasks: the code of the worker is another version.`);
  return asset.tasks;
}

function partOf(asset: Asset, key: string): Part {
  const cell = asset.partitions.cell(asset.partitions.parse(key));
  return [key, cell.row, cell.column];
}
