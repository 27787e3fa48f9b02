/** The log of a run: by range, its tail, and found in the whole of it. */

import { z } from 'zod';

import type { RunEvent } from '../../definitions/client.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { given, pageQuery } from '../schema.ts';
import { LogLine, LogPage, toLogLine } from './run-schemas.ts';
import { RunParams, StreamPlace } from './runs.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const READ_BATCH = 2_000;
/** A log may have a million lines: after this long the answer says how far it came. */
const FIND_FOR_MS = 1_500;

const atLeast = (level: (typeof LEVELS)[number] | undefined) => {
  const least = LEVELS.indexOf(level ?? 'debug');
  return (event: RunEvent) => LEVELS.indexOf(event.fields.level as (typeof LEVELS)[number]) >= least;
};

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
          level: z.enum(LEVELS).optional().describe('This level and above.'),
        }),
        response: { 200: LogPage },
      },
    },
    async ({ params, query }) => {
      await runs.read(params.id);
      const keep = atLeast(query.level);
      if (query.tail !== undefined) {
        const lines = await runs.tail(params.id, query.tail);
        return { items: lines.filter(keep).map(toLogLine), next: lines.at(-1)?.id ?? null };
      }
      const items: RunEvent[] = [];
      let after = query.after;
      for (;;) {
        const lines = await runs.log(params.id, { limit: READ_BATCH, ...given({ after }) });
        for (const line of lines) {
          if (!keep(line)) continue;
          if (items.length === query.limit) return { items: items.map(toLogLine), next: items.at(-1)?.id ?? null };
          items.push(line);
        }
        after = lines.at(-1)?.id ?? after;
        if (lines.length < READ_BATCH) return { items: items.map(toLogLine), next: null };
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
          level: z.enum(LEVELS).optional(),
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
      const needle = query.q.toLowerCase();
      const keep = atLeast(query.level);
      const items: (z.input<typeof LogLine> & { line: number })[] = [];
      let hits = 0;
      let lines = 0;
      let { after } = query;
      for (const deadline = Date.now() + FIND_FOR_MS; ;) {
        const batch = await runs.log(params.id, { limit: READ_BATCH, ...given({ after }) });
        for (const event of batch) {
          lines++;
          if (!keep(event) || !textOf(event).includes(needle)) continue;
          hits++;
          if (items.length < query.limit) items.push({ ...toLogLine(event), line: lines });
        }
        after = batch.at(-1)?.id ?? after;
        if (batch.length < READ_BATCH) return { hits, lines, items, next: null };
        if (Date.now() > deadline) return { hits, lines, items, next: after ?? null };
      }
    },
  );
};

function textOf(event: RunEvent): string {
  const { message, fields } = event.fields;
  return `${typeof message === 'string' ? message : ''} ${JSON.stringify(fields ?? {})}`.toLowerCase();
}
