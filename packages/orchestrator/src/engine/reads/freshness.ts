/** Freshness of an asset: whether the data that its policy asks for at a moment are there. Derived, never stored. */

import type { Asset } from '../../definitions/asset.ts';
import { dueAt } from '../../definitions/freshness.ts';
import type { Engine } from '../engine.ts';
import { decodeState } from '../partition-reader.ts';
import { listRows } from './partitions.ts';
import { madeOf } from './staleness.ts';

export interface FreshnessState {
  /** `unknown`: nothing is due yet, or no partition was ever there. */
  readonly state: 'fresh' | 'late' | 'unknown';
  /** The moment whose data must be there. */
  readonly dueAt: Date;
  /** Of the window that is due, such as the day; undefined for assets without time. */
  readonly label: string | undefined;
  /** Ids that were looked at, and those of them that are late. */
  readonly rows: number;
  readonly lateRows: number;
  /** The first of those, for people. */
  readonly late: readonly string[];
}

const MAX_ROWS = 10_000;
const SHOWN = 20;

/** Undefined for an asset without a policy. */
export async function readFreshness(engine: Engine, asset: Asset, now: Date): Promise<FreshnessState | undefined> {
  if (asset.freshness === undefined) return undefined;
  const due = dueAt(asset.freshness, now);
  const { columns, kind } = asset.partitions;
  const timed = columns.kind === 'time';
  const column = timed ? columns.lastComplete(due) : 0;
  const rows = kind === 'time_window' ? [''] : await listRows(engine, asset, { limit: MAX_ROWS });
  const common = { dueAt: due, label: timed && column >= 0 ? columns.label(column) : undefined, rows: rows.length };
  if (column < 0 || rows.length === 0) return { ...common, state: 'unknown', lateRows: 0, late: [] };
  const there = timed ? await materializedRows(engine, asset, rows, column) : await madeSince(engine, asset, rows, due);
  const late = rows.filter((_row, i) => there[i] !== true);
  return { ...common, state: late.length > 0 ? 'late' : 'fresh', lateRows: late.length, late: late.slice(0, SHOWN) };
}

/** A window that was skipped needs no data. */
async function materializedRows(
  engine: Engine,
  asset: Asset,
  rows: readonly string[],
  column: number,
): Promise<boolean[]> {
  const pipeline = engine.redis.pipeline();
  for (const row of rows) pipeline.call('BITFIELD_RO', engine.keys.states(asset.key, row), 'GET', 'u4', `#${column}`);
  return ((await pipeline.exec()) ?? []).map(([, reply]) => {
    const { outcome } = decodeState((reply as number[] | undefined)?.[0] ?? 0);
    return outcome === 'materialized' || outcome === 'skipped';
  });
}

async function madeSince(engine: Engine, asset: Asset, rows: readonly string[], since: Date): Promise<boolean[]> {
  const pipeline = engine.redis.pipeline();
  for (const row of rows) pipeline.hget(engine.keys.last(asset.key, row), '0');
  return ((await pipeline.exec()) ?? []).map(([, reply]) => {
    const made = typeof reply === 'string' ? madeOf(reply) : undefined;
    return made !== undefined && made.at >= since;
  });
}
