import { Link, getRouteApi } from '@tanstack/react-router';
import { Ban, Pause, Play, RotateCw } from 'lucide-react';
import { useState } from 'react';

import {
  type Backfill,
  cancelBackfill,
  changeBackfill,
  getBackfill,
  pauseBackfill,
  resumeBackfill,
  retryBackfill,
} from '../api/generated/client.ts';
import { tellProblem, useAct, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { Json } from '../parts/Json.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { formatDuration } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { RunTable } from '../runs/RunTable.tsx';
import { BackfillProgress } from './BackfillsPage.tsx';
import { Checkbox, NumberInput } from '../parts/fields.ts';

const route = getRouteApi('/backfills/$id');
const LIVE_REREAD_MS = 2_000;
const isLive = (status: string) => ['REQUESTED', 'IN_PROGRESS', 'PAUSED'].includes(status);

export function BackfillPage() {
  const { id } = route.useParams();
  const backfill = useApi(getBackfill, { id });
  const live = backfill.data ? isLive(backfill.data.status) : false;
  useApi(getBackfill, { id }, { enabled: live, refetchInterval: live ? LIVE_REREAD_MS : false });
  return (
    <Page
      title={`Backfill ${id.slice(-10)}`}
      tab={`${backfill.data?.status.toLowerCase().replaceAll('_', ' ') ?? ''} · backfill`}
      head={backfill.data && <Acts backfill={backfill.data} />}
    >
      <Read of={backfill}>
        {(value) => (
          <>
            <Figures backfill={value} />
            <Card title="Progress">
              <BackfillProgress of={value} />
            </Card>
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

function Acts({ backfill }: { backfill: Backfill }) {
  const { id, status } = backfill;
  const [dialog, setDialog] = useState<'cancel' | 'retry'>();
  const [running, setRunning] = useState(false);
  const navigate = route.useNavigate();
  const pause = useAct(pauseBackfill, () => 'Paused: what runs ends, nothing new is requested.');
  const resume = useAct(resumeBackfill, () => 'It goes on.');
  const cancel = useAct(cancelBackfill, () => 'Cancelled.');
  const retry = useAct(retryBackfill, () => 'A new backfill repeats what failed.');
  const live = isLive(status);
  const ended = live ? undefined : 'It has ended.';
  return (
    <>
      <Status of={status} />
      <span className="grow" />
      {status === 'PAUSED' ? (
        <Act
          permission="backfill"
          variant="filled"
          leftSection={<Play size={14} />}
          loading={resume.isPending}
          onAct={() => resume.mutate({ id }, { onError: tellProblem })}
        >
          Resume
        </Act>
      ) : (
        <Act
          permission="backfill"
          leftSection={<Pause size={14} />}
          because={ended}
          loading={pause.isPending}
          onAct={() => pause.mutate({ id }, { onError: tellProblem })}
        >
          Pause
        </Act>
      )}
      <Act
        permission="backfill"
        leftSection={<RotateCw size={14} />}
        because={live ? 'It still works.' : undefined}
        onAct={() => setDialog('retry')}
      >
        Retry failed…
      </Act>
      <Act permission="backfill" leftSection={<Ban size={14} />} because={ended} onAct={() => setDialog('cancel')}>
        Cancel…
      </Act>
      {dialog === 'cancel' && (
        <Confirm
          title="Cancel this backfill"
          verb="Cancel the backfill"
          dangerous
          busy={cancel.isPending}
          error={cancel.error}
          onClose={() => setDialog(undefined)}
          onConfirm={(reason) =>
            cancel.mutate({ id, body: { running, reason } }, { onSuccess: () => setDialog(undefined) })
          }
        >
          <p>
            {Math.max(0, backfill.total - backfill.position).toLocaleString('en')} partitions are not requested yet and
            will not be; {backfill.active} are at work.
          </p>
          <Checkbox
            label="Cancel the runs that are at work too"
            checked={running}
            onChange={(event) => setRunning(event.currentTarget.checked)}
          />
        </Confirm>
      )}
      {dialog === 'retry' && (
        <Confirm
          title="Retry"
          verb="Start the backfill"
          busy={retry.isPending}
          error={retry.error}
          onClose={() => setDialog(undefined)}
          onConfirm={(reason) =>
            retry.mutate(
              { id, body: { statuses: ['failed', 'missing'], reason } },
              { onSuccess: ({ id: next }) => void navigate({ to: '/backfills/$id', params: { id: next } }) },
            )
          }
        >
          <p>A new backfill of the same selection takes what is failed or missing by now.</p>
        </Confirm>
      )}
    </>
  );
}

function Figures({ backfill }: { backfill: Backfill }) {
  const now = useNow(isLive(backfill.status) ? 1_000 : 0);
  const done = backfill.succeeded + backfill.failed + backfill.canceled;
  const spentMs = (backfill.ended_at === null ? now : Date.parse(backfill.ended_at)) - Date.parse(backfill.created_at);
  const perMinute = spentMs > 0 ? done / (spentMs / 60_000) : 0;
  const left = Math.max(0, backfill.total - backfill.passed - done);
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    ['Succeeded', backfill.succeeded.toLocaleString('en')],
    ['Failed', backfill.failed.toLocaleString('en')],
    ['At work', backfill.active.toLocaleString('en')],
    ['Left', left.toLocaleString('en')],
    ['A minute', perMinute.toFixed(1)],
    ['Done in', isLive(backfill.status) && perMinute > 0 ? formatDuration((left / perMinute) * 60_000, true) : '–'],
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
  const change = useAct(changeBackfill, ({ max_active: n }) => `${n} runs at once from now on.`);
  const [most, setMost] = useState(backfill.max_active);
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
      <Card title="Runs at once">
        <div className="row">
          <NumberInput
            aria-label="Runs at once"
            w={90}
            min={1}
            max={10_000}
            value={most}
            onChange={(value) => setMost(typeof value === 'number' ? value : 1)}
          />
          <Act
            permission="backfill"
            because={
              !isLive(backfill.status)
                ? 'It has ended.'
                : most === backfill.max_active
                  ? 'That is the limit now.'
                  : undefined
            }
            onAct={() => change.mutate({ id: backfill.id, body: { max_active: most } }, { onError: tellProblem })}
          >
            Change
          </Act>
        </div>
      </Card>
      {Object.keys(backfill.config).length > 0 && (
        <Card title="Config">
          <Json of={backfill.config} />
        </Card>
      )}
    </div>
  );
}
