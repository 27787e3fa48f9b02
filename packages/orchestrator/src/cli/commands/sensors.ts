/** `skein sensors …`: what they are and do, switching them, looking ahead, evaluating one now. */

import type { Command } from 'commander';

import { lookUp } from '../../definitions/deployment.ts';
import type { Json } from '../../definitions/json.ts';
import type { Sensor } from '../../definitions/sensor.ts';
import type { SensorState, TickRecord } from '../read-sensors.ts';
import { WHEN_NONE_IS_NAMED, group, leaf } from '../help.ts';
import { readJsonArgument, wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { switchTriggers } from '../switch-triggers.ts';
import { duration, pairs, shorten, table, time } from '../terminal.ts';
import { registerSensorCursor } from './sensor-cursor.ts';
import { registerSensorTick } from './sensor-tick.ts';

export function registerSensors(program: Command, run: RunAction): void {
  const sensors = group(program, 'sensors', 'sensors: list, show, start, stop, preview, tick, cursor', [
    'skein sensors list',
    'skein sensors start my_sensor',
    'skein sensors preview my_sensor --ticks 5',
    'skein sensors cursor get my_sensor',
  ]);
  leaf(
    sensors,
    'list',
    'all sensors with their switch and last tick',
    ['skein sensors list', 'skein sensors list --json'],
    WHEN_NONE_IS_NAMED,
  ).action(() => run(list));
  leaf(sensors, 'show <name>', 'one sensor with its cursor and its last ticks', ['skein sensors show my_sensor'])
    .option('--ticks <n>', 'so many of its last ticks', wholeNumber(0, 1_000), 10)
    .action((name: string, flags: { readonly ticks: number }) => run((session) => show(session, name, flags.ticks)));
  leaf(sensors, 'start <names...>', 'let them tick', ['skein sensors start my_sensor']).action((names: string[]) =>
    run((session) => switchTriggers(session, 'sensor', names, 'RUNNING')),
  );
  leaf(sensors, 'stop <names...>', 'stop them; a tick under way launches nothing', [
    'skein sensors stop my_sensor',
  ]).action((names: string[]) => run((session) => switchTriggers(session, 'sensor', names, 'STOPPED')));
  leaf(sensors, 'preview <name>', 'ticks ahead, on a virtual clock and without side effects', [
    'skein sensors preview my_sensor --ticks 3',
    `skein sensors preview my_sensor --cursor '{}' --ticks 100 --json`,
  ])
    .option('--ticks <n>', 'so many', wholeNumber(1, 1_000), 1)
    .option('--cursor <json>', 'from this cursor instead of the stored one; JSON or @FILE')
    .action((name: string, flags: PreviewFlags) => run((session) => preview(session, name, flags)));
  registerSensorTick(sensors, run);
  registerSensorCursor(sensors, run);
}

async function list(session: Session): Promise<void> {
  const { readSensors } = await import('../read-sensors.ts');
  const all = [...session.deployment.sensors.values()];
  const states = await readSensors(
    await session.engine(),
    all.map(({ name }) => name),
  );
  const rows = all.flatMap((sensor, i) => {
    const state = states[i];
    return state ? [{ sensor, state }] : [];
  });
  session.print({ sensors: rows.map(({ sensor, state }) => toJson(sensor, state)) }, () =>
    table(
      ['SENSOR', 'STATUS', 'EVERY', 'JOB', 'LAST TICK', 'DECISION'],
      rows.map(({ sensor, state }) => [
        sensor.name,
        state.status,
        duration(sensor.everyMs),
        sensor.job.name,
        time(state.lastTickAt),
        shorten([state.lastDecision ?? '–', state.lastReason].filter(Boolean).join(': '), 70),
      ]),
    ),
  );
}

async function show(session: Session, name: string, ticks: number): Promise<void> {
  const sensor = lookUp('sensor', session.deployment.sensors, name);
  const { readSensors, readTicks } = await import('../read-sensors.ts');
  const engine = await session.engine();
  const [state] = await readSensors(engine, [name]);
  if (!state) return;
  const records = ticks === 0 ? [] : await readTicks(engine, name, ticks);
  session.print({ ...toJson(sensor, state), ticks: records.map(tickJson) }, () => [
    ...pairs([
      ['sensor', sensor.name],
      ['about', sensor.description],
      ['job', sensor.job.name],
      ['every', duration(sensor.everyMs)],
      ['status', `${state.status} (by ${state.statusBy || 'definition'})`],
      ['next tick', time(state.nextTickAt)],
      ['cursor', `version ${state.version}, generation ${state.generation}`],
    ]),
    JSON.stringify(state.cursor, null, 2),
    ...(records.length === 0 ? [] : ['', ...tickTable(records)]),
  ]);
}

function toJson(sensor: Sensor, state: SensorState): { readonly [field: string]: Json } {
  return {
    name: sensor.name,
    description: sensor.description,
    job: sensor.job.name,
    every_ms: sensor.everyMs,
    status: state.status,
    status_by: state.statusBy,
    status_at: state.statusAt?.toISOString() ?? null,
    cursor: state.cursor,
    version: state.version,
    generation: state.generation,
    error_streak: state.errorStreak,
    last_tick_at: state.lastTickAt?.toISOString() ?? null,
    last_decision: state.lastDecision ?? null,
    last_reason: state.lastReason,
    next_tick_at: state.nextTickAt?.toISOString() ?? null,
  };
}

function tickTable(records: readonly TickRecord[]): string[] {
  return table(
    ['TICK', 'STARTED', 'DECISION', 'RUNS', 'REASON'],
    records.map((tick) => [
      tick.id,
      time(tick.startedAt),
      tick.decision ?? tick.status,
      String(tick.runs.length),
      shorten(tick.reason, 80),
    ]),
  );
}

export function tickJson(tick: TickRecord): { readonly [field: string]: Json } {
  return {
    tick: tick.id,
    status: tick.status,
    decision: tick.decision,
    reason: tick.reason,
    trigger: tick.trigger,
    started_at: tick.startedAt?.toISOString() ?? null,
    ended_at: tick.endedAt?.toISOString() ?? null,
    runs: tick.runs,
    suppressed: tick.suppressed,
    cursor_before: tick.cursorBefore,
    cursor_after: tick.cursorAfter,
  };
}

interface PreviewFlags {
  readonly ticks: number;
  readonly cursor?: string;
}

async function preview(session: Session, name: string, flags: PreviewFlags): Promise<void> {
  const sensor = lookUp('sensor', session.deployment.sensors, name);
  const cursor = flags.cursor === undefined ? undefined : readJsonArgument('--cursor', flags.cursor);
  const [{ previewTicks }, engine, resources, log] = await Promise.all([
    import('../../engine/preview.ts'),
    session.engine(),
    session.resources(),
    session.log(),
  ]);
  const ticks = await previewTicks(engine, sensor, {
    ticks: flags.ticks,
    ...(cursor === undefined ? {} : { cursor }),
    openResources: (map) => resources.openAll(map),
    log,
  });
  session.print({ ticks: ticks as unknown as Json }, () =>
    ticks.flatMap((tick, i) => [
      `${time(new Date(tick.at))}  tick ${i + 1}: ${tick.skip_reason ?? `${tick.requests.length} requests`}`,
      ...tick.requests.map(
        (request) => `  ${shorten(request.partitions.join(' ') || JSON.stringify(request.config), 110)}`,
      ),
    ]),
  );
}
