import { Link, type LinkProps } from '@tanstack/react-router';
import { Fragment, Suspense, lazy } from 'react';

import { type Overview, getOverview } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card, Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Empty, Notice, Read } from '../parts/States.tsx';
import { lookOf } from '../parts/status.ts';
import { RunTable } from '../runs/RunTable.tsx';

const LatePartitions = lazy(() =>
  import('./LatePartitions.tsx').then((module) => ({ default: module.LatePartitions })),
);
const HourBars = lazy(() => import('./HourBars.tsx').then((module) => ({ default: module.HourBars })));

/** Of the newest runs, those that are shown. */
export const LATEST = { limit: 8 } as const;
/** The chart’s, also while it is not there yet: what follows stays where it is. */
const CHART_PX = 176;

export function OverviewPage() {
  const overview = useApi(getOverview, {});
  return (
    <Page title="Overview">
      <Read of={overview}>
        {(value) => (
          <>
            <Warnings of={value} />
            <Figures of={value} />
            <div className="split side">
              <div className="stack">
                <Card title="Runs that ended, last 24 hours by the hour">
                  <div style={{ minHeight: CHART_PX }}>
                    <Suspense fallback={null}>
                      <HourBars hours={value.hours} />
                    </Suspense>
                  </div>
                </Card>
                <Card flush title="Latest runs" aside={<Link to="/runs">All runs</Link>}>
                  <LatestRuns />
                </Card>
              </div>
              <div className="stack">
                <Assets of={value} />
                <Sensors of={value} />
                {/* Last, so that nothing moves when it comes. */}
                <Suspense fallback={null}>
                  <LatePartitions />
                </Suspense>
              </div>
            </div>
          </>
        )}
      </Read>
    </Page>
  );
}

function Warnings({ of }: { of: Overview }) {
  return (
    <>
      {of.workers === 0 && (
        <Notice tone="bad">
          No worker is alive: nothing will run and no sensor will tick. Start one with{' '}
          <code className="mono">skein worker</code>.
        </Notice>
      )}
      {of.sensors.failing.length > 0 && (
        <Notice tone="warn">
          <Link to="/sensors" search={{ state: 'erroring' }}>
            Sensors fail
          </Link>
          : <SensorLinks names={of.sensors.failing} />
        </Notice>
      )}
      {of.sensors.late.length > 0 && (
        <Notice tone="warn">
          <Link to="/sensors" search={{ state: 'stuck' }}>
            Sensors without a tick for more than three intervals
          </Link>
          : <SensorLinks names={of.sensors.late} />
        </Notice>
      )}
    </>
  );
}

/** Of many, the first. */
const SHOWN_SENSORS = 8;

function SensorLinks({ names }: { names: readonly string[] }) {
  return (
    <>
      {names.slice(0, SHOWN_SENSORS).map((name, i) => (
        <span key={name}>
          {i > 0 && ', '}
          <Link to="/sensors/$name" params={{ name }}>
            {name}
          </Link>
        </span>
      ))}
      {names.length > SHOWN_SENSORS && ` and ${names.length - SHOWN_SENSORS} more`}
    </>
  );
}

