/** The log of a run: by range, its tail, and found in the whole of it. */

import { z } from 'zod';

import type { RunEvent } from '../../definitions/client.ts';
import { LINES_A_LOOK, LOG_LEVELS, sift } from '../../engine/reads/look-in-log.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { pageQuery } from '../schema.ts';
import { LogLine, LogPage, toLogLine } from './run-schemas.ts';
import { RunParams, StreamPlace } from './runs.ts';

/** A log may have a million lines: after this long the answer says how far it came. */
const FIND_FOR_MS = 1_500;

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
          level: z.enum(LOG_LEVELS).optional().describe('This level and above.'),
        }),
        response: { 200: LogPage },
      },
    },
    async ({ params, query }) => {
      await runs.read(params.id);
      const { tail, level, limit } = query;
      if (tail !== undefined) {
        const lines = await runs.tail(params.id, tail);
        const { lines: items } = sift(lines, { level }, tail);
        return { items: items.map(({ event }) => toLogLine(event)), next: lines.at(-1)?.id ?? null };
      }
      const items: RunEvent[] = [];
      let { after } = query;
      for (;;) {
        const batch = await runs.look(params.id, { from: after, isBackwards: false }, { level }, limit + 1);
        items.push(...batch.lines.map(({ event }) => event));
        if (items.length > limit)
          return { items: items.slice(0, limit).map(toLogLine), next: items[limit - 1]?.id ?? null };
        after = batch.last ?? after;
        if (batch.looked < LINES_A_LOOK) return { items: items.map(toLogLine), next: null };
      }
    },
  );

  app.get(
    `${API_PREFIX}/runs/:id/log/find`,
    {
      schema: {
        operationId: 'findInRunLog',
        summary: 'Lines of the whole log that hold a text, in any case, in message or fields',
        tags: ['runs'],
        params: RunParams,
        querystring: z.strictObject({
          q: z.string().min(1).max(200),
          level: z.enum(LOG_LEVELS).optional(),
          limit: pageQuery.limit,
          after: StreamPlace.describe('`next` of the answer before.'),
        }),
        response: {
          200: z.object({
            hits: z.number(),
            lines: z.number().describe('Lines looked at.'),
            items: z.array(LogLine.extend({ line: z.number().describe('1-based, of the lines looked at.') })),
            next: z.string().nullable().describe('`after` of the next call; null when the whole log was looked at.'),
          }),
        },
      },
    },
    async ({ params, query }) => {
      await runs.read(params.id);
      const { q: text, level, limit } = query;
      const items: (z.input<typeof LogLine> & { line: number })[] = [];
      let hits = 0;
      let lines = 0;
      let { after } = query;
      for (const deadline = Date.now() + FIND_FOR_MS; ;) {
        const batch = await runs.look(
          params.id,
          { from: after, isBackwards: false },
          { level, text },
          limit - items.length,
        );
        for (const { place, event } of batch.lines) items.push({ ...toLogLine(event), line: lines + place });
        hits += batch.wanted;
        lines += batch.looked;
        after = batch.last ?? after;
        if (batch.looked < LINES_A_LOOK) return { hits, lines, items, next: null };
        if (Date.now() > deadline) return { hits, lines, items, next: after ?? null };
      }
    },
  );
};
