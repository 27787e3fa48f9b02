/** Turns sensors or schedules on and off. */

import { lookUp } from '../definitions/deployment.ts';
import type { SensorStatus } from '../definitions/sensor.ts';
import type { Session } from './session.ts';

export async function switchTriggers(
  session: Session,
  kind: 'sensor' | 'schedule',
  names: readonly string[],
  status: SensorStatus,
): Promise<void> {
  // All names are looked up before the first switch is turned.
  for (const name of names) {
    if (kind === 'sensor') lookUp(kind, session.deployment.sensors, name);
    else lookUp(kind, session.deployment.schedules, name);
  }
  const { switchTrigger } = await import('../engine/switch.ts');
  const engine = await session.engine();
  for (const name of names) {
    const before = await switchTrigger(engine, kind, name, status, session.by);
    await session.audit({
      action: `skein ${kind}s ${status === 'RUNNING' ? 'start' : 'stop'}`,
      target: `${kind}:${name}`,
      before: { status: before },
      after: { status },
    });
  }
  session.print({ [`${kind}s`]: names.map((name) => ({ name, status })) }, () =>
    names.map((name) => `${name} ${status}`),
  );
}
