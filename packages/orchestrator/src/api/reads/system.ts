/** The state of the installation: workers, Redis, queues. */

import { z } from 'zod';

import type { Engine } from '../../engine/engine.ts';

/** A worker that has not been heard of for this long counts as gone. */
const WORKER_ALIVE_MS = 10_000;

const About = z.object({
  id: z.string(),
  host: z.string().catch(''),
  pid: z.number().catch(0),
  concurrency: z.number().catch(0),
  active: z.number().catch(0),
  rss: z.number().catch(0),
});

export interface WorkerInfo {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
  readonly active: number;
  readonly rss_bytes: number;
  readonly last_heard_at: string;
}

/** Those that were heard of lately. */
export async function readWorkers(engine: Engine): Promise<WorkerInfo[]> {
  const flat = await engine.redis.zrangebyscore(
    engine.keys.workers,
    Date.now() - WORKER_ALIVE_MS,
    '+inf',
    'WITHSCORES',
  );
  const beats = Array.from({ length: flat.length / 2 }, (_, i) => ({
    id: flat[2 * i] ?? '',
    at: Number(flat[2 * i + 1]),
  }));
  if (beats.length === 0) return [];
  const abouts = await engine.redis.hmget(`${engine.keys.workers}:about`, ...beats.map(({ id }) => id));
  return beats.map(({ id, at }, i) => {
    const { rss, ...about } = About.parse({ id, ...(JSON.parse(abouts[i] ?? '{}') as object) });
    return { ...about, rss_bytes: rss, last_heard_at: new Date(at).toISOString() };
  });
}

export interface RedisFacts {
  readonly version: string;
  readonly used_memory_bytes: number;
  readonly max_memory_bytes: number;
  readonly policy: string;
  readonly aof: boolean;
  readonly aof_fsync: string;
  readonly keys: number;
  readonly connected_clients: number;
  readonly ops_per_second: number;
  readonly uptime_seconds: number;
  readonly state_version: number;
}

export async function readRedisFacts(engine: Engine): Promise<RedisFacts> {
  const [info, keys, stateVersion, fsync] = await Promise.all([
    engine.redis.info(),
    engine.redis.dbsize(),
    engine.redis.hget(engine.keys.meta, 'state_version'),
    // Managed services forbid CONFIG; the rest is worth showing without it.
    (engine.redis.config('GET', 'appendfsync') as Promise<string[]>).catch(() => [] as string[]),
  ]);
  const fact = (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
  return {
    version: fact('redis_version'),
    used_memory_bytes: Number(fact('used_memory')),
    max_memory_bytes: Number(fact('maxmemory')),
    policy: fact('maxmemory_policy'),
    aof: fact('aof_enabled') === '1',
    aof_fsync: fsync[1] ?? '',
    keys,
    connected_clients: Number(fact('connected_clients')),
    ops_per_second: Number(fact('instantaneous_ops_per_sec')),
    uptime_seconds: Number(fact('uptime_in_seconds')),
    state_version: Number(stateVersion ?? 0),
  };
}

/** This process's clock against Redis's, in milliseconds; half the round trip is the error. */
export async function clockSkewMs(engine: Engine): Promise<number> {
  const before = Date.now();
  const [seconds = 0, micros = 0] = (await engine.redis.time()).map(Number);
  const middle = (before + Date.now()) / 2;
  return Math.round(middle - (seconds * 1_000 + micros / 1_000));
}

export interface LedgerAges {
  /** Since anybody's pulse was whole; processes pulse once a second. Undefined before the first one. */
  readonly pulseAgeMs: number | undefined;
  /** How long the most overdue tick has been due; pulses claim each within a second. */
  readonly tickLagMs: number;
  /** How long the most overdue lease has been over; pulses take each back within seconds. */
  readonly leaseOverdueMs: number;
  readonly oldestQueuedMs: number;
  /** Undefined when none was ever taken. */
  readonly backupAgeMs: number | undefined;
}

/** By Redis's clock. */
export async function readAges({ redis, keys }: Engine): Promise<LedgerAges> {
  const [[seconds, micros], due, leases, queued, backup, pulse] = await Promise.all([
    redis.time(),
    redis.zrange(keys.due, 0, '0', 'WITHSCORES'),
    redis.zrange(keys.leases, 0, '0', 'WITHSCORES'),
    redis.zrange(keys.runsByStatus('QUEUED'), 0, '0', 'WITHSCORES'),
    redis.hget(keys.meta, 'backup_at'),
    redis.get(keys.pulse),
  ]);
  const now = Number(seconds) * 1_000 + Number(micros) / 1_000;
  const since = (at: string | undefined) => (at === undefined ? 0 : Math.max(0, Math.round(now - Number(at))));
  return {
    pulseAgeMs: pulse === null ? undefined : since(pulse),
    tickLagMs: since(due[1]),
    leaseOverdueMs: since(leases[1]),
    oldestQueuedMs: since(queued[1]),
    backupAgeMs: backup === null ? undefined : since(backup),
  };
}

export interface QueueDepths {
  readonly outbox: number;
  readonly oldest_outbox_ms: number;
  readonly leases: number;
  readonly delayed: number;
  readonly cancelling: number;
  readonly queued: readonly {
    readonly pool: string;
    readonly priority: number;
    readonly lanes: number;
    readonly units: number;
  }[];
  readonly bells: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Lanes looked into for the number of units; more are counted as lanes only. */
const MAX_LANES = 2_000;

export async function readQueues(engine: Engine): Promise<QueueDepths> {
  const { redis, keys } = engine;
  const [outbox, leases, delayed, cancelling, entries, oldest, work, ticks] = await Promise.all([
    redis.zcard(keys.outbox),
    redis.zcard(keys.leases),
    redis.zcard(keys.delayed),
    redis.scard(keys.cancelling),
    redis.zrange(keys.queues, 0, '-1'),
    redis.zrange(keys.outbox, 0, '0', 'WITHSCORES'),
    engine.work.getJobCounts('wait', 'active', 'delayed', 'failed', 'prioritized'),
    engine.ticks.getJobCounts('wait', 'active', 'delayed', 'failed', 'prioritized'),
  ]);
  const queued = await Promise.all(entries.map((entry) => depthOf(engine, entry)));
  // An entry's score is when its bell is rung again: later than now while all is well.
  const oldestMs =
    oldest[1] === undefined ? 0 : Math.max(0, Date.now() - (Number(oldest[1]) - engine.settings.resendMs));
  return { outbox, oldest_outbox_ms: oldestMs, leases, delayed, cancelling, queued, bells: { work, ticks } };
}

async function depthOf(engine: Engine, entry: string): Promise<QueueDepths['queued'][number]> {
  const [, pool = '', priority = '0'] = /^(.*)\|(-?\d+)$/.exec(entry) ?? [];
  const ring = `${engine.keys.prefix}:q:${pool}:${priority}`;
  const lanes = await engine.redis.lrange(ring, 0, MAX_LANES - 1);
  const pipeline = engine.redis.pipeline();
  for (const lane of lanes) pipeline.llen(`${ring}:lane:${lane}`);
  const lengths = lanes.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return {
    pool,
    priority: Number(priority),
    lanes: lanes.length,
    units: lengths.reduce((n, [, length]) => n + Number(length ?? 0), 0),
  };
}
