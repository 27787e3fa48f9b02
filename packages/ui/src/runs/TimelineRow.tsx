import { Link } from '@tanstack/react-router';

import { formatDuration } from '../parts/time.ts';
import type { Axis } from './time-axis.ts';

export interface Row {
  readonly key: string;
  readonly name: string;
  readonly from: number;
  /** Undefined while it goes on. */
  readonly to: number | undefined;
  readonly tone: string;
  readonly isTop: boolean;
  /** The end of the run waited for it. */
  readonly isCritical?: boolean;
  readonly attempt?: string;
  readonly note?: string;
}

export interface TimelineRowProps {
  readonly row: Row;
  readonly run: string;
  readonly axis: Axis;
  readonly end: number;
  /** The one that Tab comes to; arrows lead on. */
  readonly isFirst: boolean;
}

export function TimelineRow({ row, run, axis, end, isFirst }: TimelineRowProps) {
  const to = row.to ?? end;
  const [left, right] = [axis.place(row.from), axis.place(to)];
  const took = formatDuration(Math.max(0, to - row.from));
  return (
    <div
      className="timeline-line"
      role="row"
      data-row
      data-top={row.isTop || undefined}
      data-critical={row.isCritical || undefined}
      tabIndex={isFirst ? 0 : -1}
    >
      <span role="rowheader" className="clip" title={row.name}>
        {row.name}
      </span>
      <span role="cell" className="timeline-track" aria-label={took}>
        {axis.gaps.map((gap) => (
          <s key={gap.from} style={{ left: percent(axis.place(gap.from)), width: percent(widthOf(axis, gap)) }} />
        ))}
        <i
          data-tone={row.tone}
          className={row.to === undefined ? 'moving' : undefined}
          style={{ left: percent(left), width: `max(3px, ${percent(right - left)})` }}
        />
      </span>
      <span role="cell" className="num small dim clip" title={row.note}>
        {took}
        {row.note && ` · ${row.note}`}
      </span>
      <span role="cell" className="small">
        {row.attempt !== undefined && (
          <Link
            to="/runs/$id"
            params={{ id: run }}
            search={{ tab: 'log', line: `${Math.floor(row.from)}-0`, ...(row.isTop ? { attempt: row.attempt } : {}) }}
            tabIndex={-1}
            aria-label={`log of ${row.name}`}
          >
            log
          </Link>
        )}
      </span>
    </div>
  );
}

export const percent = (share: number) => `${100 * share}%`;
const widthOf = (axis: Axis, gap: { from: number; to: number }) => axis.place(gap.to) - axis.place(gap.from);
