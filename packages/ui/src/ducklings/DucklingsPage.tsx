import { TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type Asset, type PartitionCounts, listAssets, listPartitionRows } from '../api/generated/client.ts';
import { useApi, usePages } from '../api/use-api.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { More } from '../parts/More.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Read } from '../parts/States.tsx';

const route = getRouteApi('/ducklings');
const GROUP = 'ducklings';

/** Each team with its own lake, and how far each asset of it is. */
export function DucklingsPage() {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const assets = useApi(listAssets, {});
  return (
    <Page title="Ducklings" lead="Teams with a lake of their own, and how much of it is filled.">
      <TextInput
        data-filter
        aria-label="Filter by team"
        placeholder="Team begins with…  /"
        w={200}
        value={q}
        onChange={(event) =>
          void navigate({ search: event.currentTarget.value ? { q: event.currentTarget.value } : {}, replace: true })
        }
      />
      <Read of={assets}>
        {({ items }) => {
          const own = items.filter((asset) => asset.group === GROUP);
          const [lead] = own;
          return lead ? (
            <Teams lead={lead} others={own.slice(1)} q={q} />
          ) : (
            <Empty title="This deployment has no ducklings.">
              Bind the duckling assets in skein.config.ts, then add one with “skein ducklings add”.
            </Empty>
          );
        }}
      </Read>
    </Page>
  );
}

function Teams({ lead, others, q }: { lead: Asset; others: readonly Asset[]; q: string }) {
  const rows = usePages(listPartitionRows, { key: lead.key, limit: 100, ...(q ? { q } : {}) });
  const assets = [lead, ...others];
  return (
    <Card flush>
      <Read of={rows}>
        {() =>
          rows.items.length === 0 ? (
            <Empty title={q ? `No team begins with “${q}”.` : 'No duckling has a partition yet.'}>
              <code className="mono">skein ducklings add --team-id 201 …</code>
            </Empty>
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th>Team</th>
                    {assets.map((asset) => (
                      <th key={asset.key}>{asset.key}</th>
                    ))}
                    <th>Last complete day</th>
                    <th>Ways on</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.items.map(({ id, counts }) => (
                    <tr key={id}>
                      <td>
                        <KeyText of={id} />
                      </td>
                      <td>
                        <Filled asset={lead} id={id} counts={counts} />
                      </td>
                      {others.map((asset) => (
                        <td key={asset.key}>
                          <OtherFilled asset={asset} id={id} />
                        </td>
                      ))}
                      <td className="num small">{lead.partitions.last_complete_label ?? '–'}</td>
                      <td className="small">
                        <Link to="/runs" search={{ q: `partition:${id}` }}>
                          Runs
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
      <More of={rows} />
    </Card>
  );
}

function OtherFilled({ asset, id }: { asset: Asset; id: string }) {
  const rows = useApi(listPartitionRows, { key: asset.key, q: id, limit: 1 });
  const row = rows.data?.items.find((one) => one.id === id);
  return row ? (
    <Filled asset={asset} id={id} counts={row.counts} />
  ) : (
    <span className="dim">{rows.isPending ? '…' : '–'}</span>
  );
}

function Filled({ asset, id, counts }: { asset: Asset; id: string; counts: PartitionCounts }) {
  return (
    <Link to="/assets/$key" params={{ key: asset.key }} search={{ q: id }} style={{ display: 'block', minWidth: 160 }}>
      <Proportion
        of={{
          materialized: counts.materialized,
          failed: counts.failed,
          running: counts.running,
          queued: counts.queued,
        }}
      />
      <span className="small num">
        {counts.materialized.toLocaleString('en')} days
        {counts.failed > 0 && `, ${counts.failed.toLocaleString('en')} failed`}
        {counts.running + counts.queued > 0 && `, ${(counts.running + counts.queued).toLocaleString('en')} at work`}
      </span>
    </Link>
  );
}
