/** Limits of runs at once, as definitions set them, with who holds and who waits for their slots. */

import { type TagLimit, jobRule, tagRule } from '../../definitions/tag-limit.ts';
import type { Engine } from '../engine.ts';

interface LimitSlot {
  /** `job:NAME`, `tag:NAME` or `tag:NAME=VALUE`. */
  readonly slot: string;
  readonly used: number;
  /** Runs that stand aside until one of its runs ends. */
  readonly waiting: number;
}

export interface RunLimitUse {
  readonly kind: 'job' | 'tag';
  readonly name: string;
  /** Of a tag; undefined where the limit is for any. */
  readonly value: string | undefined;
  readonly perValue: boolean;
  readonly limit: number;
  /** Its one slot; of a limit for each value, the slots that runs wait for. */
  readonly slots: readonly LimitSlot[];
}

/** Of a limit for each value, at most. */
const MAX_SLOTS = 100;

/** Limits of tags are for the runs of every job, so they are left out where only some jobs are looked at. */
export async function readRunLimits(engine: Engine, only: 'all' | 'jobs'): Promise<RunLimitUse[]> {
  const { deployment } = engine;
  const jobs = [...deployment.jobs.values()].flatMap(({ name, maxActiveRuns }) =>
    maxActiveRuns === undefined ? [] : [{ name, maxActiveRuns }],
  );
  const ofJobs = jobs.map(async ({ name, maxActiveRuns }): Promise<RunLimitUse> => {
    const slots = [await readSlot(engine, jobRule(name))];
    return { kind: 'job', name, value: undefined, perValue: false, limit: maxActiveRuns, slots };
  });
  const ofTags = only === 'jobs' ? [] : deployment.tagLimits.map((limit) => readTagLimit(engine, limit));
  return Promise.all([...ofJobs, ...ofTags]);
}

async function readTagLimit(engine: Engine, limit: TagLimit): Promise<RunLimitUse> {
  const { perValue = false } = limit;
  const slots = perValue ? await waitedFor(engine, tagRule(limit)) : [tagRule(limit)];
  return {
    kind: 'tag',
    name: limit.tag,
    value: limit.value,
    perValue,
    limit: limit.limit,
    slots: await Promise.all(slots.map((slot) => readSlot(engine, slot))),
  };
}

/** Slots of a rule that runs stand aside for; there is no list of those that are only used. */
async function waitedFor({ redis, keys }: Engine, rule: string): Promise<string[]> {
  const waited = await redis.hgetall(keys.asideSlots);
  return Object.keys(waited)
    .filter((slot) => waited[slot] === rule)
    .sort()
    .slice(0, MAX_SLOTS);
}

async function readSlot({ redis, keys }: Engine, slot: string): Promise<LimitSlot> {
  const [used, waiting] = await Promise.all([redis.scard(keys.slotHolders(slot)), redis.llen(keys.aside(slot))]);
  return { slot, used, waiting };
}
