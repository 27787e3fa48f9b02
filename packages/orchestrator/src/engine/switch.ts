/** Turns sensors and schedules on and off; what is turned off also loses the right to launch what it is evaluating. */

import type { SensorStatus } from '../definitions/sensor.ts';
import { lookUp } from '../definitions/deployment.ts';
import type { Engine } from './engine.ts';

/** Gives the status before. @throws NotFoundError */
export async function switchTrigger(
  engine: Engine,
  kind: 'sensor' | 'schedule',
  name: string,
  status: SensorStatus,
  by: string,
): Promise<SensorStatus> {
  if (kind === 'sensor') lookUp(kind, engine.deployment.sensors, name);
  else lookUp(kind, engine.deployment.schedules, name);
  return (await engine.script('switch-sensor', name, status, by)) as SensorStatus;
}
