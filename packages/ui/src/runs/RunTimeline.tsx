import { Link } from '@tanstack/react-router';

import { type RunWithPartitions, listRunEvents } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { formatDuration } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { isActive } from './active.ts';
import { type Attempt, attemptsOf } from './spans.ts';
import './run.css';

const SHOWN_ATTEMPTS = 60;

/** When each attempt and each of its phases began and ended, on one axis from the launch to the end. */
export function RunTimeline({ run }: { run: RunWithPartitions }) {
  const events = usePages(listRunEvents, { id: run.id, limit: 500 });
  const now = useNow(isActive(run.status) ? 1_000 : 0);
  const from = Date.parse(run.created_at);
  const end = run.ended_at === null ? Math.max(now, from + 1) : Date.parse(run.ended_at);
  const started = run.started_at === null ? end : Date.parse(run.started_at);
  return (
    <Card
      flush
      title="Timeline"
      aside={
        <span className="dim small num">
          {formatDuration(end - from)} from launch {run.ended_at ? 'to end' : 'until now'}
        </span>
      }
    >
      <Read of={events}>
        {() => {
          const attempts = attemptsOf(events.items, run.ended_at === null ? undefined : end);
          // A long wait in the queue would squeeze the work into a sliver: the axis then begins with the work.
          const isLongWait = started - from > 4 * (end - started) && end > started;
          const axis = { from: isLongWait ? started - (end - started) * 0.15 : from, to: end };
          return (
            <div className="timeline" role="table" aria-label="Attempts and phases">
              <Line
                axis={axis}
                name="queued"
                from={from}
                to={started}
                tone="wait"
                top
                note={isLongWait ? 'the axis is cut' : undefined}
              />
              {attempts.length === 0 && (
                <Empty title={isActive(run.status) ? 'No attempt has begun yet.' : 'This run had no attempts.'} />
              )}
              {attempts.slice(0, SHOWN_ATTEMPTS).map((attempt, i) => (
                <AttemptLines
                  key={attempt.id}
                  attempt={attempt}
                  number={i + 1}
                  axis={axis}
                  end={end}
                  isOnly={attempts.length === 1}
                />
              ))}
              {attempts.length > SHOWN_ATTEMPTS && (
                <p className="dim small" style={{ padding: 12 }}>
                  {attempts.length - SHOWN_ATTEMPTS} more attempts:{' '}
                  <Link to="/runs/$id" params={{ id: run.id }} search={{ tab: 'raw' }}>
                    see the events
                  </Link>
                </p>
              )}
            </div>
          );
        }}
      </Read>
    </Card>
  );
}

interface Axis {
  readonly from: number;
  readonly to: number;
}

function AttemptLines(props: { attempt: Attempt; number: number; axis: Axis; end: number; isOnly: boolean }) {
  const { attempt, axis, end } = props;
  const [, ...unit] = attempt.id.split('.');
  return (
    <>
      <Line
        axis={axis}
        name={props.isOnly ? 'attempt' : `attempt ${unit.join('.') || props.number}`}
        from={attempt.from}
        to={attempt.to ?? end}
        tone={attempt.failed ? 'bad' : attempt.to === undefined ? 'busy' : 'good'}
        top
        moving={attempt.to === undefined}
      />
      {attempt.phases.map((phase, i) => (
        <Line
          key={i}
          axis={axis}
          name={phase.name}
          from={phase.from}
          to={phase.to ?? end}
          tone="busy"
          moving={phase.to === undefined}
        />
      ))}
    </>
  );
}

function Line(props: {
  axis: Axis;
  name: string;
  from: number;
  to: number;
  tone: string;
  top?: boolean;
  moving?: boolean;
  note?: string | undefined;
}) {
  const span = Math.max(props.axis.to - props.axis.from, 1);
  const left = Math.max(0, ((props.from - props.axis.from) / span) * 100);
  const right = Math.max(left, ((props.to - props.axis.from) / span) * 100);
  return (
    <div className="timeline-line" role="row" data-top={props.top || undefined}>
      <span role="rowheader" className="clip">
        {props.name}
      </span>
      <span role="cell" className="timeline-track" aria-label={formatDuration(props.to - props.from)}>
        <i
          data-tone={props.tone}
          className={props.moving ? 'moving' : undefined}
          style={{ left: `${left}%`, width: `max(3px, ${Math.max(0, right - left)}%)` }}
        />
      </span>
      <span role="cell" className="num small dim">
        {formatDuration(Math.max(0, props.to - props.from))}
        {props.note && ` (${props.note})`}
      </span>
    </div>
  );
}
