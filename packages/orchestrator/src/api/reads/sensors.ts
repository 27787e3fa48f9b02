/** Sensors and schedules as the ledger has them: switch, cursor, last tick, next due; and their ticks. */

import type { Engine } from '../../engine/engine.ts';
import type { TickLine } from '../../engine/tick-log.ts';
import { isoOf } from '../schema.ts';

export interface SwitchState {
  readonly status: 'RUNNING' | 'STOPPED';
  /** `definition`, or who turned it. */
  readonly status_by: string;
  readonly status_at: string | null;
  /** Of the switch: grows with each word of a person about it. */
  readonly status_version: number;
  readonly cursor: string;
  readonly version: number;
  readonly generation: number;
  readonly running_tick: string | null;
  readonly last_tick: {
    readonly id: string;
    readonly decision: string;
    readonly reason: string;
    readonly ended_at: string | null;
  } | null;
  readonly next_due_at: string | null;
  readonly error_streak: number;
  /** Decisions of the newest ticks, oldest first. */
  readonly recent: readonly string[];
}

/** As `include/sensors.lua` keeps them. */
const DECISIONS: Readonly<Record<string, string>> = {
  r: 'requested',
  u: 'suppressed',
  a: 'acted',
  s: 'skipped',
  f: 'failed',
  t: 'timed_out',
};

export async function readSwitches(engine: Engine, names: readonly string[]): Promise<SwitchState[]> {
  const pipeline = engine.redis.pipeline();
  for (const name of names) {
    pipeline.hgetall(engine.keys.sensor(name));
    pipeline.zscore(engine.keys.due, name);
  }
  const replies = names.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return names.map((_name, i) => {
    const f = (replies[2 * i]?.[1] ?? {}) as Record<string, string>;
    const due = replies[2 * i + 1]?.[1] as string | null;
    const running = f.status === 'RUNNING';
    return {
      status: running ? 'RUNNING' : 'STOPPED',
      status_by: f.status_by ?? 'definition',
      status_at: isoOf(f.status_at),
      status_version: Number(f.status_version ?? 0),
      cursor: f.cursor ?? '{}',
      version: Number(f.version ?? 1),
      generation: Number(f.generation ?? 1),
      running_tick: f.tick ?? null,
      last_tick:
        f.last_tick === undefined
          ? null
          : {
              id: f.last_tick,
              decision: f.last_decision ?? '',
              reason: f.last_reason ?? '',
              ended_at: isoOf(f.last_ended),
            },
      next_due_at: running ? isoOf(due) : null,
      error_streak: Number(f.error_streak ?? 0),
      recent: [...(f.recent ?? '')].map((letter) => DECISIONS[letter] ?? 'skipped'),
    };
  });
}

export interface TickRecord {
  readonly id: string;
  readonly sensor: string;
  readonly status: string;
  readonly decision: string;
  readonly reason: string;
  readonly trigger: string;
  readonly worker: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly duration_ms: number | null;
  readonly requested: number;
  readonly suppressed: number;
  readonly run_ids: readonly string[];
  readonly suppressed_run_ids: readonly string[];
  readonly cursor_before: unknown;
  readonly cursor_after: unknown;
  /** What its code logged. */
  readonly log: readonly TickLine[];
}

export interface TickQuery {
  readonly after?: string | undefined;
  readonly limit: number;
  readonly decision?: string | undefined;
  /** Begun within these moments, ms; both included. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** Newest first, older than the tick `after`. */
export async function listTicks(
  engine: Engine,
  name: string,
  page: TickQuery,
): Promise<{ readonly items: readonly TickRecord[]; readonly next: string | null }> {
  const index = engine.keys.ticks(name);
  const rank = page.after === undefined ? null : await engine.redis.zrevrank(index, page.after);
  // One that is forgotten by now was the oldest: nothing older is left.
  if (page.after !== undefined && rank === null) return { items: [], next: null };
  const { from = '-inf', to = '+inf' } = page;
  const within = await engine.redis.zrevrangebyscore(index, to, from);
  // Of the same millisecond, the later id stands first, as the index has them.
  const ids = page.after === undefined ? within : within.slice(within.indexOf(page.after) + 1);
  const items: TickRecord[] = [];
  for (let at = 0; at < ids.length; at += page.limit) {
    for (const tick of await readTicks(engine, ids.slice(at, at + page.limit))) {
      if (page.decision !== undefined && tick.decision !== page.decision) continue;
      if (items.length === page.limit) return { items, next: items.at(-1)?.id ?? null };
      items.push(tick);
    }
  }
  return { items, next: null };
}

export interface TickMark {
  readonly id: string;
  readonly at: string;
  readonly decision: string;
  /** Null while it is under way. */
  readonly duration_ms: number | null;
  readonly requested: number;
}

/** Of every tick that is kept, oldest first, what a timeline draws. */
export async function readTimeline(engine: Engine, name: string): Promise<TickMark[]> {
  const ids = await engine.redis.zrange(engine.keys.ticks(name), 0, '-1');
  const pipeline = engine.redis.pipeline();
  for (const id of ids) pipeline.hmget(engine.keys.tick(id), 'started', 'ended', 'decision', 'requested');
  const replies = ids.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return ids.flatMap((id, i) => {
    const [started, ended, decision, requested] = replies[i]?.[1] as (string | null)[];
    if (!started) return [];
    return [
      {
        id,
        at: new Date(Number(started)).toISOString(),
        decision: decision ?? 'running',
        duration_ms: ended ? Number(ended) - Number(started) : null,
        requested: Number(requested ?? 0),
      },
    ];
  });
}

export async function readTicks(engine: Engine, ids: readonly string[]): Promise<TickRecord[]> {
  const pipeline = engine.redis.pipeline();
  for (const id of ids) pipeline.hgetall(engine.keys.tick(id));
  const replies = ids.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return ids.flatMap((id, i) => {
    const f = (replies[i]?.[1] ?? {}) as Record<string, string>;
    return f.sensor === undefined ? [] : [toTick(id, f)];
  });
}

function toTick(id: string, f: Record<string, string>): TickRecord {
  const started = Number(f.started ?? 0);
  return {
    id,
    sensor: f.sensor ?? '',
    status: f.status ?? 'STARTED',
    decision: f.decision ?? 'running',
    reason: f.reason ?? '',
    trigger: f.trigger ?? 'timer',
    worker: f.worker ?? null,
    started_at: new Date(started).toISOString(),
    ended_at: isoOf(f.ended),
    duration_ms: f.ended === undefined ? null : Number(f.ended) - started,
    requested: Number(f.requested ?? 0),
    suppressed: Number(f.suppressed ?? 0),
    run_ids: JSON.parse(f.runs ?? '[]') as string[],
    suppressed_run_ids: JSON.parse(f.suppressed_runs ?? '[]') as string[],
    cursor_before: parse(f.cursor_before),
    cursor_after: parse(f.cursor_after),
    log: f.log ? (JSON.parse(f.log) as TickLine[]) : [],
  };
}

const parse = (text: string | undefined): unknown => (text === undefined ? null : (JSON.parse(text) as unknown));
