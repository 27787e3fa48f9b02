/**
 * Owns the one error that people meet when an embedded service cannot be had: it names what, where, and what to do.
 * It has the same shape as the orchestrator's errors, so the command line maps it without knowing this package.
 */

export type ServicesErrorCode =
  | 'SERVICE_MISSING_PROGRAM'
  | 'SERVICE_DID_NOT_START'
  | 'SERVICE_UNKNOWN'
  | 'SERVICE_SETUP_FAILED'
  | 'SERVICE_STATE_BROKEN'
  | 'SERVICE_NOT_CONFIGURED'
  | 'SCHEMA_FAILED';

export class ServicesError extends Error {
  readonly code: ServicesErrorCode;
  readonly httpStatus = 503;
  /** 3: a service cannot be reached; 2: the request was wrong. */
  readonly exitCode: 2 | 3;
  readonly reason = 'infra:services';
  readonly retryable = false;
  readonly details: Readonly<Record<string, unknown>>;
  readonly hint: string | undefined;

  constructor(
    code: ServicesErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServicesError';
    this.code = code;
    this.exitCode = code === 'SERVICE_UNKNOWN' ? 2 : 3;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
