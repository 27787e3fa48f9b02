import { type Virtualizer, useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';

import { useClock } from '../app/preferences.ts';
import { compareIds } from './log-map.ts';
import { LogRow } from './LogRow.tsx';
import type { Log, LogActs } from './use-log.ts';
import './run.css';

const LINE_PX = 22;
/** Lines before an end at which more are asked for. */
const NEAR = 60;

export interface LogLinesProps {
  readonly log: Log & LogActs;
  readonly find: string;
  /** Ids of lines that an expression matched: they are marked as a whole. */
  readonly hits: ReadonlySet<string>;
  readonly here: string | undefined;
  /** Stay at the end while lines come; scrolling up stops it. */
  readonly follow: boolean;
  readonly isWrapped: boolean;
  readonly onEnd: (isAtEnd: boolean) => void;
  /** The strip beside the lines, given the first line in sight. */
  readonly map: (seen: string | undefined) => ReactNode;
}

/** The lines that are held, of which only those to be seen are in the page. */
export function LogLines({ log, find, hits, here, follow, isWrapped, onEnd, map }: LogLinesProps) {
  const { lines, hasBefore, hasAfter, prepended, opening } = log;
  const clock = useClock();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    getItemKey: (index) => lines[index]?.id ?? index,
    estimateSize: () => LINE_PX,
    overscan: 12,
  });
  const virtual = rows.getVirtualItems();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const hasAttempt = lines.some(({ attempt }) => attempt !== lines[0]?.attempt);

  // What is looked at stays where it is when lines come or go before it.
  useLayoutEffect(() => {
    if (prepended !== 0 && box.current) box.current.scrollTop += prepended * LINE_PX;
  }, [lines, prepended]);
  const latest = useRef(lines.length);
  latest.current = lines.length;
  useLayoutEffect(() => {
    if (opening.at === 'start') rows.scrollToOffset(0);
    if (opening.at === 'end') rows.scrollToIndex(latest.current - 1, { align: 'end' });
  }, [opening, rows]);
  useEffect(() => {
    if (follow && atEnd.current && !hasAfter) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [follow, hasAfter, lines.length, rows]);
  // A link from a time names no line: the next one is meant.
  const target = here === undefined ? -1 : lines.findIndex((line) => compareIds(line.id, here) >= 0);
  const scrolledTo = useRef<string>(undefined);
  useEffect(() => {
    if (here === undefined || scrolledTo.current === here) return;
    if (target >= 0) {
      scrolledTo.current = here;
      rows.scrollToIndex(target, { align: 'center' });
    }
  }, [here, target, rows]);

  const [first, last] = [virtual[0]?.index ?? 0, virtual.at(-1)?.index ?? 0];
  const { more } = log;
  useEffect(() => {
    // Where the box is by now: `first` and `last` are of before it was moved for lines that came.
    const [above, below] = inSight(box.current, rows);
    if (hasBefore && above < NEAR) more('before');
    else if (hasAfter && below > lines.length - NEAR) more('after');
  }, [first, last, hasBefore, hasAfter, lines.length, more, rows]);

  const seen = virtual.find(({ end }) => end > (rows.scrollOffset ?? 0))?.index;
  return (
    <div className="log-frame">
      <div
        className="log"
        data-wrapped={isWrapped || undefined}
        ref={box}
        tabIndex={0}
        role="log"
        aria-label="Log lines"
        aria-live="off"
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < LINE_PX * 2;
          onEnd(atEnd.current);
        }}
      >
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {virtual.map(({ index, start, key }) => {
            const line = lines[index];
            if (!line) return null;
            return (
              <div
                key={key}
                ref={rows.measureElement}
                data-index={index}
                data-here={index === target || undefined}
                data-hit={hits.has(line.id) || undefined}
                data-level={line.level}
                className="log-line"
                style={{ position: 'absolute', top: 0, transform: `translateY(${start}px)` }}
              >
                <LogRow
                  line={line}
                  clock={clock}
                  find={find}
                  hasAttempt={hasAttempt}
                  isOpen={open.has(line.id)}
                  onOpen={() => setOpen(toggled(open, line.id))}
                  onPick={() => (scrolledTo.current = line.id)}
                />
              </div>
            );
          })}
        </div>
      </div>
      {map(seen === undefined ? undefined : lines[seen]?.id)}
    </div>
  );
}

/** The first and the last line that are to be seen. */
function inSight(box: HTMLElement | null, rows: Virtualizer<HTMLDivElement, Element>): readonly [number, number] {
  const at = box?.scrollTop ?? 0;
  const indexAt = (offset: number) => rows.getVirtualItemForOffset(offset)?.index ?? 0;
  return [indexAt(at), indexAt(at + (box?.clientHeight ?? 0))];
}

function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}
