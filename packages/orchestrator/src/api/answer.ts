/** What happens to an answer before it goes out: secrets out, audit entry in, remembered for its key, compressed. */

import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { appendAudit } from './audit.ts';
import type { ApiContext } from './context.ts';
import { actorOf } from './context.ts';
import { rememberAnswer } from './idempotency.ts';
import { scrubJson } from '../telemetry/scrub.ts';

const compress = promisify(gzip);
/** Smaller answers fit into one packet anyway. */
const COMPRESS_FROM_BYTES = 1_400;

export async function finishAnswer(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const clean = typeof payload === 'string' ? scrubJson(context.scrub, payload) : payload;
  await writeAudit(context, request, reply);
  await rememberAnswer(context.engine, request, reply, clean);
  return maybeCompress(request, reply, clean);
}

async function writeAudit(context: ApiContext, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const isFamilyWrite =
    request.routeOptions.config.family === true && !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  // A family's write says nothing of itself: at least who called what is kept.
  const note = request.auditNote ?? (isFamilyWrite && request.principal ? { target: request.url } : undefined);
  if (note === undefined) return;
  request.auditNote = undefined;
  const scrubbed = (value: unknown): unknown =>
    value === undefined ? undefined : JSON.parse(scrubJson(context.scrub, JSON.stringify(value)));
  try {
    await appendAudit(context.engine, {
      actor: actorOf(request),
      role: request.principal?.role ?? '',
      ip: request.ip,
      action: `${request.method} ${request.routeOptions.url ?? ''}`,
      target: context.scrub(note.target),
      reason: note.reason === undefined ? undefined : context.scrub(note.reason),
      before: scrubbed(note.before),
      after: scrubbed(note.after),
      requestId: request.id,
      result: String(reply.statusCode),
    });
  } catch (error) {
    context.log.error('an audit entry could not be written', {
      request_id: request.id,
      target: context.scrub(note.target),
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

async function maybeCompress(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
  if (payload.length < COMPRESS_FROM_BYTES || reply.hasHeader('content-encoding')) return payload;
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return payload;
  const small = await compress(payload, { level: constants.Z_BEST_SPEED });
  reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding').removeHeader('content-length');
  return small;
}
