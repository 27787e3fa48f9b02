/**
 * The engine: one connection to the ledger, the two queues that ring for workers, the deployment. Verbs are functions
 * over it, one file each. Opening it checks that Redis is fit to keep a ledger and makes the definitions known.
 */

import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

import type { Deployment, Environment } from '../definitions/deployment.ts';
import { ServiceError } from '../definitions/errors.ts';
import { type Keys, createKeys } from '../store/keys.ts';
import { checkLedgerRedis, connectRedis } from '../store/redis.ts';
import { type ScriptName, type ScriptReply, runScript } from '../store/scripts.ts';
import { openTracing } from '../telemetry/open-tracing.ts';
import { type Scrub, createScrub } from '../telemetry/scrub.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { coalesce } from './coalesce.ts';
import { expandBackfills } from './backfill-expand.ts';
import { type Dispatcher, createDispatcher } from './dispatch.ts';
import { failpoint } from './failpoint.ts';
import { registerDefinitions } from './register.ts';
import { type EngineSettings, readSettings } from './settings.ts';

export interface Engine {
  readonly deployment: Deployment;
  readonly settings: EngineSettings;
  readonly env: Environment;
  /** Of the environment's secrets: whatever code says about its work goes through it before it is kept. */
  readonly scrub: Scrub;
  /** Undefined where nothing is traced. */
  readonly tracing: Tracing | undefined;
  readonly redis: Redis;
  readonly redisUrl: string;
  /** Exports `deployment`; needed where code runs in a process of its own. */
  readonly deploymentFile: string | undefined;
  /** Stamp of the registration of this deployment's definitions; 0: somebody else has registered them. */
  readonly registration: number;
  readonly keys: Keys;
  readonly work: Queue;
  readonly ticks: Queue;
  readonly dispatcher: Dispatcher;
  /** Submits one request (JSON of a SubmitSpec); those of one turn of the loop share a script call, like the two below. */
  submit(spec: string): Promise<[runId: string, verdict: string, partition: string]>;
  /** Begins one attempt for a worker. */
  begin(worker: string, attempt: string): Promise<string[] | null>;
  /** Settles one attempt, and takes the next one that waits for `taker`. */
  settle(verdict: SettleArgs, taker?: Taker): Promise<Settled>;
  script(name: ScriptName, ...args: (string | number)[]): Promise<ScriptReply>;
  close(): Promise<void>;
}

/** Attempt, epoch, verdict (ok, failed, cancelled, handed_on) and its JSON. */
type SettleArgs = readonly [attempt: string, epoch: number, verdict: string, json: string];

/** Who goes on with the next attempt as soon as one is settled. */
export interface Taker {
  readonly worker: string;
  /** Assets whose attempts are begun in a process of their own: of those only the id is given. */
  readonly elsewhere: readonly string[];
}

export interface Settled {
  /** False when the attempt was fenced off. */
  readonly committed: boolean;
  readonly next?: { readonly attempt: string; readonly begun: readonly string[] | undefined } | undefined;
}

export interface OpenEngineOptions {
  /** Before the deployment's own defaults are filled in. */
  readonly env: Environment;
  readonly allowUnsafeRedis?: boolean;
  /** The module that exports this deployment as `deployment`; assets with isolation need it. */
  readonly deploymentFile?: string;
  /** False for what works for a process that has made the definitions known, and may be older than the newest. */
  readonly registers?: boolean;
}

/** Calls of one turn in one script: bounded, so that no script holds Redis for more than a few milliseconds. */
const MAX_BATCH = 50;

type Submitted = [runId: string, verdict: string, partition: string];

/** Submits requests in one script call, and rings for those that need not queue. */
async function submitAll(
  engine: Pick<Engine, 'script' | 'dispatcher' | 'settings'>,
  specs: readonly string[],
): Promise<Submitted[]> {
  const flat = (await engine.script('submit', engine.settings.resendMs, ...specs)) as string[];
  failpoint('submit.written');
  const at = (i: number, field: number) => flat[5 * i + field] ?? '';
  const sent = specs.flatMap((_spec, i) =>
    at(i, 3) === '' ? [] : [{ attempt: at(i, 3), priority: Number(at(i, 4)) }],
  );
  // A bell that fails is rung again from the outbox: the runs are submitted all the same.
  await engine.dispatcher.ring(sent).catch(() => {});
  failpoint('submit.rung');
  return specs.map((_spec, i) => [at(i, 0), at(i, 1), at(i, 2)]);
}

