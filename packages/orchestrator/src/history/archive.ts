/**
 * Moves ended runs from the ledger into Parquet. A batch becomes one file for each day; a file appears whole or not at
 * all, is read back, and only then are its runs taken out of the ledger, by one script. A crash in between leaves runs
 * in both places: readers take each id once, and the next pass archives them again.
 */

import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Engine } from '../engine/engine.ts';
import { ServiceError } from '../definitions/errors.ts';
import { type HistoryDb, literal, openHistoryDb, placeFailed } from './duckdb.ts';
import { type JsonLines, openJsonLines, withScratch } from './json-lines.ts';
import { type MaintenanceLock, forgetRuns, takeMaintenanceLock } from './maintenance.ts';
import { readRunRecords } from './read-runs.ts';
import { RUN_COLUMNS, type RunRecord } from './run-record.ts';
import { isS3, readHistorySettings } from './settings.ts';

export interface ArchiveOptions {
  /** Runs that ended longer ago than this leave. */
  readonly olderThanMs: number;
  /** Runs in one call at most. */
  readonly limit: number;
}

export interface ArchiveCounts {
  readonly archived: number;
  readonly files: number;
  /** True when another process archives or a backup is taken: nothing was done. */
  readonly busy: boolean;
}

/** A file has at most this many runs; few enough that a pass that is killed repeats seconds of work. */
const BATCH_RUNS = 10_000;
const BATCH_BYTES = 128 * 1_048_576;
/** Runs taken out in one script call: about 2 ms of Redis. */
const FORGET_BATCH = 200;
const ENDS = ['SUCCESS', 'FAILURE', 'CANCELED'] as const;

/** Idempotent; safe against `kill -9` at any moment. @throws ServiceError when the place of history cannot be written */
export async function archiveRuns(engine: Engine, options: ArchiveOptions): Promise<ArchiveCounts> {
  const lock = await takeMaintenanceLock(engine, 'archive');
  if (lock === undefined) return { archived: 0, files: 0, busy: true };
  try {
    return await withScratch((scratch) => archiveUnderLock(engine, lock, options, scratch));
  } finally {
    await lock.release();
  }
}

async function archiveUnderLock(
  engine: Engine,
  lock: MaintenanceLock,
  options: ArchiveOptions,
  scratch: string,
): Promise<ArchiveCounts> {
  const ids = await oldRuns(engine, options);
  let [archived, files] = [0, 0];
  if (ids.length === 0) return { archived, files, busy: false };
  const settings = readHistorySettings(engine.env);
  const db = await openHistoryDb(settings, scratch);
  try {
    // What a killed pass left half written; nobody else writes while the lock is held.
    if (!isS3(settings.root)) await rm(path.join(settings.root, 'tmp'), { recursive: true, force: true });
    for (let at = 0; at < ids.length;) {
      const batch = await collect(engine, ids.slice(at, at + BATCH_RUNS), path.join(scratch, String(at)));
      for (const [day, { lines }] of batch.days) await writeDay(db, settings.root, day, lines);
      files += batch.days.size;
      for (const { runs } of batch.days.values()) {
        for (let i = 0; i < runs.length; i += FORGET_BATCH) {
          const gone = await forgetRuns(engine, lock, runs.slice(i, i + FORGET_BATCH));
          if (gone === undefined) return { archived, files, busy: true };
          archived += gone;
        }
      }
      at += batch.seen;
      if (!(await lock.renew())) return { archived, files, busy: true };
    }
    return { archived, files, busy: false };
  } finally {
    db.close();
  }
}

/** By the ledger's clock, oldest first. */
async function oldRuns({ redis, keys }: Engine, { olderThanMs, limit }: ArchiveOptions): Promise<string[]> {
  const [seconds, micros] = await redis.time();
  const before = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) - olderThanMs;
  const found = await Promise.all(
    ENDS.map((end) => redis.zrangebyscore(keys.runsByStatus(end), '-inf', before, 'WITHSCORES', 'LIMIT', 0, limit)),
  );
  const runs = found.flatMap((flat) =>
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? '', Number(flat[2 * i + 1])] as const),
  );
  return runs
    .sort((a, b) => a[1] - b[1])
    .slice(0, limit)
    .map(([id]) => id);
}

interface Day {
  readonly lines: JsonLines;
  readonly runs: { readonly id: string; readonly ended_ms: number | null }[];
}

/** Reads runs into one file of lines for each day, until the batch is large enough. */
async function collect(
  engine: Engine,
  ids: readonly string[],
  scratch: string,
): Promise<{ readonly seen: number; readonly days: ReadonlyMap<string, Day> }> {
  await mkdir(scratch, { recursive: true });
  const days = new Map<string, Day>();
  let seen = ids.length;
  let bytes = 0;
  for await (const run of readRunRecords(engine, ids, true)) {
    const name = dayOf(run);
    let day = days.get(name);
    if (day === undefined) days.set(name, (day = { lines: openJsonLines(path.join(scratch, name)), runs: [] }));
    const before = day.lines.bytes;
    await day.lines.write(run);
    day.runs.push({ id: run.id, ended_ms: run.ended_ms });
    bytes += day.lines.bytes - before;
    if (bytes > BATCH_BYTES) {
      seen = ids.indexOf(run.id) + 1;
      break;
    }
  }
  for (const { lines } of days.values()) await lines.end();
  return { seen, days };
}

/** UTC. */
function dayOf(run: RunRecord): string {
  return new Date(run.ended_ms ?? run.created_ms).toISOString().slice(0, 10);
}

/** Writes one file, under its name only when it is whole, and reads it back. The same runs give the same name. */
async function writeDay(db: HistoryDb, root: string, day: string, lines: JsonLines): Promise<void> {
  const source = lines.source(RUN_COLUMNS);
  const [{ name } = { name: '' }] = await db.rows<{ name: string }>(
    `SELECT md5(string_agg(id, ' ' ORDER BY id)) AS name FROM ${source}`,
  );
  const target = `${root}/runs/day=${day}/${name}.parquet`;
  const copy = (to: string) =>
    db.run(
      `COPY (SELECT * FROM ${source} ORDER BY id) TO ${literal(to)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 10000)`,
    );
  try {
    if (isS3(root)) {
      await copy(target); // an object appears when its upload is complete
    } else {
      const draft = path.join(root, 'tmp', `${name}.parquet`);
      for (const dir of [path.dirname(draft), path.dirname(target)]) await mkdir(dir, { recursive: true });
      await copy(draft);
      await flush(draft);
      await rename(draft, target);
      await flush(path.dirname(target));
    }
    const [read] = await db.rows<{ runs: string }>(
      `SELECT count(DISTINCT id) AS runs FROM read_parquet(${literal(target)}) WHERE len(partitions) >= 0 AND len(events) >= 0`,
    );
    if (Number(read?.runs) !== lines.count) {
      throw new ServiceError('history', `${target} holds ${read?.runs ?? 'no'} runs instead of ${lines.count}.`);
    }
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw placeFailed('History cannot be written to', target, error);
  }
}

/** To the disk, so that a power cut cannot take what the ledger is about to forget. */
async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
