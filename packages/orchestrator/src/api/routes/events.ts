/** The stream of changes: server-sent events that name what changed; resumable, with a heartbeat. */

import { Readable } from 'node:stream';

import { z } from 'zod';

import { ServiceError } from '../../definitions/errors.ts';
import { type Scrub, scrubJson } from '../../telemetry/scrub.ts';
import { createSight } from '../access/sight.ts';
import type { Routes } from '../context.ts';
import { type Change, isBefore } from '../events/change-feed.ts';
import { API_PREFIX } from '../openapi.ts';

const HEARTBEAT_MS = 15_000;
/** A client that lags behind by this much is cut off; it resumes from its last id, or is told to read anew. */
const MAX_BEHIND_BYTES = 1_048_576;
/** Changes that wait to be looked at by whoever sees some jobs only. */
const MAX_UNTOLD = 10_000;
const RETRY_MS = 1_000;

const StreamId = z.string().max(50).optional();

export const eventRoutes: Routes = (app, { engine, changes, scrub, settings }) => {
  app.get(
    `${API_PREFIX}/events`,
    {
      // A HEAD would open a stream that nobody reads.
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        summary: 'Changes as they happen (server-sent events)',
        description:
          'Events: `hello` (the id to resume from), `change` (JSON: id, type, at, run_id, facts), `reset` (the id is too old: read everything anew). Resume with Last-Event-ID, or ?last_event_id=.',
        tags: ['events'],
        headers: z.object({ 'last-event-id': StreamId }),
        querystring: z.strictObject({ last_event_id: StreamId }),
        response: {
          200: { description: 'A stream without end.', content: { 'text/event-stream': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      if (changes.listeners >= settings.maxStreams)
        throw new ServiceError('server', `This server tells ${settings.maxStreams} clients of changes, and no more.`);
      const from = request.headers['last-event-id'] ?? request.query.last_event_id;
      const sees = createSight(engine, request.principal);
      const stream = new Readable({ read() {}, highWaterMark: MAX_BEHIND_BYTES });
      const push = (text: string) => {
        if (stream.destroyed) return;
        if (stream.readableLength > MAX_BEHIND_BYTES) stream.destroy();
        else stream.push(text);
      };
      const tell = async (change: Change) => {
        if (await sees(change)) push(format(change, scrub));
      };
      // Listening begins before the past is read, so that nothing falls between the two; told one after the other.
      let held: Change[] | undefined = [];
      let telling: Promise<void> = Promise.resolve();
      let untold = 0;
      let last = '0-0';
      let isNew = false;
      const end = changes.listen((change) => {
        if (change === 'lost') return void stream.destroy(); // it comes back, and is told to read anew
        if (held) return void held.push(change);
        // The reader may be behind what was read of the past: that much has been told.
        isNew ||= isBefore(last, change.id);
        if (!isNew) return;
        if (++untold > MAX_UNTOLD) stream.destroy();
        else
          telling = telling
            .then(() => tell(change))
            .then(
              () => void untold--,
              () => void stream.destroy(),
            );
      });
      const heartbeat = setInterval(() => push(': still here\n\n'), HEARTBEAT_MS);
      // Before anything can end the stream: whoever ends it, the timer and the listening end with it.
      stream.on('close', () => {
        clearInterval(heartbeat);
        end();
      });
      request.raw.on('close', () => stream.destroy());
      try {
        await changes.ready();
        push(`retry: ${RETRY_MS}\n\n`);
        last = await changes.newest();
        const isBack = from !== undefined && from !== '';
        const missed = isBack ? await changes.since(from) : [];
        const told = missed && (await retell(missed, sees, scrub));
        if (told === undefined) push(`event: reset\nid: ${last}\ndata: {}\n\n`);
        else {
          if (isBack) last = missed?.at(-1)?.id ?? from;
          push(`${told}event: hello\nid: ${last}\ndata: {}\n\n`);
        }
        for (let change = held.shift(); change !== undefined; change = held.shift()) {
          isNew ||= isBefore(last, change.id);
          if (isNew) await tell(change);
        }
        held = undefined;
      } catch (error) {
        stream.destroy();
        throw error;
      }
      // The client left meanwhile: nobody would read, and nothing would end the stream.
      if (request.raw.destroyed) stream.destroy();
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(stream);
    },
  );
};

/** What a client missed; undefined when it is so much that the client would be cut off at once, and again and again. */
async function retell(
  missed: readonly Change[],
  sees: ReturnType<typeof createSight>,
  scrub: Scrub,
): Promise<string | undefined> {
  let text = '';
  for (const change of missed) {
    if (await sees(change)) text += format(change, scrub);
    if (text.length > MAX_BEHIND_BYTES / 2) return undefined;
  }
  return text;
}

/** Every client is told the same: made and scrubbed once for all of them. */
const texts = new WeakMap<Change, string>();

function format(change: Change, scrub: Scrub): string {
  const known = texts.get(change);
  if (known !== undefined) return known;
  const text = `id: ${change.id}\nevent: change\ndata: ${scrubJson(scrub, JSON.stringify(change))}\n\n`;
  texts.set(change, text);
  return text;
}
