/**
 * Idempotency-Key: the answer of a POST that changes something is remembered for a day, so that a request sent twice is
 * done once. The same key with another request is refused; a request that failed on our side may be sent again.
 */

import { createHash } from 'node:crypto';

import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';

import { RequestError } from '../definitions/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { RequestInvalidError } from './errors.ts';

const KEEP_SECONDS = 86_400;
/** A request that never ended gives its key free after this. */
const PENDING_SECONDS = 300;

class IdempotencyConflictError extends RequestError {
  readonly code = 'IDEMPOTENCY_CONFLICT';
  override readonly httpStatus = 409;
}

interface Remembered {
  readonly print: string;
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
}

/** Neither what only asks, which may be asked again, nor what holds a secret, which is kept nowhere. */
export function isRemembered(route: {
  readonly method?: string | readonly string[];
  readonly config?: FastifyContextConfig;
}): boolean {
  return route.method === 'POST' && route.config?.secretAnswer !== true && route.config?.changesNothing !== true;
}

/** Before the handler, once the body is known. True when the remembered answer was sent instead. */
export async function recallAnswer(
  engine: Pick<Engine, 'redis' | 'keys'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const key = request.headers['idempotency-key'];
  if (!isRemembered(request.routeOptions) || key === undefined) return false;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new RequestInvalidError('Idempotency-Key: write 1 to 200 printable characters without blanks.');
  }
  const who = `${request.principal?.tokenId ?? ''}|${request.principal?.name ?? ''}`;
  const slot = `${engine.keys.prefix}:idem:${createHash('sha256').update(`${who}|${key}`).digest('hex')}`;
  const print = createHash('sha256')
    .update(
      `${request.method} ${request.url}\n${request.headers['if-match'] ?? ''}\n${JSON.stringify(request.body ?? null)}`,
    )
    .digest('hex');
  const taken = await engine.redis.set(slot, JSON.stringify({ print }), 'EX', PENDING_SECONDS, 'NX');
  if (taken !== null) {
    request.idempotencySlot = slot;
    return false;
  }
  const known = JSON.parse((await engine.redis.get(slot)) ?? '{"print":""}') as Remembered;
  if (known.print !== print) {
    throw new IdempotencyConflictError('This Idempotency-Key was used for another request.');
  }
  if (known.status === undefined) {
    throw new IdempotencyConflictError('The first request with this Idempotency-Key is still under way.');
  }
  await reply
    .code(known.status)
    .header('idempotency-replayed', 'true')
    .type(known.type ?? 'application/json')
    .send(known.body ?? '');
  return true;
}

/** When the answer is known, before it goes out. */
export async function rememberAnswer(
  engine: Pick<Engine, 'redis'>,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<void> {
  const slot = request.idempotencySlot;
  if (slot === undefined) return;
  if (reply.statusCode >= 500 || typeof payload !== 'string') {
    await engine.redis.del(slot);
    return;
  }
  const { print } = JSON.parse((await engine.redis.get(slot)) ?? '{"print":""}') as Remembered;
  const type = reply.getHeader('content-type');
  const answer = { print, status: reply.statusCode, type: String(type ?? 'application/json'), body: payload };
  await engine.redis.set(slot, JSON.stringify(answer), 'EX', KEEP_SECONDS);
}
