import { type ReactNode, Suspense, lazy, useState } from 'react';

import { type Run, listRuns } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { PagedTable, type Ticks } from '../parts/DataTable.tsx';
import { Empty } from '../parts/States.tsx';
import { type ColumnName, NARROW, USUAL, columnOf } from './columns.tsx';
import { useHeld } from './held.ts';
import { type RunAct, actsOnRun } from './run-acts.ts';

const RunDialog = lazy(() => import('./RunDialog.tsx').then((module) => ({ default: module.RunDialog })));

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
  /** Above the rows. With it rows keep their places: new ones wait until they are let in. */
  readonly head?: (list: RunList) => ReactNode;
  readonly ticks?: Ticks;
  /** Without the cause: where there is less room. */
  readonly isNarrow?: boolean;
  readonly columns?: readonly ColumnName[];
}

export interface RunList {
  /** How many match, once it is known; null when there are too many to count. */
  readonly total: number | null | undefined;
  /** New ones that wait. */
  readonly fresh: number;
  readonly letIn: () => void;
}

/** Runs, newest first, page by page. */
export function RunTable({ filter, none, head, ticks, isNarrow = false, columns }: RunTableProps) {
  const pages = usePages(listRuns, { limit: 50, ...filter });
  const { rows, fresh, letIn } = useHeld(pages, JSON.stringify(filter), ({ id }) => id);
  const [acting, setActing] = useState<{ readonly act: RunAct; readonly run: Run }>();
  const names = columns ?? (isNarrow ? NARROW : USUAL);
  return (
    <>
      {head?.({ total: pages.first?.total, fresh, letIn })}
      <PagedTable
        pages={head ? { ...pages, items: rows } : pages}
        none={<Empty title="No runs here.">{none}</Empty>}
        keyOf={({ id }) => id}
        ticks={ticks}
        columns={names.map((name) => columnOf(name, isNarrow))}
        acts={(run) => actsOnRun(run, (act) => setActing({ act, run }))}
      />
      <Suspense fallback={null}>{acting && <RunDialog {...acting} onClose={() => setActing(undefined)} />}</Suspense>
    </>
  );
}
