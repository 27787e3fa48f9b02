/**
 * Brings differences into PostgreSQL, a transaction a batch, and publishes each batch after its commit. While PostgreSQL
 * writes a batch, the next one is found and the one before is published. A failure rolls back the open batch only; what
 * is committed is published before the failure is passed on.
 */

import type pg from 'pg';

import { transaction } from '../resources/postgres.ts';
import { type PreparedChanges, prepareChanges } from './apply-in-place.ts';
import { PERSON_TOPIC, type PublishedPerson, personMessage } from './person-message.ts';
import type { PersonReads } from './person-reads.ts';
import { type BatchResult, reconcileBatch } from './reconcile-batch.ts';
import type { TeamWork } from './reconcile-team.ts';
import type { PersonDiff } from './replay.ts';
import type { TeamLog } from './team-log.ts';

export interface Writing {
  readonly work: TeamWork;
  readonly client: pg.ClientBase;
  readonly reads: PersonReads;
  readonly log: TeamLog;
}

type Source = AsyncIterable<PersonDiff[]> | Iterable<PersonDiff[]>;

/** Rows in one statement where a batch is the whole. */
const STATEMENT_ROWS = 1_000;
/** Diffs that a dry run shows. */
const SAMPLE = 5;

/** All of it is committed and published when this resolves. */
export async function writeDiffs(writing: Writing, source: Source): Promise<void> {
  const { config } = writing.work;
  const publishing = createPublishing(writing);
  try {
    if (config.dry_run) await rehearse(writing, source);
    else if (config.batch_size <= 0) await writeWhole(writing, source, publishing);
    else await writeBatches(writing, source, publishing);
  } catch (error) {
    await publishing.end().catch(() => {});
    throw error;
  }
  await publishing.end();
}

async function rehearse(writing: Writing, source: Source): Promise<void> {
  const { work, log } = writing;
  for await (const diffs of inBatches(source, STATEMENT_ROWS)) {
    work.signal.throwIfAborted();
    count(work, log, await reconcileBatch(targetOf(writing), { diffs, parameters: [] }), diffs.length);
  }
}

async function writeWhole(writing: Writing, source: Source, publishing: Publishing): Promise<void> {
  const { work, client, log } = writing;
  const results: { result: BatchResult; size: number }[] = [];
  await transaction(client, async () => {
    for await (const diffs of inBatches(source, STATEMENT_ROWS)) {
      work.signal.throwIfAborted();
      results.push({ result: await reconcileBatch(targetOf(writing), prepareChanges(diffs)), size: diffs.length });
    }
  });
  for (const { result, size } of results) count(work, log, result, size);
  const updated = results.reduce((sum, { result }) => sum + result.updated, 0);
  if (updated > 0) log.committed(1, updated);
  await publishing.add(results.flatMap(({ result }) => result.published));
}

async function writeBatches(writing: Writing, source: Source, publishing: Publishing): Promise<void> {
  const { work, client, log } = writing;
  let batch = 0;
  const write = async (prepared: PreparedChanges) => {
    const result = await transaction(client, () => reconcileBatch(targetOf(writing), prepared));
    count(work, log, result, prepared.diffs.length);
    if (result.updated > 0) log.committed(++batch, result.updated);
    await publishing.add(result.published);
  };
  let underWay: Promise<void> = Promise.resolve();
  try {
    for await (const diffs of inBatches(source, work.config.batch_size)) {
      const prepared = prepareChanges(diffs);
      await underWay;
      work.signal.throwIfAborted();
      underWay = write(prepared);
      // Whoever awaits it next is told; until then it must not count as unhandled.
      underWay.catch(() => {});
    }
  } finally {
    await underWay;
  }
}

function targetOf({ work, client, reads }: Writing) {
  return {
    client,
    teamId: work.teamId,
    runId: work.runId,
    backupEnabled: work.config.backup_enabled,
    dryRun: work.config.dry_run,
    basesOf: (persons: Parameters<PersonReads['bases']>[0]) => reads.bases(persons),
  };
}

function count({ counts }: TeamWork, log: TeamLog, result: BatchResult, size: number): void {
  counts.processed += size;
  counts.updated += result.updated;
  counts.skipped += result.skipped.length + result.wouldUpdate.length;
  counts.wouldUpdate += result.wouldUpdate.length;
  counts.republished += result.republished;
  for (const diff of result.wouldUpdate.slice(0, SAMPLE - counts.sample.length)) counts.sample.push(diff);
  for (const { personId, reason } of result.skipped) if (reason !== 'no_changes') log.skipped(personId, reason);
  if (result.republished > 0) log.republished(result.republished);
}

type Publishing = ReturnType<typeof createPublishing>;

/** Publishes behind the back of the next batches, one lot at a time, in the order of the commits. */
function createPublishing({ work, log }: Writing) {
  let last: Promise<void> = Promise.resolve();
  return {
    /** Waits for the lot before, so that lots do not pile up in memory. @throws what that lot failed with */
    async add(persons: readonly PublishedPerson[]): Promise<void> {
      const before = last;
      if (persons.length > 0) {
        // Without the signal: what is committed is published even when the run is cancelled.
        last = before.then(() => work.publisher.publish(PERSON_TOPIC, persons.map(personMessage)));
        // Whoever adds next, or ends, is told; until then it must not count as unhandled.
        last.catch(() => {});
      }
      await before;
    },
    async end(): Promise<void> {
      try {
        await last;
      } catch (error) {
        log.publishFailed(error);
        throw error;
      }
    },
  };
}

async function* inBatches<T>(source: AsyncIterable<T[]> | Iterable<T[]>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const block of source) {
    for (const item of block) {
      batch.push(item);
      if (batch.length === size) {
        yield batch;
        batch = [];
      }
    }
  }
  if (batch.length > 0) yield batch;
}
