/** The log of a run: by range, its tail, and found in the whole of it. */

import { z } from 'zod';

import type { RunEvent } from '../../definitions/client.ts';
import { LOG_LEVELS, type Wanted, sift } from '../../engine/reads/look-in-log.ts';
import type { Routes } from '../context.ts';
import { RequestInvalidError } from '../errors.ts';
import { API_PREFIX } from '../openapi.ts';
import { parseLogPattern } from '../reads/log-pattern.ts';
import { pageQuery } from '../schema.ts';
import { LogLine, LogPage, toLogLine } from './run-schemas.ts';
import { RunParams, StreamPlace } from './runs.ts';

/** A log may have a million lines: after this long the answer says how far it came. */
const FIND_FOR_MS = 1_500;

/** Which lines: what every way to read a log may ask. */
export const wantedQuery = {
  level: z.enum(LOG_LEVELS).optional().describe('This level and above.'),
  attempt: z
    .string()
    .regex(/^[\w.:-]{1,300}$/, 'is not the id of an attempt')
    .optional()
    .describe('Of this attempt; with a dot at its end, of all whose id begins so, such as `<run>.<step>.`'),
  q: z.string().min(1).max(200).optional().describe('A text in message or fields, letters in any case.'),
  regex: z.stringbool().optional().describe('`q` is a regular expression, of RE2’s kind.'),
};

export function toWanted(query: z.output<z.ZodObject<typeof wantedQuery>>): Wanted {
  const { level, attempt, q, regex = false } = query;
  if (regex && q === undefined) throw new RequestInvalidError('query.q: give the regular expression.');
  return { level, attempt, ...(regex && q !== undefined ? { pattern: parseLogPattern(q) } : { text: q }) };
}

export const runLogRoutes: Routes = (app, { runs }) => {
  app.get(
    `${API_PREFIX}/runs/:id/log`,
    {
      schema: {
        operationId: 'readRunLog',
        summary: 'Log lines, oldest first: after an id, or the last ones',
        tags: ['runs'],
        params: RunParams,
        querystring: z.strictObject({
          ...pageQuery,
          after: StreamPlace,
          tail: z.coerce.number().int().min(1).max(500).optional().describe('The last lines instead of a page.'),
          ...wantedQuery,
        }),
        response: { 200: LogPage },
      },
    },
    async ({ params, query }) => {
      await runs.read(params.id);
      const { tail, limit } = query;
      const wanted = toWanted(query);
      if (tail !== undefined) {
        const lines = await runs.tail(params.id, tail);
        const { lines: items } = await sift(lines, wanted, tail);
        return { items: items.map(({ event }) => toLogLine(event)), next: lines.at(-1)?.id ?? null };
      }
      const items: RunEvent[] = [];
      let { after } = query;
      for (;;) {
        const batch = await runs.look(params.id, { from: after, isBackwards: false }, wanted, limit + 1);
        items.push(...batch.lines.map(({ event }) => event));
        if (items.length > limit)
          return { items: items.slice(0, limit).map(toLogLine), next: items[limit - 1]?.id ?? null };
        after = batch.last ?? after;
        if (batch.isEnd) return { items: items.map(toLogLine), next: null };
      }
    },
  );

  app.get(
    `${API_PREFIX}/runs/:id/log/find`,
    {
      schema: {
        operationId: 'findInRunLog',
        summary: 'Lines of the whole log that hold a text or match a regular expression, and where they stand',
        tags: ['runs'],
        params: RunParams,
        querystring: z.strictObject({
          ...wantedQuery,
          limit: pageQuery.limit,
          after: StreamPlace.describe('`next` of the answer before.'),
        }),
        response: {
          200: z.object({
            hits: z.number(),
            lines: z.number().describe('Lines looked at.'),
            items: z.array(LogLine.extend({ line: z.number().describe('1-based, of the lines looked at.') })),
            stretches: z
              .array(z.object({ last: z.string(), lines: z.number(), hits: z.number() }))
              .describe('The lines looked at in stretches of a thousand: the last one’s id, and how many are hits.'),
            next: z.string().nullable().describe('`after` of the next call; null when the whole log was looked at.'),
          }),
        },
      },
    },
    async ({ params, query }) => {
      await runs.read(params.id);
      const { limit } = query;
      const wanted = toWanted(query);
      const stretches: { last: string; lines: number; hits: number }[] = [];
      const items: (z.input<typeof LogLine> & { line: number })[] = [];
      let hits = 0;
      let lines = 0;
      let { after } = query;
      for (const deadline = Date.now() + FIND_FOR_MS; ;) {
        const place = { from: after, isBackwards: false };
        const batch = await runs.look(params.id, place, wanted, limit - items.length);
        for (const { place, event } of batch.lines) items.push({ ...toLogLine(event), line: lines + place });
        hits += batch.wanted;
        lines += batch.looked;
        if (batch.last !== undefined) stretches.push({ last: batch.last, lines: batch.looked, hits: batch.wanted });
        after = batch.last ?? after;
        if (batch.isEnd) return { hits, lines, items, stretches, next: null };
        if (Date.now() > deadline) return { hits, lines, items, stretches, next: after ?? null };
      }
    },
  );
};
