/** Is the ledger moving: clocks, workers, the outbox, leases, sensors that fail. Reads only. */

import { readSwitches } from '../../api/reads/sensors.ts';
import { readReplication } from '../../api/reads/replication.ts';
import { clockSkewMs, readAges, readQueues } from '../../api/reads/system.ts';
import type { Engine } from '../../engine/engine.ts';
import { countWorkers, takesAnybodyAll } from '../../worker/worker.ts';
import { duration } from '../terminal.ts';
import { type Finding, notice, ok, problem } from './finding.ts';

/** A worker renews its lease by its own clock only; people compare logs of both. */
const SKEW_MS = 1_000;
/** The pulse rings again after ten seconds; what is older has nobody who rings. */
const OUTBOX_AGE_MS = 30_000;
/** The pulse ends a lease within a second or two. */
const LEASE_OVERDUE_MS = 10_000;
const ERROR_STREAK = 3;
/** Pulses claim a tick within a second. */
const TICK_LAG_MS = 30_000;
const QUEUED_MS = 300_000;
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
  const { tickLagMs } = await readAges(engine);
  return tickLagMs > TICK_LAG_MS
    ? problem(
        'pulse',
        `a tick has been due for ${duration(tickLagMs)} and nobody claims it`,
        'No process pulses: start a worker or a server. If one runs, its log says why its pulse fails.',
      )
    : ok('pulse', 'due ticks are claimed');
}

export async function checkWaiting(engine: Engine): Promise<Finding> {
  const [{ oldestQueuedMs }, leases] = await Promise.all([readAges(engine), engine.redis.zcard(engine.keys.leases)]);
  if (oldestQueuedMs <= QUEUED_MS) return ok('queue', 'no run has waited for long');
  const text = `the oldest queued run has waited for ${duration(oldestQueuedMs)}`;
  return leases > 0
    ? notice('queue', `${text}; ${leases} attempts are under way`, 'Add workers, or raise the limit of its pool.')
    : problem(
        'queue',
        `${text}, and nothing is under way`,
        'See “skein pools list” for a limit of 0, then “skein runs show” of it.',
      );
}

export async function checkBackup(engine: Engine): Promise<Finding> {
  const { backupAgeMs } = await readAges(engine);
  const fix = 'Take one every hour: skein backup --to PLACE (docs/history.md).';
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

/** Counters that stay at 0 on a good day: worth a look, and nothing to repair. */
export async function checkStats(engine: Engine): Promise<Finding> {
  const [fenced, lost, repairs] = await engine.redis.hmget(
    engine.keys.stats,
    'fenced_commits',
    'lost_attempts',
    'repairs',
  );
  const told = [
    ...(Number(fenced ?? 0) > 0 ? [`${fenced} commits of workers without a lease were refused`] : []),
    ...(Number(lost ?? 0) > 0 ? [`${lost} attempts lost their worker`] : []),
    ...(Number(repairs ?? 0) > 0 ? [`${repairs} counters were repaired`] : []),
  ];
  return told.length === 0
    ? ok('history of faults', 'no commit was ever fenced, no worker lost, nothing repaired')
    : notice(
        'history of faults',
        told.join('; '),
        'Lately? See the alerts in infra/prometheus, and what each says to do.',
      );
}

export async function checkSensors(engine: Engine): Promise<Finding[]> {
  const names = [...engine.deployment.sensors.keys(), ...engine.deployment.schedules.keys()];
  const states = await readSwitches(engine, names);
  const failing = states.flatMap((state, i) =>
    state.status === 'RUNNING' && state.error_streak >= ERROR_STREAK ? [{ name: names[i] ?? '', state }] : [],
  );
  if (failing.length === 0) return [ok('sensors', `none fails again and again`)];
  return failing.map(({ name, state }) =>
    problem(
      'sensors',
      `${name} has failed ${state.error_streak} times in a row: ${state.last_tick?.reason ?? ''}`,
      `See “skein sensors show ${name}”; stop it with “skein sensors stop ${name}”.`,
    ),
  );
}
