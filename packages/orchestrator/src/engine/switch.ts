/** Turns sensors and schedules on and off; what is turned off also loses the right to launch what it is evaluating. */

import type { SensorStatus } from '../definitions/sensor.ts';
import { lookUp } from '../definitions/deployment.ts';
import type { Engine } from './engine.ts';
import { movedOn } from './moved-on.ts';

export interface Switched {
  readonly before: SensorStatus;
  /** Of the switch; grows with each word of a person about it. */
  readonly version: number;
}

/**
 * @param ifVersion of the switch that must be current
 * @throws NotFoundError, ConflictError when the version is another by now
 */
export async function switchTrigger(
  engine: Engine,
  kind: 'sensor' | 'schedule',
  name: string,
  status: SensorStatus,
  by: string,
  ifVersion?: number,
): Promise<Switched> {
  if (kind === 'sensor') lookUp(kind, engine.deployment.sensors, name);
  else lookUp(kind, engine.deployment.schedules, name);
  const reply = await engine.script('switch-sensor', name, status, by, ifVersion ?? '');
  const [isDone, version, before] = reply as [number, number, SensorStatus];
  if (isDone === 0) throw movedOn(`The switch of ${name}`, version, ifVersion);
  return { before, version };
}
