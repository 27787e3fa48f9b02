/**
 * Ticks: a sensor or schedule evaluated by a worker, and what it decided committed in one script: run requests, record
 * and cursor together, or only the record of why not. A person's write meanwhile always wins.
 */

import { CronExpressionParser } from 'cron-parser';

import { parseBySchema } from '../definitions/config.ts';
import type { Logger } from '../definitions/context.ts';
import { DefinitionInvalidError, NotFoundError, TimeoutError } from '../definitions/errors.ts';
import type { Json } from '../definitions/json.ts';
import type { Schedule } from '../definitions/schedule.ts';
import type { EvaluateContext, RunRequest, Sensor, TickResult } from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { createPartitionReader } from './partition-reader.ts';
import { ringTicks } from './pulse.ts';
import { createRunReader } from './run-reader.ts';
import { type SubmitSpec, planSubmit, traceHere } from './submit.ts';
import { createTickLog } from './tick-log.ts';

export interface TickPorts {
  readonly engine: Engine;
  readonly worker: string;
  readonly openResources: (map: Sensor['resources']) => Promise<unknown>;
  readonly describe: (error: unknown) => string;
  readonly log: Logger;
}

export type Decision = 'requested' | 'suppressed' | 'acted' | 'skipped' | 'failed' | 'timed_out' | 'fenced';

interface OpenTick {
  readonly id: string;
  readonly name: string;
  readonly cursorText: string;
  readonly version: number;
  readonly generation: number;
  readonly now: Date;
  /** Of a schedule: the last planned time that was dealt with, in ms; undefined at the first tick. */
  readonly plan: number | undefined;
}

interface TickDecision {
  readonly requests: readonly SubmitSpec[];
  readonly reason: string;
  readonly cursor?: string;
  readonly lag?: number;
  readonly plan?: number;
  readonly next?: number;
}

/** Undefined when the tick is not to be had any more. Never throws for what the sensor's code does. */
export async function evaluateTick(ports: TickPorts, tickId: string): Promise<Decision | undefined> {
  const { engine } = ports;
  failpoint('tick.taken');
  const reply = (await engine.script('begin-tick', tickId, ports.worker)) as string[] | null;
  if (!reply) return undefined;
  const [name = '', cursorText = '{}', version, generation, now, , plan = ''] = reply;
  const tick: OpenTick = {
    id: tickId,
    name,
    cursorText,
    version: Number(version),
    generation: Number(generation),
    now: new Date(Number(now)),
    plan: plan === '' ? undefined : Number(plan),
  };
  failpoint('tick.begun');
  const said = createTickLog(ports.log, engine.scrub);
  try {
    const decision = await decide({ ...ports, log: said.log }, tick);
    failpoint('tick.decided');
    const commit = { sensor: name, tick: tickId, version: tick.version, ...decision, log: said.text() };
    const [verdict] = (await engine.script('commit-tick', JSON.stringify(commit))) as [Decision];
    failpoint('tick.committed');
    engine.dispatcher.kick();
    return verdict;
  } catch (error) {
    const timedOut = error instanceof TimeoutError;
    failpoint('tick.failing');
    const decision = timedOut ? 'timed_out' : 'failed';
    const unread = error instanceof MigrationFailure;
    const reason = unread
      ? `${error.message}, so the sensor is paused and the cursor stays: ${ports.describe(error.cause)}`
      : ports.describe(error);
    await engine.script('fail-tick', name, tickId, reason, decision, said.text(), 0, unread ? tick.version : '');
    failpoint('tick.failed');
    return decision;
  }
}

async function decide(ports: TickPorts, tick: OpenTick): Promise<TickDecision> {
  const { engine } = ports;
  const sensor = engine.deployment.sensors.get(tick.name);
  if (sensor) return decideSensor(ports, sensor, tick);
  const schedule = engine.deployment.schedules.get(tick.name);
  if (schedule) return decideSchedule(engine, schedule, tick);
  // In the middle of an upgrade, or after one that removed it: no fault of the sensor's.
  return { requests: [], reason: `The worker that took this tick knows no sensor or schedule “${tick.name}”.` };
}

/** What the sensor's code decides with the cursor of the tick; writes nothing. */
export async function decideSensor(
  ports: Omit<TickPorts, 'worker' | 'describe'>,
  sensor: Sensor,
  tick: OpenTick,
): Promise<TickDecision> {
  const { engine } = ports;
  const [asset] = sensor.job.assets;
  if (!asset) throw new NotFoundError(`Job ${sensor.job.name} has no assets.`);
  const cursor = readStored(sensor, JSON.parse(tick.cursorText) as Json);
  const resources = await ports.openResources(sensor.resources);
  const result = await withTimeout(sensor, (signal, budget) =>
    sensor.evaluate({
      cursor,
      now: tick.now,
      partitions: createPartitionReader(engine, asset),
      runs: createRunReader(engine),
      resources,
      log: ports.log,
      signal,
      budget,
    }),
  );
  const cause = `sensor:${sensor.name}:${tick.id}`;
  return {
    requests: requestsOf(result).map((request) => planRequest(engine, sensor.job.name, request, tick, cause)),
    reason: result.kind === 'skip' ? engine.scrub(result.reason) : '',
    ...(result.cursor === undefined ? {} : { cursor: writeCursor(sensor, result.cursor) }),
    ...(result.lag === undefined ? {} : { lag: checkLag(sensor, result.lag) }),
  };
}

