/**
 * Whether what a rectangle of partitions is made from is there: row by row beside it, for upstream assets whose
 * partitions are the same by key. Others (all of an asset, windows of time) are looked at when a partition is launched.
 */

import type { Asset } from '../definitions/asset.ts';
import { type BackfillRange, keyAt } from './backfill-plan.ts';
import type { Engine } from './engine.ts';
import { decodeState } from './partition-reader.ts';
import { readRow } from './reads/partitions.ts';

export interface UpstreamRows {
  readonly key: string;
  /** For each column of the range, whether the upstream partition is made; empty where it has no such row. */
  rowOf(row: string, range: BackfillRange): Promise<readonly boolean[]>;
}

/** @param made by the same job, so that they need not be there before */
export function upstreamOf(engine: Engine, asset: Asset, made: readonly Asset[]): readonly UpstreamRows[] {
  return asset.dependsOn.flatMap(({ asset: key, mapping }): UpstreamRows[] => {
    const upstream = engine.deployment.assets.get(key);
    if (upstream === undefined || mapping !== 'identity' || made.some((one) => one.key === key)) return [];
    return [{ key, rowOf: (row, range) => rowOf(engine, asset, upstream, row, range) }];
  });
}

async function rowOf(
  engine: Engine,
  asset: Asset,
  upstream: Asset,
  row: string,
  range: BackfillRange,
): Promise<readonly boolean[]> {
  const one = { ...range, rows: [row], order: 'oldest' as const };
  const [first, last] = [keyAt(asset, one, 0), keyAt(asset, one, range.to - range.from)];
  try {
    const [from, to] = [first, last].map((key) => upstream.partitions.cell(upstream.partitions.parse(key ?? '')));
    if (from === undefined || to === undefined || to.column - from.column !== range.to - range.from) return [];
    const nibbles = await readRow(engine, upstream, from.row, from.column, to.column);
    return [...nibbles].map((nibble) => decodeState(nibble).outcome === 'materialized');
  } catch {
    return []; // keys that the upstream asset does not have
  }
}
