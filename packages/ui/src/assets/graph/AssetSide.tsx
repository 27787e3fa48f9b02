import { ActionIcon, Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Rocket, X } from 'lucide-react';

import type { Asset } from '../../api/generated/client.ts';
import { Card } from '../../parts/Page.tsx';
import { Proportion } from '../../parts/Proportion.tsx';
import { AskedBy } from '../AskedBy.tsx';

/** Beside the graph: what the chosen asset is, what it is made from, how much of it is made. */
export function AssetSide({ asset, all, onClose }: { asset: Asset; all: readonly Asset[]; onClose: () => void }) {
  const { key, counts } = asset;
  const feeds = all.filter((one) => one.depends_on.some((dependency) => dependency.asset === key));
  return (
    <Card
      title={
        <Link to="/assets/$key" params={{ key }}>
          {key}
        </Link>
      }
      aside={
        <ActionIcon aria-label="Close" onClick={onClose}>
          <X size={16} />
        </ActionIcon>
      }
    >
      <div className="stack">
        <p className="anywhere">{asset.description}</p>
        <Proportion of={{ materialized: counts.materialized, failed: counts.failed, missing: asset.missing }} />
        <dl className="facts small">
          <dt>Made</dt>
          <dd className="num">
            {counts.materialized.toLocaleString('en')} of {asset.total.toLocaleString('en')}
          </dd>
          <dt>Failed</dt>
          <dd className="num">
            {counts.failed === 0 ? (
              'none'
            ) : (
              <Link to="/assets/$key" params={{ key }} search={{ tab: 'table', status: 'failed' }}>
                {counts.failed.toLocaleString('en')}
              </Link>
            )}
          </dd>
          <dt>Made from</dt>
          <dd>
            <Links keys={asset.depends_on.map((one) => one.asset)} />
          </dd>
          <dt>Feeds</dt>
          <dd>
            <Links keys={feeds.map((one) => one.key)} />
          </dd>
          <AskedBy of={asset} />
        </dl>
        <div className="row wrap">
          <Button component={Link} to="/launch" search={{ asset: key } as never} leftSection={<Rocket size={14} />}>
            Materialize…
          </Button>
          <Button component={Link} variant="default" to="/assets/$key" params={{ key } as never}>
            Partitions
          </Button>
        </div>
      </div>
    </Card>
  );
}

function Links({ keys }: { keys: readonly string[] }) {
  if (keys.length === 0) return <>nothing in Skein</>;
  return (
    <>
      {keys.map((key) => (
        <div key={key}>
          <Link from="/assets" to="." search={(before) => ({ ...before, sel: key })}>
            {key}
          </Link>
        </div>
      ))}
    </>
  );
}
