/**
 * Reconciles one team: finds the differences, brings them into PostgreSQL batch by batch, and publishes what was
 * committed. A failure rolls back the open batch only; what is committed is published before the failure is passed on.
 */

import type { Logger } from '@skein/orchestrator';
import type pg from 'pg';

import type { ClickHouse } from '../resources/clickhouse.ts';
import type { Message, Publisher } from '../resources/kafka.ts';
import type { PersonsDb } from '../resources/postgres.ts';
import { ensureBackupTable } from './backup-table.ts';
import { type ReconciliationConfig, isWindowed, parseMoment } from './config.ts';
import { findDiffs, findDiffsInWindows } from './find-diffs.ts';
import { PERSON_TOPIC } from './person-message.ts';
import { type PersonReads, createPersonReads } from './person-reads.ts';
import { type BatchResult, type BatchTarget, reconcileBatch } from './reconcile-batch.ts';
import type { PersonDiff } from './replay.ts';
import { type TeamLog, createTeamLog } from './team-log.ts';
import { withTeamSession } from './team-session.ts';

export interface TeamWork {
  readonly teamId: number;
  readonly runId: string;
  readonly config: ReconciliationConfig;
  readonly clickhouse: ClickHouse;
  readonly personsDb: PersonsDb;
  readonly publisher: Publisher;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly now: Date;
  /** Counts of work that is committed, kept up to date while the team is worked on, so that a failure leaves them true. */
  readonly counts: TeamCounts;
}

export interface TeamCounts {
  processed: number;
  updated: number;
  skipped: number;
  wouldUpdate: number;
  republished: number;
  /** Of a dry run. */
  sample: PersonDiff[];
}

export function noCounts(): TeamCounts {
  return { processed: 0, updated: 0, skipped: 0, wouldUpdate: 0, republished: 0, sample: [] };
}

/** Diffs that a dry run shows. */
const SAMPLE = 5;
/** Rows in one statement where a batch is the whole team. */
const STATEMENT_ROWS = 1_000;

export async function reconcileTeam(work: TeamWork): Promise<void> {
  const { teamId, config, personsDb, signal } = work;
  const session = { teamId, applicationName: 'person_property_reconciliation' };
  const log = createTeamLog(work.log, teamId);
  await withTeamSession(personsDb.writer, signal, session, async (client) => {
    if (config.backup_enabled && !config.dry_run) await ensureBackupTable(client);
    const reads = createPersonReads(work.clickhouse, teamId, signal);
    if (isWindowed(config)) await windowed(work, client, reads, log);
    else await single(work, client, reads, log);
  });
}

function searchOf(work: TeamWork, reads: PersonReads, log: TeamLog) {
  const start = momentOf(work.config.bug_window_start);
  return { reads, log, signal: work.signal, start, now: work.now, repairMissingKeys: work.config.repair_missing_keys };
}

async function single(work: TeamWork, client: pg.ClientBase, reads: PersonReads, log: TeamLog): Promise<void> {
  log.singleQuery();
  await writeAll(work, client, reads, log, findDiffs(searchOf(work, reads, log)));
  const { counts } = work;
  log.foundDiffs(counts.processed);
  if (counts.processed === 0) log.nothingToDo();
  if (work.config.dry_run) log.dryRun(counts.wouldUpdate);
  log.completed(counts);
}

async function windowed(work: TeamWork, client: pg.ClientBase, reads: PersonReads, log: TeamLog): Promise<void> {
  const { config, counts } = work;
  const search = {
    ...searchOf(work, reads, log),
    end: momentOf(config.bug_window_end ?? config.bug_window_start),
    windowSeconds: config.team_ch_props_fetch_window_seconds,
    personBatchSize: config.person_batch_size,
  };
  let slices = 0;
  for await (const slice of findDiffsInWindows(search)) {
    slices++;
    if (slice.diffs.length > 0) await writeAll(work, client, reads, log, [slice.diffs]);
  }
  if (config.dry_run) log.dryRun(counts.wouldUpdate);
  log.completedWindowed(counts, slices);
}

/** Writes everything that comes, in batches; all of it is committed and published when this resolves. */
async function writeAll(
  work: TeamWork,
  client: pg.ClientBase,
  reads: PersonReads,
  log: TeamLog,
  source: AsyncIterable<PersonDiff[]> | Iterable<PersonDiff[]>,
): Promise<void> {
  const { config } = work;
  const whole = config.batch_size <= 0;
  const target: BatchTarget = {
    client,
    teamId: work.teamId,
    runId: work.runId,
    backupEnabled: config.backup_enabled,
    dryRun: config.dry_run,
    basesOf: (persons) => reads.bases(persons),
  };
  const publishing = createPublishing(work, log);
  let number = 1;
  // Committed together: results of one batch, or of the whole where a batch is the whole.
  let open: { result: BatchResult; size: number }[] = [];
  const begin = async () => void (config.dry_run || (await client.query('BEGIN')));
  const commit = async () => {
    if (!config.dry_run) await client.query('COMMIT');
    const updated = open.reduce((sum, { result }) => sum + result.updated, 0);
    for (const { result, size } of open) count(work, log, result, size);
    if (updated > 0) log.committed(number++, updated);
    await publishing.add(open.flatMap(({ result }) => result.messages));
    open = [];
  };
  let inTransaction = false;
  try {
    if (whole) {
      await begin();
      inTransaction = true;
    }
    for await (const diffs of inBatches(source, whole ? STATEMENT_ROWS : config.batch_size)) {
      work.signal.throwIfAborted();
      if (!whole) await begin();
      inTransaction = true;
      open.push({ result: await reconcileBatch(target, diffs), size: diffs.length });
      if (whole) continue;
      inTransaction = false;
      await commit();
    }
    if (whole) {
      inTransaction = false;
      await commit();
    }
  } catch (error) {
    if (inTransaction && !config.dry_run) await client.query('ROLLBACK').catch(() => {});
    await publishing.end().catch(() => {});
    throw error;
  }
  await publishing.end();
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

/** Publishes behind the back of the next batch, one lot at a time, in order. */
function createPublishing({ publisher }: TeamWork, log: TeamLog) {
  let last: Promise<void> = Promise.resolve();
  return {
    /** Waits for the lot before, so that no more than one waits in memory. */
    async add(messages: readonly Message[]): Promise<void> {
      await last;
      if (messages.length === 0) return;
      // Without the signal: what is committed is published even when the run is cancelled.
      last = publisher.publish(PERSON_TOPIC, messages);
      // Whoever adds next, or ends, is told; until then it must not count as unhandled.
      last.catch((error: unknown) => log.publishFailed(error));
    },
    end: () => last,
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

function momentOf(text: string): Date {
  const date = parseMoment(text);
  if (!date) throw new TypeError(`${text} is no moment`);
  return date;
}
