import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Suspense, lazy } from 'react';

import { type Asset, listAssets } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card, Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Loading, Read } from '../parts/States.tsx';
import type { GraphChoice } from './graph/AssetGraph.tsx';

const AssetGraph = lazy(() => import('./graph/AssetGraph.tsx').then((module) => ({ default: module.AssetGraph })));
const route = getRouteApi('/assets');

export function AssetsPage() {
  const { view = 'list', q = '', sel, depth, closed } = route.useSearch();
  const navigate = route.useNavigate();
  const assets = useApi(listAssets, {});
  const go = (next: GraphChoice & { view?: 'list' | 'graph'; q?: string }) => {
    const all = Object.entries({ view, q, sel, depth, closed, ...next }).filter(
      ([, value]) => value !== undefined && value !== '',
    );
    void navigate({ search: Object.fromEntries(all), replace: true });
  };
  return (
    <Page title="Assets" lead="The data that Skein makes, partition by partition.">
      <div className="row wrap">
        <SegmentedControl
          aria-label="View"
          value={view}
          onChange={(value) => go({ view: value as 'list' | 'graph' })}
          data={[
            { value: 'list', label: 'List' },
            { value: 'graph', label: 'Graph' },
          ]}
        />
        <TextInput
          data-filter
          aria-label="Filter assets"
          placeholder="Filter by name or group  /"
          w={260}
          value={q}
          onChange={(event) => go({ q: event.currentTarget.value })}
        />
      </div>
      <Read of={assets}>
        {({ items }) => {
          const shown = items.filter((one) => `${one.key} ${one.group}`.toLowerCase().includes(q.toLowerCase()));
          if (items.length === 0)
            return <Empty title="No assets are defined.">Add one with defineAsset in skein.config.ts.</Empty>;
          if (shown.length === 0)
            return (
              <Empty title={`The filter hides all ${items.length} assets.`}>
                <Button variant="default" onClick={() => go({ q: '' })}>
                  Clear the filter
                </Button>
              </Empty>
            );
          if (view === 'graph')
            return (
              <Suspense fallback={<Loading />}>
                <AssetGraph assets={shown} choice={{ sel, depth, closed }} onChoose={go} />
              </Suspense>
            );
          const groups = [...new Set(shown.map((one) => one.group))];
          return (
            <Card flush>
              <div className="table-wrap">
                <table className="table assets">
                  <thead>
                    <tr>
                      <th scope="col">Asset</th>
                      <th scope="col">Partitions</th>
                      <th scope="col" style={{ width: '22%' }}>
                        State
                      </th>
                      <th scope="col" className="end">
                        Failed
                      </th>
                      <th scope="col" className="end">
                        Active
                      </th>
                      <th scope="col">Made by</th>
                    </tr>
                  </thead>
                  {groups.map((group) => (
                    <tbody key={group}>
                      <tr className="group">
                        <th scope="rowgroup" colSpan={6}>
                          {group || 'No group'}
                        </th>
                      </tr>
                      {shown
                        .filter((one) => one.group === group)
                        .map((asset) => (
                          <AssetRow key={asset.key} asset={asset} />
                        ))}
                    </tbody>
                  ))}
                </table>
              </div>
            </Card>
          );
        }}
      </Read>
    </Page>
  );
}

function AssetRow({ asset }: { asset: Asset }) {
  const { counts } = asset;
  const active = counts.queued + counts.running + counts.cancelling;
  return (
    <tr>
      <td>
        <Link to="/assets/$key" params={{ key: asset.key }} style={{ fontWeight: 600 }}>
          {asset.key}
        </Link>
        <div className="dim small two-lines" title={asset.description} style={{ maxWidth: 380 }}>
          {asset.description}
        </div>
      </td>
      <td className="small nowrap">
        {asset.partitions.rows.toLocaleString('en')} ×{' '}
        {asset.partitions.row_name ?? asset.partitions.kind.replace('_', ' ')}
        {asset.partitions.column_kind === 'time' && (
          <div className="dim num">days since {asset.partitions.first_column}</div>
        )}
      </td>
      <td>
        <Proportion of={{ materialized: counts.materialized, failed: counts.failed, skipped: counts.skipped }} />
        <span className="small dim num">
          {counts.materialized.toLocaleString('en')} materialized, {asset.missing.toLocaleString('en')} missing
        </span>
      </td>
      <td className="end">
        {counts.failed > 0 ? (
          <Link
            to="/assets/$key"
            params={{ key: asset.key }}
            search={{ tab: 'table', status: 'failed' }}
            style={{ color: 'var(--bad)', fontWeight: 600 }}
          >
            {counts.failed.toLocaleString('en')}
          </Link>
        ) : (
          <span className="dim">0</span>
        )}
      </td>
      <td className="end">{active.toLocaleString('en')}</td>
      <td className="small">
        {asset.sensors.map((name) => (
          <div key={name} className="clip" style={{ maxWidth: 250 }} title={name}>
            <Link to="/sensors/$name" params={{ name }}>
              {name}
            </Link>
          </div>
        ))}
        {asset.sensors.length === 0 && (
          <div className="dim clip" style={{ maxWidth: 250 }} title={asset.jobs.join(', ')}>
            {asset.jobs.join(', ') || 'no job'}
          </div>
        )}
      </td>
    </tr>
  );
}
