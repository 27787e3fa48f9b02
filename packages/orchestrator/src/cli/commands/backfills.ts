/** `skein backfills …`: what was asked for in bulk, how far it is, and its switches. */

import type { Command } from 'commander';

import type { Json } from '../../definitions/json.ts';
import type { LastOutcome } from '../../definitions/sensor.ts';
import { WHEN_NONE_IS_NAMED, group, leaf, overServer } from '../help.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { BackfillsPort, ShownBackfill } from '../ports/backfills.ts';
import type { RunAction, Session } from '../session.ts';
import { pairs, table, time } from '../terminal.ts';

export function registerBackfills(program: Command, run: RunAction): void {
  const backfills = group(program, 'backfills', 'backfills: list, show, pause, resume, cancel, retry', [
    'skein backfills list',
    'skein backfills pause 01JD…',
  ]);
  leaf(backfills, 'list', 'backfills, newest first', ['skein backfills list --json'], WHEN_NONE_IS_NAMED)
    .option('--limit <n>', 'at most so many', wholeNumber(1, 10_000), 50)
    .action((flags: { readonly limit: number }) => run((session) => list(session, flags.limit)));
  leaf(backfills, 'show <backfill>', 'one backfill and how far it is', ['skein backfills show 01JD…']).action(
    (id: string) => run((session) => one(session, (port) => port.read(id))),
  );
  leaf(backfills, 'pause <backfill>', 'ask for no more runs until it is resumed', [
    'skein backfills pause 01JD… --reason "the source is slow"',
  ])
    .option('--reason <text>', 'why')
    .action((id: string, flags: { readonly reason?: string }) =>
      run((session) => one(session, (port) => port.pause(id, flags.reason))),
    );
  leaf(backfills, 'resume <backfill>', 'go on', ['skein backfills resume 01JD…']).action((id: string) =>
    run((session) => one(session, (port) => port.resume(id))),
  );
  leaf(backfills, 'cancel <backfill>', 'ask for no more runs and cancel those under way', [
    'skein backfills cancel 01JD…',
    'skein backfills cancel 01JD… --keep-running',
  ])
    .option('--keep-running', 'let runs finish that have begun')
    .action((id: string, flags: { readonly keepRunning?: boolean }) =>
      run((session) => one(session, (port) => port.cancel(id, { running: flags.keepRunning !== true }))),
    );
  leaf(backfills, 'retry <backfill>', 'a new one over the same partitions, for those that failed or were not made', [
    'skein backfills retry 01JD… --failed',
    'skein backfills retry 01JD… --cancelled',
  ])
    .option('--failed', 'only the partitions that failed')
    .option('--cancelled', 'only those that were not made')
    .action((id: string, flags: RetryFlags) => run((session) => retry(session, id, flags)));
  backfills.commands.forEach(overServer);
}

async function open(session: Session): Promise<BackfillsPort> {
  const { openBackfills } = await import('../ports/backfills.ts');
  return openBackfills(session);
}

async function list(session: Session, limit: number): Promise<void> {
  const all = await (await open(session)).list(limit);
  session.print({ backfills: all.map(toJson) }, () =>
    all.length === 0
      ? ['no backfills']
      : table(
          ['BACKFILL', 'JOB', 'STATUS', 'LOOKED AT', 'ACTIVE', 'DONE', 'FAILED', 'CREATED'],
          all.map((backfill) => [
            backfill.id,
            backfill.job,
            backfill.status,
            `${backfill.position}/${backfill.total}`,
            String(backfill.active),
            String(backfill.succeeded),
            String(backfill.failed),
            time(backfill.created_at),
          ]),
        ),
  );
}

/** Does something with one backfill, or only reads it, and prints it. */
async function one(session: Session, work: (port: BackfillsPort) => Promise<ShownBackfill>): Promise<void> {
  const backfill = await work(await open(session));
  session.print(toJson(backfill), () =>
    pairs([
      ['backfill', backfill.id],
      ['job', backfill.job],
      ['status', `${backfill.status}${backfill.status_reason === '' ? '' : `: ${backfill.status_reason}`}`],
      ['looked at', `${backfill.position} of ${backfill.total}`],
      ['requested', String(backfill.requested)],
      ['passed over', String(backfill.passed)],
      ['active', `${backfill.active} of at most ${backfill.max_active}`],
      ['succeeded', String(backfill.succeeded)],
      ['failed', String(backfill.failed)],
      ['canceled', String(backfill.canceled)],
      ['by', backfill.by],
      ['created', time(backfill.created_at)],
      ['ended', time(backfill.ended_at)],
    ]),
  );
}

interface RetryFlags {
  readonly failed?: boolean;
  readonly cancelled?: boolean;
}

async function retry(session: Session, id: string, flags: RetryFlags): Promise<void> {
  const statuses: LastOutcome[] = [];
  if (flags.failed === true || flags.cancelled !== true) statuses.push('failed');
  if (flags.cancelled === true || flags.failed !== true) statuses.push('missing');
  const made = await (await open(session)).retry(id, statuses);
  session.print({ backfill_id: made.id, total: made.total, retry_of: id, statuses }, () => [made.id]);
}

/** As the API shows it; what is printed of an id says of what. */
function toJson({ id, ...rest }: ShownBackfill) {
  return { backfill_id: id, ...rest } as { readonly [field: string]: Json };
}
