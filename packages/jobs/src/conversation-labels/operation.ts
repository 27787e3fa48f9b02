/**
 * One operation: a customer's windows in one ClickHouse database, relabelled once. Its facts are kept in PostgreSQL, so
 * that every worker of the run finds them: the job clock, the places, what was there before, and which units (days) are
 * done. An operation that was cut off keeps its ids until a later one has written them, because the rows of some are
 * deleted already.
 */

import { randomBytes } from 'node:crypto';

import { type Day, NotFoundError } from '@skein/orchestrator';
import type pg from 'pg';

import { asPostgresError } from '../resources/postgres.ts';
import type { Selection } from './config.ts';
import type { Place } from './place.ts';
import { dropAffected } from './source-sql.ts';
import { type Window, daysOf } from './windows.ts';

export type Mode = 'delete-insert' | 'swap';

/** What the labels looked like before anything was changed. */
export interface Before {
  readonly rows: number;
  readonly usecases: Readonly<Record<string, number>>;
  readonly activeDays: number;
}

export interface OperationState {
  readonly windows: readonly Window[];
  readonly selection: Selection;
  readonly mode: Mode;
  readonly cluster: string | null;
  readonly database: string;
  readonly profiles: readonly string[];
  readonly hasDistributed: boolean;
  /** `update_time` of every row that this operation writes. */
  readonly clockMs: number;
  readonly stage: 'new' | 'recorded' | 'deleted';
  readonly before: Before | undefined;
  /** Units whose rows are written. */
  readonly done: readonly Day[];
}

export interface Operation {
  readonly id: string;
  readonly runId: string;
  readonly customerId: string;
  readonly state: OperationState;
}

export function newOperationId(): string {
  return randomBytes(8).toString('hex');
}

export function placeOf({ id, customerId, state }: Operation): Place {
  return {
    customerId,
    database: state.database,
    profiles: state.profiles,
    cluster: state.cluster,
    operation: id,
    windows: state.windows,
    hasDistributed: state.hasDistributed,
  };
}

interface Row {
  readonly operation: string;
  readonly run_id: string;
  readonly customer_id: string;
  readonly state: OperationState;
}

const fromRow = (row: Row): Operation => ({
  id: row.operation,
  runId: row.run_id,
  customerId: row.customer_id,
  state: row.state,
});

export async function saveOperation(db: pg.Pool, operation: Operation): Promise<void> {
  await ask(
    db,
    `
    INSERT INTO skein_labels.operations (operation, run_id, customer_id, state) VALUES ($1, $2, $3, $4)
    ON CONFLICT (operation) DO UPDATE SET state = excluded.state`,
    [operation.id, operation.runId, operation.customerId, JSON.stringify(operation.state)],
  );
}

/** @throws NotFoundError */
export async function loadOperation(db: pg.Pool, id: string): Promise<Operation> {
  const [row] = await ask<Row>(
    db,
    'SELECT operation, run_id, customer_id, state FROM skein_labels.operations WHERE operation = $1',
    [id],
  );
  if (!row) throw new NotFoundError(`The labelling operation ${id} is not there any more; run the day again.`);
  return fromRow(row);
}

export async function operationsOf(
  db: pg.Pool,
  filter: { readonly runId: string } | { readonly customerId: string },
): Promise<Operation[]> {
  const [column, value] = 'runId' in filter ? ['run_id', filter.runId] : ['customer_id', filter.customerId];
  const rows = await ask<Row>(
    db,
    `SELECT operation, run_id, customer_id, state FROM skein_labels.operations WHERE ${column} = $1 ORDER BY created_at, operation`,
    [value],
  );
  return rows.map(fromRow);
}

/** Once for each unit, however often it is said. */
export async function markUnitsDone(db: pg.Pool, id: string, days: readonly Day[]): Promise<void> {
  await ask(
    db,
    `
    UPDATE skein_labels.operations SET state = jsonb_set(state, '{done}', (
      SELECT coalesce(jsonb_agg(DISTINCT d), '[]'::jsonb) FROM (
        SELECT jsonb_array_elements(state->'done') AS d UNION SELECT to_jsonb(u) FROM unnest($2::text[]) u) all_days))
    WHERE operation = $1`,
    [id, [...days]],
  );
}

export async function dropOperation(db: pg.Pool, id: string): Promise<void> {
  await ask(db, dropAffected(id), []);
  await ask(db, 'DELETE FROM skein_labels.operations WHERE operation = $1', [id]);
}

/** Days that the operation has not written yet. */
export function openDays({ windows, done }: OperationState): Day[] {
  return daysOf(windows).filter((day) => !done.includes(day));
}

export async function ask<T extends pg.QueryResultRow>(
  db: pg.Pool,
  sql: string,
  values: readonly unknown[],
): Promise<T[]> {
  try {
    return (await db.query<T>(sql, [...values])).rows;
  } catch (error) {
    throw asPostgresError(error);
  }
}
