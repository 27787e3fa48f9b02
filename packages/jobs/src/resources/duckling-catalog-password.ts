/** Passwords by reference: `env:NAME` or `file:PATH`, read when a connection is made and kept nowhere else. */

import { readFile } from 'node:fs/promises';

import { ServiceError, hideSecret } from '@skein/orchestrator';

/** @throws ServiceError (`ducklake`) that names the reference when nothing stands there */
export async function readPassword(
  reference: string,
  env: Readonly<Record<string, string | undefined>>,
  owner: string,
): Promise<string> {
  const cut = reference.indexOf(':');
  const [kind, where] = [reference.slice(0, cut), reference.slice(cut + 1)];
  if (kind === 'env') {
    const value = env[where];
    if (value) return hidden(value);
    throw missing(owner, `the environment variable ${where} is not set`);
  }
  try {
    const value = (await readFile(where, 'utf8')).replace(/\r?\n$/, '');
    if (value) return hidden(value);
  } catch (error) {
    throw missing(
      owner,
      `the file ${where} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    );
  }
  throw missing(owner, `the file ${where} is empty`);
}

/** The variable may have any name, and a file has none: nobody else could tell that it is secret. */
function hidden(password: string): string {
  hideSecret(password);
  return password;
}

function missing(owner: string, why: string): ServiceError {
  return new ServiceError(
    'ducklake',
    `${owner}: the catalog password cannot be read: ${why}. Workers need it where db_password points.`,
    { retryable: false },
  );
}
