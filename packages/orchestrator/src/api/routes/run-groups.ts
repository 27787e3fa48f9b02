/** Runs of a query by what they have in common, counted one by one up to a bound, newest first. */

import { z } from 'zod';

import type { RunSummary } from '../../definitions/client.ts';
import { ofJobsOf } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { patternOf } from '../reads/failures.ts';
import { MOST_COUNTED, countedRuns } from '../reads/run-list.ts';
import { parseRunQuery } from '../reads/run-query.ts';
import { Time, named } from '../schema.ts';
import { RunStatus } from './run-schemas.ts';

const MOST_GROUPS = 200;

const Group = named(
  'RunGroup',
  z.object({
    name: z.string().describe('The job, what caused them, or the error with what varies masked; empty: no error.'),
    count: z.number(),
    by_status: z.partialRecord(RunStatus, z.number()),
    newest_id: z.string(),
    newest_at: Time,
    oldest_at: Time,
  }),
);

/** A tick, a person or a retried run makes no group of its own. */
const NAMES = {
  job: (run: RunSummary) => run.job,
  cause: ({ cause }: RunSummary) => (cause.startsWith('retry:') ? 'retry' : cause.split(':').slice(0, 2).join(':')),
  error: ({ error }: RunSummary) => (error === undefined ? '' : `${error.code}: ${patternOf(error.message)}`),
} as const;

export const runGroupRoutes: Routes = (app, { engine }) => {
  app.get(
    `${API_PREFIX}/runs/groups`,
    {
      schema: {
        operationId: 'groupRuns',
        summary: 'The runs that a query matches by job, cause or error, most frequent first',
        tags: ['runs'],
        querystring: z.strictObject({ q: z.string().max(500).default(''), by: z.enum(['job', 'cause', 'error']) }),
        response: {
          200: z.object({
            counted: z.number(),
            exact: z.boolean().describe(`False when there are more than were counted (${MOST_COUNTED} at most).`),
            items: z.array(Group).describe(`The ${MOST_GROUPS} most frequent.`),
          }),
        },
      },
    },
    async ({ query: { q, by }, principal }) => {
      const query = ofJobsOf(engine, principal, parseRunQuery(q, new Date()));
      const groups = new Map<string, z.input<typeof Group>>();
      let [counted, exact] = [0, false];
      for await (const { runs, isLast } of countedRuns(engine, query)) {
        for (const run of runs) add(groups, NAMES[by](run), run);
        counted += runs.length;
        exact = isLast;
      }
      const items = [...groups.values()].sort((a, b) => b.count - a.count).slice(0, MOST_GROUPS);
      return { counted, exact, items };
    },
  );
};

function add(groups: Map<string, z.input<typeof Group>>, name: string, run: RunSummary): void {
  const at = run.createdAt.toISOString();
  const known = groups.get(name);
  const group = known ?? { name, count: 0, by_status: {}, newest_id: run.id, newest_at: at, oldest_at: at };
  groups.set(name, group);
  group.count++;
  group.by_status[run.status] = (group.by_status[run.status] ?? 0) + 1;
  group.oldest_at = at;
}
