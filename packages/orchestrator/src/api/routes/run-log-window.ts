/**
 * A piece of a log around a place, so that whoever looks at a million lines holds only what is near: backwards from a
 * line, around a line, or the end. What lies before and after is said, so that the list can grow both ways.
 */

import { z } from 'zod';

import type { RunEvent } from '../../definitions/client.ts';
import type { AllRuns } from '../../history/all-runs.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { given, named, pageQuery } from '../schema.ts';
import { LogLine, toLogLine } from './run-schemas.ts';
import { RunParams, StreamPlace } from './runs.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const BATCH = 2_000;
/** Looked at for one answer while a level hides most lines. */
const MOST_LOOKED_AT = 100_000;

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
          level: z.enum(LEVELS).optional().describe('This level and above.'),
        }),
        response: { 200: Window },
      },
    },
    async ({ params: { id }, query }) => {
      await runs.read(id);
      const { before, after, around, limit, level, start } = query;
      const keep = atLeast(level);
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
          backwards(runs, id, from.exclusive, half, keep),
          forwards(runs, id, from.after, half, keep),
        ]);
        return answer([...older.items, ...newer.items], older, newer);
      }
      if (after !== undefined || start === true) {
        const newer = await forwards(runs, id, after, limit, keep);
        return answer(newer.items, { hasMore: after !== undefined, next: newer.items[0]?.id }, newer);
      }
      const older = await backwards(runs, id, before, limit, keep);
      return answer(older.items, older, { hasMore: before !== undefined, next: older.items.at(-1)?.id });
    },
  );
};

const atLeast = (level: (typeof LEVELS)[number] | undefined) => {
  const least = LEVELS.indexOf(level ?? 'debug');
  return (event: RunEvent) => LEVELS.indexOf(event.fields.level as (typeof LEVELS)[number]) >= least;
};

type Keep = (event: RunEvent) => boolean;

interface Side {
  readonly hasMore: boolean;
  /** Beyond the lines that were given or, where a level hides most of them, beyond those that were looked at. */
  readonly next: string | undefined;
}

interface Piece extends Side {
  readonly items: readonly RunEvent[];
}

async function forwards(
  runs: AllRuns,
  id: string,
  from: string | undefined,
  limit: number,
  keep: Keep,
): Promise<Piece> {
  return look((after) => runs.log(id, { limit: BATCH, ...given({ after }) }), from, limit, keep);
}

async function backwards(
  runs: AllRuns,
  id: string,
  from: string | undefined,
  limit: number,
  keep: Keep,
): Promise<Piece> {
  const newestFirst = async (before: string | undefined) =>
    (await runs.logBefore(id, { before, limit: BATCH })).toReversed();
  const piece = await look(newestFirst, from, limit, keep);
  return { ...piece, items: piece.items.toReversed() };
}

/** Away from a place, batch by batch, until enough is kept, there is no more, or too much was looked at for one answer. */
async function look(
  read: (from: string | undefined) => Promise<readonly RunEvent[]>,
  from: string | undefined,
  limit: number,
  keep: Keep,
): Promise<Piece> {
  const items: RunEvent[] = [];
  let place = from;
  for (let looked = 0; looked < MOST_LOOKED_AT; looked += BATCH) {
    const batch = await read(place);
    for (const event of batch) {
      if (!keep(event)) continue;
      if (items.length === limit) return { items, hasMore: true, next: items.at(-1)?.id };
      items.push(event);
    }
    place = batch.at(-1)?.id ?? place;
    if (batch.length < BATCH) return { items, hasMore: false, next: place };
  }
  return { items, hasMore: true, next: place };
}

/** The line itself belongs to what follows: forwards begins after the id that lies right before it. */
function justBefore(id: string): { readonly exclusive: string; readonly after: string } {
  const [ms = '0', sequence = '0'] = id.split('-');
  const after = sequence === '0' ? `${BigInt(ms) - 1n}-18446744073709551615` : `${ms}-${BigInt(sequence) - 1n}`;
  return { exclusive: id, after: ms === '0' && sequence === '0' ? '0-0' : after };
}
