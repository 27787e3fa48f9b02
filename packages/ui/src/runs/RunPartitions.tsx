import { Link, getRouteApi } from '@tanstack/react-router';

import { type RunWithPartitions, listRunPartitions } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Metadata } from '../parts/Metadata.tsx';

const route = getRouteApi('/runs/$id');
const OUTCOMES = ['materialized', 'failed', 'skipped', 'open'] as const;

/** What became of each partition, with what the job recorded of it. */
export function RunPartitions({ run }: { run: RunWithPartitions }) {
  const { outcome } = route.useSearch();
  const navigate = route.useNavigate();
  const partitions = usePages(listRunPartitions, { id: run.id, limit: 100, ...(outcome ? { outcome } : {}) });
  return (
    <Card
      flush
      title="Partitions"
      aside={OUTCOMES.map((one) => (
        <button
          key={one}
          type="button"
          className="chip"
          aria-pressed={outcome === one}
          onClick={() =>
            void navigate({
              search: { tab: 'partitions', ...(outcome === one ? {} : { outcome: one }) },
              replace: true,
              resetScroll: false,
            })
          }
        >
          {one === 'open' ? 'not yet' : one}
        </button>
      ))}
    >
      <Read of={partitions}>
        {() =>
          partitions.items.length === 0 ? (
            <Empty title={outcome ? `No partition is “${outcome}”.` : 'This run has named no partitions yet.'} />
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th>Partition</th>
                    <th>Asset</th>
                    <th>Outcome</th>
                    <th>Recorded</th>
                  </tr>
                </thead>
                <tbody>
                  {partitions.items.map((one) => (
                    <tr key={`${one.asset} ${one.key}`}>
                      <td>
                        <Link to="/assets/$key" params={{ key: one.asset }} search={{ cell: one.key }}>
                          <KeyText of={one.key} />
                        </Link>
                      </td>
                      <td>{one.asset}</td>
                      <td>
                        <Status of={one.outcome ?? 'open'} bare />
                      </td>
                      <td className="small">
                        {one.error ? (
                          <span style={{ color: 'var(--bad)' }}>{one.error.message}</span>
                        ) : (
                          <Metadata of={one.metadata} />
                        )}
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
