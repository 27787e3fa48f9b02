/**
 * Preview of ticks ahead, without side effects, on a virtual clock: each tick sees the cursor and the requests of the
 * virtual ticks before it, whose partitions count as materialized by then. It runs the sensor's real code.
 */

import type { Asset } from '../definitions/asset.ts';
import type { Logger } from '../definitions/context.ts';
import type { Json } from '../definitions/json.ts';
import type { PartitionReader, RunRequest, Sensor } from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';
import { createPartitionReader } from './partition-reader.ts';
import { createRunReader } from './run-reader.ts';
import { planSubmit } from './submit.ts';
import { suppressedBy } from './suppressed-by.ts';
import { readCursor, requestsOf, withTimeout, writeCursor } from './tick.ts';

interface PreviewRequest {
  readonly partitions: readonly string[];
  readonly config: Json;
  readonly tags: Readonly<Record<string, string>>;
  readonly run_key: string | null;
  /** What had this key before, so that nothing would be launched: a run, or an earlier tick of this preview (`tick 1`). */
  readonly suppressed_by: string | null;
}

export interface PreviewTick {
  readonly at: string;
  readonly requests: readonly PreviewRequest[];
  readonly skip_reason: string | null;
  readonly cursor_before: Json;
  readonly cursor_after: Json;
}

export interface PreviewOptions {
  readonly ticks: number;
  /** Default: the stored one. */
  readonly cursor?: Json;
  /** As after a reset or a restore: run keys of before suppress nothing. */
  readonly asReset?: boolean;
  readonly now?: Date;
  readonly openResources: (map: Sensor['resources']) => Promise<unknown>;
  readonly log: Logger;
}

/** @throws ConfigInvalidError when the cursor is not valid; whatever the sensor's code throws */
export async function previewTicks(engine: Engine, sensor: Sensor, options: PreviewOptions): Promise<PreviewTick[]> {
  const [asset] = sensor.job.assets;
  if (!asset) return [];
  const stored = await engine.redis.hmget(engine.keys.sensor(sensor.name), 'cursor', 'generation');
  let cursor = options.cursor ?? (JSON.parse(stored[0] ?? '{}') as Json);
  const generation = Number(stored[1] ?? 1) + (options.asReset === true ? 1 : 0);
  const made = new Set<string>();
  const partitions = overlay(createPartitionReader(engine, asset), asset.key, made);
  const resources = await options.openResources(sensor.resources);
  const start = (options.now ?? new Date()).getTime();
  const ticks: Draft[] = [];
  for (let i = 0; i < options.ticks; i++) {
    const now = new Date(start + i * sensor.everyMs);
    const before = cursor;
    const parsed = readCursor(sensor, before);
    const result = await withTimeout(sensor, (signal, budget) =>
      sensor.evaluate({
        cursor: parsed,
        now,
        partitions,
        runs: createRunReader(engine),
        resources,
        log: options.log,
        signal,
        budget,
      }),
    );
    const requests = requestsOf(result).map((request) => describeRequest(engine, sensor, request, now, generation));
    if (result.cursor !== undefined) cursor = JSON.parse(writeCursor(sensor, result.cursor)) as Json;
    for (const request of requests) for (const key of request.partitions) made.add(key);
    ticks.push({
      at: now.toISOString(),
      requests,
      skip_reason: result.kind === 'skip' ? result.reason : null,
      cursor_before: before,
      cursor_after: cursor,
    });
  }
  return withSuppressed(engine, sensor, asset, ticks);
}

type DraftRequest = Omit<PreviewRequest, 'suppressed_by'>;
type Draft = Omit<PreviewTick, 'requests'> & { readonly requests: readonly DraftRequest[] };

async function withSuppressed(engine: Engine, sensor: Sensor, asset: Asset, ticks: Draft[]): Promise<PreviewTick[]> {
  const runs = await suppressedBy(
    engine,
    sensor.name,
    asset,
    ticks.flatMap((tick) => tick.requests),
  );
  const before = new Map<string, string>();
  let at = 0;
  return ticks.map((tick, i) => ({
    ...tick,
    requests: tick.requests.map((request): PreviewRequest => {
      const key = request.run_key;
      const suppressed_by = runs[at++] ?? (key === null ? null : (before.get(key) ?? null));
      if (key !== null && suppressed_by === null) before.set(key, `tick ${i + 1}`);
      return { ...request, suppressed_by };
    }),
  }));
}

function describeRequest(
  engine: Engine,
  sensor: Sensor,
  request: RunRequest,
  now: Date,
  generation: number,
): DraftRequest {
  const spec = planSubmit(engine, { job: sensor.job.name, cause: 'preview', ...request }, now, {
    scope: sensor.name,
    generation,
  });
  return {
    partitions: spec.parts.map(([key]) => key),
    config: JSON.parse(spec.config) as Json,
    tags: JSON.parse(spec.tags) as Record<string, string>,
    run_key: spec.run_key ?? spec.auto_key ?? null,
  };
}

/** The ledger as it would be had the virtual runs succeeded. */
function overlay(reader: PartitionReader, defaultAsset: string, made: ReadonlySet<string>): PartitionReader {
  return {
    async status(keys, asset) {
      const real = new Map(await reader.status(keys, asset));
      if ((asset ?? defaultAsset) !== defaultAsset) return real;
      for (const key of keys) if (made.has(key)) real.set(key, { outcome: 'materialized', activity: 'idle' });
      return real;
    },
    lastRuns: (keys, asset) => reader.lastRuns(keys, asset),
  };
}
