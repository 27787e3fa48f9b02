/**
 * Pools: what their limits are and why, a person's word about one, and the probes by which they breathe with their
 * destination. Any number of pulses may ask for probes: each look is claimed in the ledger and made once.
 */

import { NotFoundError } from '../definitions/errors.ts';
import { orAborted } from '../definitions/or-aborted.ts';
import type { PoolProbe } from '../definitions/pool.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { movedOn } from './moved-on.ts';

/** Where neither the deployment nor anybody else says otherwise; as in lua/include/queue.lua. */
const DEFAULT_LIMIT = 10;

export interface PoolInfo {
  readonly name: string;
  /** The one that counts now: a person's, or the probe's, or the definition's. */
  readonly limit: number;
  readonly used: number;
  readonly defaultLimit: number;
  readonly setLimit: number | undefined;
  readonly liveLimit: number | undefined;
  readonly limitBy: 'set' | 'probe' | 'definition' | 'default';
  /** Why the limit is what it is, as the person or the probe said. */
  readonly reason: string;
  readonly changedAt: Date | undefined;
  /** Of a person's word about the limit: how often it was given or taken back. What a probe finds is none. */
  readonly version: number;
  /** What the probe may choose from; undefined where the pool has none. */
  readonly bounds: { readonly min: number; readonly max: number } | undefined;
}

/** Of the definitions and of the assets that name one. */
export function poolNames({ deployment }: Pick<Engine, 'deployment'>): string[] {
  const used = [...deployment.assets.values()].flatMap((asset) => (asset.pool === undefined ? [] : [asset.pool]));
  return [...new Set([...Object.keys(deployment.pools), ...used])].sort();
}

/** Also of a pool that no definition names any more. */
export async function readPool(engine: Engine, name: string): Promise<PoolInfo> {
  const fields = ['set', 'set_reason', 'set_at', 'live', 'live_reason', 'live_at', 'default', 'version'] as const;
  const [values, used] = await Promise.all([
    engine.redis.hmget(engine.keys.pools, ...fields.map((field) => `${name}|${field}`)),
    engine.redis.scard(engine.keys.pool(name)),
  ]);
  const field = (which: (typeof fields)[number]) => values[fields.indexOf(which)] ?? undefined;
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const [set, live, fallback] = [number(field('set')), number(field('live')), number(field('default'))];
  const limitBy =
    set !== undefined ? 'set' : live !== undefined ? 'probe' : fallback !== undefined ? 'definition' : 'default';
  const at = limitBy === 'set' ? field('set_at') : limitBy === 'probe' ? field('live_at') : undefined;
  const probe = engine.deployment.poolProbes.get(name);
  return {
    name,
    limit: set ?? live ?? fallback ?? DEFAULT_LIMIT,
    used,
    defaultLimit: fallback ?? DEFAULT_LIMIT,
    setLimit: set,
    liveLimit: live,
    limitBy,
    reason: (limitBy === 'set' ? field('set_reason') : limitBy === 'probe' ? field('live_reason') : undefined) ?? '',
    changedAt: at === undefined ? undefined : new Date(Number(at)),
    version: number(field('version')) ?? 0,
    bounds: probe === undefined ? undefined : { min: probe.min, max: probe.max },
  };
}

export interface PoolWord {
  readonly by: string;
  readonly reason?: string | undefined;
  /** Of the word that must be current. */
  readonly ifVersion?: number | undefined;
}

/**
 * A person's word, over the probe and the definition; undefined takes it back.
 *
 * @returns the limit that counted before, and the one that was set, if any; and what is now
 * @throws NotFoundError, ConflictError when the version is another by now
 */
export async function setPoolLimit(
  engine: Engine,
  name: string,
  limit: number | undefined,
  { by, reason = '', ifVersion }: PoolWord,
): Promise<{ readonly before: Pick<PoolInfo, 'limit' | 'setLimit'>; readonly now: PoolInfo }> {
  const known = poolNames(engine);
  if (!known.includes(name) && (await engine.redis.hexists(engine.keys.pools, `${name}|default`)) === 0)
    throw new NotFoundError(`No pool is named “${name.slice(0, 100)}”. Known: ${known.join(', ') || 'none'}.`);
  const reply = await engine.script('set-pool', name, 'set', limit ?? '', by, reason, ifVersion ?? '');
  const [isDone, version, before, , word] = reply as [number, number, number, number, string];
  if (isDone === 0) throw movedOn(`The limit of ${name}`, version, ifVersion);
  engine.dispatcher.kick();
  return {
    before: { limit: before, setLimit: word === '' ? undefined : Number(word) },
    now: await readPool(engine, name),
  };
}

export interface ProbePorts {
  readonly openResources: (map: PoolProbe['resources']) => Promise<unknown>;
  /** Of an error, without secrets. */
  readonly describe: (error: unknown) => string;
}

/** A look at the destination may take as long as the time between two, and never longer than this. */
const MAX_PROBE_MS = 10_000;

/** Makes the looks that are due and nobody else has claimed; gives how many. */
export async function probePools(engine: Engine, ports: ProbePorts): Promise<number> {
  const { poolProbes } = engine.deployment;
  if (poolProbes.size === 0) return 0;
  const asked = [...poolProbes].flatMap(([name, probe]) => [name, probe.everyMs]);
  const due = (await engine.script('claim-probes', ...asked)) as string[];
  failpoint('probes.claimed');
  await Promise.all(
    due.map(async (name) => {
      const probe = poolProbes.get(name);
      if (!probe) return;
      const { limit, reason } = await look(probe, ports);
      const reply = await engine.script('set-pool', name, 'live', limit, 'probe', reason);
      const [, , before = 0, after = 0] = reply as number[];
      if (after > before) engine.dispatcher.kick();
    }),
  );
  return due.length;
}

async function look(probe: PoolProbe, ports: ProbePorts): Promise<{ limit: number; reason: string }> {
  const { min, max } = probe;
  const signal = AbortSignal.timeout(Math.min(probe.everyMs, MAX_PROBE_MS));
  try {
    const resources = await orAborted(ports.openResources(probe.resources), signal);
    const { limit, reason } = await orAborted(probe.probe({ resources, signal, min, max }), signal);
    if (!Number.isFinite(limit)) throw new TypeError(`the probe said ${limit}, which is not a number`);
    return { limit: Math.min(max, Math.max(min, Math.round(limit))), reason };
  } catch (error) {
    // A destination that cannot be looked at is not one to be hurried.
    return { limit: min, reason: `the probe failed: ${ports.describe(error)}` };
  }
}
