/**
 * Expanding backfills: whoever pulses asks for as many more runs of each as it may have active. The ledger keeps the
 * position; each move is one atomic script.
 */

import type { Asset } from '../definitions/asset.ts';
import type { JsonObject } from '../definitions/json.ts';
import { type BackfillRange, keyAt, parseRange } from './backfill-plan.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { readStatuses } from './partition-reader.ts';
import { planSubmit } from './submit.ts';

/** Positions looked at in one expansion, so that a sparse selection cannot hold a pulse up. */
const SCAN = 5_000;

/** Asks for the next runs of every live backfill; gives how many. Part of the pulse; overtaken moves change nothing. */
export async function expandBackfills(engine: Engine): Promise<number> {
  const live = await engine.redis.smembers(engine.keys.liveBackfills);
  const known = ranges.get(engine) ?? new Map<string, BackfillRange>();
  ranges.set(engine, known);
  for (const id of known.keys()) if (!live.includes(id)) known.delete(id);
  let submitted = 0;
  for (const id of live) submitted += await expandOne(engine, id, known);
  return submitted;
}

/** Of live backfills, for they never change and may name 200,000 rows: read once by each process. */
const ranges = new WeakMap<Engine, Map<string, BackfillRange>>();

async function rangeIn(engine: Engine, id: string, known: Map<string, BackfillRange>): Promise<BackfillRange> {
  const found = known.get(id);
  if (found !== undefined) return found;
  const range = parseRange(await engine.redis.hget(engine.keys.backfill(id), 'range'));
  known.set(id, range);
  return range;
}

/** Of a backfill what its expansion looks at, in this order. */
const EXPANDED = ['job', 'position', 'total', 'statuses', 'config', 'tags', 'priority', 'max_active'] as const;

async function expandOne(engine: Engine, id: string, known: Map<string, BackfillRange>): Promise<number> {
  const [fields, active] = await Promise.all([
    engine.redis.hmget(engine.keys.backfill(id), ...EXPANDED),
    engine.redis.scard(engine.keys.backfillActive(id)),
  ]);
  const [job, position, total, statuses, config, tags, priority, maxActive] = fields;
  const asset = engine.deployment.jobs.get(job ?? '')?.assets[0];
  const room = Number(maxActive) - active;
  if (!job || !asset || room <= 0) return 0;
  const range = await rangeIn(engine, id, known);
  const start = Number(position);
  const wanted = new Set(JSON.parse(statuses ?? '[]') as string[]);
  const { next, keys } = await findNext({ engine, asset, range, wanted, start, total: Number(total) }, room);
  const request = {
    job,
    config: JSON.parse(config ?? '{}') as JsonObject,
    tags: { ...(JSON.parse(tags ?? '{}') as Record<string, string>), backfill: id },
    priority: Number(priority),
    cause: `backfill:${id}`,
  };
  const specs = keys.map((key) =>
    JSON.stringify(
      planSubmit(engine, { ...request, partitions: [key] }, new Date(), { scope: 'launch' }, { backfill: id }),
    ),
  );
  failpoint('expand.before');
  const passed = next - start - keys.length;
  const moved = await engine.script('expand', id, start, next, passed, next >= Number(total) ? 1 : 0, ...specs);
  failpoint('expand.after');
  // A sparse selection is looked through in several moves; each is progress.
  return moved === 1 ? specs.length + (specs.length === 0 && next < Number(total) ? 1 : 0) : 0;
}

interface Search {
  readonly engine: Engine;
  readonly asset: Asset;
  readonly range: BackfillRange;
  /** Outcomes; none: all of them. */
  readonly wanted: ReadonlySet<string>;
  readonly start: number;
  readonly total: number;
}

/**
 * The next partitions that are to run, at most so many, and the position behind what was looked at. Looks at few first:
 * mostly each that comes is one, and where none is, at more and more.
 */
async function findNext(search: Search, atMost: number): Promise<{ readonly next: number; readonly keys: string[] }> {
  const { engine, asset, range, wanted, start, total } = search;
  const keys: string[] = [];
  const end = Math.min(total, start + Math.max(SCAN, atMost));
  let next = start;
  for (let width = atMost; next < end && keys.length < atMost; width *= 2) {
    const last = Math.min(end, next + width);
    const some = Array.from({ length: last - next }, (_, i) => keyAt(asset, range, next + i));
    const found = await readStatuses(
      engine,
      asset,
      some.filter((key) => key !== undefined),
    );
    for (const key of some) {
      if (keys.length >= atMost) break;
      next++;
      const state = key === undefined ? undefined : found.get(key);
      if (key === undefined || state?.activity !== 'idle') continue;
      if (wanted.size === 0 || wanted.has(state.outcome)) keys.push(key);
    }
  }
  return { next, keys };
}
