/** Pools: how many attempts share a name at once, and a person's say about it. */

import { z } from 'zod';

import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { engineFor } from '../access/scope.ts';
import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { Reason, named, pageOf } from '../schema.ts';

const Pool = named(
  'Pool',
  z.object({
    name: z.string(),
    limit: z.number().describe('The one that counts now.'),
    default_limit: z.number(),
    set_limit: z.number().nullable().describe('What a person set, over the default.'),
    used: z.number(),
    assets: z.array(z.string()),
  }),
);

/** Where neither the deployment nor a person says otherwise; as in lua/include/queue.lua. */
const DEFAULT_LIMIT = 10;

function poolNames(engine: Engine): string[] {
  const { assets, pools } = engine.deployment;
  const used = [...assets.values()].flatMap((asset) => (asset.pool === undefined ? [] : [asset.pool]));
  return [...new Set([...Object.keys(pools), ...used])].sort();
}

async function readPool(engine: Engine, name: string): Promise<z.input<typeof Pool>> {
  const [[set, live, fallback], used] = await Promise.all([
    engine.redis.hmget(engine.keys.pools, `${name}|set`, `${name}|live`, `${name}|default`),
    engine.redis.scard(engine.keys.pool(name)),
  ]);
  const assets = [...engine.deployment.assets.values()].filter((a) => a.pool === name).map((a) => a.key);
  return {
    name,
    limit: Number(set ?? live ?? fallback ?? DEFAULT_LIMIT),
    default_limit: Number(fallback ?? DEFAULT_LIMIT),
    set_limit: typeof set === 'string' ? Number(set) : null,
    used,
    assets,
  };
}

export const poolRoutes: Routes = (app, { engine }) => {
  const params = z.object({ name: z.string().min(1).max(100) });
  const known = (name: string) => {
    if (!poolNames(engine).includes(name))
      throw new NotFoundError(`No pool is named “${name}”. Known: ${poolNames(engine).join(', ') || 'none'}.`);
    return name;
  };

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
      const name = known(request.params.name);
      const before = await readPool(engine, name);
      await engine.redis.hset(engine.keys.pools, `${name}|set`, request.body.limit);
      engine.dispatcher.kick();
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
      const name = known(request.params.name);
      const before = await readPool(engine, name);
      await engine.redis.hdel(engine.keys.pools, `${name}|set`);
      engine.dispatcher.kick();
      const after = await readPool(engine, name);
      request.auditNote = { target: `pool:${name}`, before, after };
      return after;
    },
  );
};
