import { TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type RunWithPartitions, getRun, listRuns } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { Cause } from './Cause.tsx';

const route = getRouteApi('/compare');

/** Two runs side by side. Without a second one: the last success of the same job before it. */
export function ComparePage() {
  const { a = '', b } = route.useSearch();
  const navigate = route.useNavigate();
  const first = useApi(getRun, { id: a }, { enabled: a !== '' });
  const job = first.data?.job ?? '';
  const successes = useApi(listRuns, { job, status: 'success', limit: 10 }, { enabled: b === undefined && job !== '' });
  const fallback = successes.data?.items.find((run) => run.id !== a)?.id;
  const second = b ?? fallback ?? '';
  const other = useApi(getRun, { id: second }, { enabled: second !== '' });
  return (
    <Page
      title="Compare two runs"
      lead="Without a second run, the last success of the same job stands beside the first."
    >
      <div className="row wrap">
        <TextInput
          label="First run"
          w={290}
          defaultValue={a}
          key={`a${a}`}
          onBlur={(event) => void navigate({ search: { a: event.currentTarget.value.trim(), ...(b ? { b } : {}) } })}
        />
        <TextInput
          label="Second run"
          w={290}
          defaultValue={second}
          key={`b${second}`}
          onBlur={(event) => void navigate({ search: { a, b: event.currentTarget.value.trim() } })}
        />
      </div>
      {a === '' && <Empty title="Choose two runs.">Tick two in the list of runs, or paste their ids above.</Empty>}
      {a !== '' && (
        <Read of={first}>
          {(left) =>
            second === '' ? (
              <Empty title="There is nothing to compare it with yet.">No other run of {left.job} was a success.</Empty>
            ) : (
              <Read of={other}>{(right) => <Both left={left} right={right} />}</Read>
            )
          }
        </Read>
      )}
    </Page>
  );
}

function Both({ left, right }: { left: RunWithPartitions; right: RunWithPartitions }) {
  return (
    <>
      <div className="split">
        <Side run={left} name="First" />
        <Side run={right} name="Second" />
      </div>
      <div className="split">
        <Card title="Config, first → second">
          <DiffView before={left.config as Json} after={right.config as Json} same="The same config." />
        </Card>
        <Card title="Result, first → second">
          <DiffView before={left.result as Json} after={right.result as Json} same="The same result." />
        </Card>
      </div>
    </>
  );
}

function Side({ run, name }: { run: RunWithPartitions; name: string }) {
  return (
    <Card title={`${name} run`}>
      <dl className="facts">
        <dt>Run</dt>
        <dd>
          <Link to="/runs/$id" params={{ id: run.id }} className="mono">
            {run.id}
          </Link>
        </dd>
        <dt>State</dt>
        <dd>
          <Status of={run.status} />
        </dd>
        <dt>Partition</dt>
        <dd>{run.partitions[0] ? <KeyText of={run.partitions[0].key} /> : '–'}</dd>
        <dt>Cause</dt>
        <dd>
          <Cause of={run.cause} />
        </dd>
        <dt>Created</dt>
        <dd>
          <Time at={run.created_at} />
        </dd>
        <dt>Took</dt>
        <dd>
          <Duration from={run.started_at} to={run.ended_at} />
        </dd>
        <dt>Error</dt>
        <dd>{run.error?.message ?? 'none'}</dd>
      </dl>
    </Card>
  );
}
