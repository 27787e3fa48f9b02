/** Ticks a sensor in a test, with a virtual clock and partition states that the test gives: no server, no Redis. */

import { parseBySchema } from '../definitions/config.ts';
import type { Logger } from '../definitions/context.ts';
import type { Json } from '../definitions/json.ts';
import type {
  LastRun,
  PartitionReader,
  PartitionStatus,
  RunReader,
  RunRequest,
  Sensor,
} from '../definitions/sensor.ts';

export interface TickOptions {
  /** Stored cursor; default the initial one. */
  readonly cursor?: Json;
  readonly now: string | Date;
  readonly resources: Readonly<Record<string, unknown>>;
  /** States by partition key; others are missing and idle. */
  readonly states?: ReadonlyMap<string, PartitionStatus>;
  readonly lastRuns?: ReadonlyMap<string, LastRun>;
  readonly activeRuns?: number;
  readonly endedRuns?: { readonly succeeded: number; readonly failed: number };
  readonly budgetMs?: number;
}

export interface TickOutcome {
  readonly requests: readonly RunRequest[];
  readonly skipReason: string | undefined;
  /** The cursor after the tick, as it would be stored. */
  readonly cursor: unknown;
  /** Of its source, where it tells it. */
  readonly lag: number | undefined;
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** @throws ConfigInvalidError when the cursor before or after does not fit the schema */
export async function tickSensor(sensor: Sensor, options: TickOptions): Promise<TickOutcome> {
  const given = options.cursor ?? {};
  const stored = sensor.migrate === undefined ? given : sensor.migrate(given);
  const cursor = parseBySchema(sensor.cursor, stored, `cursor of ${sensor.name}`);
  const partitions: PartitionReader = {
    status: async (keys) =>
      new Map(keys.map((key) => [key, options.states?.get(key) ?? { outcome: 'missing', activity: 'idle' }])),
    lastRuns: async (keys) =>
      new Map(
        keys.flatMap((key) => {
          const last = options.lastRuns?.get(key);
          return last ? [[key, last] as const] : [];
        }),
      ),
  };
  const runs: RunReader = {
    countActive: async () => options.activeRuns ?? 0,
    countEnded: async () => options.endedRuns ?? { succeeded: 0, failed: 0 },
  };
  const result = await sensor.evaluate({
    cursor,
    now: new Date(options.now),
    partitions,
    runs,
    resources: options.resources,
    log: SILENT,
    signal: new AbortController().signal,
    budget: { remainingMs: () => options.budgetMs ?? sensor.timeoutMs },
  });
  const next =
    result.cursor === undefined ? cursor : parseBySchema(sensor.cursor, result.cursor, `new cursor of ${sensor.name}`);
  return {
    requests: result.kind === 'request' ? result.requests : [],
    skipReason: result.kind === 'skip' ? result.reason : undefined,
    cursor: next,
    lag: result.lag,
  };
}
