import { Button } from '@mantine/core';
import { Link, getRouteApi } from '@tanstack/react-router';

import { type FailureGroup, listFailures } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { AndMore } from '../parts/AndMore.tsx';
import { Card, Page } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';

const route = getRouteApi('/failures');
const SHOWN_RUNS = 6;

/** Failures by what they have in common, so that a thousand failed runs are three causes. */
export function FailuresPage() {
  const { job } = route.useSearch();
  const navigate = route.useNavigate();
  const failures = useApi(listFailures, job ? { job } : {});
  return (
    <Page
      title="Failures"
      lead="By cause: messages that differ only in ids, numbers and times are one."
      head={
        job && (
          <button type="button" className="chip" aria-pressed onClick={() => void navigate({ search: {} })}>
            job {job} ×
          </button>
        )
      }
    >
      <Read of={failures}>
        {({ items, looked_at: lookedAt }) =>
          items.length === 0 ? (
            <Empty title={job ? `No run of ${job} has failed.` : 'Nothing has failed.'}>
              {lookedAt > 0 && `${lookedAt} failed runs were looked at.`}
              {job && (
                <Button variant="default" onClick={() => void navigate({ search: {} })}>
                  Of all jobs
                </Button>
              )}
            </Empty>
          ) : (
            items.map((group) => <Group key={group.fingerprint} group={group} />)
          )
        }
      </Read>
    </Page>
  );
}

function Group({ group }: { group: FailureGroup }) {
  return (
    <Card
      title={
        <span className="row wrap">
          <code className="mono" style={{ color: 'var(--bad)' }}>
            {group.code}
          </code>
          <span className="dim small num">
            {group.runs.toLocaleString('en')} runs, {group.partitions_failed.toLocaleString('en')} partitions
          </span>
        </span>
      }
      aside={
        <span className="small dim">
          <Time at={group.first_at} /> … <Time at={group.last_at} />
        </span>
      }
    >
      <div className="stack tight">
        <pre>{group.message}</pre>
        <div className="row wrap small">
          {group.jobs.map((job) => (
            <Link key={job} to="/runs" search={{ q: `job:${job} status:failed` }}>
              {job}
            </Link>
          ))}
          <span className="dim">·</span>
          {group.run_ids.slice(0, SHOWN_RUNS).map((id) => (
            <Link key={id} to="/runs/$id" params={{ id }} className="mono">
              {id.slice(-8)}
            </Link>
          ))}
          <AndMore of={group.runs} shown={SHOWN_RUNS} />
        </div>
      </div>
    </Card>
  );
}
