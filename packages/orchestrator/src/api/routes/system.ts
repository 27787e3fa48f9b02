/** The installation: workers, Redis, queues, counters of the ledger. */

import { z } from 'zod';

import type { Routes } from '../context.ts';
import { API_PREFIX } from '../openapi.ts';
import { clockSkewMs, readQueues, readRedisFacts, readWorkers } from '../reads/system.ts';
import { Time, named } from '../schema.ts';

const Worker = named(
  'Worker',
  z.object({
    id: z.string(),
    host: z.string(),
    pid: z.number(),
    concurrency: z.number(),
    active: z.number(),
    rss_bytes: z.number(),
    last_heard_at: Time,
  }),
);

const System = named(
  'System',
  z.object({
    workers: z.array(Worker),
    warnings: z.array(z.string()).describe('What an operator should look at, in words.'),
    redis: z.object({
      version: z.string(),
      used_memory_bytes: z.number(),
      max_memory_bytes: z.number(),
      policy: z.string(),
      aof: z.boolean(),
      aof_fsync: z.string(),
      keys: z.number(),
      connected_clients: z.number(),
      ops_per_second: z.number(),
      uptime_seconds: z.number(),
      state_version: z.number(),
    }),
    queues: z.object({
      outbox: z.number().describe('Attempts that are out but not begun.'),
      oldest_outbox_ms: z.number(),
      leases: z.number().describe('Attempts under way.'),
      delayed: z.number(),
      cancelling: z.number(),
      queued: z.array(z.object({ pool: z.string(), priority: z.number(), lanes: z.number(), units: z.number() })),
      bells: z.record(z.string(), z.record(z.string(), z.number())).describe('BullMQ queues by state.'),
    }),
    stats: z.record(z.string(), z.number()).describe('Counters that the ledger keeps, such as fenced_commits.'),
    clock_skew_ms: z.number(),
    listeners: z.number().describe('Dashboards that listen to this process.'),
    auth_mode: z.string(),
    server: z.object({ pid: z.number(), node: z.string(), uptime_seconds: z.number(), rss_bytes: z.number() }),
  }),
);

type SystemFacts = z.input<typeof System>;

export const systemRoutes: Routes = (app, { engine, changes, settings }) => {
  app.get(
    `${API_PREFIX}/system`,
    {
      schema: {
        operationId: 'getSystem',
        summary: 'Workers, Redis, queues',
        tags: ['system'],
        response: { 200: System },
      },
    },
    async () => {
      const [workers, redis, queues, stats, skew] = await Promise.all([
        readWorkers(engine),
        readRedisFacts(engine),
        readQueues(engine),
        engine.redis.hgetall(engine.keys.stats),
        clockSkewMs(engine),
      ]);
      const facts: Omit<SystemFacts, 'warnings'> = {
        workers,
        redis,
        queues: {
          ...queues,
          queued: queues.queued.map((one) => ({ ...one })),
          bells: Object.fromEntries(Object.entries(queues.bells).map(([name, counts]) => [name, { ...counts }])),
        },
        stats: Object.fromEntries(Object.entries(stats).map(([name, value]) => [name, Number(value)])),
        clock_skew_ms: skew,
        listeners: changes.listeners,
        auth_mode: settings.authMode,
        server: {
          pid: process.pid,
          node: process.version,
          uptime_seconds: Math.round(process.uptime()),
          rss_bytes: process.memoryUsage().rss,
        },
      };
      return { ...facts, warnings: warningsOf(facts) };
    },
  );
};

const MAX_SKEW_MS = 1_000;
const MAX_OUTBOX_MS = 30_000;

function warningsOf({
  workers,
  queues,
  redis,
  clock_skew_ms: skew,
  auth_mode: auth,
}: Omit<SystemFacts, 'warnings'>): string[] {
  const waiting = queues.outbox + queues.queued.reduce((n, one) => n + one.units, 0);
  return [
    ...(workers.length === 0 && waiting > 0
      ? [`${waiting} units wait and no worker is alive: start “skein worker”.`]
      : []),
    ...(queues.oldest_outbox_ms > MAX_OUTBOX_MS
      ? [`An attempt has been out for ${Math.round(queues.oldest_outbox_ms / 1_000)} s and nobody has begun it.`]
      : []),
    ...(redis.aof ? [] : ['Redis has no AOF: a restart loses the ledger.']),
    ...(redis.policy === 'noeviction' ? [] : [`Redis evicts keys (${redis.policy}): the ledger may lose parts.`]),
    ...(Math.abs(skew) > MAX_SKEW_MS ? [`The clock of this process is ${skew} ms off Redis’s.`] : []),
    ...(auth === 'none-insecure' ? ['Everyone who reaches this server may do everything: there is no sign-in.'] : []),
  ];
}
