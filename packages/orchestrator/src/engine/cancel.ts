/** Cancel: what has not begun ends now, what runs is told through its lease. */

import { NotFoundError } from '../definitions/errors.ts';
import type { RunStatus } from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';

/** Gives the status after it: CANCELED, CANCELING, or the final one that it had already. @throws NotFoundError */
export async function cancelRun(engine: Engine, runId: string, by: string): Promise<RunStatus> {
  failpoint('cancel.before');
  const status = (await engine.script('cancel', runId, by)) as RunStatus | null;
  failpoint('cancel.after');
  if (status === null) throw new NotFoundError(`No run has the id ${runId.slice(0, 60)}.`);
  engine.dispatcher.kick();
  return status;
}
