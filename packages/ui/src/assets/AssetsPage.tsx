import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Suspense, lazy } from 'react';

import { type Asset, listAssets } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card, Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Loading, Read } from '../parts/States.tsx';

const AssetGraph = lazy(() => import('./graph/AssetGraph.tsx').then((module) => ({ default: module.AssetGraph })));
const route = getRouteApi('/assets');

export function AssetsPage() {
  const { view = 'list', q = '', sel } = route.useSearch();
  const navigate = route.useNavigate();
  const assets = useApi(listAssets, {});
  const go = (next: { view?: 'list' | 'graph'; q?: string; sel?: string }) => {
    const all = Object.entries({ view, q, sel, ...next }).filter(([, value]) => value !== undefined && value !== '');
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
                <AssetGraph assets={shown} selected={sel} onSelect={(key) => go({ sel: key ?? '' })} />
              </Suspense>
            );
          const groups = [...new Set(shown.map((one) => one.group))];
          return groups.map((group) => (
            <GroupTable key={group} group={group} assets={shown.filter((one) => one.group === group)} />
          ));
        }}
      </Read>
    </Page>
  );
}

function GroupTable({ group, assets }: { group: string; assets: readonly Asset[] }) {
  return (
    <Card flush title={group || 'No group'}>
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th>Asset</th>
              <th>Partitions</th>
              <th style={{ width: '26%' }}>State</th>
              <th className="end">Failed</th>
              <th className="end">Active</th>
              <th>Made by</th>
            </tr>
          </thead>
          <tbody>
            {assets.map((asset) => (
              <AssetRow key={asset.key} asset={asset} />
            ))}
          </tbody>
        </table>
      </div>
    </Card>
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
        <div className="dim small">{asset.description}</div>
      </td>
      <td className="small">
        {asset.partitions.row_name ?? asset.partitions.kind.replace('_', ' ')}
        <div className="dim num">
          {asset.partitions.rows.toLocaleString('en')} rows
          {asset.partitions.column_kind === 'time' && ` × days since ${asset.partitions.first_column}`}
        </div>
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
          <div key={name}>
            <Link to="/sensors/$name" params={{ name }}>
              {name}
            </Link>
          </div>
        ))}
        {asset.sensors.length === 0 && <span className="dim">{asset.jobs.join(', ') || 'no job'}</span>}
      </td>
    </tr>
  );
}
