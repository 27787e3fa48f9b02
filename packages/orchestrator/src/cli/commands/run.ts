/** `skein run JOB`: launches a run and, with `--wait`, stays until it has ended. */

import type { Command } from 'commander';

import { leaf, overServer } from '../help.ts';
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
  overServer(
    leaf(program, 'run <job>', 'launch a job', [
      'skein run my_job --partition 7_2026-01-31 --wait',
      'skein run my_job --partition 1..50_2026-01-01..2026-01-31 --tag ticket=OPS-12',
      `skein run my_job --config '{"team_ids": [1, 2]}' --dry-run --wait --json`,
      'skein run my_job --config @config.json --priority 10',
      'SKEIN_TOKEN=… skein run my_job --partition 7_2026-01-31 --wait --server https://skein.example.org',
    ]),
  )
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
  const [{ openRuns }, { followToEnd }, { runEndLines, runResultJson }] = await Promise.all([
    import('../ports/runs.ts'),
    import('../follow-run.ts'),
    import('../describe-run.ts'),
  ]);
  const runs = await openRuns(session);
  const { runId, isNew } = await runs.launch({
    job,
    partitions: flags.partition ?? [],
    config: readConfigArgument(flags.config),
    tags: flags.tag,
    priority: flags.priority,
    runKey: flags.runKey,
    dryRun: flags.dryRun ?? false,
  });
  if (!isNew) session.note(`Nothing new was launched: run ${runId} does this already.`);
  if (flags.wait !== true) {
    const { status } = await runs.glance(runId);
    session.print({ run_id: runId, status, is_new: isNew }, () => [runId]);
    return;
  }
  session.note(`run ${runId}`);
  const ended = await followToEnd(session, runs, runId);
  session.print(runResultJson(ended), () => runEndLines(ended));
}
