/** Partition states and last runs out of the packed ledger, for sensors, commands and routes. */

import type { Asset } from '../definitions/asset.ts';
import { lookUp } from '../definitions/deployment.ts';
import type {
  Activity,
  LastOutcome,
  LastRun,
  PartitionReader,
  PartitionStatus,
  RunStatus,
} from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';

const OUTCOMES: readonly LastOutcome[] = ['missing', 'materialized', 'failed', 'skipped'];
const ACTIVITIES: readonly Activity[] = ['idle', 'queued', 'running', 'cancelling'];

/** What one nibble says. */
export function decodeState(nibble: number): PartitionStatus {
  return { outcome: OUTCOMES[nibble >> 2] ?? 'missing', activity: ACTIVITIES[nibble & 3] ?? 'idle' };
}

/** @throws PartitionKeyInvalidError */
export async function readStatuses(
  engine: Engine,
  asset: Asset,
  keys: readonly string[],
): Promise<Map<string, PartitionStatus>> {
  const pipeline = engine.redis.pipeline();
  for (const key of keys) {
    const cell = asset.partitions.cell(asset.partitions.parse(key));
    pipeline.call('BITFIELD_RO', engine.keys.states(asset.key, cell.row), 'GET', 'u4', `#${cell.column}`);
  }
  const replies = keys.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return new Map(
    keys.map((key, i) => {
      const [error, reply] = replies[i] ?? [];
      if (error) throw error;
      return [key, decodeState((reply as number[] | undefined)?.[0] ?? 0)];
    }),
  );
}

/** Only keys that ever ran are in the answer. An active partition's run is the one that holds it. */
export async function readLastRuns(
  engine: Engine,
  asset: Asset,
  keys: readonly string[],
): Promise<Map<string, LastRun>> {
  const pipeline = engine.redis.pipeline();
  for (const key of keys) {
    const cell = asset.partitions.cell(asset.partitions.parse(key));
    pipeline.hget(engine.keys.last(asset.key, cell.row), String(cell.column));
    pipeline.hget(engine.keys.holders(asset.key), key);
  }
  const replies = keys.length === 0 ? [] : ((await pipeline.exec()) ?? []).map(([, reply]) => reply as string | null);
  const last = new Map<string, LastRun>();
  const active: { key: string; runId: string; failures: number }[] = [];
  keys.forEach((key, i) => {
    const record = replies[2 * i]?.split('|');
    const holder = replies[2 * i + 1];
    const failures = Number(record?.[3] ?? 0);
    if (holder) active.push({ key, runId: holder, failures });
    else if (record && record[1] !== 'FORGOTTEN') {
      const [runId = '', status = 'FAILURE', endedAt = '0'] = record;
      last.set(key, { runId, status: status as RunStatus, endedAt: new Date(Number(endedAt)), failures });
    }
  });
  const statuses = await Promise.all(active.map(({ runId }) => engine.redis.hget(engine.keys.run(runId), 'status')));
  active.forEach(({ key, runId, failures }, i) => {
    last.set(key, { runId, status: (statuses[i] ?? 'QUEUED') as RunStatus, endedAt: undefined, failures });
  });
  return last;
}

export function createPartitionReader(engine: Engine, defaultAsset: Asset): PartitionReader {
  const assetOf = (key: string | undefined) =>
    key === undefined ? defaultAsset : lookUp('asset', engine.deployment.assets, key);
  return {
    status: (keys, asset) => readStatuses(engine, assetOf(asset), keys),
    lastRuns: (keys, asset) => readLastRuns(engine, assetOf(asset), keys),
  };
}
