/** Backfills of the ledger itself, with the audit log. */

import { toBackfill, toPlan } from '../../api/routes/backfill-schemas.ts';
import {
  type Backfill,
  cancelBackfill,
  createBackfill,
  listBackfills,
  pauseBackfill,
  planBackfill,
  readBackfill,
  resumeBackfill,
  retryBackfill,
} from '../../engine/backfill.ts';
import type { Session } from '../session.ts';
import type { BackfillsPort, ShownBackfill } from './backfills.ts';

export function localBackfills(session: Session): BackfillsPort {
  const { by } = session;
  const shown = (backfill: Backfill) => toBackfill(session.deployment, backfill);
  const switched = async (
    verb: string,
    { before, now }: Awaited<ReturnType<typeof pauseBackfill>>,
    more: { readonly reason?: string | undefined; readonly running?: boolean } = {},
  ): Promise<ShownBackfill> => {
    const { reason, ...options } = more;
    await session.audit({
      action: `skein backfills ${verb}`,
      target: `backfill:${now.id}`,
      reason,
      before,
      after: { status: now.status, ...options },
    });
    return shown(now);
  };
  return {
    plan: async (request) => toPlan(await planBackfill(await session.engine(), request)),
    async create(request) {
      const made = await createBackfill(await session.engine(), request, session.by);
      const { job, from, to } = request;
      await session.audit({
        action: 'skein backfill',
        target: `backfill:${made.id}`,
        after: { job, total: made.total, from, to },
      });
      return made;
    },
    list: async (limit) => (await listBackfills(await session.engine(), { limit })).items.map(shown),
    read: async (id) => shown(await readBackfill(await session.engine(), id)),
    async pause(id, reason) {
      return switched('pause', await pauseBackfill(await session.engine(), id, { by, reason }), { reason });
    },
    resume: async (id) => switched('resume', await resumeBackfill(await session.engine(), id, { by })),
    async cancel(id, options) {
      return switched('cancel', await cancelBackfill(await session.engine(), id, { by, ...options }), options);
    },
    async retry(id, statuses) {
      const made = await retryBackfill(await session.engine(), id, { statuses }, session.by);
      await session.audit({
        action: 'skein backfills retry',
        target: `backfill:${made.id}`,
        after: { retry_of: id, statuses },
      });
      return made;
    },
  };
}
