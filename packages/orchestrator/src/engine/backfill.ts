/**
 * Backfills: a person's request to run many partitions. Planned exactly, expanded lazily (`backfill-expand.ts`). Every
 * move is one atomic script.
 */

import type { Asset } from '../definitions/asset.ts';
import { lookUp } from '../definitions/deployment.ts';
import { NotFoundError } from '../definitions/errors.ts';
import type { JsonObject } from '../definitions/json.ts';
import type { LastOutcome } from '../definitions/sensor.ts';
import {
  type BackfillRange,
  type BackfillSelection,
  MAX_ROWS,
  keyAt,
  parseRange,
  rangeOf,
  sizeOf,
} from './backfill-plan.ts';
import { upstreamOf } from './backfill-upstream.ts';
import { cancelRun } from './cancel.ts';
import type { Engine } from './engine.ts';
import { failpoint } from './failpoint.ts';
import { movedOn } from './moved-on.ts';
import { newId } from './new-id.ts';
import { decodeState } from './partition-reader.ts';
import { listRows, readRow } from './reads/partitions.ts';
import { planSubmit } from './submit.ts';

type BackfillStatus = 'REQUESTED' | 'IN_PROGRESS' | 'COMPLETED' | 'COMPLETED_WITH_FAILURES' | 'PAUSED' | 'CANCELED';

export interface BackfillRequest extends BackfillSelection {
  readonly job: string;
  readonly config?: JsonObject;
  readonly tags?: Readonly<Record<string, string>>;
  /** Runs at once; default 10. */
  readonly maxActive?: number;
  /** Pauses itself after this many failed runs. */
  readonly stopAfterFailures?: number;
  readonly priority?: number;
}

export interface BackfillPlan {
  /** Partitions in the rectangle. */
  readonly total: number;
  /** Those that would run now: idle, and of a wanted status. */
  readonly toRun: number;
  readonly byStatus: Readonly<Record<LastOutcome | 'active', number>>;
  /** Of those that would run, how many have an upstream partition that is not made; by upstream asset. */
  readonly upstreamNotMade: Readonly<Record<string, number>>;
  readonly first: string | undefined;
  readonly last: string | undefined;
}

export interface Backfill {
  readonly id: string;
  readonly job: string;
  readonly status: BackfillStatus;
  readonly statusBy: string;
  readonly statusReason: string;
  readonly range: BackfillRange;
  readonly statuses: readonly LastOutcome[];
  readonly config: JsonObject;
  readonly maxActive: number;
  readonly priority: number;
  /** Grows whenever its status or its limits change, not with its progress. */
  readonly version: number;
  readonly total: number;
  /** Partitions looked at so far, asked for, passed over because of their status. */
  readonly position: number;
  readonly requested: number;
  readonly passed: number;
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  readonly by: string;
  readonly createdAt: Date;
  readonly endedAt: Date | undefined;
}

/** Below live work (0) and sensors' requests. */
const BACKFILL_PRIORITY = -10;
const DEFAULT_MAX_ACTIVE = 10;
const CANCELLED_AT_ONCE = 100;

/** @throws NotFoundError, PartitionKeyInvalidError, ConfigInvalidError: everything that could be wrong is found here */
export async function planBackfill(engine: Engine, request: BackfillRequest): Promise<BackfillPlan> {
  const { asset, range } = await prepare(engine, request);
  const byStatus = { missing: 0, materialized: 0, failed: 0, skipped: 0, active: 0 };
  const wanted = new Set<string>(request.statuses ?? []);
  const upstreamNotMade: Record<string, number> = {};
  const made = upstreamOf(engine, asset, lookUp('job', engine.deployment.jobs, request.job).assets);
  let toRun = 0;
  for (const row of range.rows) {
    const upstream = await Promise.all(made.map((one) => one.rowOf(row, range)));
    const nibbles = await readRow(engine, asset, row, range.from, range.to);
    for (const [i, nibble] of nibbles.entries()) {
      const state = decodeState(nibble);
      if (state.activity !== 'idle') {
        byStatus.active++;
        continue;
      }
      byStatus[state.outcome]++;
      if (wanted.size > 0 && !wanted.has(state.outcome)) continue;
      toRun++;
      for (const [at, { key }] of made.entries())
        if (upstream[at]?.[i] === false) upstreamNotMade[key] = (upstreamNotMade[key] ?? 0) + 1;
    }
  }
  const total = sizeOf(range);
  return {
    total,
    toRun,
    byStatus,
    upstreamNotMade,
    first: keyAt(asset, range, 0),
    last: keyAt(asset, range, total - 1),
  };
}

