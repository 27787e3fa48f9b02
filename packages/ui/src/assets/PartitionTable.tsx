import { Button, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type AssetDetail, searchPartitions } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { PagedTable } from '../parts/DataTable.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { PARTITION_STATUSES, lookOf } from '../parts/status.ts';
import { Time } from '../parts/Time.tsx';

const route = getRouteApi('/assets/$key');

/** The same partitions as the map, in rows: by status, id and days. */
export function PartitionTable({ asset }: { asset: AssetDetail }) {
  const search = route.useSearch();
  const { q, from, to, status } = search;
  const navigate = route.useNavigate();
  const partitions = usePages(searchPartitions, {
    key: asset.key,
    limit: 100,
    ...(q ? { row: q } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(status ? { status } : {}),
  });
  const go = (next: object) => {
    const all = Object.entries({ tab: 'table', q, from, to, status, ...next }).filter(
      ([, value]) => value !== undefined && value !== '',
    );
    void navigate({ search: Object.fromEntries(all), replace: true, resetScroll: false });
  };
  const hasTime = asset.partitions.column_kind === 'time';
  return (
    <Card flush>
      <div className="row wrap" style={{ padding: 10 }}>
        <TextInput
          data-filter
          aria-label={asset.partitions.row_name ?? 'Id'}
          placeholder={`${asset.partitions.row_name ?? 'id'} =`}
          w={160}
          defaultValue={q ?? ''}
          onBlur={(event) => go({ q: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') go({ q: event.currentTarget.value });
          }}
        />
        {hasTime && (
          <>
            <TextInput
              aria-label="From"
              placeholder="from, such as 2026-11-01"
              w={190}
              defaultValue={from ?? ''}
              onBlur={(event) => go({ from: event.currentTarget.value })}
            />
            <TextInput
              aria-label="To"
              placeholder="to"
              w={130}
              defaultValue={to ?? ''}
              onBlur={(event) => go({ to: event.currentTarget.value })}
            />
          </>
        )}
        {PARTITION_STATUSES.map((one) => (
          <button
            key={one}
            type="button"
            className="chip"
            aria-pressed={status === one}
            onClick={() => go({ status: status === one ? undefined : one })}
          >
            {lookOf(one).word}
          </button>
        ))}
      </div>
      <PagedTable
        pages={partitions}
        none={
          <Empty title="No partition matches.">
            <Button variant="default" onClick={() => void navigate({ search: { tab: 'table' } })}>
              Clear the filters
            </Button>
          </Empty>
        }
        keyOf={({ key }) => key}
        columns={[
          { name: 'Partition', cell: (one) => <KeyText of={one.key} /> },
          { name: 'Outcome', cell: (one) => <Status of={one.outcome} bare /> },
          {
            name: 'Activity',
            cell: (one) =>
              one.activity === 'idle' ? <span className="dim">–</span> : <Status of={one.activity} bare />,
          },
          {
            name: 'Last run',
            cell: ({ last_run: run }) =>
              run ? (
                <Link to="/runs/$id" params={{ id: run.run_id }} className="mono">
                  {run.run_id.slice(-10)}
                </Link>
              ) : (
                <span className="dim">–</span>
              ),
          },
          { name: 'Ended', className: 'small', cell: (one) => <Time at={one.last_run?.ended_at} /> },
          {
            name: 'Acts',
            isQuiet: true,
            cell: (one) => (
              <Link to="/launch" search={{ asset: asset.key, partition: one.key }}>
                Launch…
              </Link>
            ),
          },
        ]}
      />
    </Card>
  );
}
