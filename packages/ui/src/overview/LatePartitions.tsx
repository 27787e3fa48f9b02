import { Link } from '@tanstack/react-router';

import { type Freshness, listFreshness } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { Card } from '../parts/Page.tsx';
import { ProblemNotice } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Time } from '../parts/Time.tsx';

/** Lateness comes with the clock, not with an event. */
const READ_EVERY_MS = 60_000;
const SHOWN_IDS = 5;

/** Of the assets with a freshness policy, those whose due data are not there, with the ids that lack them. */
export function LatePartitions() {
  const policies = useApi(listFreshness, {}, { refetchInterval: READ_EVERY_MS });
  if (policies.error) return <ProblemNotice error={policies.error} onRetry={() => policies.refetch()} />;
  const items = policies.data?.items ?? [];
  if (items.length === 0) return null;
  const late = items.filter(({ freshness }) => freshness.state === 'late');
  return (
    <Card title="Late partitions">
      {late.length === 0 && <p className="dim">Nothing that is due is missing.</p>}
      <div className="stack">
        {late.map(({ asset, freshness }) => (
          <Late key={asset} asset={asset} of={freshness} />
        ))}
      </div>
    </Card>
  );
}

function Late({ asset, of }: { asset: string; of: Freshness }) {
  // A window of time can be looked at; data without one are only too old.
  const search = of.label === null ? {} : { sort: 'lag' as const };
  return (
    <div className="stack tight" style={{ gap: 3 }}>
      <div className="row">
        <Link to="/assets/$key" params={{ key: asset }} search={search} className="grow clip">
          {asset}
        </Link>
        <Status of="late" label={`${of.late_rows.toLocaleString('en')} of ${of.rows.toLocaleString('en')} late`} />
      </div>
      <div className="small dim">
        {of.label === null ? 'due' : `${of.label}, due`} <Time at={of.due_at} relative />
        {of.late.some((id) => id !== '') && ': '}
        {of.late.slice(0, SHOWN_IDS).map((id, i) => (
          <span key={id}>
            {i > 0 && ', '}
            {of.label === null ? (
              <KeyText of={id} max={20} />
            ) : (
              <Link to="/assets/$key" params={{ key: asset }} search={{ at: `${of.label}|${id}`, ...search }}>
                <KeyText of={id === '' ? of.label : id} max={20} />
              </Link>
            )}
          </span>
        ))}
        {of.late_rows > SHOWN_IDS && ' …'}
      </div>
    </div>
  );
}
