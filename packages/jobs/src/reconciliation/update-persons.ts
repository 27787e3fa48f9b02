/**
 * Writes new states of persons into PostgreSQL: one statement a call, each row only if its version is still the one
 * that was read. Says what became of every row. A row that breaks the table's limit on the size of properties is found
 * by halving, so that it does not take the others with it. The caller owns the transaction.
 */

import type pg from 'pg';

import type { AppliedProperties } from './apply.ts';
import { UPDATE_AND_BACK_UP_PERSONS, UPDATE_PERSONS } from './postgres-sql.ts';
import { tryStatement } from './try-statement.ts';

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

/** Inside a transaction. Ids in neither set have another version by now. */
export async function updatePersons(target: UpdateTarget, updates: readonly PersonUpdate[]): Promise<UpdateResult> {
  const result: UpdateResult = { updated: new Set(), tooLarge: new Set() };
  await updateInto(result, target, updates);
  return result;
}

async function updateInto(result: UpdateResult, target: UpdateTarget, updates: readonly PersonUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  const tried = await tryStatement(target.client, () => runUpdate(target, updates));
  if (tried.refusal === undefined) for (const id of tried.value) result.updated.add(id);
  // After a deadlock the other side goes on; these rows count as moved and are read and tried again.
  if (tried.refusal !== 'too_large') return;
  const [only, ...others] = updates;
  if (only && others.length === 0) {
    result.tooLarge.add(only.id);
    return;
  }
  const half = updates.length >> 1;
  await updateInto(result, target, updates.slice(0, half));
  await updateInto(result, target, updates.slice(half));
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
    updates.map((u) => u.pendingOperations),
  ];
  const { rows } = await (backupRunId === undefined
    ? client.query<{ id: string }>(UPDATE_PERSONS, values)
    : client.query<{ id: string }>(UPDATE_AND_BACK_UP_PERSONS, [...values, backupRunId]));
  return rows.map((row) => row.id);
}
