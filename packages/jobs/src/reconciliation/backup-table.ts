/** Creates the backup table when it is missing. Looking first spares roles without the right to create tables. */

import type pg from 'pg';

import { BACKUP_TABLE_EXISTS, CREATE_BACKUP_TABLE, LOCK_SCHEMA } from './postgres-sql.ts';

export async function backupTableExists(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(BACKUP_TABLE_EXISTS);
  return rows[0]?.found === true;
}

/** Outside of a transaction. */
export async function ensureBackupTable(client: pg.ClientBase): Promise<void> {
  if (await backupTableExists(client)) return;
  await client.query('BEGIN');
  try {
    await client.query(LOCK_SCHEMA);
    await client.query(CREATE_BACKUP_TABLE);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
