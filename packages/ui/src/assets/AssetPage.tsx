import { Button, Tooltip } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Rocket } from 'lucide-react';

import { type AssetDetail, getAsset } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { useZoneOfPage } from '../app/preferences.ts';
import { Json } from '../parts/Json.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Tabs } from '../parts/Tabs.tsx';
import { formatDuration } from '../parts/time.ts';
import { RunTable } from '../runs/RunTable.tsx';
import { AskedBy } from './AskedBy.tsx';
import { Automation } from './Automation.tsx';
import { PartitionMap } from './PartitionMap.tsx';
import { PartitionTable } from './PartitionTable.tsx';

const route = getRouteApi('/assets/$key');
const TABS = [
  ['partitions', 'Partitions'],
  ['table', 'Table'],
  ['runs', 'Runs'],
  ['lineage', 'Lineage'],
  ['automation', 'Automation'],
  ['config', 'Config'],
] as const;

export function AssetPage() {
  const { key } = route.useParams();
  const { tab = 'partitions' } = route.useSearch();
  const asset = useApi(getAsset, { key });
  useZoneOfPage(asset.data?.time_zone);
  return (
    <Page
      title={key}
      tab={`${key} · asset`}
      lead={asset.data?.description}
      head={
        <>
          {asset.data?.freshness && <Freshness of={asset.data.freshness} />}
          <span className="grow" />
          <Button component={Link} to="/launch" search={{ asset: key } as never} leftSection={<Rocket size={14} />}>
            Launch…
          </Button>
        </>
      }
    >
      <Tabs
        label="Of this asset"
        tabs={TABS.map(([one, name]) => ({
          name,
          active: tab === one,
          link: { to: '/assets/$key', params: { key }, search: { tab: one } },
        }))}
      />
      <Read of={asset}>
        {(value) => (
          <>
            {tab === 'partitions' &&
              (hasMap(value) ? <PartitionMap key={key} asset={value} /> : <PartitionTable asset={value} />)}
            {tab === 'table' && <PartitionTable asset={value} />}
            {tab === 'runs' && <Runs asset={value} />}
            {tab === 'lineage' && <Lineage asset={value} />}
            {tab === 'automation' && <Automation asset={value} />}
            {tab === 'config' && <Config asset={value} />}
          </>
        )}
      </Read>
    </Page>
  );
}

/** Whether what should be there by now is; its tooltip says what was looked at. */
function Freshness({ of }: { of: NonNullable<AssetDetail['freshness']> }) {
  const shown = of.late.slice(0, 5).join(', ');
  const label =
    of.state === 'late'
      ? `${of.late_rows} of ${of.rows} are late for ${of.label ?? 'what is due'}: ${shown}${of.late_rows > 5 ? ' …' : ''}`
      : `Due ${of.label === null ? '' : `${of.label} `}by ${of.due_at}${of.cron === null ? '' : ` (${of.cron} ${of.time_zone})`}, within ${formatDuration(of.within_ms)}; ${of.rows} looked at.`;
  return (
    <Tooltip label={label}>
      <span tabIndex={0}>
        <Status of={of.state} label={of.state === 'late' ? `${of.late_rows} of ${of.rows} late` : of.state} />
      </span>
    </Tooltip>
  );
}

const hasMap = ({ partitions }: AssetDetail) => partitions.column_kind === 'time';

function Runs({ asset }: { asset: AssetDetail }) {
  return (
    <>
      {asset.jobs.map((job) => (
        <Card key={job} flush title={job}>
          <RunTable filter={{ job }} none="This job has not run yet." />
        </Card>
      ))}
    </>
  );
}

function Lineage({ asset }: { asset: AssetDetail }) {
  return (
    <Card
      title="Lineage"
      aside={
        <Link to="/assets" search={{ view: 'graph', sel: asset.key }}>
          Show in the graph
        </Link>
      }
    >
      <dl className="facts">
        <dt>Depends on</dt>
        <dd>
          {asset.depends_on.length === 0 && 'nothing in Skein'}
          {asset.depends_on.map((one) => (
            <div key={one.asset}>
              <Link to="/assets/$key" params={{ key: one.asset }}>
                {one.asset}
              </Link>{' '}
              <span className="dim">({one.mapping.replace('_', ' ')})</span>
            </div>
          ))}
        </dd>
        <dt>Jobs</dt>
        <dd>{asset.jobs.join(', ') || 'none'}</dd>
        <AskedBy of={asset} />
      </dl>
    </Card>
  );
}

function Config({ asset }: { asset: AssetDetail }) {
  return (
    <div className="split">
      <div className="stack">
        <Card title="How it runs">
          <dl className="facts">
            <dt>Partition key</dt>
            <dd>{asset.partitions.grammar}</dd>
            <dt>Pool</dt>
            <dd>{asset.pool ?? 'none'}</dd>
            <dt>Attempts</dt>
            <dd>{asset.max_attempts}</dd>
            <dt>Time limit</dt>
            <dd>{asset.timeout_ms === null ? 'none' : formatDuration(asset.timeout_ms)}</dd>
            <dt>Version of the code</dt>
            <dd className="mono">{asset.code_version ?? 'not given'}</dd>
            <dt>Isolation</dt>
            <dd>{asset.isolation}</dd>
            <dt>Resources</dt>
            <dd>{asset.resources.join(', ') || 'none'}</dd>
            <dt>Can rehearse</dt>
            <dd>{asset.can_rehearse ? 'yes, by dry_run' : 'no'}</dd>
          </dl>
        </Card>
        <Card title="Checks">
          {asset.checks.length === 0 && <p className="dim">None.</p>}
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {asset.checks.map((check) => (
              <li key={check.name}>
                <code className="mono">{check.name}</code> <span className="dim">({check.severity})</span>{' '}
                {check.description}
              </li>
            ))}
          </ul>
        </Card>
        <Card title="Config of an empty request">
          {asset.default_config ? (
            <Json of={asset.default_config} />
          ) : (
            <p className="dim">The schema refuses an empty config.</p>
          )}
        </Card>
      </div>
      <Card title="Schema of the config">
        <Json of={asset.config_schema} maxHeight={700} />
      </Card>
    </div>
  );
}
