/** Errors as answers: RFC 9457 problems with the registry's code. Never a stack trace, never a secret. */

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';

import { ERRORS, SkeinError } from '../definitions/errors.ts';
import { redisIsAway } from '../store/redis.ts';
import type { Scrub } from '../telemetry/scrub.ts';

interface ProblemBody {
  readonly type: string;
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly [extra: string]: unknown;
}

type Description = Pick<ProblemBody, 'code' | 'status' | 'detail' | 'errors'> & Record<string, unknown>;

/** @param onFault is told of errors that are ours, with their stack, for the log */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  scrub: Scrub,
  onFault: (error: unknown) => void,
): FastifyReply {
  const described = describe(error);
  if (described.status >= 500) onFault(error);
  const body: ProblemBody = {
    type: `about:blank#${described.code.toLowerCase().replaceAll('_', '-')}`,
    title: ERRORS[described.code] ?? 'The request failed.',
    ...described,
    detail: scrub(described.detail).slice(0, 4_000),
    request_id: request.id,
  };
  if (body.status === 503) reply.header('retry-after', '2');
  return reply.code(body.status).type('application/problem+json').send(body);
}

function describe(error: unknown): Description {
  if (error instanceof SkeinError) return ofSkein(error);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = (error as FastifyError).validationContext ?? 'request';
    const errors = error.validation.map((one) => ({
      path: [where === 'querystring' ? 'query' : where, ...one.instancePath.split('/').filter(Boolean)].join('.'),
      message: one.message ?? 'is not valid',
    }));
    return {
      code: 'REQUEST_INVALID',
      status: 400,
      detail: `The ${where} is not valid: ${errors.map((e) => `${e.path}: ${e.message}`).join('; ')}.`,
      errors,
    };
  }
  if (isResponseSerializationError(error)) return fault();
  return ofFastify(error as Partial<FastifyError>);
}

function ofSkein(error: SkeinError): Description {
  const { fields, ...details } = error.details;
  return {
    ...publicDetails(details),
    code: error.code,
    status: error.httpStatus,
    detail: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
    ...(Array.isArray(fields) ? { errors: fields as { path: string; message: string }[] } : {}),
  };
}

/** Only what the problem's schema knows goes out. */
function publicDetails(details: Record<string, unknown>): Record<string, unknown> {
  const known = ['current_version', 'current', 'reason'];
  return Object.fromEntries(Object.entries(details).filter(([name]) => known.includes(name)));
}

function ofFastify(error: Partial<FastifyError>): Description {
  if (redisIsAway(error)) {
    return {
      code: 'SERVICE_UNAVAILABLE',
      status: 503,
      detail: 'Redis does not answer, or takes no writes now. Nothing was changed; try again in a moment.',
    };
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'TOO_LARGE', status: 413, detail: 'The body is larger than 1 MiB.' };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'UNSUPPORTED_MEDIA_TYPE', status: 415, detail: 'Send the body as application/json.' };
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return {
        code: 'REQUEST_INVALID',
        status: 400,
        detail:
          'The body is not JSON, or holds a key that is never taken (__proto__, constructor.prototype). Send one JSON document.',
      };
    default:
  }
  const status = error.statusCode ?? 500;
  if (status === 429)
    return { code: 'RATE_LIMITED', status, detail: 'Too many requests from this address; wait a moment.' };
  if (status >= 400 && status < 500)
    return { code: 'REQUEST_INVALID', status, detail: error.message ?? 'The request is not valid.' };
  return fault();
}

function fault(): Description {
  return {
    code: 'INTERNAL',
    status: 500,
    detail: 'Something went wrong in Skein itself. The server’s log has the details under this request id.',
  };
}
