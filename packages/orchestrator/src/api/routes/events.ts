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
      // Whoever sees every job is told what everyone is told.
      const sees = request.principal?.jobs === undefined ? undefined : createSight(engine, request.principal);
      const stream = new Readable({ read() {}, highWaterMark: MAX_BEHIND_BYTES });
      const push = (text: Buffer | string) => {
        if (stream.destroyed || text.length === 0) return;
        if (stream.readableLength > MAX_BEHIND_BYTES) stream.destroy();
        else stream.push(text);
      };
      const tell = async (news: readonly Change[], sight: Sight) => push(format(await seen(news, sight), scrub));
      // Listening begins before the past is read, so that nothing falls between the two; told one after the other.
      let held: Change[] | undefined = [];
      let telling: Promise<void> = Promise.resolve();
      let untold = 0;
      let last = '0-0';
      let isNew = false;
      /** The reader may be behind what was read of the past: that much has been told. */
      const afterLast = (news: readonly Change[]) => {
        if (isNew) return news;
        const first = news.findIndex((change) => isBefore(last, change.id));
        isNew = first >= 0;
        return first < 0 ? [] : first === 0 ? news : news.slice(first);
      };
      const end = changes.listen((news) => {
        if (news === 'lost') return void stream.destroy(); // it comes back, and is told to read anew
        if (held) return void held.push(...news);
        const more = afterLast(news);
        if (sees === undefined) return push(format(more, scrub));
        untold += more.length;
        if (untold > MAX_UNTOLD) stream.destroy();
        else
          telling = telling
            .then(() => tell(more, sees))
            .then(
              () => void (untold -= more.length),
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
        const told = missed && format(await seen(missed, sees), scrub);
        // So much that the client would be cut off at once, and again and again.
        if (told === undefined || told.length > MAX_BEHIND_BYTES / 2) push(`event: reset\nid: ${last}\ndata: {}\n\n`);
        else {
          if (isBack) last = missed?.at(-1)?.id ?? from;
          push(told);
          push(`event: hello\nid: ${last}\ndata: {}\n\n`);
        }
        while (held.length > 0) await tell(afterLast(held.splice(0)), sees);
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

type Sight = ReturnType<typeof createSight> | undefined;

async function seen(news: readonly Change[], sees: Sight): Promise<readonly Change[]> {
  if (sees === undefined) return news;
  const found: Change[] = [];
  for (const change of news) if (await sees(change)) found.push(change);
  return found;
}

/** Every client is told the same: made, scrubbed and encoded once for all of them, and held in memory once. */
const texts = new WeakMap<readonly Change[], Buffer>();

function format(news: readonly Change[], scrub: Scrub): Buffer {
  const known = texts.get(news);
  if (known !== undefined) return known;
  const text = Buffer.from(news.map((change) => formatOne(change, scrub)).join(''));
  texts.set(news, text);
  return text;
}

const blocks = new WeakMap<Change, string>();

function formatOne(change: Change, scrub: Scrub): string {
  const known = blocks.get(change);
  if (known !== undefined) return known;
  const text = `id: ${change.id}\nevent: change\ndata: ${scrubJson(scrub, JSON.stringify(change))}\n\n`;
  blocks.set(change, text);
  return text;
}
