/** Owns finding a Python that can install packages, and the programs that only PyPI has, once per machine. */

import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';

import { ServicesError } from './errors.ts';
import { withLock } from './locks.ts';
import { machineCache } from './machine-cache.ts';
import { findProgram, lastLine, run } from './programs.ts';

export interface PythonProgram {
  /** Of the virtual environment in the machine's cache; names the version. */
  readonly folder: string;
  readonly program: string;
  readonly packages: readonly string[];
  /** What it is for, in words for people. */
  readonly purpose: string;
}

/** @returns the program's path. @throws ServicesError where Python or its venv is missing, or pip fails */
export async function ensurePythonProgram(
  { folder, program, packages, purpose }: PythonProgram,
  progress: (line: string) => void,
): Promise<string> {
  const root = machineCache(folder);
  const file = path.join(root, 'bin', program);
  if (existsSync(file)) return file;
  return withLock(`${root}.lock`, async () => {
    if (existsSync(file)) return file;
    progress(`installing ${purpose} from PyPI, once per machine`);
    const python = findPython(purpose);
    // A folder without the program is the rest of an installation that was interrupted.
    rmSync(root, { recursive: true, force: true });
    const { code, output } = await run(python, ['-m', 'venv', root]);
    if (code !== 0) {
      throw new ServicesError(
        'SERVICE_SETUP_FAILED',
        `${purpose} needs a Python virtual environment: ${lastLine(output)}. On Debian: sudo apt-get install python3-venv`,
      );
    }
    await pipInstall(path.join(root, 'bin', 'python'), packages, [], purpose).catch((error: unknown) => {
      rmSync(root, { recursive: true, force: true });
      throw error;
    });
    return file;
  });
}

/** @throws ServicesError `SERVICE_MISSING_PROGRAM` */
export function findPython(purpose: string): string {
  const python = findProgram('python3', 'python');
  if (python !== undefined) return python;
  throw new ServicesError(
    'SERVICE_MISSING_PROGRAM',
    `${purpose} needs python3 with pip. Install it, for example: sudo apt-get install python3-pip python3-venv`,
  );
}

/** @throws ServicesError `SERVICE_SETUP_FAILED` with pip's last line */
export async function pipInstall(
  python: string,
  packages: readonly string[],
  options: readonly string[],
  purpose: string,
): Promise<void> {
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--no-cache-dir',
    ...options,
    ...packages,
  ];
  const { code, output } = await run(python, args);
  if (code !== 0)
    throw new ServicesError(
      'SERVICE_SETUP_FAILED',
      `${purpose}: pip could not install ${packages.join(' ')}: ${lastLine(output)}`,
    );
}
