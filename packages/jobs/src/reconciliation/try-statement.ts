/**
 * A statement whose refusal must not end the transaction: a row that breaks the table's limit on the size of properties,
 * and a deadlock. Every other error is passed on.
 */

import pg from 'pg';

export type Tried<T> =
  { readonly value: T; readonly refusal?: undefined } | { readonly refusal: 'too_large' | 'deadlock' };

const CHECK_VIOLATION = '23514';
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

function refusalOf(error: unknown): 'too_large' | 'deadlock' | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined;
  if (error.code === DEADLOCK) return 'deadlock';
  return error.code === CHECK_VIOLATION && error.constraint?.includes('properties_size') ? 'too_large' : undefined;
}
