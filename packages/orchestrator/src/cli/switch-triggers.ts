/** Turns sensors or schedules on and off, and says so in the audit log. */

import type { SensorStatus } from '../definitions/sensor.ts';
import type { Session } from './session.ts';

type Kind = 'sensor' | 'schedule';

/** Of the ledger itself. */
export async function turnTrigger(session: Session, kind: Kind, name: string, status: SensorStatus): Promise<void> {
  const { switchTrigger } = await import('../engine/switch.ts');
  const { before } = await switchTrigger(await session.engine(), kind, name, status, session.by);
  await session.audit({
    action: `skein ${kind}s ${status === 'RUNNING' ? 'start' : 'stop'}`,
    target: `${kind}:${name}`,
    before: { status: before },
    after: { status },
  });
}

export async function switchTriggers(
  session: Session,
  kind: Kind,
  names: readonly string[],
  status: SensorStatus,
  port: { look(name: string): unknown; turn(name: string): Promise<void> },
): Promise<void> {
  // All names are looked up before the first switch is turned.
  for (const name of names) await port.look(name);
  for (const name of names) await port.turn(name);
  session.print({ [`${kind}s`]: names.map((name) => ({ name, status })) }, () =>
    names.map((name) => `${name} ${status}`),
  );
}
