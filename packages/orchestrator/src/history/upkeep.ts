/** What every process looks after beside its work, one of them at a time: history and backups. */

import type { Logger } from '../definitions/context.ts';
import type { Engine } from '../engine/engine.ts';
import { startArchiver } from './archiver.ts';
import { startHourlyBackups } from './backup/hourly.ts';

export interface Upkeep {
  /** Resolves when what is under way is over. */
  stop(): Promise<void>;
}

/** @throws EnvironmentInvalidError when the settings of history or backups are wrong */
export function startUpkeep(engine: Engine, log: Logger): Upkeep {
  const parts = [startArchiver(engine, log), startHourlyBackups(engine, log)];
  return { stop: async () => void (await Promise.all(parts.map((part) => part.stop()))) };
}
