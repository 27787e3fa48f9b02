import { Link } from '@tanstack/react-router';

import { type Backfill, listBackfills, pauseBackfill, resumeBackfill } from '../api/generated/client.ts';
import { etag } from '../api/conflict.ts';
import { tellProblem, useAct, usePages } from '../api/use-api.ts';
import { PagedTable } from '../parts/DataTable.tsx';
import { Card, Page } from '../parts/Page.tsx';
import type { RowAct } from '../parts/RowMenu.tsx';
import { Empty } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { BackfillProgress } from './BackfillProgress.tsx';
import { isLive, speedOf } from './pace.ts';

export function BackfillsPage() {
  const backfills = usePages(listBackfills, { limit: 100 });
  const acts = useActs();
  return (
    <Page title="Backfills" lead="Many partitions, run a few at a time; they can be paused, resumed and cancelled.">
      <Card flush>
        <PagedTable
          pages={backfills}
          keyOf={({ id }) => id}
          acts={acts}
          none={
            <Empty title="No backfill yet.">
              <span>
                Open an <Link to="/assets">asset</Link>, drag a rectangle on its map, and choose Backfill.
              </span>
              <code className="mono">skein backfill JOB --ids 1..50 --from 2026-11-01 --to 2026-11-23 --preview</code>
            </Empty>
          }
          columns={[
            { name: 'State', isNowrap: true, cell: ({ status }) => <Status of={status} /> },
            { name: 'Backfill', cell: (one) => <Name of={one} /> },
            { name: 'Selection', className: 'small num', cell: (one) => <Selection of={one} /> },
            { name: 'Progress', style: { width: '24%' }, cell: (one) => <BackfillProgress of={one} /> },
            { name: 'A minute', isEnd: true, cell: (one) => <Rate of={one} /> },
            { name: 'Done in', isEnd: true, isNowrap: true, cell: (one) => <Left of={one} /> },
            { name: 'At once', isEnd: true, cell: (one) => one.max_active },
            { name: 'By', className: 'small', cell: (one) => one.by },
            { name: 'Created', isNowrap: true, className: 'small', cell: (one) => <Time at={one.created_at} /> },
            {
              ...{ name: 'Took', isEnd: true, isNowrap: true },
              cell: (one) => <Duration from={one.created_at} to={one.ended_at} />,
            },
          ]}
        />
      </Card>
    </Page>
  );
}

function useActs(): (backfill: Backfill) => RowAct[] {
  const pause = useAct(pauseBackfill, () => 'Paused: what runs ends, nothing new is requested.');
  const resume = useAct(resumeBackfill, () => 'It goes on.');
  return ({ id, status, asset, version }) => {
    const isPaused = status === 'PAUSED';
    return [
      { name: 'Open', link: { to: '/backfills/$id', params: { id } } },
      { name: 'Its runs', link: { to: '/runs', search: { q: `cause:backfill:${id}` } } },
      { name: 'Runs that failed', link: { to: '/runs', search: { q: `cause:backfill:${id} status:failed` } } },
      ...(asset === null ? [] : [{ name: 'Its asset', link: { to: '/assets/$key', params: { key: asset } } as const }]),
      {
        name: isPaused ? 'Resume' : 'Pause',
        permission: 'backfill',
        because: isLive(status) ? undefined : 'It has ended.',
        onAct: () => (isPaused ? resume : pause).mutate({ id, ifMatch: etag(version) }, { onError: tellProblem }),
      },
    ];
  };
}

function Name({ of }: { of: Backfill }) {
  return (
    <>
      <Link to="/backfills/$id" params={{ id: of.id }} className="strong">
        {of.job}
      </Link>
      <div className="mono dim small">{of.id.slice(-10)}</div>
    </>
  );
}

function Selection({ of }: { of: Backfill }) {
  return (
    <>
      {of.rows_total.toLocaleString('en')} {of.rows_total === 1 ? 'row' : 'rows'}, {of.from_label} … {of.to_label}
    </>
  );
}

function Rate({ of }: { of: Backfill }) {
  const now = useNow(isLive(of.status) ? 1_000 : 0);
  return <span className="num">{speedOf(of, now).perMinute.toFixed(1)}</span>;
}

function Left({ of }: { of: Backfill }) {
  const now = useNow(isLive(of.status) ? 1_000 : 0);
  const { leftMs } = speedOf(of, now);
  return leftMs === undefined ? (
    <span className="dim">–</span>
  ) : (
    <span className="num">{formatDuration(leftMs, true)}</span>
  );
}
