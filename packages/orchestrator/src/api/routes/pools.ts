/** Pools: how many attempts share a name at once, and a person's say about it. */

import { z } from 'zod';

import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { engineFor } from '../access/scope.ts';
import { poolNames, readPool as readInfo, setPoolLimit } from '../../engine/pools.ts';
import { type Routes, actorOf } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { Reason, named, pageOf } from '../schema.ts';

export const Pool = named(
  'Pool',
  z.object({
    name: z.string(),
    limit: z.number().describe('The one that counts now.'),
    default_limit: z.number(),
    set_limit: z.number().nullable().describe('What a person set, over everything else.'),
    live_limit: z.number().nullable().describe('What the probe of its destination found, over the default.'),
    limit_by: z.enum(['set', 'probe', 'definition', 'default']).describe('Whose limit counts.'),
    reason: z.string().describe('Why, as the person or the probe said.'),
    bounds: z
      .object({ min: z.number(), max: z.number() })
      .nullable()
      .describe('Of the probe; null where there is none.'),
    used: z.number(),
    assets: z.array(z.string()),
  }),
);

export async function readPool(engine: Engine, name: string): Promise<z.input<typeof Pool>> {
  const pool = await readInfo(engine, name);
  const assets = [...engine.deployment.assets.values()].filter((a) => a.pool === name).map((a) => a.key);
  return {
    name,
    limit: pool.limit,
    default_limit: pool.defaultLimit,
    set_limit: pool.setLimit ?? null,
    live_limit: pool.liveLimit ?? null,
    limit_by: pool.limitBy,
    reason: pool.reason,
    bounds: pool.bounds ?? null,
    used: pool.used,
    assets,
  };
}

/** @throws NotFoundError */
export async function findPool(engine: Engine, name: string): Promise<z.input<typeof Pool>> {
  const names = poolNames(engine);
  if (names.includes(name)) return readPool(engine, name);
  throw new NotFoundError(`No pool is named “${name.slice(0, 100)}”. Known: ${names.join(', ') || 'none'}.`);
}

export const poolRoutes: Routes = (app, { engine }) => {
  const params = z.object({ name: z.string().min(1).max(100) });

  app.get(
    `${API_PREFIX}/pools`,
    {
      schema: {
        operationId: 'listPools',
        summary: 'All pools with their limits and use',
        tags: ['pools'],
        response: { 200: pageOf(Pool) },
      },
    },
    async ({ principal }) => {
      const seen = engineFor(engine, principal);
      return { items: await Promise.all(poolNames(seen).map((name) => readPool(seen, name))), next: null };
    },
  );

  app.put(
    `${API_PREFIX}/pools/:name`,
    {
      schema: {
        operationId: 'setPool',
        summary: 'Set the limit of a pool; 0 holds everything back',
        tags: ['pools'],
        params,
        body: z.strictObject({ limit: z.number().int().min(0).max(100_000), reason: Reason.optional() }),
        response: { 200: Pool },
      },
    },
    async (request) => {
      const { name } = request.params;
      const before = await findPool(engine, name);
      await setPoolLimit(engine, name, request.body.limit, actorOf(request), request.body.reason);
      const after = await readPool(engine, name);
      request.auditNote = { target: `pool:${name}`, reason: request.body.reason, before, after };
      return after;
    },
  );

  app.delete(
    `${API_PREFIX}/pools/:name`,
    {
      schema: {
        operationId: 'resetPool',
        summary: 'Back to the limit that the definitions give',
        tags: ['pools'],
        params,
        response: { 200: Pool },
      },
    },
    async (request) => {
      const { name } = request.params;
      const before = await findPool(engine, name);
      await setPoolLimit(engine, name, undefined, actorOf(request));
      const after = await readPool(engine, name);
      request.auditNote = { target: `pool:${name}`, before, after };
      return after;
    },
  );
};
