/** `skein schedules`: what is launched by the clock. */

import type { Command } from 'commander';

import type { SwitchState } from '../../api/reads/sensors.ts';
import { lookUp } from '../../definitions/deployment.ts';
import type { Json } from '../../definitions/json.ts';
import type { Schedule } from '../../definitions/schedule.ts';
import type { SensorStatus } from '../../definitions/sensor.ts';
import { WHEN_NONE_IS_NAMED, group, leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';
import { switchTriggers, turnTrigger } from '../switch-triggers.ts';
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
}

function turn(session: Session, names: readonly string[], status: SensorStatus): Promise<void> {
  return switchTriggers(session, 'schedule', names, status, {
    look: (name) => lookUp('schedule', session.deployment.schedules, name),
    turn: (name) => turnTrigger(session, 'schedule', name, status),
  });
}

async function statesOf(session: Session, all: readonly Schedule[]) {
  const { readSwitches } = await import('../../api/reads/sensors.ts');
  const states = await readSwitches(
    await session.engine(),
    all.map(({ name }) => name),
  );
  return all.flatMap((schedule, i) => {
    const state = states[i];
    return state ? [{ schedule, state }] : [];
  });
}

async function list(session: Session): Promise<void> {
  const rows = await statesOf(session, [...session.deployment.schedules.values()]);
  session.print({ schedules: rows.map(({ schedule, state }) => toJson(schedule, state)) }, () =>
    rows.length === 0
      ? ['no schedules']
      : table(
          ['SCHEDULE', 'STATUS', 'CRON', 'ZONE', 'JOB', 'NEXT'],
          rows.map(({ schedule, state }) => [
            schedule.name,
            state.status,
            schedule.cron,
            schedule.timeZone,
            schedule.job.name,
            time(state.next_due_at),
          ]),
        ),
  );
}

async function show(session: Session, name: string): Promise<void> {
  const [row] = await statesOf(session, [lookUp('schedule', session.deployment.schedules, name)]);
  if (!row) return;
  const { schedule, state } = row;
  session.print(toJson(schedule, state), () =>
    pairs([
      ['schedule', schedule.name],
      ['about', schedule.description],
      ['job', schedule.job.name],
      ['cron', `${schedule.cron} (${schedule.timeZone})`],
      ['missed times', schedule.catchUp],
      ['status', state.status],
      ['next', time(state.next_due_at)],
      [
        'last',
        state.last_tick && `${time(state.last_tick.ended_at)} ${state.last_tick.decision} ${state.last_tick.reason}`,
      ],
    ]),
  );
}

function toJson(schedule: Schedule, state: SwitchState): { readonly [field: string]: Json } {
  return {
    name: schedule.name,
    description: schedule.description,
    job: schedule.job.name,
    cron: schedule.cron,
    time_zone: schedule.timeZone,
    catch_up: schedule.catchUp,
    status: state.status,
    last_tick: state.last_tick,
    next_tick_at: state.next_due_at,
  };
}
