/** Is the ledger moving: clocks, workers, the outbox, leases, sensors that fail. Reads only. */

import { readSwitches } from '../../api/reads/sensors.ts';
import { clockSkewMs, readQueues } from '../../api/reads/system.ts';
import type { Engine } from '../../engine/engine.ts';
import { countWorkers } from '../../worker/worker.ts';
import { duration } from '../terminal.ts';
import { type Finding, notice, ok, problem } from './finding.ts';

/** A worker renews its lease by its own clock only; people compare logs of both. */
const SKEW_MS = 1_000;
/** The pulse rings again after ten seconds; what is older has nobody who rings. */
const OUTBOX_AGE_MS = 30_000;
/** The pulse ends a lease within a second or two. */
const LEASE_OVERDUE_MS = 10_000;
const ERROR_STREAK = 3;

export async function checkClock(engine: Engine): Promise<Finding> {
  const skewMs = Math.abs(await clockSkewMs(engine));
  const amount = `this clock and that of Redis differ by ${skewMs} ms`;
  return skewMs > SKEW_MS
    ? problem('clock', amount, 'Synchronise the clocks of both machines (chrony, ntpd).')
    : ok('clock', amount);
}

export async function checkWorkers(engine: Engine): Promise<Finding> {
  const [alive, queued, sensors] = await Promise.all([
    countWorkers(engine),
    engine.redis.zcard(engine.keys.runsByStatus('QUEUED')),
    readSwitches(engine, [...engine.deployment.sensors.keys()]),
  ]);
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
