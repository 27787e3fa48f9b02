/** `skein backfills …`: what was asked for in bulk, how far it is, and its switches. */

import type { Command } from 'commander';

import type { Json } from '../../definitions/json.ts';
import type { LastOutcome } from '../../definitions/sensor.ts';
import type * as verbs from '../../engine/backfill.ts';
import type { Backfill } from '../../engine/backfill.ts';
import type { Engine } from '../../engine/engine.ts';
import { WHEN_NONE_IS_NAMED, group, leaf } from '../help.ts';
import { wholeNumber } from '../parse-arguments.ts';
import type { RunAction, Session } from '../session.ts';
import { pairs, table, time } from '../terminal.ts';

type BackfillVerbs = typeof verbs;

export function registerBackfills(program: Command, run: RunAction): void {
  const backfills = group(program, 'backfills', 'backfills: list, show, pause, resume, cancel, retry', [
    'skein backfills list',
    'skein backfills pause 01JD…',
  ]);
  leaf(backfills, 'list', 'backfills, newest first', ['skein backfills list --json'], WHEN_NONE_IS_NAMED)
    .option('--limit <n>', 'at most so many', wholeNumber(1, 10_000), 50)
    .action((flags: { readonly limit: number }) => run((session) => list(session, flags.limit)));
  leaf(backfills, 'show <backfill>', 'one backfill and how far it is', ['skein backfills show 01JD…']).action(
    (id: string) => run((session) => one(session, undefined, (m, engine) => m.readBackfill(engine, id))),
  );
  leaf(backfills, 'pause <backfill>', 'ask for no more runs until it is resumed', [
    'skein backfills pause 01JD… --reason "the source is slow"',
  ])
    .option('--reason <text>', 'why')
    .action((id: string, flags: { readonly reason?: string }) =>
      run((session) =>
        one(session, { verb: 'pause', id, reason: flags.reason }, (m, engine) =>
          m.pauseBackfill(engine, id, session.by, flags.reason),
        ),
      ),
    );
  leaf(backfills, 'resume <backfill>', 'go on', ['skein backfills resume 01JD…']).action((id: string) =>
    run((session) => one(session, { verb: 'resume', id }, (m, engine) => m.resumeBackfill(engine, id, session.by))),
  );
  leaf(backfills, 'cancel <backfill>', 'ask for no more runs and cancel those under way', [
    'skein backfills cancel 01JD…',
    'skein backfills cancel 01JD… --keep-running',
  ])
    .option('--keep-running', 'let runs finish that have begun')
    .action((id: string, flags: { readonly keepRunning?: boolean }) =>
      run((session) =>
        one(session, { verb: 'cancel', id }, (m, engine) =>
          m.cancelBackfill(engine, id, session.by, { running: flags.keepRunning !== true }),
        ),
      ),
    );
  leaf(backfills, 'retry <backfill>', 'a new one over the same partitions, for those that failed or were not made', [
    'skein backfills retry 01JD… --failed',
    'skein backfills retry 01JD… --cancelled',
  ])
    .option('--failed', 'only the partitions that failed')
    .option('--cancelled', 'only those that were not made')
    .action((id: string, flags: RetryFlags) => run((session) => retry(session, id, flags)));
}

async function list(session: Session, limit: number): Promise<void> {
  const { listBackfills } = await import('../../engine/backfill.ts');
  const all = await listBackfills(await session.engine(), limit);
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
            time(backfill.createdAt),
          ]),
        ),
  );
}

/** Does something with one backfill and prints it; `change` is absent when it was only read. */
async function one(
  session: Session,
  change: { readonly verb: string; readonly id: string; readonly reason?: string | undefined } | undefined,
  work: (module: BackfillVerbs, engine: Engine) => Promise<Backfill>,
): Promise<void> {
  const module = await import('../../engine/backfill.ts');
  const backfill = await work(module, await session.engine());
  if (change) {
    await session.audit({
      action: `skein backfills ${change.verb}`,
      target: `backfill:${change.id}`,
      reason: change.reason,
      after: { status: backfill.status },
    });
  }
  session.print(toJson(backfill), () =>
    pairs([
      ['backfill', backfill.id],
      ['job', backfill.job],
      ['status', `${backfill.status}${backfill.statusReason === '' ? '' : `: ${backfill.statusReason}`}`],
      ['looked at', `${backfill.position} of ${backfill.total}`],
      ['requested', String(backfill.requested)],
      ['passed over', String(backfill.passed)],
      ['active', `${backfill.active} of at most ${backfill.maxActive}`],
      ['succeeded', String(backfill.succeeded)],
      ['failed', String(backfill.failed)],
      ['canceled', String(backfill.canceled)],
      ['by', backfill.by],
      ['created', time(backfill.createdAt)],
      ['ended', time(backfill.endedAt)],
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
  const { retryBackfill } = await import('../../engine/backfill.ts');
  const made = await retryBackfill(await session.engine(), id, { statuses }, session.by);
  await session.audit({
    action: 'skein backfills retry',
    target: `backfill:${made.id}`,
    after: { retry_of: id, statuses },
  });
  session.print({ backfill_id: made.id, total: made.total, retry_of: id, statuses }, () => [made.id]);
}

function toJson(backfill: Backfill): { readonly [field: string]: Json } {
  return {
    backfill_id: backfill.id,
    job: backfill.job,
    status: backfill.status,
    status_by: backfill.statusBy,
    status_reason: backfill.statusReason,
    statuses: backfill.statuses,
    config: backfill.config,
    max_active: backfill.maxActive,
    total: backfill.total,
    position: backfill.position,
    requested: backfill.requested,
    passed: backfill.passed,
    active: backfill.active,
    succeeded: backfill.succeeded,
    failed: backfill.failed,
    canceled: backfill.canceled,
    by: backfill.by,
    created_at: backfill.createdAt.toISOString(),
    ended_at: backfill.endedAt?.toISOString() ?? null,
  };
}
