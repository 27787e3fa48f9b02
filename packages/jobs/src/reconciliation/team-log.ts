/** What operators read and grep: the messages of the reconciliation of a team, to the letter. */

import type { Logger } from '@skein/orchestrator';

export type TeamLog = ReturnType<typeof createTeamLog>;

export function createTeamLog(log: Logger, teamId: number) {
  const fields = { team_id: teamId };
  const failed = (message: string, error: unknown) => log.error(message, { ...fields, error: stackOf(error) });
  return {
    singleQuery: () => log.info(`Using single-query mode for team_id=${teamId}`, fields),
    foundDiffs: (persons: number) =>
      log.info(`Found ${persons} persons with property diffs for team_id=${teamId}`, fields),
    nothingToDo: () => log.info(`No persons to reconcile for team_id=${teamId}`, fields),
    processing: (persons: number) => log.info(`Processing ${persons} persons for team_id=${teamId}`, fields),
    committed: (batch: number, updates: number) =>
      log.info(`Batch ${batch}: committed ${updates} updates for team_id=${teamId}`, fields),
    skipped: (personId: string, reason: string) =>
      log.warn(`Skipped person uuid=${personId} team_id=${teamId} reason=${reason}`, fields),
    unreadable: (personId: string, keys: readonly string[]) =>
      log.warn(
        `Skipped properties of person uuid=${personId} team_id=${teamId} reason=integer_beyond_64_bits keys=${JSON.stringify(keys)}`,
        fields,
      ),
    dryRun: (persons: number) =>
      log.info(`[DRY RUN] would apply updates to ${persons} persons for team_id=${teamId}`, fields),
    republished: (persons: number) =>
      log.info(
        `Republished ${persons} persons for team_id=${teamId}: Postgres was right already, ClickHouse was behind`,
        fields,
      ),
    completed: (counts: Counts) => log.info(`Completed team_id=${teamId}: ${describe(counts)}`, fields),
    failed: (error: unknown) => failed(`Failed team_id=${teamId}: ${messageOf(error)}`, error),
    publishFailed: (error: unknown) =>
      failed(`Failed to publish persons to Kafka for team_id=${teamId}, error: ${messageOf(error)}`, error),

    queryingAffected: (start: string, end: string) =>
      log.info(`Querying affected persons: team_id=${teamId}, bug_window=[${start}, ${end}]`, fields),
    foundAffected: (persons: number) => log.info(`Found ${persons} affected persons for team_id=${teamId}`, fields),
    affectedFailed: (start: string, end: string, error: unknown) =>
      failed(`Failed to query affected persons for team_id=${teamId}, bug_window=[${start}, ${end}]`, error),
    startingWindows: (batches: number, size: number, windows: number, seconds: number) =>
      log.info(
        `Starting batched windowed processing: team_id=${teamId}, ${batches} batches of ~${size} persons, ~${windows} windows of ${seconds}s each`,
        fields,
      ),
    processingBatch: (n: number, total: number, persons: number) =>
      log.info(`Processing batch ${n}/${total} for team_id=${teamId}, ${persons} persons`, fields),
    window: (n: number, window: number, total: number, accumulated: number) =>
      log.info(`Batch ${n}: processed window ${window}/${total}, accumulated ${accumulated} persons`, fields),
    windowFailed: (n: number, window: number, total: number, from: string, to: string, error: unknown) =>
      failed(`Batch ${n}: failed to query window ${window}/${total} [${from}, ${to}) for team_id=${teamId}`, error),
    collectionFailed: (n: number, windows: number, accumulated: number, error: unknown) =>
      failed(
        `Batch ${n}: failed during windowed event collection for team_id=${teamId} after ${windows} windows, accumulated ${accumulated} persons`,
        error,
      ),
    comparing: (n: number, persons: number) =>
      log.info(`Batch ${n}: comparing ${persons} persons against current state`, fields),
    comparisonFailed: (n: number, persons: number, error: unknown) =>
      failed(`Batch ${n}: failed to compare ${persons} persons against current state for team_id=${teamId}`, error),
    yielding: (n: number, persons: number) => log.info(`Batch ${n}: yielding ${persons} persons with diffs`, fields),
    completedWindowed: (counts: Counts, personBatches: number) =>
      log.info(
        `Completed team_id=${teamId} (windowed batched): ${describe(counts)}, person_batches=${personBatches}`,
        fields,
      ),
  };
}

interface Counts {
  readonly processed: number;
  readonly updated: number;
  readonly skipped: number;
}

function describe({ processed, updated, skipped }: Counts): string {
  return `processed=${processed}, updated=${updated}, skipped=${skipped}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
