import { Link } from '@tanstack/react-router';

import type { BackfillPlan } from '../api/generated/client.ts';
import { Notice } from '../parts/States.tsx';

/** Exactly what a backfill would run, and what of it lacks what it is made from. */
export function PlanLine({ of }: { of: BackfillPlan }) {
  const lacking = Object.entries(of.upstream_not_made).filter(([, n]) => n > 0);
  return (
    <>
      <p role="status">
        <strong className="num">
          {of.to_run.toLocaleString('en')} of {of.total.toLocaleString('en')} partitions will run
        </strong>
        {of.to_run > 0 && of.first !== null && (
          <span className="dim small">
            , from <bdi className="mono">{of.first}</bdi> to <bdi className="mono">{of.last}</bdi>
          </span>
        )}
        {of.by_status.active > 0 && <span className="dim small">; {of.by_status.active} are at work already</span>}
      </p>
      {lacking.length > 0 && (
        <Notice tone="warn">
          What some of them are made from is not there yet:{' '}
          {lacking.map(([asset, n], i) => (
            <span key={asset}>
              {i > 0 && ', '}
              {n.toLocaleString('en')} lack{' '}
              <Link to="/assets/$key" params={{ key: asset }}>
                {asset}
              </Link>
            </span>
          ))}
          . Make that first, or they may fail or be made from nothing.
        </Notice>
      )}
    </>
  );
}
