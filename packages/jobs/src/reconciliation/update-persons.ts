/**
 * Writes new states of persons into PostgreSQL: one statement a call, each row only if its version is still the one
 * that was read. Says what became of every row. A row that breaks the table's limit on the size of properties is found
 * by halving, so that it does not take the others with it. The caller owns the transaction.
 */

import pg from 'pg';

import { UPDATE_AND_BACK_UP_PERSONS, UPDATE_PERSONS } from './postgres-sql.ts';
import type { AppliedProperties } from './apply.ts';

export interface PersonUpdate extends AppliedProperties {
  /** `posthog_person.id`. */
  readonly id: string;
  readonly version: bigint;
  readonly versionAfter: bigint;
  /** JSON array for the backup. */
  readonly pendingOperations: string;
}

export interface UpdateTarget {
  readonly client: pg.ClientBase;
  readonly teamId: number;
  /** Backs up under this run; undefined for no backup. */
  readonly backupRunId: string | undefined;
}

export interface UpdateResult {
  readonly updated: Set<string>;
  readonly tooLarge: Set<string>;
}

const CHECK_VIOLATION = '23514';
const DEADLOCK = '40P01';

/** Inside a transaction. Ids in neither set have another version by now. */
export async function updatePersons(target: UpdateTarget, updates: readonly PersonUpdate[]): Promise<UpdateResult> {
  const result: UpdateResult = { updated: new Set(), tooLarge: new Set() };
  await updateInto(result, target, updates);
  return result;
}

async function updateInto(result: UpdateResult, target: UpdateTarget, updates: readonly PersonUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  const { client } = target;
  await client.query('SAVEPOINT before_update');
  try {
    for (const id of await runUpdate(target, updates)) result.updated.add(id);
    await client.query('RELEASE SAVEPOINT before_update');
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (error.code === DEADLOCK) {
      // The other side goes on; these rows count as moved and are read and tried again.
      await client.query('ROLLBACK TO SAVEPOINT before_update');
      return;
    }
    if (error.code !== CHECK_VIOLATION || !error.constraint?.includes('properties_size')) throw error;
    await client.query('ROLLBACK TO SAVEPOINT before_update');
    const [only, ...others] = updates;
    if (only && others.length === 0) {
      result.tooLarge.add(only.id);
      return;
    }
    const half = updates.length >> 1;
    await updateInto(result, target, updates.slice(0, half));
    await updateInto(result, target, updates.slice(half));
  }
}

async function runUpdate(
  { client, teamId, backupRunId }: UpdateTarget,
  updates: readonly PersonUpdate[],
): Promise<string[]> {
  const values: unknown[] = [
    teamId,
    updates.map((u) => u.id),
    updates.map((u) => String(u.version)),
    updates.map((u) => String(u.versionAfter)),
    updates.map((u) => u.properties),
    updates.map((u) => u.lastUpdatedAt),
    updates.map((u) => u.lastOperation),
  ];
  const { rows } =
    backupRunId === undefined
      ? await client.query<{ id: string }>(UPDATE_PERSONS, values)
      : await client.query<{ id: string }>(UPDATE_AND_BACK_UP_PERSONS, [
          ...values,
          backupRunId,
          updates.map((u) => u.pendingOperations),
        ]);
  return rows.map((row) => row.id);
}
