import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { type Run, listRuns } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { More } from '../parts/More.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Read } from '../parts/States.tsx';
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
  readonly onTotal?: (total: ReactNode) => ReactNode;
  readonly picked?: readonly string[];
  readonly onPick?: (id: string) => void;
  /** Without the cause: where there is less room. */
  readonly isNarrow?: boolean;
}

/** Runs, newest first, page by page. */
export function RunTable({ filter, none, onTotal, picked = [], onPick, isNarrow = false }: RunTableProps) {
  const runs = usePages(listRuns, { limit: 50, ...filter });
  const total = runs.first?.total;
  return (
    <Read of={runs}>
      {() => (
        <>
          {onTotal?.(
            total === undefined
              ? null
              : total === null
                ? 'more than can be counted quickly'
                : total.toLocaleString('en'),
          )}
          {runs.items.length === 0 ? (
            <Empty title="No runs here.">{none}</Empty>
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    {onPick && (
                      <th>
                        <span className="visually-hidden">Compare</span>
                      </th>
                    )}
                    <th>State</th>
                    <th>Run</th>
                    <th>Job</th>
                    {!isNarrow && <th>Cause</th>}
                    <th>Partitions</th>
                    <th>Created</th>
                    <th className="end">Took</th>
                  </tr>
                </thead>
                <tbody>
                  {runs.items.map((run) => (
                    <RunRow
                      key={run.id}
                      run={run}
                      isPicked={picked.includes(run.id)}
                      onPick={onPick}
                      isNarrow={isNarrow}
                    />
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <More of={runs} />
        </>
      )}
    </Read>
  );
}

function RunRow({
  run,
  isPicked,
  isNarrow,
  onPick,
}: {
  run: Run;
  isPicked: boolean;
  isNarrow: boolean;
  onPick: ((id: string) => void) | undefined;
}) {
  const { total, ...outcomes } = run.counts;
  const note = run.error?.message ?? run.blocked ?? run.progress?.note;
  return (
    <tr>
      {onPick && (
        <td>
          <input
            type="checkbox"
            style={{ width: 16, height: 16, margin: 4 }}
            aria-label={`Compare ${run.id}`}
            checked={isPicked}
            onChange={() => onPick(run.id)}
          />
        </td>
      )}
      <td className="nowrap">
        <Status of={run.status} />
      </td>
      <td>
        <Link to="/runs/$id" params={{ id: run.id }} className="mono" title={run.id}>
          {run.id.slice(-10)}
        </Link>
      </td>
      <td>
        <div className="clip" style={{ maxWidth: 260 }}>
          {run.job}
        </div>
        {note && (
          <div className="small dim clip" style={{ maxWidth: 360 }} title={note}>
            {note}
          </div>
        )}
      </td>
      {!isNarrow && (
        <td className="small">
          <Cause of={run.cause} />
        </td>
      )}
      <td style={{ minWidth: 120 }}>
        <Proportion of={outcomes} total={total} />
        <span className="small dim num">
          {(outcomes.materialized + outcomes.failed + outcomes.skipped).toLocaleString('en')} /{' '}
          {total.toLocaleString('en')}
        </span>
      </td>
      <td className="nowrap small">
        <Time at={run.created_at} />
      </td>
      <td className="end nowrap">
        <Duration from={run.started_at} to={run.ended_at} />
      </td>
    </tr>
  );
}