export async function createBackfill(
  engine: Engine,
  request: BackfillRequest,
  by: string,
): Promise<{ readonly id: string; readonly total: number }> {
  const { range } = await prepare(engine, request);
  const id = newId();
  const total = sizeOf(range);
  failpoint('backfill.before');
  await engine.redis
    .multi()
    .hset(engine.keys.backfill(id), {
      id,
      job: request.job,
      status: 'IN_PROGRESS',
      status_by: by,
      range: JSON.stringify(range),
      statuses: JSON.stringify(request.statuses ?? []),
      config: JSON.stringify(request.config ?? {}),
      tags: JSON.stringify(request.tags ?? {}),
      priority: request.priority ?? BACKFILL_PRIORITY,
      max_active: request.maxActive ?? DEFAULT_MAX_ACTIVE,
      stop_after: request.stopAfterFailures ?? 0,
      position: 0,
      requested: 0,
      passed: 0,
      total,
      by,
      created: Date.now(),
    })
    .zadd(engine.keys.backfills, Date.now(), id)
    .sadd(engine.keys.liveBackfills, id)
    .exec();
  failpoint('backfill.after');
  engine.dispatcher.kick();
  return { id, total };
}

async function prepare(engine: Engine, request: BackfillRequest): Promise<{ asset: Asset; range: BackfillRange }> {
  const job = lookUp('job', engine.deployment.jobs, request.job);
  const [asset] = job.assets;
  if (!asset) throw new NotFoundError(`Job ${job.name} has no assets.`);
  const known = request.ids ? [] : await listRows(engine, asset, { limit: MAX_ROWS });
  const range = rangeOf(asset, request, known, new Date());
  const first = keyAt(asset, range, 0);
  // A config that the asset refuses is refused now, not a thousand times later.
  if (first !== undefined)
    planSubmit(engine, { job: job.name, partitions: [first], cause: 'plan', ...configured(request) }, new Date(), {
      scope: 'launch',
    });
  return { asset, range };
}

function configured(request: Pick<BackfillRequest, 'config' | 'tags'>): Pick<BackfillRequest, 'config' | 'tags'> {
  return { ...(request.config ? { config: request.config } : {}), ...(request.tags ? { tags: request.tags } : {}) };
}

/** Newest first, older than the one with the id `after`; `next` is the `after` of the page that follows. */
export async function listBackfills(
  engine: Engine,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): Promise<{ readonly items: readonly Backfill[]; readonly next: string | null }> {
  const index = engine.keys.backfills;
  const rank = after === undefined ? -1 : await engine.redis.zrevrank(index, after);
  if (rank === null) return { items: [], next: null };
  const ids = await engine.redis.zrevrange(index, rank + 1, rank + 1 + limit);
  const items = await Promise.all(ids.slice(0, limit).map((id) => readBackfill(engine, id)));
  return { items, next: ids.length > limit ? (ids[limit - 1] ?? null) : null };
}

/** @throws NotFoundError */
export async function readBackfill(engine: Engine, id: string): Promise<Backfill> {
  const [fields, active] = await Promise.all([
    engine.redis.hgetall(engine.keys.backfill(id)),
    engine.redis.scard(engine.keys.backfillActive(id)),
  ]);
  if (fields.id === undefined) throw new NotFoundError(`No backfill has the id ${id.slice(0, 60)}.`);
  return toBackfill(fields, active);
}

/** Minutes that are counted one by one; hours after that. As in the ledger. */
const BY_MINUTE = 240;

export interface BackfillPace {
  readonly from: Date;
  readonly minutes: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
}

/** How many of its runs ended when, oldest first; spans in which none did are left out. @throws NotFoundError */
export async function readBackfillPace(engine: Engine, id: string): Promise<BackfillPace[]> {
  const [created, fields] = await Promise.all([
    engine.redis.hget(engine.keys.backfill(id), 'created'),
    engine.redis.hgetall(engine.keys.backfillPace(id)),
  ]);
  if (created === null) throw new NotFoundError(`No backfill has the id ${id.slice(0, 60)}.`);
  const minutes = [...new Set(Object.keys(fields).map((name) => Number.parseInt(name, 10)))].sort((a, b) => a - b);
  return minutes.map((minute) => {
    const n = (status: string) => Number(fields[`${minute} ${status}`] ?? 0);
    return {
      from: new Date(Number(created) + minute * 60_000),
      minutes: minute < BY_MINUTE ? 1 : 60,
      succeeded: n('SUCCESS'),
      failed: n('FAILURE'),
      canceled: n('CANCELED'),
    };
  });
}

function toBackfill(fields: Record<string, string>, active: number): Backfill {
  const n = (name: string) => Number(fields[name] ?? 0);
  return {
    id: fields.id ?? '',
    job: fields.job ?? '',
    status: (fields.status ?? 'REQUESTED') as BackfillStatus,
    statusBy: fields.status_by ?? '',
    statusReason: fields.status_reason ?? '',
    range: parseRange(fields.range),
    statuses: JSON.parse(fields.statuses ?? '[]') as LastOutcome[],
    config: JSON.parse(fields.config ?? '{}') as JsonObject,
    maxActive: n('max_active'),
    priority: n('priority'),
    version: n('version'),
    total: n('total'),
    position: n('position'),
    requested: n('requested'),
    passed: n('passed'),
    active,
    succeeded: n('n_SUCCESS'),
    failed: n('n_FAILURE'),
    canceled: n('n_CANCELED'),
    by: fields.by ?? '',
    createdAt: new Date(n('created')),
    endedAt: fields.ended === undefined ? undefined : new Date(n('ended')),
  };
}

