/** What the commands about schedules ask of a Skein: of the ledger, or of a server over HTTP. */

import type { z } from 'zod';

import type { ScheduleItem } from '../../api/routes/schedules.ts';
import { lookUp } from '../../definitions/deployment.ts';
import type { SensorStatus } from '../../definitions/sensor.ts';
import type { Session } from '../session.ts';
import { turnTrigger } from '../switch-triggers.ts';

export type ShownSchedule = z.input<typeof ScheduleItem>;

export interface SchedulesPort {
  list(): Promise<readonly ShownSchedule[]>;
  /** @throws NotFoundError */
  read(name: string): Promise<ShownSchedule>;
  /** @throws NotFoundError */
  look(name: string): Promise<unknown>;
  turn(name: string, status: SensorStatus): Promise<void>;
}

export async function openSchedules(session: Session): Promise<SchedulesPort> {
  const { ScheduleItem, readSchedule, readSchedules } = await import('../../api/routes/schedules.ts');
  const { server } = session;
  if (server) {
    const [{ askAll }, { SensorSwitched }] = await Promise.all([
      import('../remote/server.ts'),
      import('../../api/routes/sensor-schemas.ts'),
    ]);
    const path = (name: string, verb = '') => `/schedules/${encodeURIComponent(name)}${verb}`;
    const read = (name: string) => server.ask('GET', path(name), ScheduleItem);
    return {
      list: () => askAll(server, '/schedules', ScheduleItem),
      read,
      look: read,
      async turn(name, status) {
        const verb = status === 'RUNNING' ? '/start' : '/stop';
        await server.ask('POST', path(name, verb), SensorSwitched, { body: {} });
      },
    };
  }
  const { schedules } = session.deployment;
  return {
    list: async () => readSchedules(await session.engine(), [...schedules.values()]),
    read: async (name) => readSchedule(await session.engine(), lookUp('schedule', schedules, name).name),
    // What the arguments alone can say is said before Redis is asked.
    look: (name) => Promise.resolve(lookUp('schedule', schedules, name)),
    turn: (name, status) => turnTrigger(session, 'schedule', name, status),
  };
}
