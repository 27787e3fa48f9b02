/** `skein schedules`: what is launched by the clock. */

import type { Command } from 'commander';

import type { Json } from '../../definitions/json.ts';
import type { SensorStatus } from '../../definitions/sensor.ts';
import { WHEN_NONE_IS_NAMED, group, leaf, overServer } from '../help.ts';
import type { SchedulesPort, ShownSchedule } from '../ports/schedules.ts';
import type { RunAction, Session } from '../session.ts';
import { switchTriggers } from '../switch-triggers.ts';
import { pairs, table, time } from '../terminal.ts';

export function registerSchedules(program: Command, run: RunAction): void {
  const schedules = group(program, 'schedules', 'schedules: list, show, start, stop', [
    'skein schedules',
    'skein schedules start my_schedule',
  ]);
  leaf(schedules, 'list', 'all schedules', ['skein schedules list --json'], WHEN_NONE_IS_NAMED).action(() => run(list));
  leaf(schedules, 'show <name>', 'one schedule with its next time', ['skein schedules show my_schedule']).action(
    (name: string) => run((session) => show(session, name)),
  );
  leaf(schedules, 'start <names...>', 'let them launch', ['skein schedules start my_schedule']).action(
    (names: string[]) => run((session) => turn(session, names, 'RUNNING')),
  );
  leaf(schedules, 'stop <names...>', 'stop them', ['skein schedules stop my_schedule']).action((names: string[]) =>
    run((session) => turn(session, names, 'STOPPED')),
  );
  schedules.commands.forEach(overServer);
}

async function open(session: Session): Promise<SchedulesPort> {
  const { openSchedules } = await import('../ports/schedules.ts');
  return openSchedules(session);
}

async function turn(session: Session, names: readonly string[], status: SensorStatus): Promise<void> {
  const port = await open(session);
  await switchTriggers(session, 'schedule', names, status, {
    look: (name) => port.look(name),
    turn: (name) => port.turn(name, status),
  });
}

async function list(session: Session): Promise<void> {
  const all = await (await open(session)).list();
  session.print({ schedules: all.map(toJson) }, () =>
    all.length === 0
      ? ['no schedules']
      : table(
          ['SCHEDULE', 'STATUS', 'CRON', 'ZONE', 'JOB', 'NEXT'],
          all.map((schedule) => [
            schedule.name,
            schedule.status,
            schedule.cron,
            schedule.time_zone,
            schedule.job,
            time(schedule.next_due_at),
          ]),
        ),
  );
}

async function show(session: Session, name: string): Promise<void> {
  const schedule = await (await open(session)).read(name);
  const { last_tick: last } = schedule;
  session.print(toJson(schedule), () =>
    pairs([
      ['schedule', schedule.name],
      ['about', schedule.description],
      ['job', schedule.job],
      ['cron', `${schedule.cron} (${schedule.time_zone})`],
      ['missed times', schedule.catch_up],
      ['status', schedule.status],
      ['next', time(schedule.next_due_at)],
      ['last', last && `${time(last.ended_at)} ${last.decision} ${last.reason}`],
    ]),
  );
}

function toJson(schedule: ShownSchedule): { readonly [field: string]: Json } {
  return {
    name: schedule.name,
    description: schedule.description,
    job: schedule.job,
    cron: schedule.cron,
    time_zone: schedule.time_zone,
    catch_up: schedule.catch_up,
    status: schedule.status,
    last_tick: schedule.last_tick,
    next_tick_at: schedule.next_due_at,
  };
}
