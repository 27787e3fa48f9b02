/** Is the ledger moving: clocks, workers, the outbox, leases, the pulse, what was lost, the backup. Reads only. */

import { readReplication } from '../../api/reads/replication.ts';
import { readSwitches } from '../../api/reads/sensors.ts';
import { clockSkewMs, readAges, readQueues, readWorkers } from '../../api/reads/system.ts';
import type { Engine } from '../../engine/engine.ts';
import { poolNames, readPool } from '../../engine/pools.ts';
import { countWorkers, takesAnybodyAll } from '../../worker/worker.ts';
import { duration } from '../terminal.ts';
import { type Finding, notice, ok, problem } from './finding.ts';

/** A worker renews its lease by its own clock only; people compare logs of both. */
const SKEW_MS = 1_000;
/** The pulse rings again after ten seconds; what is older has nobody who rings. */
const OUTBOX_AGE_MS = 30_000;
/** The pulse ends a lease within a second or two. */
const LEASE_OVERDUE_MS = 10_000;
/** Every process pulses once a second. */
const PULSE_AGE_MS = 30_000;
const LOOP_P99_MS = 200;
/** Of the attempts that began. */
const LOST_SHARE = 0.01;
const QUEUED_MS = 300_000;
/** Backfills leave a fifth of a pool to live work. */
const ROOM_SHARE = 0.8;
/** A worker that has not been heard of for this long counts as gone. */
const WORKER_ALIVE_MS = 10_000;
/** An hourly backup that failed once is noticed. */
const BACKUP_AGE_MS = 7_200_000;

export async function checkClock(engine: Engine): Promise<Finding> {
  const skewMs = Math.abs(await clockSkewMs(engine));
  const amount = `this clock and that of Redis differ by ${skewMs} ms`;
  return skewMs > SKEW_MS
    ? problem('clock', amount, 'Synchronise the clocks of both machines (chrony, ntpd).')
    : ok('clock', amount);
}

export async function checkWorkers(engine: Engine): Promise<Finding> {
  const [alive, all, queued, sensors] = await Promise.all([
    countWorkers(engine),
    takesAnybodyAll(engine),
    engine.redis.zcard(engine.keys.runsByStatus('QUEUED')),
    readSwitches(engine, [...engine.deployment.sensors.keys()]),
  ]);
  if (alive > 0 && !all) {
    const text = `${alive} alive, all of them of some pools only: nobody evaluates sensors or takes other work`;
    return problem('workers', text, 'Start one without --pools: skein worker.');
  }
  if (alive > 0) return ok('workers', `${alive} alive`);
  const running = sensors.filter(({ status }) => status === 'RUNNING').length;
  const waiting = `${queued} runs are queued and ${running} sensors are switched on`;
  return queued + running > 0
    ? problem('workers', `none is alive, while ${waiting}`, 'Start one: skein worker.')
    : notice('workers', `none is alive, and nothing waits for one`, 'Start one when you need it: skein worker.');
}

export async function checkOutbox(engine: Engine): Promise<Finding> {
  const { outbox, oldest_outbox_ms: ageMs } = await readQueues(engine);
  if (outbox === 0) return ok('outbox', 'empty');
  const text = `${outbox} attempts wait for a worker, the oldest for ${duration(ageMs)}`;
  return ageMs > OUTBOX_AGE_MS
    ? problem('outbox', text, 'Nobody takes work: start a worker, or look at the log of the one that runs.')
    : ok('outbox', text);
}

export async function checkLeases(engine: Engine): Promise<Finding> {
  const limit = Date.now() - LEASE_OVERDUE_MS;
  const overdue = await engine.redis.zcount(engine.keys.leases, '-inf', limit);
  const held = await engine.redis.zcard(engine.keys.leases);
  return overdue > 0
    ? problem(
        'leases',
        `${overdue} of ${held} ended long ago and were not taken back`,
        'No process pulses: start a worker or a server; it takes them back within two seconds.',
      )
    : ok('leases', `${held} held`);
}

export async function checkPulse(engine: Engine): Promise<Finding> {
  const { pulseAgeMs } = await readAges(engine);
  const fix = 'Start a worker or a server. If one runs, its log says why its pulse fails.';
  if (pulseAgeMs === undefined) return notice('pulse', 'no process has pulsed yet', fix);
  const text = `the last one was ${duration(pulseAgeMs)} ago`;
  if (pulseAgeMs <= PULSE_AGE_MS) return ok('pulse', text);
  const leases = await engine.redis.zcard(engine.keys.leases);
  const due = await engine.redis.zcard(engine.keys.due);
  const queued = await engine.redis.zcard(engine.keys.runsByStatus('QUEUED'));
  // An installation that is switched off on purpose is not sick.
  return leases + due + queued > 0 ? problem('pulse', text, fix) : notice('pulse', text, fix);
}

