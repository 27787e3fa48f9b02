/**
 * Staleness of a materialized partition, derived and never stored: something it was made from is newer (an upstream
 * partition by the dependency's mapping), or the code that makes it has another version now. Looked at are the direct
 * dependencies; what they in turn are made from shows on them.
 */

import type { Asset, Dependency } from '../../definitions/asset.ts';
import type { Cell } from '../../definitions/partitions/partitions.ts';
import type { TimeWindow } from '../../definitions/partitions/time-window.ts';
import type { Engine } from '../engine.ts';
import { decodeState } from '../partition-reader.ts';
import { listRows } from './partitions.ts';

export type StaleReason =
  | { readonly kind: 'upstream'; readonly asset: string; readonly key: string; readonly at: Date }
  | { readonly kind: 'code'; readonly made: string; readonly now: string };

export interface Staleness {
  /** Undefined where nothing is materialized, or where it is not known when. */
  readonly stale: boolean | undefined;
  readonly reasons: readonly StaleReason[];
}

interface Made {
  readonly at: Date;
  readonly version: string | undefined;
}

/** Upstream partitions of one partition that are looked at; of more, the first. */
const MAX_UPSTREAM = 10_000;
const DAY_MS = 86_400_000;

/** In the order of the keys. @throws PartitionKeyInvalidError */
export async function readStaleness(engine: Engine, asset: Asset, keys: readonly string[]): Promise<Staleness[]> {
  const cells = keys.map((key) => asset.partitions.cell(asset.partitions.parse(key)));
  const made = await readMade(engine, asset, cells);
  return Promise.all(
    keys.map(async (key, i): Promise<Staleness> => {
      const own = made[i];
      if (own === undefined) return { stale: undefined, reasons: [] };
      const code: StaleReason[] =
        asset.codeVersion !== undefined && own.version !== asset.codeVersion
          ? [{ kind: 'code', made: own.version ?? 'none', now: asset.codeVersion }]
          : [];
      const upstream = await Promise.all(
        asset.dependsOn.map((dependency) => newerUpstream(engine, asset, dependency, key, own.at)),
      );
      const reasons = [...code, ...upstream.flatMap((one) => one ?? [])];
      return { stale: reasons.length > 0, reasons };
    }),
  );
}

/** When each was materialized last, and by which version of the code; undefined for what is not. */
async function readMade(engine: Engine, asset: Asset, cells: readonly Cell[]): Promise<(Made | undefined)[]> {
  if (cells.length === 0) return [];
  const pipeline = engine.redis.pipeline();
  for (const { row, column } of cells) {
    pipeline.hget(engine.keys.last(asset.key, row), String(column));
    pipeline.call('BITFIELD_RO', engine.keys.states(asset.key, row), 'GET', 'u4', `#${column}`);
  }
  const replies = (await pipeline.exec()) ?? [];
  return cells.map((_cell, i) => {
    const record = replies[2 * i]?.[1] as string | null;
    const nibble = (replies[2 * i + 1]?.[1] as number[] | undefined)?.[0] ?? 0;
    if (record === null || decodeState(nibble).outcome !== 'materialized') return undefined;
    return madeOf(record);
  });
}

/** `run|status|ended|failures|turn|made|version`, the last two only where they say more than the rest. */
export function madeOf(record: string): Made | undefined {
  const [, status, ended, , , made = '', version = ''] = record.split('|');
  const at = made !== '' ? made : status === 'SUCCESS' ? ended : undefined;
  return at === undefined ? undefined : { at: new Date(Number(at)), version: version === '' ? undefined : version };
}

async function newerUpstream(
  engine: Engine,
  asset: Asset,
  dependency: Dependency,
  key: string,
  since: Date,
): Promise<StaleReason | undefined> {
  const upstream = engine.deployment.assets.get(dependency.asset);
  if (upstream === undefined) return undefined;
  const cells = (await upstreamCells(engine, asset, upstream, dependency, key)).slice(0, MAX_UPSTREAM);
  const made = await readMade(engine, upstream, cells);
  let newest: { at: Date; cell: Cell } | undefined;
  made.forEach((one, i) => {
    const cell = cells[i];
    if (one && cell && one.at > since && (newest === undefined || one.at > newest.at)) newest = { at: one.at, cell };
  });
  const value = newest === undefined ? undefined : upstream.partitions.at(newest.cell);
  if (newest === undefined || value === undefined) return undefined;
  return { kind: 'upstream', asset: upstream.key, key: upstream.partitions.format(value), at: newest.at };
}

/** The cells of the upstream asset that a partition is made from, by the dependency's mapping. */
async function upstreamCells(
  engine: Engine,
  asset: Asset,
  upstream: Asset,
  { mapping }: Dependency,
  key: string,
): Promise<Cell[]> {
  if (mapping === 'identity') {
    try {
      return [upstream.partitions.cell(upstream.partitions.parse(key))];
    } catch {
      return []; // a key that the upstream asset does not have
    }
  }
  const { row } = asset.partitions.cell(asset.partitions.parse(key));
  const rows = await rowsOf(engine, asset, upstream, mapping, row);
  const columns = mapping === 'all' ? undefined : overlapping(upstream, spanOf(asset, key));
  const perRow = await Promise.all(
    rows.map(async (one): Promise<Cell[]> => {
      const [from, to] = columns ?? [0, (await engine.redis.strlen(engine.keys.states(upstream.key, one))) * 2 - 1];
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => ({ row: one, column: from + i }));
    }),
  );
  return perRow.flat();
}

async function rowsOf(
  engine: Engine,
  asset: Asset,
  upstream: Asset,
  mapping: Dependency['mapping'],
  row: string,
): Promise<readonly string[]> {
  if (upstream.partitions.kind === 'time_window') return [''];
  // Windows of the same id, where both have ids; of every id, where only the upstream one has.
  if (mapping === 'time_window' && asset.partitions.kind === 'composite' && upstream.partitions.kind === 'composite')
    return [row];
  return listRows(engine, upstream, { limit: MAX_UPSTREAM });
}

/** Half-open; undefined for partitions without a time. */
function spanOf(asset: Asset, key: string): TimeWindow | undefined {
  const value = asset.partitions.parse(key);
  if (asset.partitions.kind === 'time_window') return value as TimeWindow;
  if (asset.partitions.kind !== 'composite') return undefined;
  const start = new Date(`${(value as { day: string }).day}T00:00:00Z`);
  return { start, end: new Date(start.getTime() + DAY_MS) };
}

/** Columns whose windows overlap the span: that in which it begins to that in which it ends. */
function overlapping(upstream: Asset, span: TimeWindow | undefined): readonly [from: number, to: number] {
  const { columns } = upstream.partitions;
  if (span === undefined || columns.kind !== 'time') return [0, 0];
  const at = (instant: number) => columns.lastComplete(new Date(instant)) + 1;
  return [Math.max(0, at(span.start.getTime())), at(span.end.getTime() - 1)];
}
