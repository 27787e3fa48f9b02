import { Link, getRouteApi } from '@tanstack/react-router';

import { type Backfill, getBackfill } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Json } from '../parts/Json.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { RunTable } from '../runs/RunTable.tsx';
import { BackfillActs } from './BackfillActs.tsx';
import { BackfillErrors } from './BackfillErrors.tsx';
import { BackfillLimits } from './BackfillLimits.tsx';
import { BackfillProgress } from './BackfillProgress.tsx';
import { isLive, speedOf } from './pace.ts';
import { PaceChart } from './PaceChart.tsx';

const route = getRouteApi('/backfills/$id');
const LIVE_REREAD_MS = 2_000;

export function BackfillPage() {
  const { id } = route.useParams();
  const backfill = useApi(getBackfill, { id });
  const live = backfill.data ? isLive(backfill.data.status) : false;
  useApi(getBackfill, { id }, { enabled: live, refetchInterval: live ? LIVE_REREAD_MS : false });
  return (
    <Page
      title={`Backfill ${id.slice(-10)}`}
      tab={`${backfill.data?.status.toLowerCase().replaceAll('_', ' ') ?? ''} · backfill`}
      head={backfill.data && <BackfillActs backfill={backfill.data} />}
    >
      <Read of={backfill}>
        {(value) => (
          <>
            <Figures backfill={value} />
            <Card title="Progress">
              <BackfillProgress of={value} />
            </Card>
            <PaceChart backfill={value} />
            <BackfillErrors backfill={value} />
            <div className="split side">
              <Card flush title="Runs">
                <RunTable isNarrow filter={{ cause: `backfill:${id}` }} none="No run has been requested yet." />
              </Card>
              <About backfill={value} />
            </div>
          </>
        )}
      </Read>
    </Page>
  );
}

function Figures({ backfill }: { backfill: Backfill }) {
  const now = useNow(isLive(backfill.status) ? 1_000 : 0);
  const { left, perMinute, leftMs } = speedOf(backfill, now);
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    ['Succeeded', backfill.succeeded.toLocaleString('en')],
    ['Failed', backfill.failed.toLocaleString('en')],
    ['At work', backfill.active.toLocaleString('en')],
    ['Left', left.toLocaleString('en')],
    ['A minute', perMinute.toFixed(1)],
    ['Done in', leftMs === undefined ? '–' : formatDuration(leftMs, true)],
  ];
  return (
    <div className="figures">
      {facts.map(([name, value]) => (
        <div className="figure" key={name}>
          <span className="label">{name}</span>
          <div className="value">{value}</div>
        </div>
      ))}
    </div>
  );
}

function About({ backfill }: { backfill: Backfill }) {
  return (
    <div className="stack">
      <Card title="About">
        <dl className="facts">
          <dt>Job</dt>
          <dd>{backfill.job}</dd>
          <dt>Asset</dt>
          <dd>
            {backfill.asset && (
              <Link to="/assets/$key" params={{ key: backfill.asset }}>
                {backfill.asset}
              </Link>
            )}
            <OnMap of={backfill} />
          </dd>
          <dt>Rows</dt>
          <dd>
            <bdi>{backfill.rows.slice(0, 12).join(', ')}</bdi>
            {backfill.rows_total > 12 && ` and ${backfill.rows_total - 12} more`}
          </dd>
          <dt>Days</dt>
          <dd>
            {backfill.from_label} … {backfill.to_label}, {backfill.order} first
          </dd>
          <dt>States</dt>
          <dd>{backfill.statuses.join(', ')}</dd>
          <dt>By</dt>
          <dd>{backfill.by}</dd>
          <dt>Created</dt>
          <dd>
            <Time at={backfill.created_at} />
          </dd>
          <dt>Took</dt>
          <dd>
            <Duration from={backfill.created_at} to={backfill.ended_at} />
          </dd>
          {backfill.status_reason && (
            <>
              <dt>Said</dt>
              <dd>
                {backfill.status_reason} <span className="dim">{backfill.status_by}</span>
              </dd>
            </>
          )}
        </dl>
      </Card>
      <BackfillLimits backfill={backfill} />
      {Object.keys(backfill.config).length > 0 && (
        <Card title="Config">
          <Json of={backfill.config} />
        </Card>
      )}
    </div>
  );
}

/** More rows than a link holds are not painted. */
const MOST_PAINTED = 100;

function OnMap({ of }: { of: Backfill }) {
  if (of.asset === null || of.rows_total > MOST_PAINTED || of.rows[0] === '') return null;
  const search = { rows: JSON.stringify(of.rows), from: of.from_label, to: of.to_label };
  return (
    <div>
      <Link to="/assets/$key" params={{ key: of.asset }} search={search}>
        This selection on the map
      </Link>
    </div>
  );
}
