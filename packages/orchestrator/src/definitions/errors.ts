/**
 * The error registry: every error a person can meet has a class, a stable code, an HTTP status and an exit code.
 *
 * Messages say what was wrong, where, and what to do; they never hold a secret or a stack trace.
 * `retryable` tells the engine whether another attempt can help; unknown errors are retried as the policy says.
 */

/** Exit codes of the `skein` command (interfaces.md): 0 done, 1 work failed, 2 request wrong, 3 service unreachable. */
export type ExitCode = 1 | 2 | 3;

/** Why a run or an attempt ended, for machines. */
export type EndReason =
  | 'user_error'
  | 'config_invalid'
  | 'upstream_failed'
  | 'worker_lost'
  | 'lease_lost'
  | 'timeout'
  | 'cancelled'
  | 'oom'
  | 'conflict_retry_exhausted'
  | `infra:${string}`;

export interface SkeinErrorOptions {
  /** Structured facts for programs: field names, keys, limits. Never secrets. */
  readonly details?: Record<string, unknown>;
  /** What a person can do about it, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export interface ServiceErrorOptions extends SkeinErrorOptions {
  readonly retryable?: boolean;
  /** Where a more precise one than `infra:<system>` is known. */
  readonly reason?: EndReason;
}

export abstract class SkeinError extends Error {
  /** Stable, UPPER_SNAKE; scripts match on it. */
  abstract readonly code: string;
  abstract readonly httpStatus: number;
  abstract readonly exitCode: ExitCode;
  abstract readonly reason: EndReason;
  readonly retryable: boolean = false;
  readonly details: Record<string, unknown>;
  readonly hint: string | undefined;

  constructor(message: string, options: SkeinErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
    this.hint = options.hint;
  }
}

/** A person asked for something that cannot be: exit 2, HTTP 400. */
export abstract class RequestError extends SkeinError {
  readonly httpStatus: number = 400;
  readonly exitCode = 2;
  readonly reason: EndReason = 'config_invalid';
}

/** The work itself failed for a reason in the data or in user code: exit 1. */
export abstract class WorkError extends SkeinError {
  readonly httpStatus: number = 422;
  readonly exitCode = 1;
  readonly reason: EndReason = 'user_error';
}

export class PartitionKeyInvalidError extends RequestError {
  readonly code = 'PARTITION_KEY_INVALID';
}

export class ConfigInvalidError extends RequestError {
  readonly code = 'CONFIG_INVALID';
  override readonly httpStatus = 422;
}

export class DefinitionInvalidError extends RequestError {
  readonly code = 'DEFINITION_INVALID';
}

export class NotFoundError extends RequestError {
  readonly code = 'NOT_FOUND';
  override readonly httpStatus = 404;
}

/** The state moved since the caller read it (cursor version, run status): read again and decide again. */
export class ConflictError extends RequestError {
  readonly code = 'CONFLICT';
  override readonly httpStatus = 409;
}

export class RefusedError extends RequestError {
  readonly code = 'REFUSED';
  override readonly httpStatus = 409;
}

/** The state is of a newer version than this code knows: it would misread it, so it touches nothing. */
export class LedgerNewerError extends RequestError {
  readonly code = 'LEDGER_NEWER';
  override readonly httpStatus = 409;
}

/** The environment variables are wrong; all mistakes at once, by name. */
export class EnvironmentInvalidError extends RequestError {
  readonly code = 'ENVIRONMENT_INVALID';
}

/** A general failure of the work, with a message for people. */
export class AssetFailedError extends WorkError {
  readonly code = 'ASSET_FAILED';
}

export class CheckFailedError extends WorkError {
  readonly code = 'CHECK_FAILED';
}

export class TimeoutError extends WorkError {
  readonly code = 'TIMEOUT';
  override readonly reason = 'timeout';
  override readonly retryable = true;
}

export class CancelledError extends WorkError {
  readonly code = 'CANCELLED';
  override readonly reason = 'cancelled';
}

/** The attempt's lease ended before the work did; another attempt may already be at it. */
export class LeaseLostError extends WorkError {
  readonly code = 'LEASE_LOST';
  override readonly reason = 'lease_lost';
  override readonly retryable = true;
}

