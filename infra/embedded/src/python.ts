/** Owns finding a Python that can install packages, for the two things that only PyPI has here. */

import { ServicesError } from './errors.ts';
import { findProgram, lastLine, run } from './programs.ts';

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