/** Of the workers that are alive; what a server's loop does, its metrics tell. */
export async function checkEventLoops({ redis, keys }: Engine): Promise<Finding> {
  const abouts = await redis.hgetall(`${keys.workers}:about`);
  const alive = new Set(await redis.zrangebyscore(keys.workers, Date.now() - WORKER_ALIVE_MS, '+inf'));
  const late = Object.entries(abouts).flatMap(([id, text]) => {
    const { loop_p99_ms: p99 = 0 } = JSON.parse(text) as { loop_p99_ms?: number };
    return alive.has(id) && p99 > LOOP_P99_MS ? [`${id} by ${p99} ms`] : [];
  });
  return late.length === 0
    ? ok('event loops', `none of ${alive.size} workers is late by more than ${LOOP_P99_MS} ms (p99)`)
    : problem(
        'event loops',
        `late (p99): ${late.slice(0, 5).join(', ')}`,
        'Something computes in them, which endangers leases: isolate that asset, lower --concurrency, or add processes.',
      );
}

export async function checkWaiting(engine: Engine): Promise<Finding> {
  const [{ oldestQueuedMs }, leases, workers, queues, pools] = await Promise.all([
    readAges(engine),
    engine.redis.zcard(engine.keys.leases),
    readWorkers(engine),
    readQueues(engine),
    Promise.all(poolNames(engine).map((name) => readPool(engine, name))),
  ]);
  if (oldestQueuedMs <= QUEUED_MS) return ok('queue', 'no run has waited for long');
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const waiting = new Set(queues.queued.flatMap(({ pool, units }) => (units > 0 ? [pool] : [])));
  const open = pools.filter(({ name, used, limit }) => waiting.has(name) && used < ROOM_SHARE * limit);
  const text = `the oldest queued run has waited for ${duration(oldestQueuedMs)}; ${leases} of ${slots} slots are taken`;
  return leases === 0 || (leases < slots / 2 && open.length > 0)
    ? problem(
        'queue',
        `${text}${open.length > 0 ? `, and there is room in ${open.map(({ name }) => name).join(', ')}` : ''}`,
        'See “skein pools list” for a limit of 0, then “skein runs show” of it; a restart of a worker rings for all that waits.',
      )
    : notice('queue', text, 'Add workers, or raise the limit of its pool.');
}

export async function checkBackup(engine: Engine): Promise<Finding> {
  const { backupAgeMs } = await readAges(engine);
  const fix =
    'Set SKEIN_BACKUP_URL, and servers and workers take one every hour; “skein backup” tries it now (docs/history.md).';
  if (backupAgeMs === undefined) return notice('backup', 'none was ever taken', fix);
  const text = `the last one is ${duration(backupAgeMs)} old`;
  return backupAgeMs > BACKUP_AGE_MS ? problem('backup', text, fix) : ok('backup', text);
}

export async function checkReplication(engine: Engine): Promise<Finding> {
  const { role, linked, replicas, following, maxLagSeconds } = await readReplication(engine);
  if (role === 'replica') {
    return problem(
      'replication',
      `SKEIN_REDIS_URL leads to a replica${linked ? '' : ', whose primary it has lost'}: nothing can be written there`,
      'Set SKEIN_REDIS_URL to the primary, or to the name that follows it at a failover.',
    );
  }
  if (replicas === 0) return ok('replication', 'a primary without replicas');
  const text = `${following} of ${replicas} replicas follow, the slowest ${maxLagSeconds} s behind`;
  return following < replicas
    ? problem(
        'replication',
        text,
        'A failover would lose what they have not got: see the log of each, and its network.',
      )
    : ok('replication', text);
}

/** Counters that stay at 0 on a good day. The ledger does not know when: the alerts look at the last hour. */
export async function checkStats(engine: Engine): Promise<Finding[]> {
  const names = ['fenced_commits', 'lost_attempts', 'repairs', 'attempts'] as const;
  const [fenced = 0, lost = 0, repairs = 0, attempts = 0] = (await engine.redis.hmget(engine.keys.stats, ...names)).map(
    Number,
  );
  const told = [
    ...(fenced > 0
      ? [
          notice(
            'fenced commits',
            `${fenced} commits of workers without a lease were refused`,
            'The ledger is right. Lately? Look for blocked event loops, paused machines and network faults of that time.',
          ),
        ]
      : []),
    ...(lost > 0
      ? [
          (lost > LOST_SHARE * attempts ? problem : notice)(
            'lost workers',
            `${lost} of ${attempts} attempts lost their worker`,
            'Look for processes killed for memory (exit 137), machines that went away, assets that block the event loop.',
          ),
        ]
      : []),
    ...(repairs > 0
      ? [
          notice(
            'repairs',
            `${repairs} counters were repaired`,
            'Keep what “skein doctor --repair” printed, and report it: scripts keep them, so this is a fault.',
          ),
        ]
      : []),
  ];
  return told.length > 0
    ? told
    : [ok('history of faults', 'no commit was ever fenced, no worker lost, nothing repaired')];
}
