import { Button, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type AssetDetail, searchPartitions } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
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
      <Read of={partitions}>
        {() =>
          partitions.items.length === 0 ? (
            <Empty title="No partition matches.">
              <Button variant="default" onClick={() => void navigate({ search: { tab: 'table' } })}>
                Clear the filters
              </Button>
            </Empty>
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th>Partition</th>
                    <th>Outcome</th>
                    <th>Activity</th>
                    <th>Last run</th>
                    <th>Ended</th>
                    <th>
                      <span className="visually-hidden">Acts</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {partitions.items.map((one) => (
                    <tr key={one.key}>
                      <td>
                        <KeyText of={one.key} />
                      </td>
                      <td>
                        <Status of={one.outcome} bare />
                      </td>
                      <td>
                        {one.activity === 'idle' ? <span className="dim">–</span> : <Status of={one.activity} bare />}
                      </td>
                      <td>
                        {one.last_run ? (
                          <Link to="/runs/$id" params={{ id: one.last_run.run_id }} className="mono">
                            {one.last_run.run_id.slice(-10)}
                          </Link>
                        ) : (
                          <span className="dim">–</span>
                        )}
                      </td>
                      <td className="small">
                        <Time at={one.last_run?.ended_at} />
                      </td>
                      <td>
                        <Link to="/launch" search={{ asset: asset.key, partition: one.key }}>
                          Launch…
                        </Link>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Read>
      <More of={partitions} />
    </Card>
  );
}
