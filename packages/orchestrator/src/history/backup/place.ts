/**
 * Where backups lie: a file, or an object on S3, which goes through a local file both ways. A file appears under its
 * name when it is whole and on the disk.
 */

import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { literal, openHistoryDb, placeFailed } from '../duckdb.ts';
import { withScratch } from '../json-lines.ts';
import { type HistorySettings, isS3 } from '../settings.ts';

/** Has `write` fill a local file, then puts it in its place; gives its size in bytes. */
export async function putBackup(
  settings: HistorySettings,
  place: string,
  write: (file: string) => Promise<void>,
): Promise<number> {
  if (isS3(place)) {
    return withScratch(async (scratch) => {
      const file = path.join(scratch, 'backup');
      await write(file);
      await copyObject(settings, scratch, file, place, 'The backup cannot be written to');
      return (await stat(file)).size;
    });
  }
  const draft = `${place}.part`;
  try {
    await mkdir(path.dirname(place), { recursive: true });
    await write(draft);
    const handle = await open(draft, 'r');
    await handle.sync().finally(() => handle.close());
    await rename(draft, place);
  } catch (error) {
    await rm(draft, { force: true });
    if (error instanceof Error && 'syscall' in error)
      throw placeFailed('The backup cannot be written to', place, error);
    throw error;
  }
  return (await stat(place)).size;
}

/** Gives `read` a local file of the backup. */
export async function withBackup<T>(
  settings: HistorySettings,
  place: string,
  read: (file: string) => Promise<T>,
): Promise<T> {
  if (!isS3(place)) return read(place);
  return withScratch(async (scratch) => {
    const file = path.join(scratch, 'backup');
    await copyObject(settings, scratch, place, file, 'The backup cannot be read from');
    return read(file);
  });
}

/** DuckDB is the only S3 client here; it takes a file as one value, which suits backups up to a gigabyte or two. */
async function copyObject(
  settings: HistorySettings,
  scratch: string,
  from: string,
  to: string,
  what: string,
): Promise<void> {
  const db = await openHistoryDb(settings, path.join(scratch, 'spill'), [from, to]);
  try {
    await db.run(
      `COPY (SELECT content FROM read_blob(${literal(from)})) TO ${literal(to)} (FORMAT blob, COMPRESSION none)`,
    );
  } catch (error) {
    throw placeFailed(what, isS3(from) ? from : to, error);
  } finally {
    db.close();
  }
}
