/**
 * Owns locks between processes on one machine: a file that is created exclusively and names its owner. A lock whose
 * owner has died is taken over.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  try {
    writeFileSync(file, JSON.stringify(identify(process.pid)), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = readOwner(file);
  // An empty file may be one that its owner is about to fill: only a named, dead owner is dispossessed.
  if (owner !== undefined && !isAlive(owner)) rmSync(file, { force: true });
  return false;
}

function readOwner(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
