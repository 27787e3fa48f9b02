/**
 * Owns locks between processes on one machine: a file that exists once and names its owner. A lock whose
 * owner has died is taken over.
 */

import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { isAlive, type ProcessIdentity, identify } from './processes.ts';
import { sleep } from './ports.ts';

/** Runs `work` while holding `file`; waits for another holder as long as it lives. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true });
  while (!take(file)) await sleep(50);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  const mine = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    // A link appears with its contents or not at all, so a lock always names its owner.
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(mine, { force: true });
  }
  const owner = readOwner(file);
  if (owner !== undefined && !isAlive(owner)) removeLockOf(owner, file);
  return false;
}

/** Moves the lock aside before looking again: by now it may be that of somebody who was quicker. */
function removeLockOf(dead: ProcessIdentity, file: string): void {
  const aside = `${file}.${process.pid}.dead`;
  try {
    renameSync(file, aside);
    if (readOwner(aside)?.pid !== dead.pid) linkSync(aside, file);
  } catch {
    // Somebody else has removed or taken it.
  } finally {
    rmSync(aside, { force: true });
  }
}

function readOwner(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