function checkLag(sensor: Sensor, lag: number): number {
  if (Number.isFinite(lag) && lag >= 0) return lag;
  throw new DefinitionInvalidError(`The lag that ${sensor.name} tells must be a number from 0 up, not ${String(lag)}.`);
}

/** @throws ConfigInvalidError when the stored cursor does not fit the schema even after `migrate` */
export function readCursor(sensor: Sensor, stored: Json): unknown {
  const migrated = sensor.migrate === undefined ? stored : sensor.migrate(stored);
  return parseBySchema(sensor.cursor, migrated, `cursor of ${sensor.name}`);
}

/** What `migrate` could not turn into a cursor that the schema takes; another try would fail the same. */
class MigrationFailure extends Error {}

function readStored(sensor: Sensor, stored: Json): unknown {
  try {
    return readCursor(sensor, stored);
  } catch (cause) {
    if (sensor.migrate === undefined) throw cause;
    throw new MigrationFailure('The stored cursor could not be migrated', { cause });
  }
}

/** The cursor as it is stored. @throws ConfigInvalidError when the sensor's own code made one that its schema refuses */
export function writeCursor(sensor: Sensor, cursor: unknown): string {
  return JSON.stringify(parseBySchema(sensor.cursor, cursor, `new cursor of ${sensor.name}`));
}

export function requestsOf(result: TickResult<unknown>): readonly RunRequest[] {
  return result.kind === 'request' ? result.requests : [];
}

function planRequest(engine: Engine, job: string, request: RunRequest, tick: OpenTick, cause: string): SubmitSpec {
  const keys = { scope: tick.name, generation: tick.generation };
  return { ...planSubmit(engine, { job, cause, ...request }, tick.now, keys), ...traceHere(engine) };
}

export async function withTimeout<T>(
  sensor: Sensor,
  evaluate: (signal: AbortSignal, budget: EvaluateContext<unknown, unknown>['budget']) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const ends = performance.now() + sensor.timeoutMs;
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new TimeoutError(
        `The tick took longer than ${sensor.timeoutMs} ms, the timeout of ${sensor.name}.`,
      );
      controller.abort(error);
      reject(error);
    }, sensor.timeoutMs);
  });
  try {
    return await Promise.race([
      evaluate(controller.signal, { remainingMs: () => Math.max(0, ends - performance.now()) }),
      timedOut,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Missed times of one catch-up; more are dropped, oldest first, and said so. */
const MAX_CATCH_UP = 100;

/** Times of a cron expression after `from` up to `to`, and the next one after `to`. Pure. */
export function plannedTimes(
  schedule: Pick<Schedule, 'cron' | 'timeZone'>,
  from: Date,
  to: Date,
): { readonly due: Date[]; readonly next: Date } {
  const cron = CronExpressionParser.parse(schedule.cron, { currentDate: from, tz: schedule.timeZone });
  const due: Date[] = [];
  for (;;) {
    const at = cron.next().toDate();
    if (at > to) return { due, next: at };
    due.push(at);
    if (due.length > MAX_CATCH_UP) due.shift();
  }
}

function decideSchedule(engine: Engine, schedule: Schedule, tick: OpenTick): TickDecision {
  const from = new Date(tick.plan ?? tick.now.getTime());
  const { due, next } = plannedTimes(schedule, from, tick.now);
  // One that is due now is on time, not missed: it runs under every policy.
  const onTime = due.filter((at) => tick.now.getTime() - at.getTime() < 60_000);
  const times = schedule.catchUp === 'all' ? due : schedule.catchUp === 'latest' ? due.slice(-1) : onTime.slice(-1);
  const requests = times.flatMap((at) =>
    schedule
      .requests(at)
      .map((request) =>
        planRequest(
          engine,
          schedule.job.name,
          { runKey: `${at.toISOString()}|${(request.partitions ?? []).join(',')}`, ...request },
          tick,
          `schedule:${schedule.name}:${at.toISOString()}`,
        ),
      ),
  );
  const reason =
    times.length > 0
      ? ''
      : due.length > 0
        ? `${due.length} missed times are skipped, as the schedule says`
        : `next at ${next.toISOString()}`;
  return { requests, reason, plan: tick.now.getTime(), next: next.getTime() };
}

/** Evaluates now, also when stopped; the worker that takes it commits it. @throws NotFoundError */
export async function openTick(engine: Engine, name: string, by: string): Promise<string | undefined> {
  const opened = (await engine.script('open-tick', name, engine.settings.leaseMs, by, '', '')) as string[] | null;
  const [tick] = opened ?? [];
  if (tick === undefined) return undefined;
  await ringTicks(engine, [tick]);
  return tick;
}
