/** `skein sensors …`: what they are and do, switching them, looking ahead, evaluating one now. */

import type { Command } from 'commander';

import type { SwitchState } from '../../api/reads/sensors.ts';
import { lookUp } from '../../definitions/deployment.ts';
import type { Json } from '../../definitions/json.ts';
import type { Sensor } from '../../definitions/sensor.ts';
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
  const { readSwitches } = await import('../../api/reads/sensors.ts');
  const all = [...session.deployment.sensors.values()];
  const states = await readSwitches(
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
        time(state.last_tick?.ended_at),
        shorten([state.last_tick?.decision ?? '–', state.last_tick?.reason].filter(Boolean).join(': '), 70),
      ]),
    ),
  );
}

async function show(session: Session, name: string, limit: number): Promise<void> {
  const sensor = lookUp('sensor', session.deployment.sensors, name);
  const [{ listTicks, readSwitches }, { tickJson, tickTable }] = await Promise.all([
    import('../../api/reads/sensors.ts'),
    import('../describe-tick.ts'),
  ]);
  const engine = await session.engine();
  const [state] = await readSwitches(engine, [name]);
  if (!state) return;
  const ticks = limit === 0 ? [] : (await listTicks(engine, name, { limit })).items;
  session.print({ ...toJson(sensor, state), ticks: ticks.map(tickJson) }, () => [
    ...pairs([
      ['sensor', sensor.name],
      ['about', sensor.description],
      ['job', sensor.job.name],
      ['every', duration(sensor.everyMs)],
      ['status', `${state.status} (by ${state.status_by})`],
      ['next tick', time(state.next_due_at)],
      ['cursor', `version ${state.version}, generation ${state.generation}`],
    ]),
    JSON.stringify(JSON.parse(state.cursor), null, 2),
    ...(ticks.length === 0 ? [] : ['', ...tickTable(ticks)]),
  ]);
}

function toJson(sensor: Sensor, state: SwitchState): { readonly [field: string]: Json } {
  return {
    name: sensor.name,
    description: sensor.description,
    job: sensor.job.name,
    every_ms: sensor.everyMs,
    status: state.status,
    status_by: state.status_by,
    status_at: state.status_at,
    cursor: JSON.parse(state.cursor) as Json,
    version: state.version,
    generation: state.generation,
    error_streak: state.error_streak,
    last_tick: state.last_tick,
    next_tick_at: state.next_due_at,
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
