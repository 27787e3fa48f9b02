import { Link } from '@tanstack/react-router';

import type { RunWithPartitions } from '../api/generated/client.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json as JsonValue } from '../editor/json.ts';
import { Charts } from '../parts/Charts.tsx';
import { Json } from '../parts/Json.tsx';
import { Card } from '../parts/Page.tsx';
import { hasView } from './result.ts';
import { useLastSuccess } from './use-last-success.ts';

/** What went in, what differs in it from when it last went well, and what came out. */
export function RunOutputs({ run }: { run: RunWithPartitions }) {
  return (
    <div className="split">
      <div className="stack">
        <Card title="Config as launched">
          <Json of={run.config} />
        </Card>
        <SinceSuccess run={run} />
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

function SinceSuccess({ run }: { run: RunWithPartitions }) {
  const last = useLastSuccess(run);
  return (
    <Card
      title="Config against the last success before"
      aside={
        last.id !== undefined && (
          <Link to="/compare" search={{ a: run.id, b: last.id }} className="small">
            Compare with {last.id.slice(-8)}
          </Link>
        )
      }
    >
      {last.isNone && <p className="dim small">No run of this job was a success before this one.</p>}
      {last.run && (
        <DiffView
          before={last.run.config as JsonValue}
          after={run.config as JsonValue}
          same={`The same config${last.isSamePartition ? '' : ', of another partition'}.`}
        />
      )}
    </Card>
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
