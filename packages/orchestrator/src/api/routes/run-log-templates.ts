/**
 * What kinds of lines a log has: messages with ids, numbers and times masked, and how often each came. Two logs compared
 * by it show what only one of them said. Messages are bounded, so are the kinds, and the time that one answer takes.
 */

import { z } from 'zod';

import type { Routes } from '../context.ts';
import { LINES_A_LOOK } from '../../engine/reads/look-in-log.ts';
import { API_PREFIX } from '../openapi.ts';
import { patternOf } from '../reads/failures.ts';
import { named } from '../schema.ts';
import { RunParams } from './runs.ts';

const LOOK_FOR_MS = 1_500;
const MOST_KINDS = 500;

const Templates = named(
  'LogTemplates',
  z.object({
    lines: z.number().describe('Looked at, from the first one.'),
    is_whole: z.boolean().describe('False when the log has more lines, or more kinds of them, than were looked at.'),
    items: z.array(z.object({ pattern: z.string(), level: z.string(), count: z.number(), example: z.string() })),
  }),
);

export const runLogTemplateRoutes: Routes = (app, { runs }) => {
  app.get(
    `${API_PREFIX}/runs/:id/log/templates`,
    {
      schema: {
        operationId: 'listLogTemplates',
        summary: 'Kinds of lines of a log: messages with what varies masked, and how often each came',
        tags: ['runs'],
        params: RunParams,
        response: { 200: Templates },
      },
    },
    async ({ params: { id } }) => {
      await runs.read(id);
      const kinds = new Map<string, { pattern: string; level: string; count: number; example: string }>();
      let [lines, isWhole] = [0, true];
      let from: string | undefined;
      for (const deadline = Date.now() + LOOK_FOR_MS; ;) {
        const batch = await runs.look(id, { from, isBackwards: false }, {}, LINES_A_LOOK);
        for (const { event } of batch.lines) {
          const message = String(event.fields.message ?? '');
          const [pattern, level] = [patternOf(message), String(event.fields.level ?? 'info')];
          const kind = kinds.get(`${level} ${pattern}`);
          if (kind) kind.count++;
          else if (kinds.size < MOST_KINDS)
            kinds.set(`${level} ${pattern}`, { pattern, level, count: 1, example: message.slice(0, 500) });
          else isWhole = false;
        }
        lines += batch.looked;
        from = batch.last;
        if (batch.isEnd || Date.now() > deadline) {
          const items = [...kinds.values()].sort((a, b) => b.count - a.count);
          return { lines, is_whole: isWhole && batch.isEnd, items };
        }
      }
    },
  );
};
