/** `skein sensors …`: what they are and do, switching them, looking ahead, evaluating one now. */

import type { Command } from 'commander';

import type { Json } from '../../definitions/json.ts';
import type { SensorStatus } from '../../definitions/sensor.ts';
import { WHEN_NONE_IS_NAMED, group, leaf, overServer } from '../help.ts';
import { readJsonArgument, wholeNumber } from '../parse-arguments.ts';
import type { SensorsPort, ShownSensor } from '../ports/sensors.ts';
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
    run((session) => turn(session, names, 'RUNNING')),
  );
  leaf(sensors, 'stop <names...>', 'stop them; a tick under way launches nothing', [
    'skein sensors stop my_sensor',
  ]).action((names: string[]) => run((session) => turn(session, names, 'STOPPED')));
  leaf(sensors, 'preview <name>', 'ticks ahead, on a virtual clock and without side effects', [
    'skein sensors preview my_sensor --ticks 3',
    `skein sensors preview my_sensor --cursor '{}' --ticks 100 --json`,
  ])
    .option('--ticks <n>', 'so many', wholeNumber(1, 1_000), 1)
    .option('--cursor <json>', 'from this cursor instead of the stored one; JSON or @FILE')
    .action((name: string, flags: PreviewFlags) => run((session) => preview(session, name, flags)));
  registerSensorTick(sensors, run);
  sensors.commands.forEach(overServer);
  registerSensorCursor(sensors, run);
}

async function open(session: Session): Promise<SensorsPort> {
  const { openSensors } = await import('../ports/sensors.ts');
  return openSensors(session);
}

async function list(session: Session): Promise<void> {
  const all = await (await open(session)).list();
  session.print({ sensors: all.map(toJson) }, () =>
    table(
      ['SENSOR', 'STATUS', 'EVERY', 'JOB', 'LAST TICK', 'DECISION'],
      all.map((sensor) => [
        sensor.name,
        sensor.status,
        duration(sensor.every_ms),
        sensor.job,
        time(sensor.last_tick?.ended_at),
        shorten([sensor.last_tick?.decision ?? '–', sensor.last_tick?.reason].filter(Boolean).join(': '), 70),
      ]),
    ),
  );
}

async function show(session: Session, name: string, limit: number): Promise<void> {
  const [port, { tickJson, tickTable }] = await Promise.all([open(session), import('../describe-tick.ts')]);
  const sensor = await port.read(name);
  const ticks = await port.ticks(name, limit);
  session.print({ ...toJson(sensor), ticks: ticks.map(tickJson) }, () => [
    ...pairs([
      ['sensor', sensor.name],
      ['about', sensor.description],
      ['job', sensor.job],
      ['every', duration(sensor.every_ms)],
      ['status', `${sensor.status} (by ${sensor.status_by})`],
      ['next tick', time(sensor.next_tick_at)],
      ['cursor', `version ${sensor.version}, generation ${sensor.generation}`],
    ]),
    JSON.stringify(sensor.cursor, null, 2),
    ...(ticks.length === 0 ? [] : ['', ...tickTable(ticks)]),
  ]);
}

async function turn(session: Session, names: readonly string[], status: SensorStatus): Promise<void> {
  const port = await open(session);
  await switchTriggers(session, 'sensor', names, status, {
    look: (name) => port.read(name),
    turn: (name) => port.turn(name, status),
  });
}

function toJson(sensor: ShownSensor): { readonly [field: string]: Json } {
  return { ...sensor };
}

interface PreviewFlags {
  readonly ticks: number;
  readonly cursor?: string;
}

async function preview(session: Session, name: string, flags: PreviewFlags): Promise<void> {
  const cursor = flags.cursor === undefined ? undefined : readJsonArgument('--cursor', flags.cursor);
  const ticks = await (await open(session)).preview(name, flags.ticks, cursor);
  session.print({ ticks: ticks as unknown as Json }, () => [
    ...ticks.flatMap((tick, i) => [
      `${time(new Date(tick.at))}  tick ${i + 1}: ${tick.skip_reason ?? `${tick.requests.length} requests`}`,
      ...tick.requests.map(({ partitions, config, suppressed_by: by }) => {
        const what = shorten(partitions.join(' ') || JSON.stringify(config), 110);
        return `  ${what}${by === null ? '' : `  suppressed: ${by} had its key`}`;
      }),
    ]),
    summary(ticks),
  ]);
}

function summary(
  ticks: readonly { readonly requests: readonly { readonly suppressed_by: string | null }[] }[],
): string {
  const all = ticks.flatMap((tick) => tick.requests);
  const suppressed = all.filter((request) => request.suppressed_by !== null).length;
  const asking = ticks.filter((tick) => tick.requests.length > 0).length;
  return `${all.length - suppressed} runs in ${asking} of ${ticks.length} ticks, ${suppressed} requests suppressed`;
}
