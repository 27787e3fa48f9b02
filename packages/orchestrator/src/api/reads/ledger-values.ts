/** Numbers of partitions that the ledger of last runs alone answers, a command a row: how late, how old, how often. */

import type { Asset } from '../../definitions/asset.ts';
import type { Engine } from '../../engine/engine.ts';
import { madeOf } from '../../engine/reads/staleness.ts';

const LEDGER_VALUES = ['lag_ms', 'age_ms', 'tries'] as const;
export type LedgerValue = (typeof LEDGER_VALUES)[number];

export const isLedgerValue = (name: string): name is LedgerValue => (LEDGER_VALUES as readonly string[]).includes(name);

interface Window {
  readonly rows: readonly string[];
  /** Columns, both included. */
  readonly from: number;
  readonly to: number;
}

/**
 * @param now ms
 * @returns index of the row, column, value; cells that have none are left out
 */
export async function readLedgerValues(
  engine: Engine,
  asset: Asset,
  { rows, from, to }: Window,
  of: LedgerValue,
  now: number,
): Promise<[number, number, number][]> {
  const columns = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const pipeline = engine.redis.pipeline();
  for (const row of rows) pipeline.hmget(engine.keys.last(asset.key, row), ...columns.map(String));
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply as (string | null)[];
  });
  const dueOf = columns.map((column) => endOf(asset, column));
  return replies.flatMap((records, row) =>
    records.flatMap((record, i): [number, number, number][] => {
      const value = record === null ? undefined : valueOf(record, of, dueOf[i] ?? Number.NaN, now);
      return value === undefined || !Number.isFinite(value) ? [] : [[row, from + i, value]];
    }),
  );
}

/** When a window has ended: the next one begins there. NaN without time. */
function endOf({ partitions: { columns } }: Asset, column: number): number {
  return columns.kind === 'time' ? Date.parse(columns.label(column + 1)) : Number.NaN;
}

/** @param record as `madeOf` reads it; the turn in its fifth place grows with every unsuccessful end and forgetting */
function valueOf(record: string, of: LedgerValue, due: number, now: number): number | undefined {
  const [, status, ended, , turn] = record.split('|');
  if (of === 'lag_ms') {
    const made = madeOf(record);
    return made && Math.max(0, made.at.getTime() - due);
  }
  if (status === 'FORGOTTEN') return undefined;
  return of === 'age_ms' ? now - Number(ended) : Number(turn) + (status === 'SUCCESS' ? 1 : 0);
}
