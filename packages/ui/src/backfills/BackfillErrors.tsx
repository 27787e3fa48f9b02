import { Link } from '@tanstack/react-router';

import { type Backfill, type FailureGroup, listFailures } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';

const SHOWN = 6;
const MOST_RUNS = 2_000;

/** What its runs failed by: a thousand failures are three causes. Nothing where none failed. */
export function BackfillErrors({ backfill }: { backfill: Backfill }) {
  const cause = `backfill:${backfill.id}`;
  const failures = useApi(listFailures, { cause, runs: MOST_RUNS }, { enabled: backfill.failed > 0 });
  if (backfill.failed === 0) return null;
  return (
    <Card
      title="Errors by cause"
      aside={
        <Link to="/runs" search={{ q: `cause:${cause} status:failed` }} className="small">
          All runs that failed
        </Link>
      }
    >
      <Read of={failures} lines={3}>
        {({ items }) => (
          <div className="stack">
            {items.length === 0 && <p className="dim">They are older than the newest failures that are grouped.</p>}
            {items.slice(0, SHOWN).map((group) => (
              <Group key={group.fingerprint} of={group} />
            ))}
            {items.length > SHOWN && <p className="dim small">and {items.length - SHOWN} more causes</p>}
          </div>
        )}
      </Read>
    </Card>
  );
}

function Group({ of }: { of: FailureGroup }) {
  const [first] = of.run_ids;
  return (
    <div className="stack tight">
      <div className="row wrap">
        <code className="mono bad">{of.code}</code>
        <span className="small dim num">
          {of.runs.toLocaleString('en')} {of.runs === 1 ? 'run' : 'runs'}, first at <Time at={of.first_at} />
        </span>
        {first !== undefined && (
          <Link to="/runs/$id" params={{ id: first }} className="mono small">
            {first.slice(-10)}
          </Link>
        )}
      </div>
      <pre>{of.message}</pre>
    </div>
  );
}
