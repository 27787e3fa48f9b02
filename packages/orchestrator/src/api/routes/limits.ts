/** Limits of runs at once: what definitions allow, who holds it and who waits. */

import { z } from 'zod';

import { readRunLimits } from '../../engine/reads/run-limits.ts';
import { engineFor } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { named, pageOf } from '../schema.ts';

const RunLimit = named(
  'RunLimit',
  z.object({
    kind: z.enum(['job', 'tag']),
    name: z.string(),
    value: z.string().nullable().describe('Of a tag; null where the limit is for any.'),
    per_value: z.boolean().describe('Each value of the tag has as many.'),
    limit: z.number().describe('Runs at once.'),
    slots: z
      .array(z.object({ slot: z.string(), used: z.number(), waiting: z.number().describe('Runs that stand aside.') }))
      .describe('One; of a limit for each value, those that runs wait for, 100 at most.'),
  }),
);

export const limitRoutes: Routes = (app, { engine }) => {
  app.get(
    `${API_PREFIX}/limits`,
    {
      schema: {
        operationId: 'listRunLimits',
        summary: 'Limits of runs at once, of jobs and of tags, with their use',
        tags: ['pools'],
        response: { 200: pageOf(RunLimit) },
      },
    },
    async ({ principal }) => {
      const only = principal?.jobs === undefined ? 'all' : 'jobs';
      const limits = await readRunLimits(engineFor(engine, principal), only);
      return {
        items: limits.map(({ perValue, value, slots, ...limit }) => ({
          ...limit,
          value: value ?? null,
          per_value: perValue,
          slots: slots.map((slot) => ({ ...slot })),
        })),
        next: null,
      };
    },
  );
};
