import { Link } from '@tanstack/react-router';

import { type RunGroup, groupRuns } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { DataTable } from '../parts/DataTable.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';
import { lookOf } from '../parts/status.ts';
import { quoted } from './query-language.ts';

const HEADS = { job: 'Job', cause: 'Cause', error: 'Error' } as const;
type Grouping = keyof typeof HEADS;

/** The runs that a query matches by what they have in common; a name opens those. */
export function RunGroups({ q, by }: { q: string; by: Grouping }) {
  const groups = useApi(groupRuns, { q, by }, { keep: true });
  return (
    <Read of={groups}>
      {({ items, counted, exact }) =>
        items.length === 0 ? (
          <Empty title="No run matches." />
        ) : (
          <>
            <p className="table-note num">
              {exact ? '' : 'The newest '}
              {counted.toLocaleString('en')} {counted === 1 ? 'run' : 'runs'} in {items.length}{' '}
              {items.length === 1 ? 'group' : 'groups'}
              {exact ? '.' : '; there are more.'}
            </p>
            <DataTable
              rows={items}
              keyOf={({ name }) => name || 'no error'}
              columns={[
                { name: HEADS[by], className: 'anywhere', cell: (group) => <Name of={group} q={q} by={by} /> },
                { name: 'Runs', isEnd: true, cell: ({ count }) => count.toLocaleString('en') },
                { name: 'States', style: { width: '26%' }, cell: (group) => <States of={group} /> },
                { name: 'Oldest', isNowrap: true, className: 'small', cell: (group) => <Time at={group.oldest_at} /> },
                { name: 'Newest', isNowrap: true, className: 'small', cell: (group) => <Newest of={group} /> },
              ]}
            />
          </>
        )
      }
    </Read>
  );
}

function Name({ of, q, by }: { of: RunGroup; q: string; by: Grouping }) {
  if (of.name === '') return <span className="dim">no error</span>;
  // Of an error its code: the rest of the message differs from run to run.
  const value = by === 'error' ? (of.name.split(':')[0] ?? '') : of.name;
  return (
    <Link
      to="/runs"
      search={{ q: `${q} ${by}:${quoted(value)}`.trim() }}
      className={by === 'error' ? 'mono' : 'strong'}
    >
      <bdi>{of.name}</bdi>
    </Link>
  );
}

function States({ of }: { of: RunGroup }) {
  const counts = Object.entries(of.by_status);
  return (
    <>
      <Proportion of={of.by_status} total={of.count} />
      <span className="small dim num">
        {counts.map(([status, n]) => `${n.toLocaleString('en')} ${lookOf(status).word}`).join(', ')}
      </span>
    </>
  );
}

function Newest({ of }: { of: RunGroup }) {
  return (
    <Link to="/runs/$id" params={{ id: of.newest_id }}>
      <Time at={of.newest_at} />
    </Link>
  );
}
