import { Link } from '@tanstack/react-router';

import type { Asset } from '../api/generated/client.ts';
import { Card } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';

/** Assets by group, with how much of each is made and what makes it. */
export function AssetList({ assets }: { assets: readonly Asset[] }) {
  const groups = [...new Set(assets.map((one) => one.group))];
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
              {assets
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
