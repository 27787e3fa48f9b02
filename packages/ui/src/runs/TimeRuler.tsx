import { type PointerEvent, useState } from 'react';

import { useClock } from '../app/preferences.ts';
import { formatDuration, formatTime } from '../parts/time.ts';
import { percent } from './TimelineRow.tsx';
import type { Axis, Span } from './time-axis.ts';

const TICKS = [0, 0.25, 0.5, 0.75, 1] as const;
/** Of the width: less is a press, not a brush. */
const LEAST = 0.01;

/** The times above the rows; what is dragged over on it is shown alone. */
export function TimeRuler({ axis, seen, onZoom }: { axis: Axis; seen: Span; onZoom: (span: Span) => void }) {
  const clock = useClock();
  const [drag, setDrag] = useState<{ readonly start: number; readonly at: number }>();
  const placeOf = ({ currentTarget, clientX }: PointerEvent<HTMLElement>) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / Math.max(width, 1)));
  };
  const done = () => {
    setDrag(undefined);
    if (drag === undefined || Math.abs(drag.at - drag.start) < LEAST) return;
    const [start, end] = [Math.min(drag.start, drag.at), Math.max(drag.start, drag.at)];
    onZoom({ from: Math.floor(axis.timeAt(start)), to: Math.ceil(axis.timeAt(end)) });
  };
  return (
    <div className="timeline-line" role="row">
      <span role="columnheader" className="small dim">
        {formatTime(seen.from, clock)}
      </span>
      <span
        role="columnheader"
        className="timeline-ruler"
        title="Drag to look closer"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ start: placeOf(event), at: placeOf(event) });
        }}
        onPointerMove={(event) => drag && setDrag({ ...drag, at: placeOf(event) })}
        onPointerUp={done}
        onPointerCancel={() => setDrag(undefined)}
      >
        {TICKS.map((tick) => (
          <span key={tick} style={{ left: percent(tick) }} data-end={tick === 1 || undefined}>
            +{formatDuration(axis.timeAt(tick) - seen.from)}
          </span>
        ))}
        {drag && (
          <b style={{ left: percent(Math.min(drag.start, drag.at)), width: percent(Math.abs(drag.at - drag.start)) }} />
        )}
      </span>
      <span role="columnheader" className="small dim">
        took
      </span>
      <span role="columnheader">
        <span className="visually-hidden">Lines</span>
      </span>
    </div>
  );
}