function Figures({ of }: { of: Overview }) {
  const figures: readonly (readonly [string, number, string, string, LinkProps])[] = [
    ['Running', of.runs.active, 'STARTED', 'at work now', { to: '/runs', search: { q: 'status:running' } }],
    ['Queued', of.runs.queued, 'QUEUED', 'wait their turn', { to: '/runs', search: { q: 'status:queued' } }],
    ['Succeeded', of.runs.success, 'SUCCESS', 'of runs kept', { to: '/runs', search: { q: 'status:success' } }],
    ['Failed', of.runs.failure, 'FAILURE', 'of runs kept', { to: '/runs', search: { q: 'status:failed' } }],
    ['Cancelled', of.runs.canceled, 'CANCELED', 'of runs kept', { to: '/runs', search: { q: 'status:canceled' } }],
    ['Backfills', of.backfills_live, 'IN_PROGRESS', 'in progress', { to: '/backfills' }],
    [
      'Sensors on',
      of.sensors.running,
      'RUNNING',
      of.sensors.failing.length > 0 ? `${of.sensors.failing.length} failing` : `${of.sensors.stopped} stopped`,
      { to: '/sensors', search: { state: 'running' } },
    ],
  ];
  return (
    <div className="figures">
      {figures.map(([name, n, status, note, link]) => {
        const { icon: Icon, tone } = lookOf(status);
        return (
          <Link key={name} className="figure" {...link}>
            <span className="label">
              <span data-tone={n > 0 ? tone : 'none'} style={{ color: 'var(--tone)', display: 'inline-flex' }}>
                <Icon size={14} aria-hidden />
              </span>
              {name}
            </span>
            <div className="value">{n.toLocaleString('en')}</div>
            <span className="note">{note}</span>
          </Link>
        );
      })}
      <Link className="figure" to="/system">
        <span className="label">Slots in use</span>
        <div className="value">
          {of.attempts_active} <span className="dim small">of {of.slots}</span>
        </div>
        <span className="note">
          {of.workers} {of.workers === 1 ? 'worker' : 'workers'}
        </span>
      </Link>
    </div>
  );
}

function Assets({ of }: { of: Overview }) {
  const known = of.assets
    .filter(({ counts }) => Object.values(counts).some((n) => n > 0))
    .sort((a, b) => b.counts.failed - a.counts.failed);
  return (
    <Card title="Assets" aside={<Link to="/assets">All {of.assets.length}</Link>}>
      {known.length === 0 && <Empty title="Nothing is made yet." />}
      <div className="stack">
        {known.map(({ key, counts }) => (
          <div key={key} className="stack tight" style={{ gap: 3 }}>
            <div className="row">
              <Link to="/assets/$key" params={{ key }} className="grow clip">
                {key}
              </Link>
              <span className="small dim num">
                {counts.materialized.toLocaleString('en')}
                {counts.failed > 0 && (
                  <>
                    {' · '}
                    <Link
                      to="/assets/$key"
                      params={{ key }}
                      search={{ tab: 'table', status: 'failed' }}
                      className="bad strong"
                    >
                      {counts.failed.toLocaleString('en')} failed
                    </Link>
                  </>
                )}
              </span>
            </div>
            <Proportion
              of={{
                materialized: counts.materialized,
                failed: counts.failed,
                skipped: counts.skipped,
                running: counts.running,
                queued: counts.queued,
              }}
            />
          </div>
        ))}
      </div>
    </Card>
  );
}

function Sensors({ of }: { of: Overview }) {
  const { running, stopped, failing, late } = of.sensors;
  const states = [
    ['Running', 'running', running],
    ['Stopped', 'stopped', stopped],
    ['Failing', 'erroring', failing.length],
    ['Stuck', 'stuck', late.length],
  ] as const;
  return (
    <Card title="Sensors" aside={<Link to="/sensors">All {running + stopped}</Link>}>
      <dl className="facts">
        {states.map(([name, state, n]) => (
          <Fragment key={state}>
            <dt>{name}</dt>
            <dd className="num">
              {n === 0 ? (
                'none'
              ) : (
                <Link to="/sensors" search={{ state }} aria-label={`${n} ${name.toLowerCase()}`}>
                  {n.toLocaleString('en')}
                </Link>
              )}
            </dd>
          </Fragment>
        ))}
      </dl>
    </Card>
  );
}

function LatestRuns() {
  return (
    <RunTable
      filter={LATEST}
      isNarrow
      none={
        <span>
          First steps: start a <Link to="/sensors">sensor</Link>, or launch a partition on the{' '}
          <Link to="/launch">launchpad</Link>, or type{' '}
          <code className="mono">skein run JOB --partition KEY --wait</code>.
        </span>
      }
    />
  );
}
