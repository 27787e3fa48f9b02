/** `skein backfill JOB`: asks for many partitions of a job, or shows what that would be. */

import type { Command } from 'commander';

import type { LastOutcome } from '../../definitions/sensor.ts';
import { leaf, overServer } from '../help.ts';
import { collectTag, readConfigArgument, wholeNumber, wordsOf } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { pairs } from '../terminal.ts';

const STATUSES = ['missing', 'materialized', 'failed', 'skipped'] as const;

export function registerBackfill(program: Command, run: RunAction): void {
  const command = leaf(program, 'backfill <job>', 'launch a job over many partitions', [
    'skein backfill my_job --ids 1..50 --from 2026-01-01 --to 2026-01-31 --preview',
    'skein backfill my_job --ids 7,8 --from 2026-01-01 --to 2026-01-31 --status missing,failed --max-active 20',
  ])
    .option('--ids <ids...>', 'ids or ranges of them, such as 7,8 or 1..50; default: all that ever had a state')
    .option('--from <day>', 'first day or window; default: the first of the asset')
    .option('--to <day>', 'last day or window; default: the last complete one')
    .option('--status <statuses>', `only partitions that are ${STATUSES.join(', ')}`, wordsOf(STATUSES))
    .option('--preview', 'say what would run, and launch nothing')
    .option('--max-active <n>', 'runs at once', wholeNumber(1, 10_000))
    .option('--config <json>', 'the config of every run as JSON, or @FILE')
    .option('--tag <name=value...>', 'tags of the runs', collectTag)
    .option('--priority <n>', 'higher first; default −10, below live work', wholeNumber(-1_000, 1_000))
    .option('--stop-after-failures <n>', 'pause when so many runs have failed', wholeNumber(1, 1_000_000))
    .option('--newest-first', 'the last day first')
    .action((job: string, flags: Flags) => run((session) => backfill(session, job, flags)));
  overServer(command);
}

interface Flags {
  readonly ids?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly status?: readonly LastOutcome[];
  readonly preview?: boolean;
  readonly maxActive?: number;
  readonly config?: string;
  readonly tag?: Record<string, string>;
  readonly priority?: number;
  readonly stopAfterFailures?: number;
  readonly newestFirst?: boolean;
}

async function backfill(session: Session, job: string, flags: Flags): Promise<void> {
  const config = readConfigArgument(flags.config);
  const request = {
    job,
    ...(flags.ids === undefined ? {} : { ids: flags.ids.flatMap((text) => text.split(',')).map((id) => id.trim()) }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.to === undefined ? {} : { to: flags.to }),
    ...(flags.status === undefined ? {} : { statuses: flags.status }),
    ...(flags.maxActive === undefined ? {} : { maxActive: flags.maxActive }),
    ...(config === undefined ? {} : { config }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.stopAfterFailures === undefined ? {} : { stopAfterFailures: flags.stopAfterFailures }),
    ...(flags.newestFirst === true ? { order: 'newest' as const } : {}),
  };
  const { openBackfills } = await import('../ports/backfills.ts');
  const backfills = await openBackfills(session);
  const plan = await backfills.plan(request);
  const planned = { job, ...plan };
  if (flags.preview === true) {
    session.print({ preview: true, ...planned }, () =>
      pairs([
        ['partitions', String(plan.total)],
        ['would run', String(plan.to_run)],
        ...Object.entries(plan.by_status).map(([status, count]) => [status, String(count)] as const),
        ['first', plan.first],
        ['last', plan.last],
      ]),
    );
    return;
  }
  const { id, total } = await backfills.create(request);
  session.note(`${plan.to_run} of ${total} partitions will run; see “skein backfills show ${id}”.`);
  session.print({ backfill_id: id, ...planned }, () => [id]);
}
