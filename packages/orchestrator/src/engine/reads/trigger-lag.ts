/** How late ticks are, in intervals of their sensor, and which cursors stand while their source grows. By Redis's clock. */

import type { Engine } from '../engine.ts';

export interface LateTick {
  readonly name: string;
  readonly lagMs: number;
  readonly intervals: number;
}

/** Of the most overdue; one of them is enough to be told. */
const LOOKED_AT = 1_000;

/** Switched on and overdue, the latest first. A tick is late until it is begun, and by one that goes on past the next. */
export async function readLateTicks({ redis, keys }: Engine): Promise<LateTick[]> {
  const now = await redisNow(redis);
  const [due, names] = await Promise.all([
    redis.zrangebyscore(keys.due, '-inf', now, 'WITHSCORES', 'LIMIT', 0, LOOKED_AT),
    redis.zrange(keys.openTicks, 0, String(LOOKED_AT - 1)),
  ]);
  const overdue = new Map<string, number>();
  for (let i = 0; i < due.length; i += 2) overdue.set(due[i] ?? '', now - Number(due[i + 1]));
  const both = [...new Set([...overdue.keys(), ...names])];
  const sensors = await readFields(
    redis,
    both.map((name) => keys.sensor(name)),
    ['status', 'every', 'tick'],
  );
  const ticks = await readFields(
    redis,
    sensors.map(([, , tick]) => keys.tick(tick ?? '')),
    ['started', 'worker'],
  );
  const late = both.map((name, i): LateTick => {
    const [status, every = '60000'] = sensors[i] ?? [];
    const [started, worker] = ticks[i] ?? [];
    const open = started === undefined ? 0 : now - Number(started) - (worker === undefined ? 0 : Number(every));
    const lagMs = status === 'RUNNING' ? Math.max(0, overdue.get(name) ?? 0, open) : 0;
    return { name, lagMs, intervals: lagMs / Number(every) };
  });
  return late.filter(({ lagMs }) => lagMs > 0).sort((a, b) => b.intervals - a.intervals);
}

export interface SourceLag {
  readonly sensor: string;
  /** As its last tick told, in its own unit. */
  readonly lag: number;
  /** Since the cursor has had this version. */
  readonly grownBy: number;
  /** For how many intervals it has stood while the lag grew; 0 while it does not grow. */
  readonly standsIntervals: number;
}

/** Of the sensors that are switched on and tell their lag. */
export async function readSourceLags({ redis, keys, deployment }: Engine): Promise<SourceLag[]> {
  const [now, told] = await Promise.all([redisNow(redis), redis.hgetall(keys.lags)]);
  const known = Object.keys(told).filter((name) => deployment.sensors.has(name));
  const states = await readFields(
    redis,
    known.map((name) => keys.sensor(name)),
    ['status', 'every'],
  );
  return known.flatMap((sensor, i): SourceLag[] => {
    const [status, every = '60000'] = states[i] ?? [];
    if (status !== 'RUNNING') return [];
    const { lag, from, since } = JSON.parse(told[sensor] ?? '') as { lag: number; from: number; since: number };
    const grownBy = lag - from;
    return [{ sensor, lag, grownBy, standsIntervals: grownBy > 0 ? (now - since) / Number(every) : 0 }];
  });
}

async function redisNow(redis: Engine['redis']): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** Undefined for a field that is not there. */
async function readFields(
  redis: Engine['redis'],
  hashes: readonly string[],
  fields: readonly string[],
): Promise<(string | undefined)[][]> {
  const pipeline = redis.pipeline();
  for (const hash of hashes) pipeline.hmget(hash, ...fields);
  const replies = hashes.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return replies.map(([error, values]) => {
    if (error) throw error;
    return (values as (string | null)[]).map((value) => value ?? undefined);
  });
}
