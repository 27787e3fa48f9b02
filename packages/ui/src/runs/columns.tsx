/** Columns of tables of runs, by the names that an address holds. */

import { Link } from '@tanstack/react-router';

import type { Run } from '../api/generated/client.ts';
import type { Column } from '../parts/DataTable.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { Cause } from './Cause.tsx';

/** As they stand from left to right. */
export const COLUMNS = [
  'state',
  'run',
  'partition',
  'job',
  'cause',
  'created',
  'waited',
  'started',
  'ended',
  'took',
  'priority',
  'tags',
] as const;
export type ColumnName = (typeof COLUMNS)[number];

export const USUAL: readonly ColumnName[] = ['state', 'run', 'partition', 'job', 'cause', 'created', 'took'];
/** Without the cause: where there is less room. */
export const NARROW: readonly ColumnName[] = ['state', 'run', 'partition', 'job', 'created', 'took'];

export function columnOf(name: ColumnName, isNarrow: boolean): Column<Run> {
  switch (name) {
    case 'state':
      return { name: 'State', isNowrap: true, cell: (run) => <Status of={run.status} /> };
    case 'run':
      return { name: 'Run', cell: ({ id }) => <RunLink id={id} /> };
    case 'partition':
      return { name: 'Partition', isNowrap: true, cell: (run) => <Partition run={run} /> };
    case 'job':
      return { name: 'Job', cell: (run) => <Job run={run} isNarrow={isNarrow} /> };
    case 'cause':
      return { name: 'Cause', className: 'small', cell: ({ cause }) => <ShortCause of={cause} /> };
    case 'created':
      return {
        ...{ name: 'Created', isNowrap: true, className: 'small' },
        cell: (run) => <Time at={run.created_at} relative={isNarrow} />,
      };
    case 'started':
      return { name: 'Started', isNowrap: true, className: 'small', cell: (run) => <Time at={run.started_at} /> };
    case 'ended':
      return { name: 'Ended', isNowrap: true, className: 'small', cell: (run) => <Time at={run.ended_at} /> };
    case 'waited':
      return {
        ...{ name: 'Waited', isEnd: true, isNowrap: true },
        cell: (run) => <Duration from={run.created_at} to={run.started_at ?? run.ended_at} />,
      };
    case 'took':
      return {
        ...{ name: 'Took', isEnd: true, isNowrap: true },
        cell: (run) => <Duration from={run.started_at} to={run.ended_at} />,
      };
    case 'priority':
      return { name: 'Priority', isEnd: true, cell: (run) => run.priority };
    case 'tags':
      return { name: 'Tags', className: 'small anywhere', cell: ({ tags }) => <Tags of={tags} /> };
  }
}

function RunLink({ id }: { id: string }) {
  return (
    <Link to="/runs/$id" params={{ id }} className="mono" title={id}>
      {id.slice(-10)}
    </Link>
  );
}

function ShortCause({ of }: { of: string }) {
  return (
    <div className="clip" style={{ maxWidth: 190 }} title={of}>
      <Cause of={of} />
    </div>
  );
}

function Tags({ of }: { of: Run['tags'] }) {
  const all = Object.entries(of);
  if (all.length === 0) return <span className="dim">–</span>;
  return (
    <div style={{ minWidth: 180 }}>
      {all.map(([name, value]) => (
        <div key={name}>
          <bdi className="mono">{name}</bdi>=<bdi>{value}</bdi>
        </div>
      ))}
    </div>
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
      <div className="clip" style={{ maxWidth: isNarrow ? 180 : 280 }} title={run.job}>
        {run.job}
      </div>
      {note && (
        <div className="small dim clip" style={{ maxWidth: isNarrow ? 180 : 360 }} title={note}>
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
  const isTold = total > 1 || (total === 1 && done < total);
  const counted = isTold ? `${done.toLocaleString('en')} of ${total.toLocaleString('en')}` : '';
  return [counted, note].filter(Boolean).join(', ') || undefined;
}
