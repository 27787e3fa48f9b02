import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { type Run, listRuns } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { PagedTable, type Ticks } from '../parts/DataTable.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { Cause } from './Cause.tsx';

interface RunFilter {
  readonly q?: string;
  readonly job?: string;
  readonly cause?: string;
  readonly status?: string;
  readonly partition?: string;
  /** Of the first page; 50. */
  readonly limit?: number;
}

export interface RunTableProps {
  readonly filter: RunFilter;
  readonly none: ReactNode;
  /** How many match, once it is known; null when there are too many to count. */
  readonly onTotal?: (total: number | null | undefined) => ReactNode;
  readonly ticks?: Ticks;
  /** Without the cause: where there is less room. */
  readonly isNarrow?: boolean;
}

/** Runs, newest first, page by page. */
export function RunTable({ filter, none, onTotal, ticks, isNarrow = false }: RunTableProps) {
  const runs = usePages(listRuns, { limit: 50, ...filter });
  return (
    <>
      {onTotal?.(runs.first === undefined ? undefined : runs.first.total)}
      <PagedTable
        pages={runs}
        none={<Empty title="No runs here.">{none}</Empty>}
        keyOf={({ id }) => id}
        ticks={ticks}
        columns={[
          { name: 'State', isNowrap: true, cell: (run) => <Status of={run.status} /> },
          {
            name: 'Run',
            cell: (run) => (
              <Link to="/runs/$id" params={{ id: run.id }} className="mono" title={run.id}>
                {run.id.slice(-10)}
              </Link>
            ),
          },
          { name: 'Partition', isNowrap: true, cell: (run) => <Partition run={run} /> },
          { name: 'Job', cell: (run) => <Job run={run} isNarrow={isNarrow} /> },
          !isNarrow && { name: 'Cause', className: 'small', cell: (run) => <Cause of={run.cause} /> },
          {
            name: 'Created',
            isNowrap: true,
            className: 'small',
            cell: (run) => <Time at={run.created_at} relative={isNarrow} />,
          },
          {
            name: 'Took',
            isEnd: true,
            isNowrap: true,
            cell: (run) => <Duration from={run.started_at} to={run.ended_at} />,
          },
        ]}
      />
    </>
  );
}

/** One by its key; of more, how far they are. */
function Partition({ run }: { run: Run }) {
  const { total, ...outcomes } = run.counts;
  if (total <= 1)
    return run.first_partition === null ? (
      <span className="dim">–</span>
    ) : (
      <KeyText of={run.first_partition} max={30} />
    );
  const done = outcomes.materialized + outcomes.failed + outcomes.skipped;
  return (
    <div style={{ minWidth: 120, maxWidth: 200 }}>
      <Proportion of={outcomes} total={total} />
      <span className="small dim num">
        {done.toLocaleString('en')} of {total.toLocaleString('en')}
      </span>
    </div>
  );
}

function Job({ run, isNarrow }: { run: Run; isNarrow: boolean }) {
  const note = run.error?.message ?? run.blocked ?? progressOf(run);
  return (
    <>
      <div className="clip" style={{ maxWidth: isNarrow ? 200 : 280 }} title={run.job}>
        {run.job}
      </div>
      {note && (
        <div className="small dim clip" style={{ maxWidth: isNarrow ? 200 : 360 }} title={note}>
          {note}
        </div>
      )}
    </>
  );
}

/** What its code says of how far it is: `12 of 40, reading day 3`. */
function progressOf({ progress }: Run): string | undefined {
  if (progress === null) return undefined;
  const { done, total, note } = progress;
  const counted = total > 0 ? `${done.toLocaleString('en')} of ${total.toLocaleString('en')}` : '';
  return [counted, note].filter(Boolean).join(', ') || undefined;
}
