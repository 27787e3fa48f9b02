import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useState } from 'react';

import { getTickTimeline } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { useClock } from '../app/preferences.ts';
import { lookOf } from '../parts/status.ts';
import { formatDuration, formatTime } from '../parts/time.ts';
import { useNow } from '../parts/use-now.ts';
import { RANGES, barsOf, rangeText, readRange } from './range.ts';
import './timeline.css';

const HEIGHT_PX = 44;
const STEP_PX = 7;
const LEAST_PX = 6;
/** A drag that is shorter was a click. */
const DRAG_PX = 6;
/** How often a relative range moves on. */
const MOVES_MS = 1_000;

export interface TickTimelineProps {
  readonly name: string;
  readonly range: string | undefined;
  readonly onRange: (range: string | undefined) => void;
}

/** Every tick that is kept, over time: colour by decision, height by duration; dragging over it narrows the list below. */
export function TickTimeline({ name, range: text, onRange }: TickTimelineProps) {
  const timeline = useApi(getTickTimeline, { name });
  const { ref, width } = useElementSize();
  const clock = useClock();
  const marks = timeline.data?.items ?? [];
  const now = useNow(text === undefined || readRange(text, 0)?.isRelative ? MOVES_MS : 0) || Date.now();
  const first = marks[0] === undefined ? now - 3_600_000 : Date.parse(marks[0].at);
  const shown = readRange(text, now) ?? { fromMs: first, toMs: Math.max(now, first + 60_000) };
  const bars = width > 0 ? barsOf(marks, shown, width, STEP_PX) : [];
  const longest = Math.max(1, ...bars.map((bar) => bar.longestMs));
  const [drag, setDrag] = useState<readonly [number, number]>();
  const timeAt = (x: number) => shown.fromMs + (x / Math.max(1, width)) * (shown.toMs - shown.fromMs);
  const xOf = (event: PointerEvent<SVGSVGElement>) =>
    Math.min(width, Math.max(0, event.clientX - event.currentTarget.getBoundingClientRect().left));
  const end = () => {
    setDrag(undefined);
    if (!drag) return;
    const [from, to] = [Math.min(...drag), Math.max(...drag)];
    if (to - from >= DRAG_PX) onRange(rangeText(timeAt(from), timeAt(to)));
  };
  const range = readRange(text, now);
  // What moves with the clock is named, not written out.
  const span = range?.isRelative
    ? `the last ${text}`
    : range
      ? `${formatTime(range.fromMs, clock)} to ${formatTime(range.toMs, clock)}`
      : marks.length === 0
        ? 'none yet'
        : `since ${formatTime(first, clock)}`;
  const total = bars.reduce((sum, bar) => sum + bar.ticks, 0);
  return (
    <div className="tick-timeline">
      <div className="row wrap" role="group" aria-label="Range of the timeline">
        {RANGES.map((one) => (
          <button
            key={one}
            type="button"
            className="chip"
            aria-pressed={text === one}
            onClick={() => onRange(text === one ? undefined : one)}
          >
            {one}
          </button>
        ))}
        <button type="button" className="chip" aria-pressed={text === undefined} onClick={() => onRange(undefined)}>
          all kept
        </button>
        <span className="small dim num grow">
          {total.toLocaleString('en')} {total === 1 ? 'tick' : 'ticks'} · {span}
        </span>
        <span className="small dim wide">Drag to narrow</span>
      </div>
      <div ref={ref} aria-hidden>
        <svg
          width="100%"
          height={HEIGHT_PX}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            setDrag([xOf(event), xOf(event)]);
          }}
          onPointerMove={(event) => drag && setDrag([drag[0], xOf(event)])}
          onPointerUp={end}
          onPointerCancel={() => setDrag(undefined)}
        >
          <line x1="0" x2="100%" y1={HEIGHT_PX - 0.5} y2={HEIGHT_PX - 0.5} className="base" />
          {bars.map((bar) => {
            const height = LEAST_PX + (HEIGHT_PX - LEAST_PX - 2) * Math.sqrt(bar.longestMs / longest);
            return (
              <rect
                key={bar.x}
                data-tone={lookOf(bar.decision).tone}
                x={bar.x}
                y={HEIGHT_PX - 1 - height}
                width={STEP_PX - 2}
                height={height}
                rx={1.5}
              >
                <title>
                  {`${formatTime(bar.fromMs, clock)}: ${bar.ticks === 1 ? lookOf(bar.decision).word : `${bar.ticks} ticks, the worst ${lookOf(bar.decision).word}`}, ${formatDuration(bar.longestMs)}`}
                </title>
              </rect>
            );
          })}
          {drag && (
            <rect
              className="brush"
              x={Math.min(...drag)}
              y={0}
              width={Math.abs(drag[1] - drag[0])}
              height={HEIGHT_PX}
            />
          )}
        </svg>
      </div>
    </div>
  );
}
