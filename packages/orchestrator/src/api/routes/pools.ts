/** Pools: how many attempts share a name at once, and a person's say about it. */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import { NotFoundError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import { engineFor } from '../access/scope.ts';
import { type PoolInfo, poolNames, readPool as readInfo, setPoolLimit } from '../../engine/pools.ts';
import { type Routes, actorOf } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { Reason, named, pageAfter, pageOf, wholeQuery } from '../schema.ts';
import { IfMatch, Version, matchedVersion, onVersion, withETag } from '../versions.ts';

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
    version: Version,
    assets: z.array(z.string()),
  }),
);

export async function readPool(engine: Engine, name: string): Promise<z.input<typeof Pool>> {
  return toPool(engine, await readInfo(engine, name));
}

function toPool(engine: Engine, pool: PoolInfo): z.input<typeof Pool> {
  return {
    name: pool.name,
    limit: pool.limit,
    default_limit: pool.defaultLimit,
    set_limit: pool.setLimit ?? null,
    live_limit: pool.liveLimit ?? null,
    limit_by: pool.limitBy,
    reason: pool.reason,
    bounds: pool.bounds ?? null,
    used: pool.used,
    version: pool.version,
    assets: [...engine.deployment.assets.values()].filter((a) => a.pool === pool.name).map((a) => a.key),
  };
}

/** For the audit log. */
export function toLimits({ limit, setLimit }: Pick<PoolInfo, 'limit' | 'setLimit'>) {
  return { limit, set_limit: setLimit ?? null };
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
        querystring: z.strictObject(wholeQuery),
        response: { 200: pageOf(Pool) },
      },
    },
    async ({ principal, query }) => {
      const seen = engineFor(engine, principal);
      const { items, next } = pageAfter(poolNames(seen), (name) => name, query);
      return { items: await Promise.all(items.map((name) => readPool(seen, name))), next };
    },
  );

  app.get(
    `${API_PREFIX}/pools/:name`,
    {
      schema: {
        operationId: 'getPool',
        summary: 'A pool; the version of what a person said about its limit is also the ETag',
        tags: ['pools'],
        params,
        response: { 200: Pool },
      },
    },
    async (request, reply) => {
      const pool = await findPool(engine, request.params.name);
      return withETag(reply, pool.version, pool);
    },
  );

  const set = async (request: FastifyRequest, name: string, limit: number | undefined, reason?: string) => {
    const { before, now } = await onVersion(
      () => setPoolLimit(engine, name, limit, { by: actorOf(request), reason, ifVersion: matchedVersion(request) }),
      async () => {
        const current = await readPool(engine, name);
        return { version: current.version, current };
      },
    );
    request.auditNote = {
      target: `pool:${name}`,
      reason,
      before: toLimits(before),
      after: toLimits({ ...now, setLimit: limit }),
    };
    return toPool(engine, now);
  };

  app.put(
    `${API_PREFIX}/pools/:name`,
    {
      schema: {
        operationId: 'setPool',
        summary: 'Set the limit of a pool; 0 holds everything back',
        tags: ['pools'],
        params,
        headers: IfMatch,
        body: z.strictObject({ limit: z.number().int().min(0).max(100_000), reason: Reason.optional() }),
        response: { 200: Pool },
      },
    },
    async (request, reply) => {
      const { limit, reason } = request.body;
      const now = await set(request, request.params.name, limit, reason);
      return withETag(reply, now.version, now);
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
        headers: IfMatch,
        querystring: z.strictObject({ reason: Reason.optional() }),
        response: { 200: Pool },
      },
    },
    async (request, reply) => {
      const now = await set(request, request.params.name, undefined, request.query.reason);
      return withETag(reply, now.version, now);
    },
  );
};
