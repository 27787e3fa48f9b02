/**
 * Brings differences into PostgreSQL, a transaction a batch, and publishes each batch after its commit. While PostgreSQL
 * writes a batch, the next one is found and the one before is published. A failure rolls back the open batch only; what
 * is committed is published before the failure is passed on.
 */

import type pg from 'pg';

import { transaction } from '../resources/postgres.ts';
import { NOBODY, type PreparedChanges, applyInPlace, prepareChanges } from './apply-in-place.ts';
import { PERSON_TOPIC, type PublishedPerson, personMessage } from './person-message.ts';
import type { PersonReads } from './person-reads.ts';
import { type BatchResult, reconcileBatch } from './reconcile-batch.ts';
import type { TeamWork } from './reconcile-team.ts';
import type { PersonDiff } from './replay.ts';
import type { TeamLog } from './team-log.ts';
import { refusalOf, tryStatement } from './try-statement.ts';

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
    count(work, log, await reconcileBatch(targetOf(writing), diffs, NOBODY), diffs.length);
  }
}

async function writeWhole(writing: Writing, source: Source, publishing: Publishing): Promise<void> {
  const { work, client, log } = writing;
  const target = targetOf(writing);
  const results: { result: BatchResult; size: number }[] = [];
  await transaction(client, async () => {
    for await (const diffs of inBatches(source, STATEMENT_ROWS)) {
      work.signal.throwIfAborted();
      const tried = await tryStatement(client, () => applyInPlace(target, prepareChanges(diffs)));
      const applied = tried.refusal === undefined ? tried.value : NOBODY;
      results.push({ result: await reconcileBatch(target, diffs, applied), size: diffs.length });
    }
  });
  for (const { result, size } of results) count(work, log, result, size);
  const updated = results.reduce((sum, { result }) => sum + result.updated, 0);
  if (updated > 0) log.committed(1, updated);
  await publishing.hold(results.flatMap(({ result }) => result.published));
}

async function writeBatches(writing: Writing, source: Source, publishing: Publishing): Promise<void> {
  const { work, log } = writing;
  let batch = 0;
  let nextIsReady = false;
  const write = async (prepared: PreparedChanges, sent: () => void) => {
    const result = await writeBatch(writing, prepared, sent);
    count(work, log, result, prepared.diffs.length);
    if (result.updated > 0) log.committed(++batch, result.updated);
    await publishing.hold(result.published);
    if (!nextIsReady) publishing.start();
  };
  let underWay: Promise<void> = Promise.resolve();
  try {
    for await (const diffs of inBatches(source, work.config.batch_size)) {
      const prepared = prepareChanges(diffs);
      nextIsReady = true;
      await underWay;
      nextIsReady = false;
      work.signal.throwIfAborted();
      // What takes time here begins when PostgreSQL has got its work: else it waits for us.
      await new Promise<void>((sent) => {
        underWay = write(prepared, sent);
        // Whoever awaits it next is told; until then it must not count as unhandled.
        underWay.catch(() => sent());
      });
      publishing.start();
    }
  } finally {
    await underWay;
  }
}

/** A transaction. What PostgreSQL refuses to do in place is undone and goes the long way, in another one. */
async function writeBatch(writing: Writing, prepared: PreparedChanges, sent: () => void): Promise<BatchResult> {
  const target = targetOf(writing);
  try {
    return await transaction(writing.client, async () => {
      const applying = applyInPlace(target, prepared);
      sent();
      return reconcileBatch(target, prepared.diffs, await applying);
    });
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return transaction(writing.client, () => reconcileBatch(target, prepared.diffs, NOBODY));
  }
}

function targetOf({ work, client, reads }: Writing) {
  return {
    client,
    teamId: work.teamId,
    backupRunId: work.config.backup_enabled ? work.runId : undefined,
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
  let held: readonly PublishedPerson[] = [];
  let last: Promise<void> = Promise.resolve();
  const start = () => {
    const persons = held;
    held = [];
    if (persons.length === 0) return;
    // Without the signal: what is committed is published even when the run is cancelled.
    last = last.then(() => work.publisher.publish(PERSON_TOPIC, persons.map(personMessage)));
    // Whoever holds next, or ends, is told; until then it must not count as unhandled.
    last.catch(() => {});
  };
  return {
    /** Waits for the lot before, so that lots do not pile up in memory. @throws what that lot failed with */
    async hold(persons: readonly PublishedPerson[]): Promise<void> {
      start();
      await last;
      held = persons;
    },
    /** Publishes the lot that is held. */
    start,
    async end(): Promise<void> {
      start();
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
