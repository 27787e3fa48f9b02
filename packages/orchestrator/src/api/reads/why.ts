/** Why a run is, and why it is not further: facts from the ledger, and sentences made of them. */

import type { RunDetail } from '../../definitions/client.ts';
import type { Engine } from '../../engine/engine.ts';
import { readPool } from '../../engine/pools.ts';

export interface Why {
  readonly sentences: readonly string[];
  readonly cause: { readonly kind: string; readonly name: string; readonly tick: string | null };
  readonly blocked: string | null;
  readonly waits_for_run: string | null;
  readonly pool: {
    readonly name: string;
    readonly limit: number;
    readonly used: number;
    /** Why the limit is what it is. */
    readonly reason: string;
  } | null;
  readonly place: { readonly ahead_in_lane: number; readonly lanes: number } | null;
  readonly units: Readonly<Record<string, number>>;
  readonly workers: number;
}

/** A worker that has not been heard of for this long counts as gone. */
const WORKER_ALIVE_MS = 10_000;
const MAX_UNITS = 2_000;
/** Where what a lost worker was at waits, whatever its own lane; as in lua/include/queue.lua. */
const LOST_LANE = '';

export async function whyRun(engine: Engine, run: RunDetail): Promise<Why> {
  const cause = parseCause(run.cause);
  const ended = run.endedAt !== undefined;
  const units = ended ? [] : await readUnits(engine, run.id);
  const queued = units.find((unit) => unit.state === 'QUEUED');
  const [pool, place, workers, tickReason, leaseReason, runKey] = await Promise.all([
    poolOf(engine, (queued ?? units[0])?.pool ?? ''),
    queued === undefined ? null : placeOf(engine, queued),
    engine.redis.zcount(engine.keys.workers, Date.now() - WORKER_ALIVE_MS, '+inf'),
    cause.tick === null ? null : tickSentence(engine, cause.tick),
    leaseSentence(engine, units),
    engine.redis.hget(engine.keys.run(run.id), 'run_key'),
  ]);
  const states: Record<string, number> = {};
  for (const unit of units) states[unit.state] = (states[unit.state] ?? 0) + 1;
  const blocked = run.blocked ?? units.find((unit) => unit.blocked !== '' && unit.state === 'HELD')?.blocked ?? null;
  const facts: Omit<Why, 'sentences'> = {
    cause,
    blocked,
    waits_for_run: blocked === null ? null : (/run (\w+)$/.exec(blocked)?.[1] ?? null),
    pool,
    place,
    units: states,
    workers,
  };
  const keyReason = runKey === null ? null : `Nothing was launched before with its run key “${runKey.slice(0, 200)}”.`;
  const told = [tickReason, keyReason, leaseReason].filter((one) => one !== null);
  return { sentences: sentencesOf(run, facts, told), ...facts };
}

interface Unit {
  readonly id: string;
  readonly state: string;
  readonly pool: string;
  readonly prio: string;
  readonly lane: string;
  readonly blocked: string;
}

async function readUnits(engine: Engine, runId: string): Promise<Unit[]> {
  const single = (await engine.redis.hget(engine.keys.run(runId), 'single')) === '1';
  // A run of one step and one partition has one unit, whose name follows from the run's.
  const ids = single
    ? [`${runId}.0.m`]
    : (await engine.redis.smembers(engine.keys.runUnits(runId))).slice(0, MAX_UNITS);
  const pipeline = engine.redis.pipeline();
  for (const id of ids) pipeline.hmget(engine.keys.unit(id), 'state', 'pool', 'prio', 'lane', 'blocked');
  const replies = ids.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return ids.map((id, i) => {
    const [state, pool, prio, lane, blocked] = (replies[i]?.[1] ?? []) as (string | null)[];
    return { id, state: state ?? '', pool: pool ?? '', prio: prio ?? '0', lane: lane ?? '', blocked: blocked ?? '' };
  });
}

async function poolOf(engine: Engine, name: string): Promise<Why['pool']> {
  if (name === '') return null;
  const { limit, used, reason } = await readPool(engine, name);
  return { name, limit, used, reason };
}

