/**
 * Watches the partitions of all parts until none is left to make. Sensors tick by their own timers; where one has
 * nothing under way it is asked for its next tick at once, so that a demo does not wait for a minute to pass.
 */

import { type Engine, countPartitions, openTick } from '@skein/orchestrator/runtime';

import type { Company } from './company.ts';
import type { DemoPart } from './part.ts';
import type { Progress } from './progress.ts';

export interface Shown {
  readonly part: DemoPart;
  readonly keys: readonly string[];
}

export interface Made {
  readonly materialized: number;
  readonly failed: number;
}

const LOOK_MS = 300;
/** A part that makes no progress for this long will not make any. */
const STUCK_MS = 180_000;

export async function watch(company: Company, shown: readonly Shown[], progress: Progress): Promise<readonly Made[]> {
  const { engine } = company;
  let before = '';
  let moved = performance.now();
  for (;;) {
    const counts = await Promise.all(shown.map(({ part, keys }) => countPartitions(engine, part.asset, keys)));
    progress.bars(
      shown.map(({ part, keys }, i) => ({
        name: part.asset,
        done: (counts[i]?.materialized ?? 0) + (counts[i]?.skipped ?? 0),
        failed: counts[i]?.failed ?? 0,
        total: keys.length,
      })),
    );
    const open = counts.reduce((n, c) => n + c.missing + c.active, 0);
    const now = JSON.stringify(counts);
    if (now !== before) moved = performance.now();
    before = now;
    if (open === 0 || performance.now() - moved > STUCK_MS) {
      progress.end();
      return counts.map((c) => ({ materialized: c.materialized, failed: c.failed }));
    }
    await Promise.all([...company.sensors].map((sensor) => tickWhenIdle(engine, sensor)));
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function tickWhenIdle(engine: Engine, name: string): Promise<void> {
  const sensor = engine.deployment.sensors.get(name);
  if (!sensor) return;
  const [queued, decision] = await Promise.all([
    engine.redis.scard(engine.keys.openRuns(sensor.job.name)),
    engine.redis.hget(engine.keys.sensor(name), 'last_decision'),
  ]);
  if (queued < 10 && (decision === 'requested' || decision === 'acted')) await openTick(engine, name, 'person:demo');
}
