/**
 * `person_property_reconciliation_scheduler`: launches reconciliation for the teams of its cursor, chunk by chunk, never
 * more runs than the cursor allows, whoever launched them. Progress is in the cursor; when everything has run it says how
 * many teams succeeded and failed.
 */

import { bugWindowDay, personPropertyReconciliation, personPropertyReconciliationJob } from '@skein/jobs';
import {
  type JsonObject,
  type PartitionReader,
  type RunRequest,
  defineSensor,
  request,
  skip,
} from '@skein/orchestrator';

import { ReconciliationSchedulerCursor, isUnset, namesTeams } from './person-property-reconciliation-cursor.ts';

type Cursor = ReconciliationSchedulerCursor;

const CHUNK_SIZE = 1_000;
const MAX_CONCURRENT_JOBS = 5;
/** Partitions whose state is read at once when all is done. */
const STATUS_BATCH = 5_000;

export const personPropertyReconciliationScheduler = defineSensor({
  name: 'person_property_reconciliation_scheduler',
  description:
    'Launches the reconciliation of person properties for a list or a range of teams, in chunks, as its cursor says.',
  job: personPropertyReconciliationJob,
  every: '30s',
  cursor: ReconciliationSchedulerCursor,
  async evaluate({ cursor, now, partitions, runs }) {
    if (isUnset(cursor)) {
      return skip(
        'No cursor set. Give it team_ids or range_start and range_end, with bug_window_start and bug_window_end.',
      );
    }
    const most = cursor.max_concurrent_jobs ?? MAX_CONCURRENT_JOBS;
    const active = await runs.countActive({ job: personPropertyReconciliationJob.name });
    const slots = Math.max(0, most - active);
    if (slots === 0) return skip(`At max concurrency (${active}/${most} jobs), waiting for slots`);
    const { requests, next } = nextRequests(cursor, slots, now);
    if (requests.length > 0) return request(requests, { cursor: next });
    if (active > 0)
      return skip(`Every team is scheduled, waiting for ${active} active ${active === 1 ? 'run' : 'runs'}`);
    return ended(cursor, partitions);
  },
});

interface Step {
  readonly requests: RunRequest[];
  readonly next: Cursor;
}

/** Up to `slots` runs, and the cursor after them. Pure. */
function nextRequests(cursor: Cursor, slots: number, now: Date): Step {
  // Counted anew when the last run has ended.
  const { teams_succeeded: _succeeded, teams_failed: _failed, ...rest } = cursor;
  const size = cursor.chunk_size ?? CHUNK_SIZE;
  const requests: RunRequest[] = [];
  // The cursor is what keeps a chunk from being launched twice. A key made of the chunk alone would suppress a second
  // pass over the same teams, such as the real run after a dry run.
  const keyOf = (chunk: string) => `${now.toISOString()}|${chunk}`;
  if (namesTeams(cursor)) {
    const teams = cursor.team_ids ?? [];
    let at = cursor.next_team_index ?? 0;
    for (; requests.length < slots && at < teams.length; at = Math.min(at + size, teams.length)) {
      const chunk = teams.slice(at, at + size);
      const name = `${at}-${at + chunk.length - 1}`;
      requests.push({
        config: { ...runConfig(cursor), team_ids: chunk },
        tags: {
          reconciliation_team_ids_range: name,
          reconciliation_team_count: String(chunk.length),
          owner: 'team-ingestion',
        },
        runKey: keyOf(name),
      });
    }
    return { requests, next: { ...rest, next_team_index: at } };
  }
  const end = cursor.range_end ?? 0;
  let at = cursor.next_chunk_start ?? cursor.range_start ?? 0;
  for (; requests.length < slots && at <= end; at = Math.min(at + size - 1, end) + 1) {
    const last = Math.min(at + size - 1, end);
    requests.push({
      config: { ...runConfig(cursor), min_team_id: at, max_team_id: last },
      tags: { reconciliation_range: `${at}-${last}`, owner: 'team-ingestion' },
      runKey: keyOf(`${at}-${last}`),
    });
  }
  return { requests, next: { ...rest, next_chunk_start: at } };
}

function runConfig(cursor: Cursor): JsonObject {
  return {
    bug_window_start: cursor.bug_window_start,
    bug_window_end: cursor.bug_window_end,
    dry_run: cursor.dry_run ?? false,
    backup_enabled: cursor.backup_enabled ?? true,
    batch_size: cursor.batch_size ?? 100,
    teams_per_chunk: cursor.teams_per_chunk ?? 100,
    team_ch_props_fetch_window_seconds: cursor.team_ch_props_fetch_window_seconds ?? 0,
    person_batch_size: cursor.person_batch_size ?? 10_000,
    max_concurrent_tasks: cursor.max_concurrent_tasks ?? 10,
    ...(cursor.repair_missing_keys === undefined ? {} : { repair_missing_keys: cursor.repair_missing_keys }),
  };
}

async function ended(cursor: Cursor, partitions: PartitionReader) {
  const list = namesTeams(cursor);
  const known = cursor.teams_succeeded !== undefined && cursor.teams_failed !== undefined;
  const counts = known
    ? { succeeded: cursor.teams_succeeded ?? 0, failed: cursor.teams_failed ?? 0 }
    : await countTeams(cursor, partitions);
  const what = list
    ? `processed all ${cursor.team_ids?.length ?? 0} teams`
    : `processed all teams up to ${cursor.range_end}`;
  const rehearsal = cursor.dry_run === true ? ', a dry run leaves no outcomes' : '';
  const reason = `Reconciliation complete: ${what} (succeeded=${counts.succeeded}, failed=${counts.failed}${rehearsal})`;
  return known
    ? skip<Cursor>(reason)
    : skip<Cursor>(reason, { cursor: { ...cursor, teams_succeeded: counts.succeeded, teams_failed: counts.failed } });
}

async function countTeams(cursor: Cursor, partitions: PartitionReader): Promise<{ succeeded: number; failed: number }> {
  const day = bugWindowDay({ bug_window_start: cursor.bug_window_start ?? '' });
  const counts = { succeeded: 0, failed: 0 };
  for (const ids of teamsInBatches(cursor)) {
    const keys = ids.map((id) => personPropertyReconciliation.partitions.format({ id, day }));
    for (const { outcome } of (await partitions.status(keys)).values()) {
      if (outcome === 'materialized') counts.succeeded++;
      if (outcome === 'failed') counts.failed++;
    }
  }
  return counts;
}

function* teamsInBatches(cursor: Cursor): Generator<number[]> {
  if (namesTeams(cursor)) {
    const teams = [...new Set(cursor.team_ids)];
    for (let i = 0; i < teams.length; i += STATUS_BATCH) yield teams.slice(i, i + STATUS_BATCH);
    return;
  }
  const [start, end] = [Math.max(1, cursor.range_start ?? 1), cursor.range_end ?? 0];
  for (let from = start; from <= end; from += STATUS_BATCH) {
    yield Array.from({ length: Math.min(STATUS_BATCH, end - from + 1) }, (_, i) => from + i);
  }
}
