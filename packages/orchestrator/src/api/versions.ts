/**
 * Versions of what people change: a GET answers with one as its ETag, a change builds on it with If-Match. Where it is
 * another by now nothing is changed, and the answer holds what is there. The comparison is made by the script that
 * writes, never here.
 */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import { ConflictError } from '../definitions/errors.ts';
import { PreconditionFailedError, PreconditionRequiredError, RequestInvalidError } from './errors.ts';

export const IfMatch = z.object({
  'if-match': z
    .string()
    .max(100)
    .optional()
    .describe(
      'The ETag that the change builds on; when it is another by now, the answer is 412 and nothing is changed.',
    ),
});

export const Version = z.number().describe('Also the ETag; send it back as If-Match.');

/** An answer with the version of what it shows. */
export function withETag<T>(reply: { header(name: string, value: string): unknown }, version: number, answer: T): T {
  reply.header('etag', `"${version}"`);
  return answer;
}

/** Undefined for `*`, and where none is sent. @throws RequestInvalidError */
export function matchedVersion({ headers }: Pick<FastifyRequest, 'headers'>): number | undefined {
  const header = headers['if-match']?.trim();
  if (header === undefined || header === '*') return undefined;
  const version = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header)?.[1];
  if (version === undefined)
    throw new RequestInvalidError('If-Match: write the ETag that was read, such as "7", or *.');
  return Number(version);
}

/** Of what must not be overwritten unseen. @throws PreconditionRequiredError, RequestInvalidError */
export function requiredVersion(request: Pick<FastifyRequest, 'headers'>): number | undefined {
  if (request.headers['if-match'] !== undefined) return matchedVersion(request);
  throw new PreconditionRequiredError('Say on which version this builds: If-Match with the ETag, or *.');
}

interface Current {
  readonly version: number;
  readonly current: unknown;
}

/**
 * A change that builds on a version: what is there by now goes into the answer when it is another.
 *
 * @param byHeader false where the version stood in the body, which no precondition of HTTP is
 * @throws PreconditionFailedError, ConflictError
 */
export async function onVersion<T>(
  change: () => Promise<T>,
  read: () => Promise<Current>,
  byHeader = true,
): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const { version, current } = await read();
    const details = { current_version: version, current };
    throw byHeader
      ? new PreconditionFailedError(error.message, { details })
      : new ConflictError(error.message, { details });
  }
}
