import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { type Backfill, planBackfill, retryBackfill } from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice, Read } from '../parts/States.tsx';
import { type Outcome, Outcomes } from './Outcomes.tsx';
import { PlanLine } from './PlanLine.tsx';

/** The same selection again, for partitions of some states; how many those are by now is told first. */
export function RetryDialog({ backfill, onClose }: { backfill: Backfill; onClose: () => void }) {
  const navigate = useNavigate();
  const [statuses, setStatuses] = useState<readonly Outcome[]>(['failed', 'missing']);
  const retry = useAct(retryBackfill, () => 'A new backfill is on its way.');
  const { id, job, rows, rows_total: rowsTotal, order } = backfill;
  // Of very many rows not all are known here.
  const isWhole = rows.length === rowsTotal;
  const selection = { job, from: backfill.from_label, to: backfill.to_label, order, ...idsOf(rows) };
  const plan = useApi(
    planBackfill,
    { body: { ...selection, statuses } },
    { enabled: isWhole && statuses.length > 0, keep: true },
  );
  return (
    <Confirm
      title="Retry"
      verb={plan.data ? `Backfill ${plan.data.to_run.toLocaleString('en')} partitions` : 'Start the backfill'}
      ready={statuses.length > 0 && plan.data?.to_run !== 0}
      busy={retry.isPending}
      error={retry.error}
      onClose={onClose}
      onConfirm={(reason) =>
        retry.mutate(
          { id, body: { statuses, reason } },
          {
            onSuccess: ({ id: next }) => {
              onClose();
              void navigate({ to: '/backfills/$id', params: { id: next } });
            },
          },
        )
      }
    >
      <p>A new backfill of the same selection, with the same config. What was cancelled is as it was before.</p>
      <Outcomes chosen={statuses} onChange={setStatuses} />
      {statuses.length === 0 ? (
        <Notice tone="warn">Choose at least one state.</Notice>
      ) : (
        isWhole && (
          <Read of={plan} lines={1}>
            {(value) => <PlanLine of={value} />}
          </Read>
        )
      )}
    </Confirm>
  );
}

/** An asset without rows has one that is called nothing. */
const idsOf = (rows: readonly string[]) => (rows.length === 1 && rows[0] === '' ? {} : { ids: rows });
