/** Partitions of an asset as people look at them: counts, rows, states of a rectangle of ids and columns. */

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../engine.ts';

export interface PartitionCounts {
  readonly materialized: number;
  readonly failed: number;
  readonly skipped: number;
  readonly queued: number;
  readonly running: number;
  readonly cancelling: number;
}

export function toCounts(fields: Readonly<Record<string, string | number | undefined>>): PartitionCounts {
  const n = (field: string) => Number(fields[field] ?? 0);
  return {
    materialized: n('o1'),
    failed: n('o2'),
    skipped: n('o3'),
    queued: n('a1'),
    running: n('a2'),
    cancelling: n('a3'),
  };
}

export async function readCounts(engine: Engine, asset: Asset, row?: string): Promise<PartitionCounts> {
  return toCounts(
    await engine.redis.hgetall(
      row === undefined ? engine.keys.counts(asset.key) : engine.keys.rowCounts(asset.key, row),
    ),
  );
}

/** Of several rows together. */
export async function sumCounts(engine: Engine, asset: Asset, rows: readonly string[]): Promise<PartitionCounts> {
  const each = await Promise.all(rows.map((row) => readCounts(engine, asset, row)));
  return each.reduce(
    (sum, one) => ({
      materialized: sum.materialized + one.materialized,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
      queued: sum.queued + one.queued,
      running: sum.running + one.running,
      cancelling: sum.cancelling + one.cancelling,
    }),
    toCounts({}),
  );
}

/** Rows that ever had a state, in text order, after `after`. */
export async function listRows(
  engine: Engine,
  asset: Asset,
  options: { readonly after?: string; readonly limit: number },
): Promise<string[]> {
  return engine.redis.zrangebylex(
    engine.keys.rows(asset.key),
    options.after === undefined ? '-' : `(${options.after}`,
    '+',
    'LIMIT',
    0,
    options.limit,
  );
}

/** One row's packed states from column `from` to `to`, both included, one number 0…15 a cell. */
export async function readRow(
  engine: Engine,
  asset: Asset,
  row: string,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const cells = new Uint8Array(Math.max(0, to - from + 1));
  const bytes = await engine.redis.getrangeBuffer(engine.keys.states(asset.key, row), from >> 1, to >> 1);
  for (let column = from; column <= to; column++) {
    const byte = bytes[(column >> 1) - (from >> 1)] ?? 0;
    cells[column - from] = column % 2 === 0 ? byte >> 4 : byte & 15;
  }
  return cells;
}
