/** Ticks and partitions of the ledger as rows, a page at a time, up to a limit. */

import type { Asset } from '../definitions/asset.ts';
import type { Engine } from '../engine/engine.ts';
import { decodeState } from '../engine/partition-reader.ts';
import { listRows, readRow } from '../engine/reads/partitions.ts';

export const TICK_COLUMNS = {
  id: 'VARCHAR',
  sensor: 'VARCHAR',
  status: 'VARCHAR',
  decision: 'VARCHAR',
  reason: 'VARCHAR',
  trigger: 'VARCHAR',
  worker: 'VARCHAR',
  started_ms: 'BIGINT',
  ended_ms: 'BIGINT',
  requested: 'INTEGER',
  suppressed: 'INTEGER',
  run_ids: 'VARCHAR[]',
  cursor_before: 'VARCHAR',
  cursor_after: 'VARCHAR',
} as const;

export const PARTITION_COLUMNS = {
  asset: 'VARCHAR',
  key: 'VARCHAR',
  row_id: 'VARCHAR',
  outcome: 'VARCHAR',
  activity: 'VARCHAR',
  last_run: 'VARCHAR',
  last_status: 'VARCHAR',
  last_ended_ms: 'BIGINT',
  failures: 'INTEGER',
} as const;

type Row<Columns> = { readonly [name in keyof Columns]: string | number | readonly string[] | null };

const PAGE = 200;

/** Newest first within each sensor; the ledger keeps the newest thousand of each. */
export async function* readTickRows(engine: Engine): AsyncGenerator<Row<typeof TICK_COLUMNS>> {
  const { redis, keys } = engine;
  for (const name of (await redis.smembers(keys.sensors)).sort()) {
    const ids = await redis.zrevrange(keys.ticks(name), 0, -1);
    for (let at = 0; at < ids.length; at += PAGE) {
      const page = ids.slice(at, at + PAGE);
      const pipeline = redis.pipeline();
      for (const id of page) pipeline.hgetall(keys.tick(id));
      const replies = (await pipeline.exec()) ?? [];
      for (const [i, id] of page.entries()) {
        const f = (replies[i]?.[1] ?? {}) as Record<string, string>;
        if (f.sensor !== undefined) yield toTickRow(id, f);
      }
    }
  }
}

function toTickRow(id: string, f: Readonly<Record<string, string>>): Row<typeof TICK_COLUMNS> {
  const runs = JSON.parse(f.runs ?? '[]') as unknown;
  return {
    id,
    sensor: f.sensor ?? '',
    status: f.status ?? '',
    decision: f.decision ?? null,
    reason: f.reason ?? null,
    trigger: f.trigger ?? null,
    worker: f.worker ?? null,
    started_ms: Number(f.started ?? 0),
    ended_ms: f.ended === undefined ? null : Number(f.ended),
    requested: Number(f.requested ?? 0),
    suppressed: Number(f.suppressed ?? 0),
    run_ids: Array.isArray(runs) ? (runs as string[]) : [],
    cursor_before: f.cursor_before ?? null,
    cursor_after: f.cursor_after ?? null,
  };
}

/** Every partition that has a state. */
export async function* readPartitionRows(engine: Engine): AsyncGenerator<Row<typeof PARTITION_COLUMNS>> {
  for (const asset of engine.deployment.assets.values()) {
    for (let after: string | undefined; ;) {
      const rows = await listRows(engine, asset, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const row of rows) yield* partitionsOfRow(engine, asset, row);
      after = rows.at(-1);
      if (after === undefined) break;
    }
  }
}

async function* partitionsOfRow(
  engine: Engine,
  asset: Asset,
  row: string,
): AsyncGenerator<Row<typeof PARTITION_COLUMNS>> {
  const { redis, keys } = engine;
  const length = (await redis.strlen(keys.states(asset.key, row))) * 2;
  if (length === 0) return;
  const [cells, last] = await Promise.all([
    readRow(engine, asset, row, 0, length - 1),
    redis.hgetall(keys.last(asset.key, row)),
  ]);
  for (const [column, nibble] of cells.entries()) {
    const value = nibble === 0 ? undefined : asset.partitions.at({ row, column });
    if (value === undefined) continue;
    const [run, status, ended, failures] = (last[String(column)] ?? '').split('|');
    yield {
      asset: asset.key,
      key: asset.partitions.format(value),
      row_id: row,
      ...decodeState(nibble),
      last_run: run || null,
      last_status: status ?? null,
      last_ended_ms: ended === undefined ? null : Number(ended),
      failures: Number(failures ?? 0),
    };
  }
}
