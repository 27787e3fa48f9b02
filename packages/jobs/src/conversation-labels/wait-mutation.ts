/**
 * Submits a mutation and waits for it on every replica of every shard. Mutations are always submitted asynchronously: a
 * call that waits on the server hangs without limit when merges are stopped. Whatever goes wrong, and on cancel, ours
 * are killed, so that none deletes later what has been written again.
 */

import { ServiceError, type SkeinError } from '@skein/orchestrator';

import type { ClickHouse } from '../resources/clickhouse.ts';
import { MutationFailedError } from './errors.ts';
import type { Statement } from './label-sql.ts';
import { type MutationPoll, type MutationRow, type MutationVerdict, describeFacts, judge } from './mutations.ts';
import { LABELS, type Place, namesOf } from './place.ts';
import { pause } from './pause.ts';

export interface MutationWait {
  readonly clickhouse: ClickHouse;
  readonly place: Place;
  /** Table name without its database; default the labels. */
  readonly table?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** True when no row that should go is left on any replica: the proof where the list of mutations says nothing. */
  readonly provenGone: () => Promise<boolean>;
  readonly onPoll?: (verdict: MutationVerdict) => void;
}

/** A tenth of what was waited already: the end is noticed soon after a short mutation, a long one spares the server. */
const POLL_SHARE = 0.1;
const SHORTEST_POLL_MS = 20;
const LONGEST_POLL_MS = 5_000;
/** A reason must repeat: a mutation that merely met a merge tries again by itself. */
const FAILING_POLLS = 3;
const DDL_TIMEOUT = 159;

/** The statement's parameters hold its mark. @throws MutationFailedError; ours are killed then */
export async function submitMutation(wait: MutationWait, statement: Statement): Promise<void> {
  const mark = String(statement.params.mark);
  try {
    await wait.clickhouse.command(statement.sql, {
      params: statement.params,
      settings: {
        mutations_sync: '0',
        max_query_size: '67108864',
        ...(wait.place.cluster === null ? {} : { distributed_ddl_task_timeout: '180' }),
      },
      signal: wait.signal,
    });
  } catch (error) {
    // The work of an ON CLUSTER statement goes on behind this answer.
    if (!(error instanceof ServiceError && Number(error.details.clickhouse_code) === DDL_TIMEOUT)) {
      if (wait.signal.aborted) await killMutation(wait, mark);
      throw error;
    }
  }
  await awaitMutation(wait, mark);
}

export async function awaitMutation(wait: MutationWait, mark: string): Promise<void> {
  try {
    await pollUntilDone(wait, mark);
  } catch (error) {
    await killMutation(wait, mark);
    throw error;
  }
}

async function pollUntilDone(wait: MutationWait, mark: string): Promise<void> {
  const begun = performance.now();
  const deadline = begun + wait.timeoutMs;
  let failingPolls = 0;
  let least = Infinity;
  let leastAt = begun;
  for (;;) {
    const verdict = judge(await pollMutations(wait), mark);
    wait.onPoll?.(verdict);
    if (verdict.kind === 'done') return;
    if (verdict.kind === 'absent' && (await wait.provenGone())) return;
    failingPolls = verdict.kind === 'failing' || verdict.kind === 'blocked' ? failingPolls + 1 : 0;
    if (failingPolls >= FAILING_POLLS) throw failure(wait, verdict, 0);
    if (verdict.kind === 'progressing' && verdict.partsToDo < least) {
      if (least < Infinity) leastAt = performance.now(); // what is seen first is no progress
      least = verdict.partsToDo;
    }
    if (performance.now() >= deadline) throw failure(wait, verdict, performance.now() - leastAt);
    const everyMs = Math.min(LONGEST_POLL_MS, Math.max(SHORTEST_POLL_MS, (performance.now() - begun) * POLL_SHARE));
    await pause(Math.min(everyMs, Math.max(1, deadline - performance.now())), wait.signal);
  }
}

