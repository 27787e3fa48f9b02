/** A command line that cannot be understood: unknown command or option, missing argument, malformed value. */

import { ERRORS, RequestError } from '../definitions/errors.ts';

export class UsageError extends RequestError {
  readonly code = 'USAGE_INVALID';
}

ERRORS.USAGE_INVALID = 'The command line names an unknown command or option, or a value is missing or malformed.';
