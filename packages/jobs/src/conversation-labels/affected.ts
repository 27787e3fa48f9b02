/**
 * Finds and records the affected conversations of an operation: those whose source rows or whose label rows touch the
 * windows, and those that an earlier operation of the customer deleted and never wrote again. The record in PostgreSQL
 * decides what each day writes, so a conversation that moves to another day meanwhile is neither lost nor written
 * twice; a copy in ClickHouse lets rows be found by id on every shard. Done again after a crash, from the beginning,
 * which is safe as long as nothing was deleted.
 */

import type pg from 'pg';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { copyToClickHouse, copyToPostgres } from './copy-stream.ts';
import { CREATE_AFFECTED, CREATE_STRAYS, addLabelIds, drop, fillStrays, selectLabelIds } from './label-sql.ts';
import { type Operation, ask, openDays, operationsOf, placeOf } from './operation.ts';
import { namesOf } from './place.ts';
import {
  affectedTable,
  copyAffectedIn,
  copyAffectedOut,
  createAffected,
  dropAffected,
  indexAffected,
} from './source-sql.ts';
import { daysOf } from './windows.ts';

export interface Databases {
  readonly db: pg.Pool;
  readonly clickhouse: ClickHouse;
  readonly signal: AbortSignal;
}

export interface AffectedCounts {
  readonly fromSource: number;
  readonly fromLabels: number;
  readonly leftOver: number;
}

export async function recordAffected(
  { db, clickhouse, signal }: Databases,
  operation: Operation,
): Promise<AffectedCounts> {
  const place = placeOf(operation);
  const names = namesOf(place);
  const { windows, selection, profiles, clockMs } = operation.state;

  await ask(db, dropAffected(operation.id), []);
  await ask(db, createAffected(operation.id, selection), [
    operation.customerId,
    [...profiles],
    ...windowBounds(windows),
  ]);
  const leftOver = await takeLeftOvers(db, operation);

  await clickhouse.command(drop(names.affected), { signal });
  await clickhouse.command(CREATE_AFFECTED(names), { signal });
  const fromSource = await copyToClickHouse({
    db,
    clickhouse,
    sql: copyAffectedOut(operation.id),
    customerId: operation.customerId,
    clockMs,
    table: names.affected,
    columns: ['unit', 'profile_id', 'conversation_id', 'from_labels'],
    signal,
  });
  const add = addLabelIds(place);
  await clickhouse.command(add.sql, { params: add.params, signal });
  const blocks = clickhouse.stream<{ unit: string; profile_id: string; conversation_id: string }>(
    selectLabelIds(place),
    { signal },
  );
  const fields = async function* () {
    for await (const block of blocks) yield block.map((row) => [row.unit, row.profile_id, row.conversation_id]);
  };
  const fromLabels = await copyToPostgres(db, signal, copyAffectedIn(operation.id), fields());
  await ask(db, indexAffected(operation.id), []);
  return { fromSource: fromSource - leftOver, fromLabels, leftOver };
}

export function windowBounds(windows: Operation['state']['windows']): [string[], string[]] {
  return [windows.map((w) => new Date(w.startMs).toISOString()), windows.map((w) => new Date(w.endMs).toISOString())];
}

/**
 * Ids of this customer's earlier operations that were cut off after deleting: those of the days that are now done again.
 * Their own source rows may lie outside the windows, so nothing else would bring them back.
 */
async function takeLeftOvers(db: pg.Pool, operation: Operation): Promise<number> {
  let taken = 0;
  for (const earlier of await leftOversOf(db, operation)) {
    const result = await ask<{ taken: number }>(
      db,
      `
      WITH added AS (
        INSERT INTO ${affectedTable(operation.id)} (unit, profile_id, conversation_id)
        SELECT e.unit, e.profile_id, e.conversation_id FROM ${affectedTable(earlier.id)} e
        WHERE e.unit = ANY($1::date[]) AND e.profile_id = ANY($2::text[])
          AND NOT EXISTS (SELECT 1 FROM ${affectedTable(operation.id)} a WHERE a.profile_id = e.profile_id AND a.conversation_id = e.conversation_id)
        RETURNING 1)
      SELECT count(*)::int AS taken FROM added`,
      [
        openDays(earlier.state).filter((day) => daysOf(operation.state.windows).includes(day)),
        [...operation.state.profiles],
      ],
    );
    taken += result[0]?.taken ?? 0;
  }
  return taken;
}

/** Earlier operations of the customer in the same database that recorded ids and did not write all of their days. */
export async function leftOversOf(db: pg.Pool, operation: Operation): Promise<Operation[]> {
  const all = await operationsOf(db, { customerId: operation.customerId });
  return all.filter(
    (o) =>
      o.id !== operation.id &&
      o.state.database === operation.state.database &&
      o.state.stage !== 'new' &&
      openDays(o.state).length > 0,
  );
}

/** Finds the affected conversations' rows outside of the windows anew: they change with every delete and write. */
export async function refreshStrays(
  { clickhouse, signal }: Pick<Databases, 'clickhouse' | 'signal'>,
  operation: Operation,
): Promise<void> {
  const place = placeOf(operation);
  const names = namesOf(place);
  await clickhouse.command(drop(names.strays), { signal });
  await clickhouse.command(CREATE_STRAYS(names), { signal });
  const { sql, params } = fillStrays(place);
  await clickhouse.command(sql, { params, signal });
}
