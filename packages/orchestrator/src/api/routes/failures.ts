/** Failures: recent failed runs grouped by cause. */

import { z } from 'zod';

import { seesJob } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { groupFailures } from '../reads/failures.ts';
import { Time, named } from '../schema.ts';

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

export const failureRoutes: Routes = (app, { engine }) => {
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
        }),
        response: { 200: z.object({ looked_at: z.number(), items: z.array(FailureGroup) }) },
      },
    },
    async ({ query, principal }) => {
      const wanted = (job: string) => seesJob(principal, job) && (query.job === undefined || query.job === job);
      const found = await groupFailures(engine, { limit: query.runs, wanted });
      return {
        looked_at: found.looked_at,
        items: found.groups.map((one) => ({ ...one, jobs: [...one.jobs], run_ids: [...one.run_ids] })),
      };
    },
  );
};
