/** `skein sensors tick NAME`: evaluates now, also a stopped sensor, and says what came of it. */

import type { Command } from 'commander';

import { tickJson } from '../describe-tick.ts';
import { leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';

export function registerSensorTick(sensors: Command, run: RunAction): void {
  leaf(sensors, 'tick <name>', 'evaluate now, also a stopped sensor; its requests are launched', [
    'skein sensors tick my_sensor',
    'skein sensors tick my_sensor --json',
  ]).action((name: string) => run((session) => tickNow(session, name)));
}

async function tickNow(session: Session, name: string): Promise<void> {
  const { openSensors } = await import('../ports/sensors.ts');
  const tick = await (await openSensors(session)).tick(name);
  if (tick.status === 'FAILURE') session.endWith(1);
  session.print({ sensor: name, ...tickJson(tick) }, () => [
    `${tick.decision}${tick.reason === '' ? '' : `: ${tick.reason}`}`,
    ...tick.run_ids.map((run) => `run ${run}`),
  ]);
}
