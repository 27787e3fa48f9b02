/**
 * Orphaned objects: exports below a team's prefix that no catalog refers to, left by attempts that were killed before
 * they registered. Whatever any snapshot of any catalog on the bucket refers to, or is about to clean up itself, is
 * none, and a delete looks again behind the writers' lock, so a registered file is never touched.
 */

import type { CatalogSession } from '../resources/ducklake-lock.ts';
import type { Duckling } from '../resources/duckling-catalog.ts';
import type { Ducklings } from '../resources/ducklake-ducklings.ts';
import type { StoredObject } from '../resources/object-store.ts';
import { DATASETS } from './dataset.ts';
import { teamPrefix } from './partitions.ts';

export interface Orphan extends StoredObject {
  readonly url: string;
}

/** Objects of one team that nothing refers to, older than the grace period, in order of their keys. */
export async function findOrphans(
  ducklings: Ducklings,
  duckling: Duckling,
  graceMs: number,
  now: Date,
  signal: AbortSignal,
): Promise<Orphan[]> {
  // Listed before the catalogs are read: what is registered meanwhile is in them.
  const candidates = await listTeam(ducklings, duckling, new Date(now.getTime() - graceMs));
  if (candidates.length === 0) return [];
  const referred = new Set<string>();
  for (const other of await sharers(ducklings, duckling)) {
    for (const url of await ducklings.lake(other).withCatalog(signal, referredFiles)) referred.add(url);
  }
  return candidates.filter((object) => !referred.has(object.url));
}

export function bytesOf(orphans: readonly Orphan[]): number {
  return orphans.reduce((sum, orphan) => sum + orphan.bytes, 0);
}

/** Deletes those of `orphans` that are still orphans; gives what it deleted. */
export async function deleteOrphans(
  ducklings: Ducklings,
  duckling: Duckling,
  orphans: readonly Orphan[],
  signal: AbortSignal,
): Promise<Orphan[]> {
  const others = (await sharers(ducklings, duckling)).filter((row) => row.team_id !== duckling.team_id);
  const elsewhere = new Set(
    (await Promise.all(others.map((row) => ducklings.lake(row).withCatalog(signal, referredFiles)))).flat(),
  );
  const bucket = ducklings.bucket(duckling, signal);
  try {
    // No writer of this lake can register one of them while the lock is held.
    return await ducklings.lake(duckling).withCatalog(signal, async (catalog) => {
      const referred = new Set(await referredFiles(catalog));
      const gone: Orphan[] = [];
      for (const orphan of orphans) {
        signal.throwIfAborted();
        if (referred.has(orphan.url) || elsewhere.has(orphan.url)) continue;
        await bucket.delete(orphan.key);
        gone.push(orphan);
      }
      return gone;
    });
  } finally {
    bucket.close();
  }
}

async function listTeam(ducklings: Ducklings, duckling: Duckling, before: Date): Promise<Orphan[]> {
  const bucket = ducklings.bucket(duckling);
  const found: Orphan[] = [];
  try {
    for (const dataset of Object.values(DATASETS)) {
      for await (const object of bucket.list(teamPrefix(dataset.name, duckling.team_id))) {
        if (object.modifiedAt <= before)
          found.push({ ...object, url: ducklings.store.url(duckling.bucket, object.key) });
      }
    }
  } finally {
    bucket.close();
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** All ducklings whose catalogs may refer to objects of this bucket. */
async function sharers(ducklings: Ducklings, duckling: Duckling): Promise<Duckling[]> {
  return (await ducklings.catalog.list()).filter((row) => row.bucket === duckling.bucket);
}

/** Files of every snapshot that has not expired, their delete files, and those that DuckLake itself is about to delete. */
const REFERRED_SQL = `
SELECT path, path_is_relative AS relative FROM ducklake_data_file
UNION ALL SELECT path, path_is_relative FROM ducklake_delete_file
UNION ALL SELECT path, path_is_relative FROM ducklake_files_scheduled_for_deletion`;

/** Exports are registered by their whole path; relative ones are DuckLake's own, below its DATA_PATH. */
async function referredFiles(catalog: CatalogSession): Promise<string[]> {
  const [there] = await catalog.rows<{ is_new: boolean }>(
    "SELECT to_regclass('public.ducklake_data_file') IS NULL AS is_new",
  );
  if (there?.is_new) return [];
  const rows = await catalog.rows<{ path: string; relative: boolean }>(REFERRED_SQL);
  return rows.filter((row) => !row.relative).map((row) => row.path);
}
