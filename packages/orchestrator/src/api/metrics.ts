/** Gauges that only asking the ledger can fill: set at each scrape. Labels are pools and states, never keys or ids. */

import { Gauge } from 'prom-client';

import { poolNames, readPool } from '../engine/pools.ts';
import { readLateTicks, readSourceLags } from '../engine/reads/trigger-lag.ts';
import { ledgerRisks } from '../store/redis.ts';
import type { ApiContext } from './context.ts';
import { RUN_INDEXES } from './reads/run-list.ts';
import { parseReplication } from './reads/replication.ts';
import { clockSkewMs, readAges, readQueues, readWorkers } from './reads/system.ts';

/** Gives what fills the gauges. */
export function serverMetrics({ engine, metrics, changes }: ApiContext): () => Promise<void> {
  const registers = [metrics.registry];
  const gauge = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const runs = gauge('skein_runs', 'Runs by status.', ['status']);
  const depth = gauge('skein_queue_depth', 'Units that wait, by pool.', ['pool']);
  const poolLimit = gauge('skein_pool_limit', 'Slots of a pool.', ['pool']);
  const poolUsed = gauge('skein_pool_used', 'Slots of a pool that are taken.', ['pool']);
  const outbox = gauge('skein_outbox', 'Attempts that are out but not begun.');
  const outboxAge = gauge('skein_outbox_age_seconds', 'Age of the oldest of them.');
  const leases = gauge('skein_leases', 'Attempts under way.');
  const workers = gauge('skein_workers', 'Workers heard of lately.');
  const slots = gauge('skein_worker_slots', 'Attempts that they take at once.');
  const backfills = gauge('skein_backfills_live', 'Backfills in progress.');
  const skew = gauge('skein_clock_skew_seconds', 'This process’s clock against Redis’s.');
  const listeners = gauge('skein_sse_clients', 'Clients of the event stream.');
  const pulseAge = gauge('skein_pulse_age_seconds', 'Since the last pulse of any process.');
  const tickLag = gauge('skein_tick_lag_seconds', 'How long the most overdue tick has been due.');
  const tickIntervals = gauge('skein_tick_lag_intervals', 'How late the latest tick is, in intervals of its sensor.');
  const sourceLag = gauge('skein_source_lag', 'What lies before a cursor, in the unit of its sensor.', ['sensor']);
  const stands = gauge(
    'skein_cursor_stands_intervals',
    'For how many intervals a cursor has stood while its source lag grew; 0 while it does not grow.',
    ['sensor'],
  );
  const leaseOverdue = gauge('skein_lease_overdue_seconds', 'How long the most overdue lease has been over.');
  const oldestQueued = gauge('skein_oldest_queued_seconds', 'Age of the oldest run that is queued.');
  const backupAge = gauge('skein_backup_age_seconds', 'Age of the last backup; absent when there was none.', ['kind']);
  const replicas = gauge(
    'skein_redis_replicas',
    'Replicas of the ledger’s Redis, those that follow and those that do not.',
    ['state'],
  );
  const isPrimary = gauge('skein_redis_primary', '1 while the ledger’s Redis is a primary.');
  const unsafe = gauge('skein_redis_unsafe', 'Settings and states of Redis by which it would lose the ledger.');
  const ledger = gauge('skein_ledger_stats', 'Counters that the ledger keeps.', ['name']);

  return async () => {
    const [queues, alive, live, skewMs, ages, info, stats, late, lags, pools, counts] = await Promise.all([
      readQueues(engine),
      readWorkers(engine),
      engine.redis.scard(engine.keys.liveBackfills),
      clockSkewMs(engine),
      readAges(engine),
      engine.redis.info(),
      engine.redis.hgetall(engine.keys.stats),
      readLateTicks(engine),
      readSourceLags(engine),
      Promise.all(poolNames(engine).map((name) => readPool(engine, name))),
      Promise.all(RUN_INDEXES.map((status) => engine.redis.zcard(engine.keys.runsByStatus(status)))),
    ]);
    RUN_INDEXES.forEach((status, i) => runs.set({ status: status.toLowerCase() }, counts[i] ?? 0));
    depth.reset();
    for (const { pool, units } of queues.queued) depth.inc({ pool }, units);
    for (const { name: pool, limit, used } of pools) {
      poolLimit.set({ pool }, limit);
      poolUsed.set({ pool }, used);
    }
    outbox.set(queues.outbox);
    outboxAge.set(queues.oldest_outbox_ms / 1_000);
    leases.set(queues.leases);
    workers.set(alive.length);
    slots.set(alive.reduce((sum, { concurrency }) => sum + concurrency, 0));
    backfills.set(live);
    skew.set(skewMs / 1_000);
    if (ages.pulseAgeMs !== undefined) pulseAge.set(ages.pulseAgeMs / 1_000);
    tickLag.set(ages.tickLagMs / 1_000);
    tickIntervals.set(late[0]?.intervals ?? 0);
    sourceLag.reset();
    stands.reset();
    for (const { sensor, lag, standsIntervals } of lags) {
      sourceLag.set({ sensor }, lag);
      stands.set({ sensor }, standsIntervals);
    }
    leaseOverdue.set(ages.leaseOverdueMs / 1_000);
    oldestQueued.set(ages.oldestQueuedMs / 1_000);
    if (ages.backupAgeMs !== undefined) backupAge.set({ kind: 'ledger' }, ages.backupAgeMs / 1_000);
    unsafe.set(ledgerRisks(info).length);
    const replication = parseReplication(info);
    isPrimary.set(replication.role === 'primary' ? 1 : 0);
    replicas.set({ state: 'following' }, replication.following);
    replicas.set({ state: 'broken' }, replication.replicas - replication.following);
    listeners.set(changes.listeners);
    for (const [name, value] of Object.entries(stats)) ledger.set({ name }, Number(value));
  };
}
