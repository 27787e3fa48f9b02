/** Waits for the end of a tick that somebody evaluates. */

import type { TickRecord } from '../../api/reads/sensors.ts';
import { ServiceError } from '../../definitions/errors.ts';

const LOOK_EVERY_MS = 100;
/** A few seconds more than the tick may take: a lost one is ended by the pulse. */
const MARGIN_MS = 15_000;

/** @throws ServiceError when nobody has ended it in time */
export async function untilTicked(
  id: string,
  timeoutMs: number,
  look: () => Promise<TickRecord | undefined>,
): Promise<TickRecord> {
  const ends = performance.now() + timeoutMs + MARGIN_MS;
  for (;;) {
    const tick = await look();
    if (tick !== undefined && tick.status !== 'STARTED') return tick;
    if (performance.now() > ends)
      throw new ServiceError('worker', `No worker has ended the tick ${id} in time.`, { hint: 'See “skein doctor”.' });
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
