/**
 * What a person or a program is told when a command fails: one message with its code and hint, and the exit code of the
 * contract (1 the work failed, 2 the request was wrong, 3 a service cannot be reached). Never a stack trace for a
 * mistake; SKEIN_DEBUG=1 shows one for what nobody foresaw.
 */

import { ServiceError } from '../definitions/errors.ts';
import { scrubJson } from '../telemetry/scrub.ts';

export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exitCode: 1 | 2 | 3;
  /** Only of errors that nobody foresaw. */
  readonly stack: string | undefined;
}

/** The shape that errors of other packages share with ours, without knowing our classes. */
interface Coded {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
  readonly hint?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

function isCoded(error: unknown): error is Coded {
  return (
    error instanceof Error &&
    'exitCode' in error &&
    typeof error.exitCode === 'number' &&
    'code' in error &&
    typeof error.code === 'string'
  );
}

export function describeFailure(raw: unknown, scrub: (text: string) => string = (text) => text): ErrorReport {
  const error = redisIsAway(raw) ? redisLost() : raw;
  if (isCoded(error)) {
    const { exitCode } = error;
    return {
      code: error.code,
      message: scrub(error.message),
      hint: error.hint === undefined ? null : scrub(error.hint),
      details: JSON.parse(scrubJson(scrub, JSON.stringify(error.details ?? {}))) as Record<string, unknown>,
      exitCode: exitCode === 2 || exitCode === 3 ? exitCode : 1,
      stack: undefined,
    };
  }
  const message = error instanceof Error ? error.message || error.name : String(error);
  return {
    code: 'UNEXPECTED',
    message: scrub(`Something failed that nobody foresaw: ${message}`),
    hint: 'Set SKEIN_DEBUG=1 to see where, and report it.',
    details: {},
    exitCode: 1,
    stack: error instanceof Error && error.stack !== undefined ? scrub(error.stack) : undefined,
  };
}

/** Errors of the Redis client that mean the same to a person: it went away while the command ran. */
function redisIsAway(error: unknown): boolean {
  if (!(error instanceof Error) || isCoded(error)) return false;
  return (
    error.name === 'MaxRetriesPerRequestError' ||
    /^(Connection is closed\.|Socket timeout|Stream isn't writeable)/.test(error.message)
  );
}

function redisLost(): ServiceError {
  return new ServiceError('redis', 'Redis went away while the command ran; what it had begun may or may not be done.', {
    hint: 'Check that the server runs, then look at the state and repeat the command.',
  });
}
