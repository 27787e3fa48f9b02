/** `skein runs …`: what ran and what runs, its log, cancelling and retrying it. */

import { type Command, Option } from 'commander';

import type { RunStatus } from '../../definitions/sensor.ts';
import type { RetryScope } from '../../engine/retry.ts';
import type { RunSummary } from '../../definitions/client.ts';
import type { Engine } from '../../engine/engine.ts';
import type { AllRuns } from '../../history/all-runs.ts';
import type { RunArchive } from '../../history/run-archive.ts';
import { WHEN_NONE_IS_NAMED, group, leaf } from '../help.ts';
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
    .action((flags: ListFlags) => run((session) => list(session, flags)));
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
}

interface ListFlags {
  readonly job?: string;
  readonly status?: RunStatus;
  readonly limit: number;
  readonly before?: string;
}

async function list(session: Session, flags: ListFlags): Promise<void> {
  const [{ listRuns }, { lookUp }, { runSummaryJson, runTable }] = await Promise.all([
    import('../../engine/reads/runs.ts'),
    import('../../definitions/deployment.ts'),
    import('../describe-run.ts'),
  ]);
  if (flags.job !== undefined) lookUp('job', session.deployment.jobs, flags.job);
  const engine = await session.engine();
  const live = await listRuns(engine, flags);
  const found = [...live, ...(await past(engine, flags, live))];
  session.print({ runs: found.map(runSummaryJson) }, () => runTable(found));
}

/** What the page still has room for, out of history. */
async function past(engine: Engine, flags: ListFlags, live: readonly RunSummary[]): Promise<RunSummary[]> {
  if (live.length >= flags.limit) return [];
  const { orderOf } = await import('../../history/archived-query.ts');
  return withHistory(engine, async (archive, runs) => {
    const last = live.at(-1) ?? (flags.before === undefined ? undefined : await runs.read(flags.before));
    const at = last && (orderOf(flags) === 'ended_ms' ? (last.endedAt ?? last.createdAt) : last.createdAt);
    const after = last && at && { id: last.id, score: at.getTime() };
    const found = await archive.page(flags, after, flags.limit - live.length);
    return found.map(({ run }) => run).filter(({ id }) => !live.some((one) => one.id === id));
  });
}

async function withHistory<T>(engine: Engine, work: (archive: RunArchive, runs: AllRuns) => Promise<T>): Promise<T> {
  const [{ openRunArchive }, { createAllRuns }] = await Promise.all([
    import('../../history/run-archive.ts'),
    import('../../history/all-runs.ts'),
  ]);
  const archive = openRunArchive(engine);
  try {
    return await work(archive, createAllRuns(engine, archive));
  } finally {
    await archive.close();
  }
}

async function show(session: Session, id: string): Promise<void> {
  const { runDetailJson, runLines } = await import('../describe-run.ts');
  const found = await withHistory(await session.engine(), (_archive, runs) => runs.read(id));
  session.print(runDetailJson(found), () => runLines(found));
}

interface LogFlags {
  readonly limit: number;
  readonly follow?: boolean;
}

async function logs(session: Session, id: string, flags: LogFlags): Promise<void> {
  const [{ followRun }, { eventLine }] = await Promise.all([
    import('../../engine/reads/run-events.ts'),
    import('../follow-run.ts'),
  ]);
  const engine = await session.engine();
  await withHistory(engine, (_archive, runs) => runs.read(id));
  const toJson = (event: Parameters<typeof eventLine>[0]) => ({ at: event.at.toISOString(), ...event.fields });
  if (flags.follow === true && (await engine.redis.exists(engine.keys.run(id))) === 1) {
    await followRun(engine, id, (event) => {
      if (event.type === 'log')
        process.stdout.write(`${session.json ? JSON.stringify(toJson(event)) : eventLine(event)}\n`);
    });
    return;
  }
  const lines = await withHistory(engine, (_archive, runs) => runs.tail(id, flags.limit));
  session.print({ run_id: id, lines: lines.map(toJson) }, () => lines.map(eventLine));
}

async function cancel(session: Session, ids: readonly string[]): Promise<void> {
  const { cancelRun } = await import('../../engine/cancel.ts');
  const engine = await session.engine();
  const cancelled: { run_id: string; status: RunStatus }[] = [];
  for (const id of ids) {
    const status = await cancelRun(engine, id, session.by);
    cancelled.push({ run_id: id, status });
    await session.audit({ action: 'skein runs cancel', target: `run:${id}`, after: { status } });
  }
  session.print({ runs: cancelled }, () => cancelled.map(({ run_id, status }) => `${run_id} ${status}`));
}

interface RetryFlags {
  readonly failedPartitions?: boolean;
  readonly fromFailure?: boolean;
  readonly wait?: boolean;
}

async function retry(session: Session, id: string, flags: RetryFlags): Promise<void> {
  const [{ readRun }, { retryRun }, { runEndLines, runResultJson }] = await Promise.all([
    import('../../engine/reads/runs.ts'),
    import('../../engine/retry.ts'),
    import('../describe-run.ts'),
  ]);
  const engine = await session.engine();
  const { runId, partitions, carried } = await retryRun(engine, id, retryScope(flags));
  await session.audit({
    action: 'skein runs retry',
    target: `run:${runId}`,
    after: { retry_of: id, partitions: partitions.length, carried },
  });
  if (flags.wait !== true) {
    const { status } = await readRun(engine, runId);
    session.print({ run_id: runId, status, retry_of: id, partitions, carried }, () => [runId]);
    return;
  }
  session.note(`run ${runId}`);
  const { followToEnd } = await import('../follow-run.ts');
  const ended = await followToEnd(session, engine, runId);
  session.print(runResultJson(ended), () => runEndLines(ended));
}

function retryScope(flags: RetryFlags): RetryScope {
  if (flags.fromFailure === true) return 'from_failure';
  return flags.failedPartitions === true ? 'failed' : 'all';
}
