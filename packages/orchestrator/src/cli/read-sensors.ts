/** Sensors and schedules as the ledger has them: switch, cursor, ticks. */

import type { Json } from '../definitions/json.ts';
import type { SensorStatus } from '../definitions/sensor.ts';
import type { Engine } from '../engine/engine.ts';

export interface SensorState {
  readonly name: string;
  readonly status: SensorStatus;
  readonly statusBy: string;
  readonly statusAt: Date | undefined;
  readonly cursor: Json;
  readonly version: number;
  readonly generation: number;
  /** Ticks in a row that failed. */
  readonly errorStreak: number;
  readonly lastDecision: string | undefined;
  readonly lastReason: string;
  readonly lastTickAt: Date | undefined;
  readonly nextTickAt: Date | undefined;
}

export interface TickRecord {
  readonly id: string;
  readonly status: 'STARTED' | 'SUCCESS' | 'SKIPPED' | 'FAILURE';
  readonly decision: string | null;
  readonly reason: string;
  readonly trigger: string;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly runs: readonly string[];
  readonly suppressed: number;
  readonly cursorBefore: Json;
  readonly cursorAfter: Json;
}

export async function readSensors(engine: Engine, names: readonly string[]): Promise<SensorState[]> {
  const pipeline = engine.redis.pipeline();
  for (const name of names) {
    pipeline.hgetall(engine.keys.sensor(name));
    pipeline.zscore(engine.keys.due, name);
  }
  const replies = names.length === 0 ? [] : ((await pipeline.exec()) ?? []).map(([, reply]) => reply);
  return names.map((name, i) =>
    toState(name, replies[2 * i] as Record<string, string>, replies[2 * i + 1] as string | null),
  );
}

function toState(name: string, f: Record<string, string | undefined>, due: string | null): SensorState {
  const status = f.status === 'RUNNING' ? 'RUNNING' : 'STOPPED';
  return {
    name,
    status,
    statusBy: f.status_by ?? '',
    statusAt: dateOf(f.status_at),
    cursor: jsonOf(f.cursor),
    version: Number(f.version ?? 1),
    generation: Number(f.generation ?? 1),
    errorStreak: Number(f.error_streak ?? 0),
    lastDecision: f.last_decision,
    lastReason: f.last_reason ?? '',
    lastTickAt: dateOf(f.last_ended),
    nextTickAt: status === 'RUNNING' ? dateOf(due ?? undefined) : undefined,
  };
}

/** Newest first. */
export async function readTicks(engine: Engine, name: string, limit: number): Promise<TickRecord[]> {
  const ids = await engine.redis.zrevrange(engine.keys.ticks(name), 0, limit - 1);
  const ticks = await Promise.all(ids.map((id) => readTick(engine, id)));
  return ticks.filter((tick) => tick !== undefined);
}

export async function readTick(engine: Engine, id: string): Promise<TickRecord | undefined> {
  const f: Record<string, string | undefined> = await engine.redis.hgetall(engine.keys.tick(id));
  if (f.status === undefined) return undefined;
  const before = jsonOf(f.cursor_before);
  return {
    id,
    status: f.status as TickRecord['status'],
    decision: f.decision ?? null,
    reason: f.reason ?? '',
    trigger: f.trigger ?? '',
    startedAt: dateOf(f.started),
    endedAt: dateOf(f.ended),
    runs: JSON.parse(f.runs ?? '[]') as string[],
    suppressed: Number(f.suppressed ?? 0),
    cursorBefore: before,
    cursorAfter: f.cursor_after === undefined ? before : jsonOf(f.cursor_after),
  };
}

const dateOf = (text: string | undefined) => (text === undefined ? undefined : new Date(Number(text)));
const jsonOf = (text: string | undefined) => JSON.parse(text ?? '{}') as Json;
