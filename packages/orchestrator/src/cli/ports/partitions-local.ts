/** Partitions of the ledger itself, with the audit log. */

import { pageOfPartitions } from '../../api/routes/partitions.ts';
import { markedOutcomes } from '../../api/undo.ts';
import { lookUp } from '../../definitions/deployment.ts';
import { expandRows } from '../../definitions/partitions/partitions.ts';
import { markSelection } from '../../engine/mark.ts';
import { readCounts, sumCounts } from '../../engine/reads/partitions.ts';
import { expandKeys } from '../partition-arguments.ts';
import type { Session } from '../session.ts';
import { takePages } from './partition-pages.ts';
import type { PartitionsPort } from './partitions.ts';

/** More ids are a matter for a backfill or for the dashboard. */
const MAX_ROWS = 10_000;

export function localPartitions(session: Session): PartitionsPort {
  const find = (name: string) => lookUp('asset', session.deployment.assets, name);
  return {
    async list(name, { ids, ...query }, limit) {
      const asset = find(name);
      const rows = ids.length === 0 ? undefined : expandRows(asset.partitions, ids, MAX_ROWS);
      const engine = await session.engine();
      return takePages(limit, (after, limit) => pageOfPartitions(engine, asset, { ...query, rows, after, limit }));
    },
    async counts(name, ids) {
      const asset = find(name);
      const rows = expandRows(asset.partitions, ids, MAX_ROWS);
      const engine = await session.engine();
      return { ...(rows.length === 0 ? await readCounts(engine, asset) : await sumCounts(engine, asset, rows)) };
    },
    async mark(name, selection, as, { reason, preview }) {
      const asset = find(name);
      const keys = expandKeys(asset, selection.partitions);
      const rows = expandRows(asset.partitions, selection.ids, MAX_ROWS);
      const engine = await session.engine();
      if (preview) return markSelection(engine, asset, { keys, rows }, as, session.by, { preview });
      // Forgetting has no inverse: what is forgotten is also the last run.
      const outcomes = () => (as === 'missing' ? undefined : markedOutcomes(engine, name, { keys, rows }));
      const before = await outcomes();
      const marked = await markSelection(engine, asset, { keys, rows }, as, session.by);
      await session.audit({
        action: 'skein partitions mark',
        target: `asset:${name}`,
        reason,
        before,
        after: { as, keys: keys.slice(0, 100), ids: rows.slice(0, 100), ...marked, ...(await outcomes()) },
      });
      return marked;
    },
  };
}
