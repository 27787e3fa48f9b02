/** A ledger in memory for many ticks of duckling sensors: partition states, last runs, and runs in flight. */

import type { Ducklings } from '@skein/jobs';
import type { LastRun, PartitionStatus, RunRequest, Sensor } from '@skein/orchestrator';
import { type TickOutcome, tickSensor } from '@skein/orchestrator/testing';

export interface World {
  /** First day of each team's rows; null: none. */
  firstDays: Record<number, string | null>;
  readonly states: Map<string, PartitionStatus>;
  readonly lastRuns: Map<string, LastRun>;
  readonly launches: string[];
  lookups: number;
  tick(
    sensor: Sensor,
    now: string,
    cursor?: unknown,
    options?: { activeRuns?: number; budgetMs?: number },
  ): Promise<TickOutcome>;
  end(key: string, as: 'materialized' | 'failed' | 'cancelled', at: string): void;
  endAll(as: 'materialized' | 'failed', at: string): void;
}

export function createWorld(firstDays: Record<number, string | null>): World {
  const world: World = {
    firstDays,
    states: new Map(),
    lastRuns: new Map(),
    launches: [],
    lookups: 0,
    async tick(sensor, now, cursor = {}, options = {}) {
      const outcome = await tickSensor(sensor, {
        now,
        cursor: cursor as never,
        states: world.states,
        lastRuns: world.lastRuns,
        resources: { clickhouse: fakeClickHouse(world), ducklings: fakeDucklings(world) },
        activeRuns: options.activeRuns ?? inFlight(world),
        ...(options.budgetMs === undefined ? {} : { budgetMs: options.budgetMs }),
      });
      for (const key of outcome.requests.flatMap((r: RunRequest) => r.partitions ?? [])) {
        world.launches.push(key);
        world.states.set(key, { outcome: world.states.get(key)?.outcome ?? 'missing', activity: 'queued' });
      }
      return outcome;
    },
    end(key, as, at) {
      const failures = as === 'materialized' ? 0 : (world.lastRuns.get(key)?.failures ?? 0) + 1;
      const status = as === 'materialized' ? 'SUCCESS' : as === 'failed' ? 'FAILURE' : 'CANCELED';
      world.lastRuns.set(key, { runId: `run-of-${key}`, status, endedAt: new Date(at), failures });
      world.states.set(key, { outcome: as === 'cancelled' ? 'missing' : as, activity: 'idle' });
    },
    endAll(as, at) {
      for (const [key, state] of world.states) if (state.activity !== 'idle') world.end(key, as, at);
    },
  };
  return world;
}

function inFlight(world: World): number {
  return [...world.states.values()].filter((s) => s.activity !== 'idle').length;
}

function fakeClickHouse(world: World) {
  return {
    rows: async (_sql: string, options: { params: { team_id: number; range_start: string; range_end: string } }) => {
      world.lookups++;
      const first = world.firstDays[options.params.team_id] ?? null;
      const { range_start, range_end } = options.params;
      // As ClickHouse answers: the first row inside of the range.
      if (first === null || `${first} 00` >= range_end) return [];
      return [{ day: first < range_start.slice(0, 10) ? range_start.slice(0, 10) : first }];
    },
  };
}

function fakeDucklings(
  world: World,
): Pick<Ducklings, 'earliestDay'> & { catalog: { list(): Promise<{ team_id: number }[]> } } {
  return {
    earliestDay: '2015-01-01',
    catalog: { list: async () => Object.keys(world.firstDays).map((id) => ({ team_id: Number(id) })) },
  };
}
