/** Mark and forget: a person's say about the last outcome of idle partitions. What is queued or running is left alone. */

import type { Asset } from '../definitions/asset.ts';
import type { LastOutcome } from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';

export type Mark = Exclude<LastOutcome, 'failed'>;

export interface MarkResult {
  readonly changed: number;
  readonly busy: number;
}

/** Single partitions, and every partition of some rows. */
export async function markSelection(
  engine: Engine,
  asset: Asset,
  selection: { readonly keys: readonly string[]; readonly rows: readonly string[] },
  as: Mark,
  by: string,
): Promise<MarkResult> {
  let { changed, busy } = await markPartitions(engine, asset, selection.keys, as, by);
  for (const row of selection.rows) {
    const whole = await markWholeRow(engine, asset, row, as, by);
    changed += whole.changed;
    busy += whole.busy;
  }
  return { changed, busy };
}

/** `missing` forgets: state and last run. */
export async function markPartitions(
  engine: Engine,
  asset: Asset,
  keys: readonly string[],
  as: Mark,
  by: string,
): Promise<MarkResult> {
  const byRow = new Map<string, number[]>();
  for (const key of keys) {
    const cell = asset.partitions.cell(asset.partitions.parse(key));
    byRow.set(cell.row, [...(byRow.get(cell.row) ?? []), cell.column]);
  }
  const replies = await Promise.all(
    [...byRow].map(([row, columns]) => markRow(engine, asset, row, as, by, JSON.stringify(columns))),
  );
  return replies.reduce((sum, one) => ({ changed: sum.changed + one.changed, busy: sum.busy + one.busy }), {
    changed: 0,
    busy: 0,
  });
}

/** Every partition of one row, such as all days of a team. */
export function markWholeRow(engine: Engine, asset: Asset, row: string, as: Mark, by: string): Promise<MarkResult> {
  return markRow(engine, asset, row, as, by, '');
}

async function markRow(
  engine: Engine,
  asset: Asset,
  row: string,
  as: Mark,
  by: string,
  columns: string,
): Promise<MarkResult> {
  const [changed = 0, busy = 0] = (await engine.script('mark', asset.key, row, as, by, columns)) as number[];
  return { changed, busy };
}
