/**
 * A piece of a log around a place, so that whoever looks at a million lines holds only what is near: backwards from a
 * line, around a line, or the end. What lies before and after is said, so that the list can grow both ways.
 */

import { z } from 'zod';

import type { RunEvent } from '../../definitions/client.ts';
import { LINES_A_LOOK, type LogPlace, type Wanted } from '../../engine/reads/look-in-log.ts';
import type { AllRuns } from '../../history/all-runs.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { named, pageQuery } from '../schema.ts';
import { toWanted, wantedQuery } from './run-log.ts';
import { LogLine, toLogLine } from './run-schemas.ts';
import { RunParams, StreamPlace } from './runs.ts';

/** Looked at for one answer while most lines are not wanted, and for how long: an expression takes longer than a level. */
const MOST_LOOKED_AT = 200_000;
const LOOK_FOR_MS = 1_500;

const Window = named(
  'LogWindow',
  z.object({
    items: z.array(LogLine),
    total: z.number().describe('Lines that are kept, of every level.'),
    has_before: z.boolean(),
    has_after: z.boolean(),
    next_before: StreamPlace.nullable().describe(
      'Where a read backwards goes on, also when a level hid all lines so far.',
    ),
    next_after: StreamPlace.nullable().describe('Where a read forwards goes on.'),
  }),
);

export const runLogWindowRoutes: Routes = (app, { runs }) => {
  app.get(
    `${API_PREFIX}/runs/:id/log/window`,
    {
      schema: {
        operationId: 'readLogWindow',
        summary: 'Log lines before one, after one, around one, or the last ones',
        tags: ['runs'],
        params: RunParams,
        querystring: z.strictObject({
          limit: pageQuery.limit,
          before: StreamPlace,
          after: StreamPlace,
          around: StreamPlace,
          start: z.stringbool().optional().describe('The first lines.'),
          ...wantedQuery,
        }),
        response: { 200: Window },
      },
    },
    async ({ params: { id }, query }) => {
      await runs.read(id);
      const { before, after, around, limit, start } = query;
      const wanted = toWanted(query);
      const total = await runs.countLog(id);
      const answer = (items: readonly RunEvent[], older: Side, newer: Side) => ({
        items: items.map(toLogLine),
        total,
        has_before: older.hasMore,
        has_after: newer.hasMore,
        next_before: older.next ?? null,
        next_after: newer.next ?? null,
      });
      if (around !== undefined) {
        const [half, from] = [Math.ceil(limit / 2), justBefore(around)];
        const [older, newer] = await Promise.all([
          look(runs, id, { from: from.exclusive, isBackwards: true }, wanted, half),
          look(runs, id, { from: from.after, isBackwards: false }, wanted, half),
        ]);
        return answer([...older.items.toReversed(), ...newer.items], older, newer);
      }
      if (after !== undefined || start === true) {
        const newer = await look(runs, id, { from: after, isBackwards: false }, wanted, limit);
        return answer(newer.items, { hasMore: after !== undefined, next: newer.items[0]?.id }, newer);
      }
      const older = await look(runs, id, { from: before, isBackwards: true }, wanted, limit);
      return answer(older.items.toReversed(), older, { hasMore: before !== undefined, next: older.items[0]?.id });
    },
  );
};

interface Side {
  readonly hasMore: boolean;
  /** Beyond the lines that were given or, where a level hides most of them, beyond those that were looked at. */
  readonly next: string | undefined;
}

interface Piece extends Side {
  /** In the order in which they were looked at. */
  readonly items: readonly RunEvent[];
}

/** Away from a place until enough is found, there is no more, or too much was looked at for one answer. */
async function look(
  runs: AllRuns,
  id: string,
  { from, isBackwards }: LogPlace,
  wanted: Wanted,
  limit: number,
): Promise<Piece> {
  const items: RunEvent[] = [];
  let place = from;
  const deadline = Date.now() + LOOK_FOR_MS;
  for (let looked = 0; looked < MOST_LOOKED_AT && Date.now() < deadline; looked += LINES_A_LOOK) {
    const batch = await runs.look(id, { from: place, isBackwards }, wanted, limit + 1);
    items.push(...batch.lines.map(({ event }) => event));
    if (items.length > limit) return { items: items.slice(0, limit), hasMore: true, next: items[limit - 1]?.id };
    place = batch.last ?? place;
    if (batch.isEnd) return { items, hasMore: false, next: place };
  }
  return { items, hasMore: true, next: place };
}

/** The largest of a place: where nothing follows, it is what the next read gets to go on from. */
const LAST_SEQUENCE = '9'.repeat(19);

/** The line itself belongs to what follows: forwards begins after the id that lies right before it. */
function justBefore(id: string): { readonly exclusive: string; readonly after: string } {
  const [ms = '0', sequence = '0'] = id.split('-');
  const after = sequence === '0' ? `${BigInt(ms) - 1n}-${LAST_SEQUENCE}` : `${ms}-${BigInt(sequence) - 1n}`;
  return { exclusive: id, after: ms === '0' && sequence === '0' ? '0-0' : after };
}
