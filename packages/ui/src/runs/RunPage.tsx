import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Ban, GitCompareArrows, RotateCw } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { type RunWithPartitions, cancelRun, getRun, retryRun } from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { Charts } from '../parts/Charts.tsx';
import { Json } from '../parts/Json.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { lookOf } from '../parts/status.ts';
import { Tabs } from '../parts/Tabs.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { Cause } from './Cause.tsx';
import { isActive } from './active.ts';
import { JobResult } from './JobResult.tsx';
import { hasView } from './result.ts';
import { RunEvents } from './RunEvents.tsx';
import { RunLog } from './RunLog.tsx';
import { RunPartitions } from './RunPartitions.tsx';
import { RunTimeline } from './RunTimeline.tsx';
import { RunWhy } from './RunWhy.tsx';

const route = getRouteApi('/runs/$id');
const TABS = [
  ['timeline', 'Timeline'],
  ['log', 'Log'],
  ['partitions', 'Partitions'],
  ['config', 'Config and outputs'],
  ['why', 'Why'],
  ['raw', 'Events'],
] as const;
const ACTIVE_REREAD_MS = 2_000;

export function RunPage() {
  const { id } = route.useParams();
  const { tab: asked } = route.useSearch();
  const run = useApi(getRun, { id });
  // Whoever opens a run that failed wants to know why.
  const tab = asked ?? (run.data?.status === 'FAILURE' ? 'log' : 'timeline');
  const active = run.data ? isActive(run.data.status) : false;
  // A run that is working changes faster than its events tell.
  useApi(getRun, { id }, { enabled: active, refetchInterval: active ? ACTIVE_REREAD_MS : false });
  const tabTitle = run.data
    ? `${lookOf(run.data.status).word} · ${run.data.job} · ${run.data.partitions[0]?.key ?? id.slice(-8)}`
    : id;
  return (
    <Page title={`Run ${id.slice(-10)}`} tab={tabTitle} head={run.data && <Head run={run.data} />}>
      <Read of={run}>
        {(value) => (
          <>
            <Facts run={value} />
            <RunError run={value} />
            <Tabs
              label="Of this run"
              tabs={TABS.map(([key, name]) => ({
                name,
                active: tab === key,
                link: { to: '/runs/$id', params: { id }, search: { tab: key } },
              }))}
            />
            {tab === 'timeline' && <RunTimeline run={value} />}
            {tab === 'log' && <RunLog run={value} />}
            {tab === 'partitions' && <RunPartitions run={value} />}
            {tab === 'config' && (
              <>
                {value.result && <JobResult run={value} />}
                <Outputs run={value} />
              </>
            )}
            {tab === 'why' && <RunWhy id={id} />}
            {tab === 'raw' && <RunEvents id={id} />}
          </>
        )}
      </Read>
    </Page>
  );
}

function Head({ run }: { run: RunWithPartitions }) {
  const [dialog, setDialog] = useState<'cancel' | 'retry' | 'retry-failed'>();
  const cancel = useAct(cancelRun, () => 'The run is being cancelled.');
  const retry = useAct(retryRun, ({ run_id: id }) => `Launched again as ${id.slice(-10)}.`);
  const navigate = route.useNavigate();
  const active = isActive(run.status);
  const close = () => setDialog(undefined);
  return (
    <>
      <Status of={run.status} />
      <span className="grow" />
      <Button
        component={Link}
        to="/compare"
        search={{ a: run.id } as never}
        variant="default"
        leftSection={<GitCompareArrows size={14} />}
      >
        Compare
      </Button>
      {run.counts.failed > 0 && run.counts.total > 1 && (
        <Act
          permission="launch_run"
          because={active ? 'The run still works.' : undefined}
          onAct={() => setDialog('retry-failed')}
        >
          Retry failed partitions
        </Act>
      )}
      <Act
        permission="launch_run"
        leftSection={<RotateCw size={14} />}
        because={active ? 'The run still works.' : undefined}
        onAct={() => setDialog('retry')}
      >
        Run again
      </Act>
      <Act
        permission="cancel_run"
        leftSection={<Ban size={14} />}
        because={!active ? 'The run has ended.' : run.status === 'CANCELING' ? 'It is being cancelled.' : undefined}
        onAct={() => setDialog('cancel')}
      >
        Cancel…
      </Act>
      {dialog === 'cancel' && (
        <Confirm
          title="Cancel this run"
          verb="Cancel the run"
          dangerous
          busy={cancel.isPending}
          error={cancel.error}
          onClose={close}
          onConfirm={(reason) => cancel.mutate({ id: run.id, body: { reason } }, { onSuccess: close })}
        >
          <p>
            What is queued will not start, what runs is told to stop. {run.counts.materialized} of {run.counts.total}{' '}
            partitions are made and stay made.
          </p>
        </Confirm>
      )}
      {(dialog === 'retry' || dialog === 'retry-failed') && (
        <Confirm
          title={dialog === 'retry' ? 'Run again' : 'Retry the failed partitions'}
          verb="Launch"
          busy={retry.isPending}
          error={retry.error}
          onClose={close}
          onConfirm={(reason) =>
            retry.mutate(
              { id: run.id, body: { only_failed: dialog === 'retry-failed', reason } },
              { onSuccess: ({ run_id: id }) => void navigate({ to: '/runs/$id', params: { id }, search: {} }) },
            )
          }
        >
          <p>
            A new run of {dialog === 'retry' ? run.counts.total : run.counts.failed} partitions with the same config. To
            change the config first, open it{' '}
            <Link to="/launch" search={{ job: run.job, from_run: run.id }}>
              on the launchpad
            </Link>
            .
          </p>
        </Confirm>
      )}
    </>
  );
}

