/** Small definitions that the engine's tests share, and an engine over a key prefix of its own. */

import { randomBytes } from 'node:crypto';

import { z } from 'zod';

import {
  addDays,
  composite,
  daily,
  dayOf,
  defineSchedule,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  dynamic,
  exponential,
  failed,
  materialized,
  positiveInteger,
  request,
  skip,
  skipped,
} from '../../src/index.ts';
import type { Deployment, JsonObject, Logger } from '../../src/index.ts';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { type SkeinWorker, startWorker } from '../../src/worker/worker.ts';

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export const teamDays = composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2015-01-01' }) });

/** What the code of a test asset does is decided by the test, by partition key. */
export interface Behaviour {
  (context: {
    key: string;
    attempt: number;
    epoch: number;
    signal: AbortSignal;
    config: JsonObject;
  }): Promise<JsonObject> | JsonObject;
}

export interface Harness {
  readonly engine: Engine;
  readonly deployment: Deployment;
  /** @param options.engine that it works with; default: one of its own */
  worker(options?: { concurrency?: number; pools?: readonly string[]; engine?: Engine }): Promise<SkeinWorker>;
  /** A second engine over the same ledger, as another process would have it, perhaps of another version. */
  another(other?: Deployment): Promise<Engine>;
  close(): Promise<void>;
}

export const TestConfig = z.object({ dry_run: z.boolean().default(false), note: z.string().optional() });

export function testDeployment(
  behave: Behaviour,
  options: { onBusy?: 'wait' | 'join' | 'refuse'; attempts?: number; pool?: string; timeout?: '300ms' } = {},
): Deployment {
  const run = (context: {
    partitionKey: string;
    run: { attempt: number };
    epoch: number;
    signal: AbortSignal;
    config: JsonObject;
  }) =>
    behave({
      key: context.partitionKey,
      attempt: context.run.attempt,
      epoch: context.epoch,
      signal: context.signal,
      config: context.config,
    });
  const events = defineAsset({
    key: 'events',
    description: 'A day of events.',
    partitions: teamDays,
    config: TestConfig,
    ...(options.pool ? { pool: options.pool } : {}),
    ...(options.timeout ? { timeout: options.timeout } : {}),
    retries: { attempts: options.attempts ?? 1, backoff: exponential('20ms') },
    materialize: async (context) => materialized(await run(context)),
  });
  const report = defineAsset({
    key: 'report',
    description: 'A report of the day.',
    partitions: teamDays,
    config: TestConfig,
    dependsOn: [{ asset: 'events', mapping: 'identity' }],
    materialize: async ({ partitionKey }) =>
      partitionKey.startsWith('9_') ? skipped('not for team 9') : materialized({ rows: 1 }),
  });
  const chunks = defineAsset({
    key: 'chunks',
    description: 'Teams in chunks of two.',
    partitions: teamDays,
    config: z.object({ team_ids: z.array(z.number()).optional(), max: z.number().default(0) }),
    partitionsOf: (config) => config.team_ids?.map((id) => `${id}_2024-01-01`) ?? null,
    tasks: {
      async plan({ partitions }) {
        const keys =
          partitions.length > 0 ? partitions.map((p) => p.key) : ['1_2024-01-01', '2_2024-01-01', '3_2024-01-01'];
        return Array.from({ length: Math.ceil(keys.length / 2) }, (_, i) => ({
          id: `chunk-${i}`,
          partitions: keys.slice(2 * i, 2 * i + 2),
          input: { i },
        }));
      },
      async run(context) {
        for (const { key } of context.partitions) {
          const facts = await behave({
            key,
            attempt: context.run.attempt,
            epoch: context.epoch,
            signal: context.signal,
            config: {},
          });
          await context.settlePartition(
            key,
            facts.fail === true ? failed({ code: 'BAD_TEAM', message: `team of ${key} is bad` }) : materialized(facts),
          );
        }
        return { done: context.partitions.length };
      },
      async settle({ results }) {
        return {
          chunks: results.length,
          done: results.reduce((n, r) => n + Number((r.result as { done?: number } | undefined)?.done ?? 0), 0),
        };
      },
      maxConcurrent: (config) => config.max,
    },
  });
  const eventsJob = defineJob({ name: 'events_job', assets: [events], onBusy: options.onBusy ?? 'wait' });
  const feed = defineSensor({
    name: 'feed',
    description: 'Asks for the next day of team 1.',
    job: eventsJob,
    every: '1h',
    cursor: z.object({ next: z.number().default(1), until: z.number().default(3), pause_ms: z.number().default(0) }),
    async evaluate({ cursor, signal }) {
      if (cursor.pause_ms > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, cursor.pause_ms);
          signal.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      if (cursor.next > cursor.until) return skip(`complete up to day ${cursor.until}`);
      return request([{ partitions: [`1_2024-01-${String(cursor.next).padStart(2, '0')}`] }], {
        cursor: { ...cursor, next: cursor.next + 1 },
      });
    },
  });
  return defineDeployment({
    definitions: {
      jobs: [
        eventsJob,
        defineJob({ name: 'chunks_job', assets: [chunks] }),
        defineJob({ name: 'both_job', assets: [events, report] }),
      ],
      sensors: [feed],
      schedules: (['all', 'latest', 'skip'] as const).map((catchUp) =>
        defineSchedule({
          name: `hourly_${catchUp}`,
          description: 'The day before, every hour.',
          job: eventsJob,
          cron: '0 * * * *',
          catchUp,
          requests: (at) => [{ partitions: [`${at.getUTCHours() + 1}_${addDays(dayOf(at), -1)}`] }],
        }),
      ),
      pools: { narrow: 2 },
    },
  });
}

/** Short leases, so that tests of losses are quick. */
export async function openHarness(deployment: Deployment, env: Record<string, string> = {}): Promise<Harness> {
  const url = process.env.SKEIN_REDIS_URL;
  if (!url) throw new TypeError('SKEIN_REDIS_URL is not set: these tests need Redis.');
  const settings = {
    SKEIN_REDIS_URL: url,
    SKEIN_REDIS_PREFIX: `{t${randomBytes(6).toString('hex')}}`,
    SKEIN_LEASE_MS: '1500',
    SKEIN_LEASE_RENEW_MS: '300',
    SKEIN_PULSE_MS: '100',
    SKEIN_RESEND_MS: '1000',
    SKEIN_CANCEL_GRACE_MS: '500',
    ...env,
  };
  const engine = await openEngine(deployment, { env: settings });
  const engines = [engine];
  const workers: SkeinWorker[] = [];
  return {
    engine,
    deployment,
    async worker({ engine: given, ...options } = {}) {
      const mine = given ?? (await openEngine(deployment, { env: settings }));
      if (!given) engines.push(mine);
      const worker = await startWorker(mine, { log: SILENT, ...options });
      workers.push(worker);
      return worker;
    },
    async another(other = deployment) {
      const made = await openEngine(other, { env: settings });
      engines.push(made);
      return made;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop(500)));
      const keys = await engine.redis.keys(`${settings.SKEIN_REDIS_PREFIX}:*`);
      if (keys.length > 0) await engine.redis.del(...keys);
      await Promise.all(engines.map((one) => one.close()));
    },
  };
}

/** Waits for a condition, not for time. */
export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean, timeoutMs = 60_000): Promise<T> {
  const ends = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > ends)
      throw new TypeError(`The condition did not come to hold; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
