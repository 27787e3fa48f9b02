/** Failures: recent failed runs grouped by cause. */

import { z } from 'zod';

import type { RunSummary } from '../../definitions/client.ts';
import { seesJob } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { type FailureGroup as Group, failuresLike, groupFailures } from '../reads/failures.ts';
import { Time, named } from '../schema.ts';
import { RunParams } from './runs.ts';

const FailureGroup = named(
  'FailureGroup',
  z.object({
    fingerprint: z.string(),
    code: z.string(),
    message: z.string().describe('Of the newest run.'),
    pattern: z.string().describe('The message with what varies masked.'),
    runs: z.number(),
    partitions_failed: z.number(),
    jobs: z.array(z.string()),
    first_at: Time,
    last_at: Time,
    run_ids: z.array(z.string()).describe('The newest 20.'),
  }),
);

const LOOKED_AT = 500;

const toGroup = (group: Group): z.input<typeof FailureGroup> => ({
  ...group,
  jobs: [...group.jobs],
  run_ids: [...group.run_ids],
});

export const failureRoutes: Routes = (app, { engine, runs }) => {
  app.get(
    `${API_PREFIX}/failures`,
    {
      schema: {
        operationId: 'listFailures',
        summary: 'Recent failed runs grouped by cause, most frequent first',
        tags: ['overview'],
        querystring: z.strictObject({
          runs: z.coerce.number().int().min(1).max(2_000).default(500).describe('Failed runs to look at.'),
          job: z.string().max(100).optional(),
          cause: z.string().max(200).optional().describe('Prefix, such as `backfill:ID`.'),
        }),
        response: { 200: z.object({ looked_at: z.number(), items: z.array(FailureGroup) }) },
      },
    },
    async ({ query, principal }) => {
      const wanted = ({ job, cause }: RunSummary) =>
        seesJob(principal, job) &&
        (query.job === undefined || query.job === job) &&
        (query.cause === undefined || cause.startsWith(query.cause));
      const found = await groupFailures(engine, { limit: query.runs, wanted });
      return {
        looked_at: found.looked_at,
        items: found.groups.map(toGroup),
      };
    },
  );

  app.get(
    `${API_PREFIX}/runs/:id/similar`,
    {
      schema: {
        operationId: 'listSimilarFailures',
        summary: 'Recent failed runs whose error is like that of a run; null when there is none, or it did not fail',
        tags: ['runs'],
        params: RunParams,
        response: { 200: z.object({ group: FailureGroup.nullable() }) },
      },
    },
    async ({ params, principal }) => {
      const wanted = ({ job }: RunSummary) => seesJob(principal, job);
      const group = await failuresLike(engine, await runs.read(params.id), { limit: LOOKED_AT, wanted });
      return { group: group === undefined ? null : toGroup(group) };
    },
  );
};
