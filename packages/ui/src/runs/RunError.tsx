import { Link } from '@tanstack/react-router';

import { type RunWithPartitions, listSimilarFailures } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { KeyText } from '../parts/KeyText.tsx';
import { Time } from '../parts/Time.tsx';

const SHOWN = 5;

/** The run's own error, or the first that one of its partitions has; and whether it has come before. */
export function RunError({ run }: { run: RunWithPartitions }) {
  const failed = run.partitions.find((one) => one.error !== null);
  const error = run.error ?? failed?.error;
  const isFailed = run.status === 'FAILURE';
  const similar = useApi(listSimilarFailures, { id: run.id }, { enabled: isFailed });
  if (!error) return null;
  const group = similar.data?.group;
  const others = group?.run_ids.filter((id) => id !== run.id) ?? [];
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
        {isFailed && (
          <span className="small row wrap" style={{ minHeight: 20 }}>
            {group && others.length === 0 && <span>No other run failed like this lately.</span>}
            {group && others.length > 0 && (
              <>
                <span>
                  {(group.runs - 1).toLocaleString('en')} other {group.runs === 2 ? 'run' : 'runs'} failed like this
                  since <Time at={group.first_at} />:
                </span>
                {others.slice(0, SHOWN).map((id) => (
                  <Link key={id} to="/runs/$id" params={{ id }} className="mono">
                    {id.slice(-8)}
                  </Link>
                ))}
              </>
            )}
            <Link to="/failures" search={{ job: run.job }}>
              All failures of {run.job}
            </Link>
          </span>
        )}
      </div>
    </div>
  );
}
