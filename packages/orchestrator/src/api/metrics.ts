/** Gauges that only asking the ledger can fill: set at each scrape. Labels are pools and states, never keys or ids. */

import { Gauge } from 'prom-client';

import type { ApiContext } from './context.ts';
import { RUN_INDEXES } from './reads/run-list.ts';
import { readReplication } from './reads/replication.ts';
import { clockSkewMs, readAges, readQueues, readWorkers } from './reads/system.ts';

/** Gives what fills the gauges. */
export function serverMetrics({ engine, metrics, changes }: ApiContext): () => Promise<void> {
  const registers = [metrics.registry];
  const gauge = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const runs = gauge('skein_runs', 'Runs by status.', ['status']);
  const depth = gauge('skein_queue_depth', 'Units that wait, by pool.', ['pool']);
  const outbox = gauge('skein_outbox', 'Attempts that are out but not begun.');
  const outboxAge = gauge('skein_outbox_age_seconds', 'Age of the oldest of them.');
  const leases = gauge('skein_leases', 'Attempts under way.');
  const workers = gauge('skein_workers', 'Workers heard of lately.');
  const backfills = gauge('skein_backfills_live', 'Backfills in progress.');
  const skew = gauge('skein_clock_skew_seconds', 'This process’s clock against Redis’s.');
  const listeners = gauge('skein_sse_clients', 'Clients of the event stream.');
  const tickLag = gauge('skein_tick_lag_seconds', 'How long the most overdue tick has been due.');
  const leaseOverdue = gauge('skein_lease_overdue_seconds', 'How long the most overdue lease has been over.');
  const oldestQueued = gauge('skein_oldest_queued_seconds', 'Age of the oldest run that is queued.');
  const backupAge = gauge('skein_backup_age_seconds', 'Age of the last backup; absent when there was none.', ['kind']);
  const replicas = gauge(
    'skein_redis_replicas',
    'Replicas of the ledger’s Redis, those that follow and those that do not.',
    ['state'],
  );
  const isPrimary = gauge('skein_redis_primary', '1 while the ledger’s Redis is a primary.');
  const ledger = gauge('skein_ledger_stats', 'Counters that the ledger keeps.', ['name']);

  return async () => {
    const [queues, alive, live, skewMs, ages, replication, stats, counts] = await Promise.all([
      readQueues(engine),
      readWorkers(engine),
      engine.redis.scard(engine.keys.liveBackfills),
      clockSkewMs(engine),
      readAges(engine),
      readReplication(engine),
      engine.redis.hgetall(engine.keys.stats),
      Promise.all(RUN_INDEXES.map((status) => engine.redis.zcard(engine.keys.runsByStatus(status)))),
    ]);
    RUN_INDEXES.forEach((status, i) => runs.set({ status: status.toLowerCase() }, counts[i] ?? 0));
    depth.reset();
    for (const { pool, units } of queues.queued) depth.inc({ pool }, units);
    outbox.set(queues.outbox);
    outboxAge.set(queues.oldest_outbox_ms / 1_000);
    leases.set(queues.leases);
    workers.set(alive.length);
    backfills.set(live);
    skew.set(skewMs / 1_000);
    tickLag.set(ages.tickLagMs / 1_000);
    leaseOverdue.set(ages.leaseOverdueMs / 1_000);
    oldestQueued.set(ages.oldestQueuedMs / 1_000);
    if (ages.backupAgeMs !== undefined) backupAge.set({ kind: 'ledger' }, ages.backupAgeMs / 1_000);
    isPrimary.set(replication.role === 'primary' ? 1 : 0);
    replicas.set({ state: 'following' }, replication.following);
    replicas.set({ state: 'broken' }, replication.replicas - replication.following);
    listeners.set(changes.listeners);
    for (const [name, value] of Object.entries(stats)) ledger.set({ name }, Number(value));
  };
}
