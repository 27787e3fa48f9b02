/**
 * A statement whose refusal must not end the transaction: a row that breaks the table's limit on the size of properties,
 * a backup that is there already, and a deadlock. Every other error is passed on.
 */

import pg from 'pg';

type Refusal = 'too_large' | 'backed_up_before' | 'deadlock';

type Tried<T> = { readonly value: T; readonly refusal?: undefined } | { readonly refusal: Refusal };

const BACKUP_TABLE = 'posthog_person_reconciliation_backup';
const CHECK_VIOLATION = '23514';
const UNIQUE_VIOLATION = '23505';
const DEADLOCK = '40P01';

/** Inside a transaction. */
export async function tryStatement<T>(client: pg.ClientBase, statement: () => Promise<T>): Promise<Tried<T>> {
  await client.query('SAVEPOINT before_statement');
  try {
    const value = await statement();
    await client.query('RELEASE SAVEPOINT before_statement');
    return { value };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    await client.query('ROLLBACK TO SAVEPOINT before_statement');
    return { refusal };
  }
}

/** undefined for every other error. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined;
  if (error.code === DEADLOCK) return 'deadlock';
  if (error.code === UNIQUE_VIOLATION && error.table === BACKUP_TABLE) return 'backed_up_before';
  return error.code === CHECK_VIOLATION && error.constraint?.includes('properties_size') ? 'too_large' : undefined;
}
