/** Errors that only the HTTP API has; their codes join the registry. */

import { RequestError, registerErrors } from '../definitions/errors.ts';

export class UnauthenticatedError extends RequestError {
  readonly code = 'UNAUTHENTICATED';
  override readonly httpStatus = 401;
}

export class ForbiddenError extends RequestError {
  readonly code = 'FORBIDDEN';
  override readonly httpStatus = 403;
}

/** `If-Match` names a version that is not the current one. */
export class PreconditionFailedError extends RequestError {
  readonly code = 'PRECONDITION_FAILED';
  override readonly httpStatus = 412;
}

/** A write that must say on which version it builds, and does not. */
export class PreconditionRequiredError extends RequestError {
  readonly code = 'PRECONDITION_REQUIRED';
  override readonly httpStatus = 428;
}

/** A request whose shape is wrong; `details.fields` names each field. */
export class RequestInvalidError extends RequestError {
  readonly code = 'REQUEST_INVALID';
}

export class RateLimitedError extends RequestError {
  readonly code = 'RATE_LIMITED';
  override readonly httpStatus = 429;
}

export const API_ERRORS: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'No one is signed in, or the token is unknown, expired or revoked.',
  FORBIDDEN: 'The role may not do this, or the request came from another site.',
  PRECONDITION_FAILED: 'If-Match names a version that is not the current one; the answer holds the current one.',
  PRECONDITION_REQUIRED: 'The write must say on which version it builds: If-Match with the version, or *.',
  REQUEST_INVALID: 'The request is malformed; `errors` names each field.',
  TOO_LARGE: 'The body is larger than 1 MiB.',
  UNSUPPORTED_MEDIA_TYPE: 'The body is not application/json.',
  RATE_LIMITED: 'Too many requests from this address; wait as long as Retry-After says.',
  IDEMPOTENCY_CONFLICT: 'The Idempotency-Key was used for another request, or the first one is still under way.',
  INTERNAL: 'A fault of Skein itself; the log has it under the request id.',
};

registerErrors(API_ERRORS);
