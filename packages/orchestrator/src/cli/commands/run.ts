/** `skein run JOB`: launches a run and, with `--wait`, stays until it has ended. */

import type { Command } from 'commander';

import { leaf } from '../help.ts';
import { collectTag, readConfigArgument, wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';

interface Flags {
  readonly partition?: readonly string[];
  readonly config?: string;
  readonly tag?: Record<string, string>;
  readonly priority?: number;
  readonly runKey?: string;
  readonly wait?: boolean;
  readonly dryRun?: boolean;
}

export function registerRun(program: Command, run: RunAction): void {
  leaf(program, 'run <job>', 'launch a job', [
    'skein run my_job --partition 7_2026-01-31 --wait',
    'skein run my_job --partition 1..50_2026-01-01..2026-01-31 --tag ticket=OPS-12',
    `skein run my_job --config '{"team_ids": [1, 2]}' --dry-run --wait --json`,
    'skein run my_job --config @config.json --priority 10',
  ])
    .option('--partition <keys...>', 'partition keys or ranges; none where the config names the scope')
    .option('--config <json>', 'the config as JSON, or @FILE that holds it')
    .option('--tag <name=value...>', 'tags of the run', collectTag)
    .option('--priority <n>', 'higher first; live work uses 10, backfills −10', wholeNumber(-1_000, 1_000))
    .option('--run-key <key>', 'launches once: a second request with the same key gives the first run')
    .option('--wait', 'stay until the run has ended; logs and progress go to stderr')
    .option('--dry-run', 'set dry_run in the config; refused by jobs that cannot rehearse')
    .action((job: string, flags: Flags) => run((session) => launch(session, job, flags)));
}

async function launch(session: Session, job: string, flags: Flags): Promise<void> {
  const { assetOfJob, expandKeys } = await import('../partition-arguments.ts');
  // What the arguments alone can say is said before Redis is asked.
  const partitions = expandKeys(assetOfJob(session.deployment, job), flags.partition ?? []);
  const config = readConfigArgument(flags.config);
  const [{ submit }, { followToEnd }, { runEndLines, runResultJson }] = await Promise.all([
    import('../../engine/submit.ts'),
    import('../follow-run.ts'),
    import('../describe-run.ts'),
  ]);
  const engine = await session.engine();
  const { runId, isNew } = await submit(engine, {
    job,
    partitions,
    cause: session.by,
    dryRun: flags.dryRun ?? false,
    ...(config === undefined ? {} : { config }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.runKey === undefined ? {} : { runKey: flags.runKey }),
  });
  await session.audit({
    action: 'skein run',
    target: `run:${runId}`,
    after: { job, partitions: partitions.length, config },
  });
  if (!isNew) session.note(`Nothing new was launched: run ${runId} does this already.`);
  if (flags.wait !== true) {
    const { readRun } = await import('../../engine/reads/runs.ts');
    const { status } = await readRun(engine, runId);
    session.print({ run_id: runId, status, is_new: isNew }, () => [runId]);
    return;
  }
  session.note(`run ${runId}`);
  const ended = await followToEnd(session, engine, runId);
  session.print(runResultJson(ended), () => runEndLines(ended));
}
