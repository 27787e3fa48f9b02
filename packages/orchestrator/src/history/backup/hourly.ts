/**
 * Backups by themselves: every hour into SKEIN_BACKUP_URL, kept for SKEIN_BACKUP_KEEP. Any number of processes may look;
 * the ledger remembers when the last one was taken, by whomever, and lets one process at a time take the next.
 */

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Logger } from '../../definitions/context.ts';
import { ConflictError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { isS3, readHistorySettings } from '../settings.ts';
import type { BackupResult } from './backup.ts';
import { longestPauseMs } from './snapshot.ts';

export interface HourlyBackups {
  /** Resolves when the backup that is under way is over. */
  stop(): Promise<void>;
}

const EVERY_MS = 3_600_000;
const LOOK_MS = 60_000;

export function startHourlyBackups(engine: Engine, log: Logger): HourlyBackups {
  if (readHistorySettings(engine.env).backup === undefined) return { stop: async () => {} };
  let look: Promise<void> = Promise.resolve();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const runOnce = async () => {
    try {
      const made = await backupIfDue(engine);
      if (made) log.info('a backup was taken', { place: made.place, bytes: made.bytes, waited_ms: made.pauseMs });
    } catch (error) {
      // The next look tries again, and the age of the last one is told to the operator.
      log.warn('no backup could be taken', { error: error instanceof Error ? error.message : String(error) });
    }
    if (!stopped) plan();
  };
  const plan = () => {
    timer = setTimeout(() => {
      look = runOnce();
    }, LOOK_MS);
    timer.unref();
  };
  plan();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await look;
    },
  };
}

/** Undefined when none is due, or another process is at it. */
export async function backupIfDue(engine: Engine): Promise<BackupResult | undefined> {
  const { backup } = readHistorySettings(engine.env);
  if (backup === undefined || !(await isDue(engine))) return undefined;
  // DuckDB is loaded by the process that comes to need it.
  const { createBackup } = await import('./backup.ts');
  const place = `${backup.root}/${backupName(new Date())}`;
  try {
    const made = await createBackup(engine, place, { maxPauseMs: longestPauseMs(engine.settings) });
    await forgetOld(backup.root, backup.keepMs);
    return made;
  } catch (error) {
    if (error instanceof ConflictError) return undefined;
    throw error;
  }
}

/** Claims the look as well, so that processes which find it due together do not take one each. */
async function isDue({ redis, keys }: Engine): Promise<boolean> {
  const [[seconds], last] = await Promise.all([redis.time(), redis.hget(keys.meta, 'backup_at')]);
  if (last !== null && Number(seconds) * 1_000 - Number(last) < EVERY_MS) return false;
  return (await redis.set(`${keys.prefix}:lock:hourly`, '1', 'PX', LOOK_MS - 5_000, 'NX')) !== null;
}

/** UTC, to the second; as text in the order of time. */
export function backupName(at: Date): string {
  return `skein-${at.toISOString().slice(0, 19).replaceAll(':', '')}Z.jsonl.gz`;
}

const NAME = /^skein-(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z\.jsonl\.gz$/;

/** Files that `backupName` named, by the time in their names; in a bucket its own lifecycle does that. */
async function forgetOld(root: string, keepMs: number): Promise<void> {
  if (isS3(root)) return;
  for (const name of await readdir(root)) {
    const [, day, hour, minute, second] = NAME.exec(name) ?? [];
    if (day === undefined) continue;
    const age = Date.now() - Date.parse(`${day}T${hour}:${minute}:${second}Z`);
    if (age > keepMs) await rm(path.join(root, name), { force: true });
  }
}
