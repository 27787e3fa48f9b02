/**
 * How a lake is, from its catalog's own tables alone: no DuckDB, no lock, no object is read, so that a page may ask for
 * many. Counts of rows are the catalog's; what proves them is the check of each partition.
 */

import type { Lake } from '../resources/ducklake.ts';
import type { CatalogSession } from '../resources/ducklake-lock.ts';

export interface LakeStatus {
  /** `new`: the database is there, and no lake in it yet. */
  readonly state: 'ready' | 'new';
  readonly snapshot: {
    readonly id: number;
    readonly at: string;
    readonly author: string | null;
    readonly message: string | null;
  } | null;
  readonly tables: readonly LakeTableStatus[];
  /** Files of older snapshots, kept until DuckLake's own clean-up. */
  readonly replaced: { readonly files: number; readonly bytes: number };
  /** Files that DuckLake's next clean-up deletes. */
  readonly scheduled_for_deletion: number;
}

interface LakeTableStatus {
  readonly name: string;
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
}

const IS_NEW = "SELECT to_regclass('public.ducklake_snapshot') IS NULL AS is_new";

const LAST_SNAPSHOT = `
SELECT s.snapshot_id AS id, s.snapshot_time AS at, c.author, c.commit_message AS message
FROM ducklake_snapshot s LEFT JOIN ducklake_snapshot_changes c USING (snapshot_id)
ORDER BY s.snapshot_id DESC LIMIT 1`;

const TABLES = `
SELECT s.schema_name || '.' || t.table_name AS name, count(f.data_file_id) AS files,
  coalesce(sum(f.record_count - coalesce(d.deleted, 0)), 0) AS rows, coalesce(sum(f.file_size_bytes), 0) AS bytes
FROM ducklake_table t
JOIN ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
LEFT JOIN ducklake_data_file f ON f.table_id = t.table_id AND f.end_snapshot IS NULL
LEFT JOIN (
  SELECT data_file_id, sum(delete_count) AS deleted FROM ducklake_delete_file WHERE end_snapshot IS NULL GROUP BY 1
) d ON d.data_file_id = f.data_file_id
WHERE t.end_snapshot IS NULL
GROUP BY 1 ORDER BY 1`;

const REPLACED = `
SELECT count(*) AS files, coalesce(sum(file_size_bytes), 0) AS bytes,
  (SELECT count(*) FROM ducklake_files_scheduled_for_deletion) AS scheduled
FROM ducklake_data_file WHERE end_snapshot IS NOT NULL`;

const NEW: LakeStatus = {
  state: 'new',
  snapshot: null,
  tables: [],
  replaced: { files: 0, bytes: 0 },
  scheduled_for_deletion: 0,
};

/** @throws ServiceError (`ducklake`) when the catalog cannot be reached */
export function lakeStatus(lake: Lake): Promise<LakeStatus> {
  return lake.look(readStatus);
}

async function readStatus(catalog: CatalogSession): Promise<LakeStatus> {
  const [there] = await catalog.rows<{ is_new: boolean }>(IS_NEW);
  if (there?.is_new !== false) return NEW;
  const [last] = await catalog.rows<{ id: string; at: Date; author: string | null; message: string | null }>(
    LAST_SNAPSHOT,
  );
  const tables = await catalog.rows<Record<keyof LakeTableStatus, string>>(TABLES);
  const [replaced] = await catalog.rows<{ files: string; bytes: string; scheduled: string }>(REPLACED);
  return {
    state: 'ready',
    snapshot: last
      ? { id: Number(last.id), at: new Date(last.at).toISOString(), author: last.author, message: last.message }
      : null,
    tables: tables.map(({ name, files, rows, bytes }) => ({
      name,
      files: Number(files),
      rows: Number(rows),
      bytes: Number(bytes),
    })),
    replaced: { files: Number(replaced?.files ?? 0), bytes: Number(replaced?.bytes ?? 0) },
    scheduled_for_deletion: Number(replaced?.scheduled ?? 0),
  };
}
