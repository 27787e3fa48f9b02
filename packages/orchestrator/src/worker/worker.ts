/**
 * The worker: takes attempts and ticks from the queues, executes them, keeps their leases, pulses. Stopping it stops
 * fetching first, lets what runs finish until the grace is over, then aborts it and hands it on.
 */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { Worker as BullWorker } from 'bullmq';

import type { Asset } from '../definitions/asset.ts';
import type { Logger } from '../definitions/context.ts';
import { DefinitionInvalidError, WorkerStoppingError } from '../definitions/errors.ts';
import { type Engine, type Taker, queuePrefix } from '../engine/engine.ts';
import { probePools } from '../engine/pools.ts';
import { startPulse } from '../engine/pulse.ts';
import { evaluateTick } from '../engine/tick.ts';
import { connectBlocking, endConnection } from '../store/redis.ts';
import { type Metrics, createMetrics } from '../telemetry/metrics.ts';
import { createScrub } from '../telemetry/scrub.ts';
import { inSpan } from '../telemetry/tracing.ts';
import { describeError } from './describe-error.ts';
import { type NextAttempt, executeAttempt } from './execute.ts';
import { executeIsolated, isolatedAsset } from './isolate.ts';
import { createLeaseKeeper } from './leases.ts';
import { pullFrom } from './of-pools.ts';
import { type ResourcePool, createResourcePool } from './resources.ts';

export interface WorkerOptions {
  /** Attempts at once; default 10. */
  readonly concurrency?: number;
  readonly tickConcurrency?: number;
  /** Takes the work of these pools only, and evaluates no ticks. */
  readonly pools?: readonly string[];
  readonly log: Logger;
  readonly metrics?: Metrics;
  /** Shared with others in this process; otherwise the worker opens and closes its own. */
  readonly resources?: ResourcePool;
}

export interface SkeinWorker {
  readonly id: string;
  readonly metrics: Metrics;
  /**
   * Stops once; a second call waits for the first.
   * @param graceMs what runs may take to finish; then it is aborted and left to another worker
   */
  stop(graceMs?: number): Promise<void>;
}

const STALLED = { lockDuration: 20_000, stalledInterval: 8_000, maxStalledCount: 1_000 } as const;
const HEARTBEAT_MS = 2_000;
/** What a worker tells of its event loop is of this time at most. */
const LOOP_WINDOW_MS = 60_000;
/** A worker that has not been heard of for this long counts as gone. */
const WORKER_ALIVE_MS = 10_000;

