import { ConflictError } from '../definitions/errors.ts';

/**
 * Somebody, or something, wrote another version than the one that a change builds on, so that nothing was changed.
 *
 * @param what with its article, such as “The cursor of feed”
 */
export function movedOn(what: string, current: number, expected: number | undefined): ConflictError {
  return new ConflictError(
    `${what} is at version ${current} by now, not ${expected ?? 'the one that was read'}: read it again.`,
    { details: { current_version: current } },
  );
}
