/** A worker inside this process, for as long as one command waits and no other worker is alive. */

import type { Engine } from '../engine/engine.ts';
import type { SkeinWorker } from '../worker/worker.ts';
import type { Session } from './session.ts';
import { catchStrayErrors } from './stray-errors.ts';

export interface LocalWorker {
  stop(): Promise<void>;
}

/** The last worker may die while we wait. */
const LOOK_EVERY_MS = 5_000;
/** What this worker does for others meanwhile is left to the ledger when the command ends. */
const GRACE_MS = 2_000;

/** Starts one now or later, whenever none is alive; starts none where others work. */
export async function workWhereNobodyDoes(session: Session, engine: Engine): Promise<LocalWorker> {
  const { startWorker, takesAnybodyAll } = await import('../worker/worker.ts');
  let worker: Promise<SkeinWorker> | undefined;
  const look = async () => {
    if (worker !== undefined || (await takesAnybodyAll(engine))) return;
    session.note('No worker is alive: this command works the run itself.');
    const log = await session.log();
    catchStrayErrors(log);
    worker = startWorker(engine, { log, resources: await session.resources() });
    await worker;
  };
  await look();
  const timer = setInterval(() => void look().catch(() => {}), LOOK_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await (await worker)?.stop(GRACE_MS);
    },
  };
}
