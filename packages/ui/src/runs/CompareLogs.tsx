import { Link } from '@tanstack/react-router';

import { type LogTemplates, type RunWithPartitions, listLogTemplates } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { onlyIn } from './compare.ts';
import './compare.css';

const SHOWN = 40;

/** Kinds of lines that only one of the two logs has: ids, numbers and times in them do not count. */
export function CompareLogs({ left, right }: { left: RunWithPartitions; right: RunWithPartitions }) {
  const first = useApi(listLogTemplates, { id: left.id });
  const second = useApi(listLogTemplates, { id: right.id });
  return (
    <div className="split">
      <Read of={first}>
        {(mine) => (
          <Read of={second}>
            {(theirs) => (
              <>
                <Only title="Only the first log says" run={left} of={mine} other={theirs} />
                <Only title="Only the second log says" run={right} of={theirs} other={mine} />
              </>
            )}
          </Read>
        )}
      </Read>
    </div>
  );
}

interface OnlyProps {
  readonly title: string;
  readonly run: RunWithPartitions;
  readonly of: LogTemplates;
  readonly other: LogTemplates;
}

function Only({ title, run, of, other }: OnlyProps) {
  const kinds = onlyIn(of, other);
  return (
    <Card
      title={title}
      aside={
        <span className="dim small num">
          {of.lines.toLocaleString('en')} lines{of.is_whole ? '' : ' looked at, there are more'}
        </span>
      }
    >
      {kinds.length === 0 && (
        <p className="dim">{of.lines === 0 ? 'It has no lines.' : 'Nothing that the other does not say too.'}</p>
      )}
      <ul className="compare-lines">
        {kinds.slice(0, SHOWN).map(({ level, pattern, count, example }) => (
          <li key={`${level} ${pattern}`} data-level={level}>
            <span className="compare-level">{level}</span>
            <Link
              to="/runs/$id"
              params={{ id: run.id }}
              search={{ tab: 'log', find: example }}
              title="Find it in the log"
            >
              <bdi>{example}</bdi>
            </Link>
            <span className="dim num">{count > 1 && `× ${count.toLocaleString('en')}`}</span>
          </li>
        ))}
      </ul>
      {kinds.length > SHOWN && <p className="dim small">and {kinds.length - SHOWN} more kinds</p>}
    </Card>
  );
}
