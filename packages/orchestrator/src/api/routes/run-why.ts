/** Why a run is, and why it is not further. */

import { z } from 'zod';

import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { whyRun } from '../reads/why.ts';
import { named } from '../schema.ts';
import { RunParams } from './runs.ts';

const Why = named(
  'Why',
  z.object({
    sentences: z.array(z.string()),
    cause: z.object({ kind: z.string(), name: z.string(), tick: z.string().nullable() }),
    blocked: z.string().nullable(),
    waits_for_run: z.string().nullable(),
    pool: z
      .object({
        name: z.string(),
        limit: z.number(),
        used: z.number(),
        reason: z.string().describe('Why the limit is what it is.'),
      })
      .nullable(),
    place: z.object({ ahead_in_lane: z.number(), lanes: z.number() }).nullable(),
    units: z.record(z.string(), z.number()).describe('Units of work by state.'),
    workers: z.number().describe('Alive now.'),
  }),
);

export const runWhyRoutes: Routes = (app, { engine, runs }) => {
  app.get(
    `${API_PREFIX}/runs/:id/why`,
    {
      schema: {
        operationId: 'explainRun',
        summary: 'What caused a run, and what it waits for',
        tags: ['runs'],
        params: RunParams,
        response: { 200: Why },
      },
    },
    async ({ params }) => {
      const why = await whyRun(engine, await runs.read(params.id));
      return { ...why, sentences: [...why.sentences], units: { ...why.units } };
    },
  );
};