/** Who changes a backfill, why, and on top of which version of it. */
export interface BackfillWord {
  readonly by: string;
  readonly reason?: string | undefined;
  /** That must be current. */
  readonly ifVersion?: number | undefined;
}

/** A backfill as a change left it, and what of it was changed as it was before. */
export interface ChangedBackfill<Before> {
  readonly before: Before;
  readonly now: Backfill;
}

type SwitchedBackfill = ChangedBackfill<{ readonly status: BackfillStatus }>;

/** @throws NotFoundError, ConflictError when the version is another by now; the same for all that change one */
async function switchBackfill(
  engine: Engine,
  id: string,
  to: 'IN_PROGRESS' | 'PAUSED' | 'CANCELED',
  { by, reason = '', ifVersion }: BackfillWord,
): Promise<{ readonly before: { readonly status: BackfillStatus }; readonly active: readonly string[] }> {
  const reply = await engine.script('switch-backfill', id, to, by, reason, ifVersion ?? '');
  if (reply === null) throw new NotFoundError(`No backfill has the id ${id.slice(0, 60)}.`);
  const [isDone, version, status, , active] = reply as [number, number, BackfillStatus, BackfillStatus, string[]];
  if (isDone === 0) throw movedOn(`The backfill ${id}`, version, ifVersion);
  engine.dispatcher.kick();
  return { before: { status }, active };
}

export async function pauseBackfill(engine: Engine, id: string, word: BackfillWord): Promise<SwitchedBackfill> {
  const { before } = await switchBackfill(engine, id, 'PAUSED', word);
  return { before, now: await readBackfill(engine, id) };
}

export async function resumeBackfill(engine: Engine, id: string, word: BackfillWord): Promise<SwitchedBackfill> {
  const { before } = await switchBackfill(engine, id, 'IN_PROGRESS', word);
  return { before, now: await readBackfill(engine, id) };
}

/** No more runs are asked for; queued ones are cancelled, and those that run too unless told otherwise. */
export async function cancelBackfill(
  engine: Engine,
  id: string,
  word: BackfillWord & { readonly running?: boolean | undefined },
): Promise<SwitchedBackfill> {
  const { running = true, by } = word;
  const { before, active } = await switchBackfill(engine, id, 'CANCELED', word);
  const cancelOne = async (run: string) => {
    const status = await engine.redis.hget(engine.keys.run(run), 'status');
    if (running || status === 'QUEUED') await cancelRun(engine, run, by);
  };
  // Side by side: one after the other, those of a backfill with thousands at once would outlast who asks.
  for (let at = 0; at < active.length; at += CANCELLED_AT_ONCE)
    await Promise.all(active.slice(at, at + CANCELLED_AT_ONCE).map(cancelOne));
  return { before, now: await readBackfill(engine, id) };
}

export interface BackfillLimits {
  readonly maxActive: number;
  readonly priority: number;
}

/** Takes effect at the next expansion. */
export async function changeBackfill(
  engine: Engine,
  id: string,
  { maxActive, priority }: Partial<BackfillLimits>,
  { by, ifVersion }: BackfillWord,
): Promise<ChangedBackfill<BackfillLimits>> {
  const reply = await engine.script('change-backfill', id, maxActive ?? '', priority ?? '', by, ifVersion ?? '');
  if (reply === null) throw new NotFoundError(`No backfill has the id ${id.slice(0, 60)}.`);
  const [isDone, version, most, rank] = reply as [number, number, number, number];
  if (isDone === 0) throw movedOn(`The backfill ${id}`, version, ifVersion);
  engine.dispatcher.kick();
  return { before: { maxActive: most, priority: rank }, now: await readBackfill(engine, id) };
}

/** A new backfill over the same rectangle, for the partitions that failed or were never made. */
export async function retryBackfill(
  engine: Engine,
  id: string,
  options: { readonly statuses: readonly LastOutcome[] },
  by: string,
): Promise<{ readonly id: string; readonly total: number }> {
  const old = await readBackfill(engine, id);
  const asset = lookUp('job', engine.deployment.jobs, old.job).assets[0];
  if (!asset) throw new NotFoundError(`Job ${old.job} has no assets.`);
  const timed = asset.partitions.columns.kind === 'time';
  return createBackfill(
    engine,
    {
      job: old.job,
      statuses: options.statuses,
      config: old.config,
      maxActive: old.maxActive,
      order: old.range.order,
      tags: { retry_of: id },
      ...(asset.partitions.kind === 'time_window' ? {} : { ids: old.range.rows }),
      ...(timed
        ? { from: asset.partitions.columns.label(old.range.from), to: asset.partitions.columns.label(old.range.to) }
        : {}),
    },
    by,
  );
}