function toSettled(flat: readonly (string | readonly [string, string[]?] | null)[]): Settled[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => {
    const next = flat[2 * i + 1] as readonly [string, string[]?] | null;
    return { committed: flat[2 * i] === 'ok', next: next ? { attempt: next[0], begun: next[1] } : undefined };
  });
}

/** BullMQ's keys lie under the ledger's prefix, and so share its hash tag. */
export function queuePrefix(prefix: string): string {
  return `${prefix}:bull`;
}

/**
 * @throws ServiceError when Redis does not answer, RefusedError when it would lose the ledger,
 * EnvironmentInvalidError when variables are wrong
 */
export async function openEngine(deployment: Deployment, options: OpenEngineOptions): Promise<Engine> {
  const env = deployment.environment(options.env);
  const settings = readSettings(env);
  if (settings.redisUrl === undefined) {
    throw new ServiceError(
      'redis',
      'SKEIN_REDIS_URL is not set and no embedded services run here. Set it, or run “skein services up”.',
    );
  }
  const scrub = createScrub(env);
  const redis = await connectRedis(settings.redisUrl);
  const keys = createKeys(settings.prefix);
  let tracing: Tracing | undefined;
  let registration = 0;
  try {
    await checkLedgerRedis(redis, keys, { allowUnsafe: options.allowUnsafeRedis ?? false });
    if (options.registers ?? true) registration = await registerDefinitions(redis, settings.prefix, deployment);
    tracing = await openTracing(env, scrub);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  const queue = (name: string) => {
    const made = new Queue(name, { connection: redis, prefix: queuePrefix(settings.prefix), skipVersionCheck: true });
    made.on('error', () => {}); // commands report their own failures
    return made;
  };
  const work = queue('work');
  const ticks = queue('ticks');
  const script = (name: ScriptName, ...args: (string | number)[]) => runScript(redis, settings.prefix, name, ...args);
  // Of one process, so of one worker as a rule; a batch takes those of the first item's worker.
  const begin = coalesce(
    MAX_BATCH,
    async (items: readonly (readonly [worker: string, attempt: string])[]) =>
      (await script('begin', items[0]?.[0] ?? '', settings.leaseMs, ...items.map(([, attempt]) => attempt))) as (
        string[] | null
      )[],
    ([worker]) => worker,
  );
  const settle = coalesce(
    MAX_BATCH,
    async (items: readonly (readonly [SettleArgs, Taker | undefined])[]) => {
      const taker = items[0]?.[1];
      const elsewhere = taker && taker.elsewhere.length > 0 ? `|${taker.elsewhere.join('|')}|` : '';
      const verdicts = items.flatMap(([verdict]) => verdict);
      const flat = await script('settle', taker?.worker ?? '', settings.leaseMs, elsewhere, ...verdicts);
      return toSettled(flat as (string | [string, string[]?] | null)[]);
    },
    ([, taker]) => taker?.worker ?? '',
  );
  const dispatcher = createDispatcher({ script, work, settings, expand: () => expandBackfills(engine) });
  const engine: Engine = {
    deployment,
    settings,
    env,
    scrub,
    tracing,
    redis,
    redisUrl: settings.redisUrl,
    deploymentFile: options.deploymentFile,
    registration,
    keys,
    work,
    ticks,
    dispatcher,
    submit: coalesce(MAX_BATCH, (specs: readonly string[]) => submitAll({ script, dispatcher, settings }, specs)),
    begin: (worker, attempt) => begin([worker, attempt]),
    settle: (verdict, taker) => settle([verdict, taker]),
    script,
    async close() {
      await dispatcher.idle();
      await Promise.allSettled([work.close(), ticks.close(), tracing?.close()]);
      await redis.quit().catch(() => redis.disconnect());
    },
  };
  return engine;
}
