/** The archiver: `archiveRuns` with a dull hourly timer. Any number of processes may run one; a lock lets one work. */

import type { Logger } from '../definitions/context.ts';
import type { Engine } from '../engine/engine.ts';
import { readHistorySettings } from './settings.ts';

export interface Archiver {
  /** Resolves when the pass that is under way is over. */
  stop(): Promise<void>;
}

const EVERY_MS = 3_600_000;
/** Not at once: a process that is started again and again should work first. */
const FIRST_MS = 60_000;
/** In one pass, so that a stop is soon; a full pass is followed by the next one at once. */
const LIMIT = 10_000;
const NEXT_MS = 1_000;

/** @throws EnvironmentInvalidError when history's settings are wrong */
export function startArchiver(engine: Engine, log: Logger): Archiver {
  const { retentionMs } = readHistorySettings(engine.env);
  let pass: Promise<void> = Promise.resolve();
  let stopped = false;
  const runOnce = async (): Promise<number> => {
    try {
      // DuckDB is loaded by the process that comes to need it.
      const { archiveRuns } = await import('./archive.ts');
      const { archived, files } = await archiveRuns(engine, { olderThanMs: retentionMs, limit: LIMIT });
      if (archived > 0) log.info('ended runs went into history', { archived, files });
      return archived === LIMIT ? NEXT_MS : EVERY_MS;
    } catch (error) {
      // Nothing is lost: what is not in a file stays in the ledger, and the next pass tries again.
      log.warn('history could not be written', { error: error instanceof Error ? error.message : String(error) });
      return EVERY_MS;
    }
  };
  const tick = async () => {
    const nextMs = await runOnce();
    if (!stopped) plan(nextMs);
  };
  let timer: NodeJS.Timeout | undefined;
  const plan = (delayMs: number) => {
    timer = setTimeout(() => {
      pass = tick();
    }, delayMs);
    timer.unref();
  };
  plan(FIRST_MS);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await pass;
    },
  };
}