export async function startWorker(engine: Engine, options: WorkerOptions): Promise<SkeinWorker> {
  const id = `${hostname().slice(0, 40)}.${process.pid}.${randomBytes(3).toString('hex')}`;
  const concurrency = options.concurrency ?? 10;
  const { log, pools } = options;
  const metrics = options.metrics ?? createMetrics();
  const scrub = createScrub(engine.env);
  engine.tracing?.reportTo(log);
  const resources = options.resources ?? createResourcePool(engine.deployment, engine.env, log);
  const leases = createLeaseKeeper(engine);
  const connection = connectBlocking(engine.redisUrl);
  const prefix = queuePrefix(engine.keys.prefix);
  const ports = { engine, worker: id, leases, resources, metrics, scrub };
  let stopping: Promise<void> | undefined;
  const graceOver = new AbortController();

  const isolated = new Map([...engine.deployment.assets].filter(([, asset]) => asset.isolation !== 'inline'));
  const file = engine.deploymentFile;
  if (isolated.size > 0 && file === undefined) {
    throw new DefinitionInvalidError(
      `${[...isolated.keys()].join(', ')} asks for isolation, and this program did not say which file its deployment is in (deploymentFile of openEngine).`,
    );
  }
  const taker: Taker = { worker: id, elsewhere: [...isolated.keys()] };
  // Slots that are taken, between two attempts too, and by those that run in a process of their own with its own lease.
  let busy = 0;
  // From one bell on, as long as something waits when an attempt is settled: then it costs no bell.
  const execute = async (rung: string) => {
    let next: NextAttempt | undefined = { attempt: rung };
    busy++;
    try {
      while (next) {
        const { attempt }: NextAttempt = next;
        const asset: Asset | undefined = next.begun ? undefined : await isolatedAsset(engine, isolated, attempt);
        next =
          asset && file !== undefined
            ? await executeIsolated(engine, id, asset, attempt, file, graceOver.signal)
            : await executeAttempt(ports, next, () => (stopping || pools ? undefined : taker));
      }
    } finally {
      busy--;
    }
  };

  const guard = (what: string, work: (id: string) => Promise<unknown>) => async (job: { id?: string | undefined }) => {
    try {
      await work(job.id ?? '');
    } catch (error) {
      // The ledger keeps the truth: a lease that is not settled expires, a tick that is not committed is lost and said so.
      log.error(`${what} was left to the ledger`, { id: job.id, error: describeError(error, scrub).message });
    }
  };
  const bells = (name: string, work: ReturnType<typeof guard>, atOnce: number) => {
    const options = { connection, prefix, concurrency: atOnce, skipVersionCheck: true, ...STALLED };
    const bullWorker = new BullWorker(name, work, options);
    bullWorker.on('error', (error) => log.warn('the queue does not answer', { error: error.message }));
    return bullWorker;
  };
  const tickPorts = {
    engine,
    worker: id,
    openResources: (map: Parameters<ResourcePool['openAll']>[0]) => resources.openAll(map),
    describe: (error: unknown) => describeError(error, scrub).message,
    log,
  };
  const work = guard('an attempt', execute);
  const tick = guard('a tick', async (tick) => {
    const began = performance.now();
    const sensor = tick.slice(0, tick.lastIndexOf('.'));
    const about = { 'skein.sensor': sensor, 'skein.tick': tick, 'skein.worker': id };
    const decision = await inSpan(engine.tracing, `tick ${sensor}`, null, about, async (span) => {
      const decided = await evaluateTick(tickPorts, tick);
      span?.set({ 'skein.decision': decided ?? 'taken by another' });
      if (decided === 'failed' || decided === 'timed_out') span?.fail(`The tick ${decided.replace('_', ' ')}.`);
      return decided;
    });
    if (decision === undefined) return;
    metrics.ticks.inc({ sensor, decision });
    metrics.tickSeconds.observe({ sensor }, (performance.now() - began) / 1_000);
  });

  const loop = monitorEventLoopDelay();
  loop.enable();
  let loopSince = performance.now();
  const beat = async () => {
    const loop_p99_ms = Math.round(loop.percentile(99) / 1e6);
    if (performance.now() - loopSince > LOOP_WINDOW_MS) {
      loop.reset();
      loopSince = performance.now();
    }
    const about = JSON.stringify({
      id,
      pid: process.pid,
      host: hostname(),
      concurrency,
      pools,
      active: busy,
      rss: process.memoryUsage().rss,
      loop_p99_ms,
    });
    try {
      // More slots, or fewer: how much may be out follows them.
      if ((await engine.script('beat', id, about, WORKER_ALIVE_MS)) === 1) engine.dispatcher.kick();
      metrics.activeAttempts.set(busy);
    } catch {
      // The next beat tells.
    }
  };
  const queues = pools ? [] : [bells('work', work, concurrency), bells('ticks', tick, options.tickConcurrency ?? 5)];
  await beat();
  // As often as leases are renewed at least: a tick of a worker that is silent for a lease is given to another.
  const heartbeat = setInterval(() => void beat(), Math.min(HEARTBEAT_MS, engine.settings.renewMs));
  const pulseFailed = (error: unknown) =>
    log.warn('a pulse failed', { error: error instanceof Error ? error.message : String(error) });
  const pulse = startPulse(
    engine,
    pulseFailed,
    // What is rung for is for those who hear it.
    () => (pools ? 0 : concurrency - busy),
    () => probePools(engine, tickPorts),
  );
  await Promise.all(queues.map((one) => one.waitUntilReady()));
  const puller = pools && pullFrom(engine, pools, concurrency, (attempt) => work({ id: attempt }), pulseFailed);

  const stop = async (graceMs: number) => {
    const closing = Promise.allSettled([...queues.map((one) => one.close()), puller?.close()]);
    const late = setTimeout(() => {
      leases.abortAll(new WorkerStoppingError('The worker is stopping; another one goes on.'));
      graceOver.abort();
    }, graceMs);
    await closing;
    clearTimeout(late);
    await pulse.stop();
    clearInterval(heartbeat);
    loop.disable();
    leases.stop();
    endConnection(connection);
    if (!options.resources) await resources.close();
    await engine.script('beat', id, '', WORKER_ALIVE_MS).catch(() => {});
  };

  return {
    id,
    metrics,
    stop: (graceMs = 25_000) => (stopping ??= stop(graceMs)),
  };
}

/** Workers heard of lately. */
export async function countWorkers(engine: Engine): Promise<number> {
  return engine.redis.zcount(engine.keys.workers, Date.now() - WORKER_ALIVE_MS, '+inf');
}

/** Whether somebody alive takes every kind of work, ticks too, and not that of some pools only. */
export async function takesAnybodyAll(engine: Engine): Promise<boolean> {
  if ((await countWorkers(engine)) === 0) return false;
  return Number(await engine.redis.hget(engine.keys.meta, 'slots')) > 0;
}
