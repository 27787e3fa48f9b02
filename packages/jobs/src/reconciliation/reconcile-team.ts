/**
 * Reconciles one team under its lock: finds the differences in the mode that the config says, and has them written. Keeps
 * the team's counts.
 */

import type { Logger } from '@skein/orchestrator';
import type pg from 'pg';

import type { ClickHouse } from '../resources/clickhouse.ts';
import type { Publisher } from '../resources/kafka.ts';
import type { PersonsDb } from '../resources/postgres.ts';
import { ensureBackupTable } from './backup-table.ts';
import { type ReconciliationConfig, isWindowed, parseMoment } from './config.ts';
import { findDiffs, findDiffsInWindows } from './find-diffs.ts';
import { type PersonReads, createPersonReads } from './person-reads.ts';
import type { PersonDiff } from './replay.ts';
import { type TeamLog, createTeamLog } from './team-log.ts';
import { withTeamSession } from './team-session.ts';
import { writeDiffs } from './write-diffs.ts';

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
  await writeDiffs({ work, client, reads, log }, findDiffs(searchOf(work, reads, log)));
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
    if (slice.diffs.length > 0) await writeDiffs({ work, client, reads, log }, [slice.diffs]);
  }
  if (config.dry_run) log.dryRun(counts.wouldUpdate);
  log.completedWindowed(counts, slices);
}

function momentOf(text: string): Date {
  const date = parseMoment(text);
  if (!date) throw new TypeError(`${text} is no moment`);
  return date;
}