async function placeOf(engine: Engine, unit: Unit): Promise<Why['place']> {
  const ring = `${engine.keys.prefix}:q:${unit.pool}:${unit.prio}`;
  const [own, lost, lanes] = await Promise.all([
    engine.redis.lpos(`${ring}:lane:${unit.lane}`, unit.id),
    engine.redis.lpos(`${ring}:lane:${LOST_LANE}`, unit.id),
    engine.redis.llen(ring),
  ]);
  const ahead = own ?? lost;
  return ahead === null ? null : { ahead_in_lane: ahead, lanes };
}

/** `sensor:NAME:TICK`, `schedule:NAME:TIME`, `api:NAME`, `cli:NAME`, `backfill:ID`, `retry:ID`. */
function parseCause(text: string): Why['cause'] {
  const [kind = '', name = '', ...rest] = text.split(':');
  return { kind, name, tick: kind === 'sensor' && rest.length > 0 ? rest.join(':') : null };
}

async function tickSentence(engine: Engine, tick: string): Promise<string | null> {
  const [started, requested, suppressed, version] = await engine.redis.hmget(
    engine.keys.tick(tick),
    'started',
    'requested',
    'suppressed',
    'cursor_version',
  );
  if (!started) return null;
  const also = Number(suppressed ?? 0) > 0 ? ` and suppressed ${suppressed} that were asked for before` : '';
  const cursor = version === null ? '' : `, on version ${version} of the cursor,`;
  return `Its tick of ${instant(started)}${cursor} requested ${requested ?? '0'} runs${also}.`;
}

/** Of the first unit that is under way. */
async function leaseSentence({ redis, keys }: Engine, units: readonly Unit[]): Promise<string | null> {
  const running = units.find(({ state }) => state === 'RUNNING');
  if (!running) return null;
  const [attempt, worker, began] = await redis.hmget(keys.unit(running.id), 'attempt', 'worker', 'began');
  const ends = await redis.zscore(keys.leases, `${running.id}.${attempt ?? ''}`);
  if (!began || ends === null) return null;
  return `Attempt ${attempt} has been under way on the worker ${worker} since ${instant(began)}; its lease ends at ${instant(ends)} unless it is renewed.`;
}

function instant(ms: string): string {
  return new Date(Number(ms)).toISOString();
}

const CAUSES: Readonly<Record<string, (name: string) => string>> = {
  sensor: (name) => `The sensor ${name} asked for this run.`,
  schedule: (name) => `The schedule ${name} asked for this run.`,
  backfill: (name) => `It is part of the backfill ${name}.`,
  retry: (name) => `It repeats the run ${name}.`,
  api: (name) => `${name} launched it through the dashboard or the API.`,
  cli: (name) => `${name} launched it from the command line.`,
};

function sentencesOf(run: RunDetail, facts: Omit<Why, 'sentences'>, told: readonly string[]): string[] {
  const sentences = [CAUSES[facts.cause.kind]?.(facts.cause.name) ?? `It was launched by ${run.cause}.`];
  sentences.push(...told);
  if (facts.blocked !== null) sentences.push(`It waits: ${facts.blocked}.`);
  if (run.status === 'QUEUED' || run.status === 'STARTING') {
    if (facts.workers === 0) sentences.push('No worker is alive: start one with “skein worker”.');
    if (facts.pool !== null && facts.pool.used >= facts.pool.limit)
      sentences.push(
        `The pool ${facts.pool.name} is full: ${facts.pool.used} of ${facts.pool.limit} slots are taken` +
          `${facts.pool.reason === '' ? '' : ` (its limit: ${facts.pool.reason})`}.`,
      );
    if (facts.place !== null)
      sentences.push(
        `${facts.place.ahead_in_lane} units are before it in its lane, and ${facts.place.lanes} lanes take turns.`,
      );
  }
  if (run.error !== undefined) sentences.push(`It failed: ${run.error.message}`);
  else if (run.status === 'FAILURE')
    sentences.push(`${run.counts.failed} of ${run.counts.total} partitions failed (${run.endReason ?? 'unknown'}).`);
  if (run.status === 'SUCCESS')
    sentences.push(`${run.counts.materialized} partitions were materialized, ${run.counts.skipped} skipped.`);
  return sentences;
}
