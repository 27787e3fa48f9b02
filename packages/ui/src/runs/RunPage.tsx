import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { Ban, GitCompareArrows, RotateCw, Terminal } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { type RunWithPartitions, getRun } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { notify } from '../app/notify.ts';
import { commandLine } from '../launch/command-line.ts';
import { Act } from '../parts/Act.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Page } from '../parts/Page.tsx';
import { Proportion } from '../parts/Proportion.tsx';
import { Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { lookOf } from '../parts/status.ts';
import { Tabs } from '../parts/Tabs.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { Cause } from './Cause.tsx';
import { isActive } from './active.ts';
import { type RunAct, whyNoCancel } from './run-acts.ts';
import { JobResult } from './JobResult.tsx';
import { RunDialog } from './RunDialog.tsx';
import { RunError } from './RunError.tsx';
import { RunEvents } from './RunEvents.tsx';
import { RunLog } from './RunLog.tsx';
import { RunOutputs } from './RunOutputs.tsx';
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
                <RunOutputs run={value} />
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

/** What a command line holds: beyond it, the launchpad has the same. */
const MOST_KEYS = 50;

function copyCommand(run: RunWithPartitions): void {
  const keys = [...new Set(run.partitions.map(({ key }) => key))].slice(0, MOST_KEYS);
  const line = commandLine({ job: run.job, partitions: keys, config: run.config, dry_run: false });
  void navigator.clipboard?.writeText(line).then(() => notify('good', 'Copied: the same launch as a command.'));
}

function Head({ run }: { run: RunWithPartitions }) {
  const [dialog, setDialog] = useState<RunAct>();
  const active = isActive(run.status);
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
      <Button
        variant="default"
        leftSection={<Terminal size={14} />}
        disabled={run.partitions_total > MOST_KEYS}
        onClick={() => copyCommand(run)}
      >
        Copy CLI
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
      {run.status === 'FAILURE' && (
        <Act permission="launch_run" onAct={() => setDialog('from-failure')}>
          From where it failed
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
        because={whyNoCancel(run.status)}
        onAct={() => setDialog('cancel')}
      >
        Cancel…
      </Act>
      {dialog && <RunDialog act={dialog} run={run} onClose={() => setDialog(undefined)} />}
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
      {run.worker !== null && (
        <Fact name="Worker">
          <bdi>{run.worker}</bdi>
        </Fact>
      )}
      {run.code_version !== null && <Fact name="Code">{run.code_version}</Fact>}
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