function Facts({ run }: { run: RunWithPartitions }) {
  const { total, ...outcomes } = run.counts;
  const [first] = run.partitions;
  return (
    <dl className="card strip">
      <Fact name={total === 1 ? 'Partition' : `${total.toLocaleString('en')} partitions`}>
        {total === 1 && first ? (
          <Link to="/assets/$key" params={{ key: first.asset }} search={{ cell: first.key }}>
            <KeyText of={first.key} />
          </Link>
        ) : (
          <div style={{ width: 180, paddingTop: 5 }}>
            <Proportion of={outcomes} total={total} />
          </div>
        )}
      </Fact>
      <Fact name="Job">
        <Link to="/runs" search={{ q: `job:${run.job}` }}>
          {run.job}
        </Link>
      </Fact>
      <Fact name="Caused by">
        <Cause of={run.cause} />
      </Fact>
      <Fact name="Waited">
        <Duration from={run.created_at} to={run.started_at ?? run.ended_at} />
      </Fact>
      <Fact name="Took">
        <Duration from={run.started_at} to={run.ended_at} />
      </Fact>
      <Fact name="Created">
        <Time at={run.created_at} />
      </Fact>
      {run.priority !== 0 && <Fact name="Priority">{run.priority}</Fact>}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The run's own error, or the first that one of its partitions has. */
function RunError({ run }: { run: RunWithPartitions }) {
  const failed = run.partitions.find((one) => one.error !== null);
  const error = run.error ?? failed?.error;
  if (!error) return null;
  return (
    <div className="notice" data-tone="bad" role="alert">
      <div className="grow stack tight">
        <strong className="mono">{error.code}</strong>
        <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{error.message}</span>
        {run.error === null && run.counts.total > 1 && failed && (
          <span className="small">
            of <KeyText of={failed.key} />, the first of {run.counts.failed}
          </span>
        )}
        <Link to="/failures" search={{ job: run.job }}>
          Similar failures
        </Link>
      </div>
    </div>
  );
}

function Outputs({ run }: { run: RunWithPartitions }) {
  return (
    <div className="split">
      <div className="stack">
        <Card title="Config as launched">
          <Json of={run.config} />
        </Card>
        <Card title="Tags">
          <dl className="facts small">
            {Object.entries(run.tags).map(([name, value]) => (
              <TagEntry key={name} name={name} value={value} />
            ))}
          </dl>
          {Object.keys(run.tags).length === 0 && <p className="dim">None.</p>}
        </Card>
      </div>
      <Card title="Result">
        {run.result ? (
          <>
            {!hasView(run.result) && <Charts of={run.result} />}
            <Json of={run.result} maxHeight={620} />
          </>
        ) : (
          <p className="dim">None yet.</p>
        )}
      </Card>
    </div>
  );
}

function TagEntry({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="mono">{name}</dt>
      <dd>
        <Link to="/runs" search={{ q: `tag:${name}=${value}` }}>
          <bdi>{value}</bdi>
        </Link>
      </dd>
    </>
  );
}
