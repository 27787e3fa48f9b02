/** Mark and forget: a person's say about the last outcome of idle partitions. What is queued or running is left alone. */

import type { Asset } from '../definitions/asset.ts';
import type { LastOutcome } from '../definitions/sensor.ts';
import type { Engine } from './engine.ts';

export type Mark = Exclude<LastOutcome, 'failed'>;

export interface MarkResult {
  readonly changed: number;
  readonly busy: number;
}

/** Single partitions, and every partition of some rows. A preview counts what would change, and changes nothing. */
export async function markSelection(
  engine: Engine,
  asset: Asset,
  selection: { readonly keys: readonly string[]; readonly rows: readonly string[] },
  as: Mark,
  by: string,
  options: { readonly preview?: boolean } = {},
): Promise<MarkResult> {
  const preview = options.preview === true;
  let { changed, busy } = await markPartitions(engine, asset, selection.keys, as, by, preview);
  for (const row of selection.rows) {
    const whole = await markRow(engine, asset, row, as, by, '', preview);
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
  preview = false,
): Promise<MarkResult> {
  const byRow = new Map<string, number[]>();
  for (const key of keys) {
    const cell = asset.partitions.cell(asset.partitions.parse(key));
    byRow.set(cell.row, [...(byRow.get(cell.row) ?? []), cell.column]);
  }
  const replies = await Promise.all(
    [...byRow].map(([row, columns]) => markRow(engine, asset, row, as, by, JSON.stringify(columns), preview)),
  );
  return replies.reduce((sum, one) => ({ changed: sum.changed + one.changed, busy: sum.busy + one.busy }), {
    changed: 0,
    busy: 0,
  });
}

/** Every partition of one row, such as all days of a team. */
export function markWholeRow(engine: Engine, asset: Asset, row: string, as: Mark, by: string): Promise<MarkResult> {
  return markRow(engine, asset, row, as, by, '', false);
}

async function markRow(
  engine: Engine,
  asset: Asset,
  row: string,
  as: Mark,
  by: string,
  columns: string,
  preview: boolean,
): Promise<MarkResult> {
  const reply = await engine.script('mark', asset.key, row, as, by, columns, preview ? 1 : 0);
  const [changed = 0, busy = 0] = reply as number[];
  return { changed, busy };
}
