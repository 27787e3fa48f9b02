/** `skein runs …`: what ran and what runs, its log, cancelling and retrying it. */

import { type Command, Option } from 'commander';

import type { RunStatus } from '../../definitions/sensor.ts';
import type { RetryScope } from '../../engine/retry.ts';
import { WHEN_NONE_IS_NAMED, group, leaf, overServer } from '../help.ts';
import type { RunFilter } from '../ports/runs.ts';
import { parseRunStatus, wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';

export function registerRuns(program: Command, run: RunAction): void {
  const runs = group(program, 'runs', 'runs: list, show, logs, cancel, retry', [
    'skein runs list --status failed',
    'skein runs retry 01JD… --failed-partitions --wait',
  ]);
  leaf(
    runs,
    'list',
    'runs, newest first',
    ['skein runs list --job my_job --limit 20', 'skein runs list --status failed --json'],
    WHEN_NONE_IS_NAMED,
  )
    .option('--job <name>', 'only of this job')
    .option('--status <status>', 'queued, starting, started, success, failed, canceling, canceled', parseRunStatus)
    .option('--limit <n>', 'at most so many', wholeNumber(1, 10_000), 50)
    .option('--before <run>', 'only older than this run, for the next page')
    .action((flags: RunFilter) => run((session) => list(session, flags)));
  leaf(runs, 'show <run>', 'one run with its partitions and result', ['skein runs show 01JD…']).action((id: string) =>
    run((session) => show(session, id)),
  );
  leaf(runs, 'logs <run>', 'its log lines', ['skein runs logs 01JD… --follow', 'skein runs logs 01JD… --limit 20'])
    .option('--limit <n>', 'the last so many lines', wholeNumber(1, 100_000), 1_000)
    .option('--follow', 'go on until the run has ended; with --json one JSON object a line')
    .action((id: string, flags: LogFlags) => run((session) => logs(session, id, flags)));
  leaf(runs, 'cancel <runs...>', 'ask runs to stop', ['skein runs cancel 01JD…']).action((ids: string[]) =>
    run((session) => cancel(session, ids)),
  );
  leaf(runs, 'retry <run>', 'a new run with the same config: all of it, what failed, or from where it failed', [
    'skein runs retry 01JD…',
    'skein runs retry 01JD… --failed-partitions --wait --json',
    'skein runs retry 01JD… --from-failure',
  ])
    .option('--all', 'all partitions and steps; so it is when nothing else is said')
    .addOption(new Option('--failed-partitions', 'only the partitions that failed, all their steps').conflicts('all'))
    .addOption(
      new Option(
        '--from-failure',
        'what failed and what was not reached; steps that succeeded are taken over from the old run',
      ).conflicts(['all', 'failedPartitions']),
    )
    .option('--wait', 'stay until the new run has ended')
    .action((id: string, flags: RetryFlags) => run((session) => retry(session, id, flags)));
  runs.commands.forEach(overServer);
}

async function list(session: Session, flags: RunFilter): Promise<void> {
  const [{ openRuns }, { runSummaryJson, runTable }] = await Promise.all([
    import('../ports/runs.ts'),
    import('../describe-run.ts'),
  ]);
  const found = await (await openRuns(session)).list(flags);
  session.print({ runs: found.map(runSummaryJson) }, () => runTable(found));
}

async function show(session: Session, id: string): Promise<void> {
  const [{ openRuns }, { runDetailJson, runLines }] = await Promise.all([
    import('../ports/runs.ts'),
    import('../describe-run.ts'),
  ]);
  const found = await (await openRuns(session)).read(id);
  session.print(runDetailJson(found), () => runLines(found));
}

interface LogFlags {
  readonly limit: number;
  readonly follow?: boolean;
}

async function logs(session: Session, id: string, flags: LogFlags): Promise<void> {
  const [{ openRuns }, { eventLine }] = await Promise.all([import('../ports/runs.ts'), import('../follow-run.ts')]);
  const runs = await openRuns(session);
  const toJson = (event: Parameters<typeof eventLine>[0]) => ({ at: event.at.toISOString(), ...event.fields });
  if (flags.follow === true) {
    return runs.follow(id, (event) => {
      if (event.type === 'log')
        process.stdout.write(`${session.json ? JSON.stringify(toJson(event)) : eventLine(event)}\n`);
    });
  }
  const lines = await runs.tail(id, flags.limit);
  session.print({ run_id: id, lines: lines.map(toJson) }, () => lines.map(eventLine));
}

async function cancel(session: Session, ids: readonly string[]): Promise<void> {
  const { openRuns } = await import('../ports/runs.ts');
  const runs = await openRuns(session);
  const cancelled: { run_id: string; status: RunStatus }[] = [];
  for (const id of ids) cancelled.push({ run_id: id, status: await runs.cancel(id) });
  session.print({ runs: cancelled }, () => cancelled.map(({ run_id, status }) => `${run_id} ${status}`));
}

interface RetryFlags {
  readonly failedPartitions?: boolean;
  readonly fromFailure?: boolean;
  readonly wait?: boolean;
}

async function retry(session: Session, id: string, flags: RetryFlags): Promise<void> {
  const [{ openRuns }, { followToEnd }, { runEndLines, runResultJson }] = await Promise.all([
    import('../ports/runs.ts'),
    import('../follow-run.ts'),
    import('../describe-run.ts'),
  ]);
  const runs = await openRuns(session);
  const { runId, partitions, carried } = await runs.retry(id, retryScope(flags));
  if (flags.wait !== true) {
    const { status } = await runs.glance(runId);
    session.print({ run_id: runId, status, retry_of: id, partitions, carried }, () => [runId]);
    return;
  }
  session.note(`run ${runId}`);
  const ended = await followToEnd(session, runs, runId);
  session.print(runResultJson(ended), () => runEndLines(ended));
}

function retryScope(flags: RetryFlags): RetryScope {
  if (flags.fromFailure === true) return 'from_failure';
  return flags.failedPartitions === true ? 'failed' : 'all';
}
