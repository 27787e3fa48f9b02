/** A lake as a beginner would open it: DuckLake's defaults, no lock, no validation. What it does wrong is what tests show. */

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Duckling } from '@skein/jobs';

import type { LakeHouse } from './lake-house.ts';

export type Sql = (statement: string) => Promise<Record<string, string>[]>;

export interface NaiveLake {
  readonly sql: Sql;
  /** A second connection of the same kind, closed with the lake. */
  another(): Promise<Sql>;
}

/** @param options of ATTACH, such as `(DATA_INLINING_ROW_LIMIT 0)` */
export async function openNaively<T>(
  house: LakeHouse,
  { db_host, db_port, db_name, db_username }: Duckling,
  work: (lake: NaiveLake) => Promise<T>,
  options = '',
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    extension_directory: house.env.SKEIN_DUCKDB_EXTENSIONS ?? '',
  });
  const opened: DuckDBConnection[] = [];
  const another = async (): Promise<Sql> => {
    const db = await instance.connect();
    opened.push(db);
    return async (statement) => (await db.runAndReadAll(statement)).getRowObjectsJson() as Record<string, string>[];
  };
  try {
    const sql = await another();
    await sql(
      `ATTACH 'ducklake:postgres:dbname=${db_name} host=${db_host} port=${db_port} user=${db_username} password=${house.env.LAKE_HOUSE_PASSWORD}' AS lake ${options}`,
    );
    return await work({ sql, another });
  } finally {
    for (const db of opened) db.closeSync();
    instance.closeSync();
  }
}

/** The statement that registers a file, as the documentation shows it, but for `more`. */
export function addFile(table: string, path: string, more = ', hive_partitioning => false'): string {
  return `CALL ducklake_add_data_files('lake', '${table}', '${path}', schema => 'posthog'${more})`;
}
