import type { PointerEvent } from 'react';

import { lineAt, marksOf, placeOf } from './log-map.ts';
import type { Found } from './use-find.ts';

export interface LogMapProps {
  readonly errors: Found;
  readonly hits: Found;
  readonly total: number;
  /** The first line that is in sight. */
  readonly seen: string | undefined;
  readonly onGo: (line: string | undefined) => void;
}

/** The whole log as a strip: errors at its left, hits at its right, where one is; a press goes there. */
export function LogMap({ errors, hits, total, seen, onGo }: LogMapProps) {
  const [red, amber] = [marksOf(errors, total), marksOf(hits, total)];
  const here = seen === undefined ? undefined : placeOf(seen, errors.stretches, total);
  const press = ({ currentTarget, clientY }: PointerEvent<HTMLDivElement>) => {
    const { top, height } = currentTarget.getBoundingClientRect();
    const at = (clientY - top) / Math.max(height, 1);
    const near = [...red, ...amber].filter((mark) => Math.abs(mark.at - at) < NEAR);
    near.sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at));
    onGo(near[0]?.id ?? lineAt(at, errors.stretches, total));
  };
  const said = `${errors.hits.toLocaleString('en')} errors${hits.isDone ? `, ${hits.hits.toLocaleString('en')} hits` : ''}`;
  return (
    <div className="log-map" role="img" aria-label={`Where in the log: ${said}`} title={said} onPointerDown={press}>
      {here !== undefined && <b style={{ top: `${100 * here}%` }} />}
      {red.map(({ at }) => (
        <i key={at} data-tone="bad" style={{ top: `${100 * at}%` }} />
      ))}
      {amber.map(({ at }) => (
        <i key={at} data-tone="warn" data-side="end" style={{ top: `${100 * at}%` }} />
      ))}
    </div>
  );
}

/** Of the strip's height: a mark is a few pixels, a finger is not. */
const NEAR = 0.015;
