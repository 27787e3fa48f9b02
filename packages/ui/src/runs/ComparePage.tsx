import { Button, TextInput } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';
import { ArrowLeftRight } from 'lucide-react';

import { type RunWithPartitions, getRun } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { Duration, Time } from '../parts/Time.tsx';
import { Cause } from './Cause.tsx';
import { CompareLogs } from './CompareLogs.tsx';
import { CompareSteps } from './CompareSteps.tsx';
import { useLastSuccess } from './use-last-success.ts';

const route = getRouteApi('/compare');

/** Two runs side by side. Without a second one: the last success before it, of the same partition if there is one. */
export function ComparePage() {
  const { a = '', b } = route.useSearch();
  const navigate = route.useNavigate();
  const first = useApi(getRun, { id: a }, { enabled: a !== '' });
  const last = useLastSuccess(first.data, b === undefined);
  const second = b ?? last.id ?? '';
  const other = useApi(getRun, { id: second }, { enabled: second !== '' });
  return (
    <Page
      title="Compare two runs"
      lead="Without a second run, the last success before the first one, of the same partition if there is one, stands beside it."
    >
      <div className="row wrap" style={{ alignItems: 'flex-end' }}>
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
        <Button
          variant="default"
          leftSection={<ArrowLeftRight size={14} />}
          onClick={() => void navigate({ search: { a: second, b: a } })}
        >
          Swap
        </Button>
        {b === undefined && second !== '' && (
          <span className="dim small" role="status">
            The last success {last.isSamePartition ? 'of the same partition' : 'of the job, of another partition'}.
          </span>
        )}
      </div>
      {a === '' && <Empty title="Choose two runs.">Tick two in the list of runs, or paste their ids above.</Empty>}
      {a !== '' && (
        <Read of={first}>
          {(left) =>
            last.isNone ? (
              <Empty title="There is nothing to compare it with yet.">
                No run of {left.job} was a success before this one. Paste the id of another run above.
              </Empty>
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
      <CompareSteps left={left} right={right} />
      <div className="split">
        <Card title="Config and tags, first → second">
          <DiffView before={inputOf(left)} after={inputOf(right)} same="The same config and tags." />
        </Card>
        <Card title="Result and metadata, first → second">
          <DiffView before={outputOf(left)} after={outputOf(right)} same="The same result and metadata." />
        </Card>
      </div>
      <CompareLogs left={left} right={right} />
    </>
  );
}

const inputOf = ({ config, tags }: RunWithPartitions) => ({ ...config, tags }) as Json;

/** Metadata of a single partition; of many, each has its own. */
function outputOf({ result, partitions, partitions_total: total }: RunWithPartitions): Json {
  const [first] = partitions;
  return { ...result, ...(total === 1 && first ? { metadata: first.metadata } : {}) } as Json;
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
        <dd>
          {run.partitions[0] ? <KeyText of={run.partitions[0].key} /> : '–'}
          {run.partitions_total > 1 && ` and ${(run.partitions_total - 1).toLocaleString('en')} more`}
        </dd>
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
        <dt>Worker</dt>
        <dd>{run.worker === null ? '–' : <bdi className="mono">{run.worker}</bdi>}</dd>
        <dt>Code version</dt>
        <dd>{run.code_version ?? <span className="dim">the asset has none</span>}</dd>
        <dt>Error</dt>
        <dd>{run.error?.message ?? 'none'}</dd>
      </dl>
    </Card>
  );
}
