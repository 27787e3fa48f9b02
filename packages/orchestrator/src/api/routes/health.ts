/** For machines: alive, ready, metrics. */

import { z } from 'zod';

import { isLoopbackName, whoAsks } from '../access/authenticate.ts';
import { judge } from '../access/permissions.ts';
import type { ApiContext, Routes } from '../context.ts';
import { UnauthenticatedError } from '../errors.ts';
import { serverMetrics } from '../metrics.ts';
import { clockSkewMs, readRedisFacts } from '../reads/system.ts';

const MAX_SKEW_MS = 2_000;
const CHECK_TIMEOUT_MS = 5_000;

const Readiness = z.object({
  ready: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});

export const healthRoutes: Routes = (app, context) => {
  app.get('/healthz', { schema: { hide: true } }, async () => ({ ok: true }));

  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const checks = await check(context);
    const ready = checks.every((one) => one.ok);
    return reply.code(ready ? 200 : 503).send({ ready, checks } satisfies z.input<typeof Readiness>);
  });

  const collect = serverMetrics(context);
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    const fromHere = isLoopbackName(request.ip.replace(/^::ffff:/, ''));
    if (!fromHere && !judge('read', await whoAsks(context, request)).allowed)
      throw new UnauthenticatedError('Metrics are read with a token, or from loopback.');
    await collect();
    return reply.type(context.metrics.registry.contentType).send(await context.metrics.registry.metrics());
  });
};

async function check({ engine }: ApiContext): Promise<{ name: string; ok: boolean; detail: string }[]> {
  const attempt = async (name: string, work: () => Promise<string>) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new RangeError('no answer in time')), CHECK_TIMEOUT_MS);
    });
    try {
      return { name, ok: true, detail: await Promise.race([work(), late]) };
    } catch (error) {
      return { name, ok: false, detail: error instanceof Error ? error.message : 'failed' };
    } finally {
      clearTimeout(timer);
    }
  };
  return Promise.all([
    attempt('redis is writable', async () => {
      await engine.redis.hset(engine.keys.meta, 'readiness_at', Date.now());
      return 'yes';
    }),
    attempt('redis keeps what it is given', async () => {
      const facts = await readRedisFacts(engine);
      if (facts.policy !== 'noeviction') throw new RangeError(`maxmemory-policy is ${facts.policy}`);
      if (!facts.aof) throw new RangeError('AOF is off');
      return `noeviction, AOF ${facts.aof_fsync}`.trim();
    }),
    attempt('clocks agree', async () => {
      const skew = await clockSkewMs(engine);
      if (Math.abs(skew) > MAX_SKEW_MS) throw new RangeError(`this process is ${skew} ms off Redis`);
      return `${skew} ms apart`;
    }),
  ]);
}
