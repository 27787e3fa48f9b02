import { ActionIcon, Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Rocket, X } from 'lucide-react';

import { type AssetDetail, type StaleReason, getPartition } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Json } from '../parts/Json.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Card } from '../parts/Page.tsx';
import { Notice, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { Cause } from '../runs/Cause.tsx';
import { NotRun } from './NotRun.tsx';

/** One partition: its state, the run that made it so, what that run recorded, and what can be done. */
export function CellCard({
  asset,
  partition,
  onClose,
}: {
  asset: AssetDetail;
  partition: string;
  onClose: () => void;
}) {
  const card = useApi(getPartition, { key: asset.key, partition }, { keep: true });
  return (
    <Card
      title={<KeyText of={partition} max={30} />}
      aside={
        <ActionIcon aria-label="Close the card" onClick={onClose}>
          <X size={16} />
        </ActionIcon>
      }
    >
      <Read of={card}>
        {(value) => (
          <div className="stack">
            <div className="row wrap">
              <Status of={value.outcome} />
              {value.activity !== 'idle' && <Status of={value.activity} />}
            </div>
            {value.stale && <Stale of={value.stale_reasons} />}
            <Button
              component={Link}
              to="/launch"
              search={{ asset: asset.key, partition } as never}
              leftSection={<Rocket size={14} />}
            >
              {value.outcome === 'materialized' ? 'Materialize again…' : 'Materialize…'}
            </Button>
            {value.run ? (
              <dl className="facts small">
                <dt>Last run</dt>
                <dd>
                  <Link to="/runs/$id" params={{ id: value.run.id }} className="mono">
                    {value.run.id.slice(-10)}
                  </Link>{' '}
                  <Status of={value.run.status} bare />
                </dd>
                <dt>Ended</dt>
                <dd>
                  <Time at={value.run.ended_at} />
                </dd>
                <dt>Took</dt>
                <dd>
                  <Duration from={value.run.started_at} to={value.run.ended_at} />
                </dd>
                <dt>Caused by</dt>
                <dd>
                  <Cause of={value.run.cause} />
                </dd>
                {(value.last_run?.failures ?? 0) > 0 && (
                  <>
                    <dt>Failures</dt>
                    <dd>{value.last_run?.failures} since the last success</dd>
                  </>
                )}
                <dt>Log</dt>
                <dd>
                  <Link to="/runs/$id" params={{ id: value.run.id }} search={{ tab: 'log' }}>
                    Read it
                  </Link>
                </dd>
                <dt>Why</dt>
                <dd>
                  <Link to="/runs/$id" params={{ id: value.run.id }} search={{ tab: 'why' }}>
                    Why it ran
                  </Link>
                </dd>
              </dl>
            ) : (
              <>
                <p className="dim small">
                  {value.last_run ? 'Its last run is no longer kept.' : 'No run has touched it yet.'}
                </p>
                {value.outcome === 'missing' && <NotRun asset={asset} partition={partition} />}
              </>
            )}
            {value.result?.error && <p style={{ color: 'var(--bad)' }}>{value.result.error.message}</p>}
            {value.result && Object.keys(value.result.metadata).length > 0 && (
              <Json of={value.result.metadata} maxHeight={260} />
            )}
          </div>
        )}
      </Read>
    </Card>
  );
}

/** Why what was made is not what would be made now. */
function Stale({ of }: { of: readonly StaleReason[] }) {
  return (
    <Notice tone="warn">
      <strong>Stale</strong>
      <ul className="plain small">
        {of.map((one) => (
          <li key={`${one.kind}${one.asset}${one.key}`}>
            {one.kind === 'code' ? (
              <>
                the code changed to <code className="mono">{one.code_version}</code>; it was made by{' '}
                <code className="mono">{one.made_by ?? 'an unknown version'}</code>
              </>
            ) : (
              <>
                {one.asset} <KeyText of={one.key ?? ''} max={24} /> was made later
                {one.at && (
                  <>
                    , <Time at={one.at} relative />
                  </>
                )}
              </>
            )}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