function failure({ place, timeoutMs }: MutationWait, verdict: MutationVerdict, flatMs: number): SkeinError {
  const where = `${place.database}.${LABELS}`;
  const limit = `${Math.round(timeoutMs / 1000)} s (mutation_timeout_seconds)`;
  switch (verdict.kind) {
    case 'failing':
      return new MutationFailedError(
        'failing',
        `The delete on ${where} fails: ${describeFacts(verdict.unfinished)}. It was killed; nothing was inserted.`,
      );
    case 'blocked':
      return new MutationFailedError(
        'blocked',
        `The delete on ${where} waits behind a failing mutation of somebody else: ${describeFacts(verdict.foreign)}. ` +
          'Repair or kill that one (KILL MUTATION), then run again. Ours was killed; nothing was inserted.',
      );
    case 'progressing':
      return flatMs >= timeoutMs / 2
        ? new MutationFailedError(
            'stalled',
            `The delete on ${where} stalled: no progress and no error within ${limit}: ${describeFacts(verdict.unfinished)}. Look at SYSTEM START MERGES and the merge pool. It was killed; nothing was inserted.`,
          )
        : new MutationFailedError(
            'slow',
            `The delete on ${where} was still at work after ${limit}: ${describeFacts(verdict.unfinished)}. It was killed; raise the limit and run again.`,
          );
    case 'unknown':
      return new MutationFailedError(
        'unknown',
        `Only ${verdict.answered} of ${verdict.expected} replicas of ${where} answered within ${limit}: whether the delete is done is unknown. Nothing was inserted.`,
      );
    default:
      return new MutationFailedError(
        'vanished',
        `The delete on ${where} is not listed in system.mutations, and rows are still there after ${limit}. Somebody killed it; run again.`,
      );
  }
}

export async function pollMutations({
  clickhouse,
  place,
  table,
  signal,
}: Pick<MutationWait, 'clickhouse' | 'place' | 'table' | 'signal'>): Promise<MutationPoll> {
  const names = namesOf(place);
  const replica = place.cluster === null ? '1' : '_shard_num';
  const settings = place.cluster === null ? {} : { skip_unavailable_shards: 1 as const };
  const rows = await clickhouse.rows<MutationRow>(
    `SELECT toUInt32(${replica}) AS replica, hostName() AS host, mutation_id, command, is_done, parts_to_do, latest_fail_reason
     FROM ${names.mutationsEverywhere} WHERE database = {database:String} AND table = {table:String}`,
    { params: { database: place.database, table: table ?? LABELS }, settings, signal },
  );
  if (place.cluster === null) return { rows, answered: new Set([1]), expected: 1 };
  const servers = await clickhouse.rows<{ replica: number }>(
    `SELECT DISTINCT toUInt32(_shard_num) AS replica FROM ${names.serversEverywhere}`,
    { settings, signal },
  );
  const [expected] = await clickhouse.rows<{ replicas: string }>(
    'SELECT count() AS replicas FROM system.clusters WHERE cluster = {cluster:String}',
    {
      params: { cluster: place.cluster },
      signal,
    },
  );
  return { rows, answered: new Set(servers.map((s) => s.replica)), expected: Number(expected?.replicas ?? 0) };
}

/** Kills only what carries the mark; what it already changed stays. Never throws: the reason to kill matters more. */
async function killMutation({ clickhouse, place, table }: MutationWait, mark: string): Promise<void> {
  try {
    await clickhouse.command(
      `KILL MUTATION${namesOf(place).onCluster} WHERE database = {database:String} AND table = {table:String} AND position(command, {mark:String}) > 0 AND is_done = 0 ASYNC`,
      { params: { database: place.database, table: table ?? LABELS, mark: `'${mark}'` } },
    );
  } catch {
    // The server is away: the mark lets the next attempt find it.
  }
}