/** The worker was asked to stop and its grace is over; another one goes on with the attempt. */
export class WorkerStoppingError extends WorkError {
  readonly code = 'WORKER_STOPPING';
  override readonly reason = 'worker_lost';
  override readonly retryable = true;
}

/** A commit by an attempt whose epoch is old: fenced off. */
export class FencedError extends WorkError {
  readonly code = 'FENCED';
  override readonly reason = 'lease_lost';
}

/** What this work reads is not there, because the asset that makes it failed or never ran. */
export class UpstreamFailedError extends WorkError {
  readonly code = 'UPSTREAM_FAILED';
  override readonly reason = 'upstream_failed';
}

/** A system that Skein depends on does not answer or refuses; exit 3, retried. */
export class ServiceError extends SkeinError {
  readonly code = 'SERVICE_UNAVAILABLE';
  readonly httpStatus = 503;
  readonly exitCode = 3;
  override readonly retryable: boolean;
  readonly reason: EndReason;
  readonly system: string;

  /** @param system the service's name as people know it: `clickhouse`, `postgres`, `kafka`, `redis`, `s3`, `sts`, `ducklake` */
  constructor(system: string, message: string, options: ServiceErrorOptions = {}) {
    super(message, options);
    this.system = system;
    this.retryable = options.retryable ?? true;
    this.reason = options.reason ?? `infra:${system}`;
  }
}

/** The codes and what each means; the error page of the docs is made from this. Families add theirs with `registerErrors`. */
export const ERRORS: Record<string, string> = {
  PARTITION_KEY_INVALID: 'A partition key does not follow its partitions definition.',
  CONFIG_INVALID: 'A config or cursor does not fit its schema; the message names each field.',
  DEFINITION_INVALID: 'The definitions of the deployment contradict each other.',
  NOT_FOUND: 'Nothing has that name or id.',
  CONFLICT: 'The state changed since it was read; read again and decide again.',
  REFUSED: 'The request is understood but not allowed now, such as a second run of a partition that is running.',
  LEDGER_NEWER: 'The ledger in Redis was written by a newer Skein than this one: upgrade this installation.',
  ENVIRONMENT_INVALID: 'Environment variables are missing or malformed; all of them are listed.',
  ASSET_FAILED: 'The work of an asset failed; the message says why.',
  CHECK_FAILED: 'A check on an asset’s data failed after it was produced.',
  TIMEOUT: 'The work took longer than its timeout.',
  CANCELLED: 'A person or a program cancelled the work.',
  LEASE_LOST: 'A worker lost its lease, or did not answer for too long; the attempt was given up.',
  WORKER_STOPPING: 'The worker stops, as in an upgrade; another one goes on with the attempt.',
  FENCED: 'A worker that had lost its lease tried to commit and was refused.',
  OUT_OF_MEMORY: 'The code used more memory than its asset may have.',
  PROCESS_EXITED: 'The code ended its thread or process instead of returning.',
  WORKER_LOST: 'The worker was lost several times without progress.',
  UPSTREAM_FAILED: 'An asset that this one depends on failed, in the same run or before it, or never ran.',
  SERVICE_UNAVAILABLE: 'A service that Skein depends on does not answer or refuses.',
};

/**
 * Codes of a deployment's own errors (classes that extend WorkError or RequestError), with what each means: the title of
 * the API's answer. @throws DefinitionInvalidError for a code of another shape, or one that means something else already
 */
export function registerErrors(meanings: Readonly<Record<string, string>>): void {
  for (const [code, meaning] of Object.entries(meanings)) {
    if (!/^[A-Z][A-Z0-9_]{2,59}$/.test(code))
      throw new DefinitionInvalidError(`The code of an error is written as UPPER_SNAKE, not “${code.slice(0, 80)}”.`);
    if (Object.hasOwn(ERRORS, code) && ERRORS[code] !== meaning)
      throw new DefinitionInvalidError(`The code ${code} is taken: “${ERRORS[code]}” Choose another one.`);
  }
  Object.assign(ERRORS, meanings);
}
