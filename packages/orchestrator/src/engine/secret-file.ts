/** Secrets that the environment names a file for, as orchestrators of containers mount them. */

import { readFileSync } from 'node:fs';

import { EnvironmentInvalidError } from '../definitions/errors.ts';

/** What a person remembers is shorter, and guessed. */
export const MIN_SECRET_CHARACTERS = 20;

/**
 * @param what it is, for the message
 * @throws EnvironmentInvalidError that names the variable, when the file cannot be read or holds too little
 */
export function readSecretFile(variable: string, file: string | undefined, what: string): string | undefined {
  if (file === undefined) return undefined;
  let secret = '';
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch {
    throw new EnvironmentInvalidError(`${variable}: the file cannot be read.`);
  }
  if (secret.length < MIN_SECRET_CHARACTERS)
    throw new EnvironmentInvalidError(
      `${variable}: the ${what} must have at least ${MIN_SECRET_CHARACTERS} characters.`,
    );
  return secret;
}
